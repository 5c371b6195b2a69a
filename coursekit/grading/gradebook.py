"""Marks in SQLite: one transaction per submission, so that a killed run loses nothing that was finished."""

from __future__ import annotations

import csv
import io
import sqlite3
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from types import TracebackType

from .text import spreadsheet

STATUSES = ("graded", "partly", "not attempted", "timed out", "crashed", "unreadable", "sandbox error")


@dataclass(frozen=True)
class Mark:
    """One row: what a student got for an item, why, and which submission, assignment and boundary that was."""

    student: str
    submission: str
    version: str
    tier: str
    item: str = ""
    points: float = 0.0
    max: float = 0.0
    status: str = ""
    message: str = ""


class Gradebook:
    """The marks of all runs; a context manager. Keyed by student, submission hash, assignment version and item."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, timeout=60.0)
        self._db.execute("PRAGMA journal_mode=WAL")
        allowed = ", ".join(f"'{status}'" for status in STATUSES)
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS marks (student TEXT, submission TEXT, version TEXT, tier TEXT, item TEXT, "
            f"points REAL, max REAL, status TEXT CHECK (status IN ({allowed})), message TEXT, "
            "PRIMARY KEY (student, submission, version, item))"
        )

    def known(self, version: str) -> set[tuple[str, str]]:
        """(student, submission) pairs that need no grading: all but those that met a sandbox error."""
        rows = self._db.execute(
            "SELECT student, submission FROM marks WHERE version = ? GROUP BY student, submission "
            "HAVING SUM(status = 'sandbox error') = 0",
            (version,),
        )
        return set(rows.fetchall())

    def add(self, marks: list[Mark]) -> None:
        """Stores all marks of one submission, or none."""
        places = ", ".join("?" * len(fields(Mark)))
        with self._db:
            self._db.executemany(f"INSERT OR REPLACE INTO marks VALUES ({places})", map(astuple, marks))

    def marks(self, student: str, submission: str, version: str) -> list[Mark]:
        """The marks of one submission, in the order in which its items were graded."""
        rows = self._db.execute(
            "SELECT * FROM marks WHERE student = ? AND submission = ? AND version = ? ORDER BY rowid",
            (student, submission, version),
        )
        return [Mark(*row) for row in rows]

    def __enter__(self) -> Gradebook:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()


def to_csv(marks: list[Mark]) -> str:
    """The long form, one line per student and item; text is safe to open in a spreadsheet."""
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(["student", "item", "points", "max", "status", "message", "submission", "version", "boundary"])
    for m in marks:
        names = (spreadsheet(m.student), m.item, f"{m.points:g}", f"{m.max:g}", m.status, spreadsheet(m.message))
        table.writerow([*names, m.submission, m.version, m.tier])
    return text.getvalue()
