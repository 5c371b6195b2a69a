"""Marks in SQLite: one transaction per submission, so that a killed run loses nothing that was finished.

Nothing is overwritten: a submission that is graded again gets a new grading beside the old one, and the newest
counts. Graders that share a gradebook claim a submission before they grade it; the claim of one that was killed
is free again, since the operating system has dropped the lock that it held.
"""

from __future__ import annotations

import csv
import io
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

from .text import spreadsheet

STATUSES = ("graded", "partly", "not attempted", "timed out", "crashed", "unreadable", "sandbox error")
_ALLOWED = ", ".join(f"'{status}'" for status in STATUSES)
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS runs (
    id INTEGER PRIMARY KEY, assignment TEXT, version TEXT, anew INTEGER, started_at TEXT DEFAULT (datetime()));
CREATE TABLE IF NOT EXISTS gradings (
    id INTEGER PRIMARY KEY, run INTEGER, student TEXT, submission TEXT, version TEXT, tier TEXT,
    graded_at TEXT DEFAULT (datetime()));
CREATE INDEX IF NOT EXISTS by_submission ON gradings (student, submission, version);
CREATE TABLE IF NOT EXISTS marks (
    grading INTEGER REFERENCES gradings, item TEXT, points REAL, max REAL,
    status TEXT CHECK (status IN ({_ALLOWED})), message TEXT, PRIMARY KEY (grading, item));
CREATE TABLE IF NOT EXISTS handed_in (
    student TEXT, version TEXT, submission TEXT, PRIMARY KEY (student, version));
CREATE TABLE IF NOT EXISTS claims (
    student TEXT, submission TEXT, version TEXT, grader TEXT, PRIMARY KEY (student, submission, version));
CREATE VIEW IF NOT EXISTS done AS
    SELECT student, submission, version FROM gradings AS g
    WHERE run >= (SELECT COALESCE(MAX(id), 0) FROM runs WHERE version = g.version AND anew)
    AND NOT EXISTS (SELECT 1 FROM marks WHERE grading = g.id AND status = 'sandbox error');
CREATE VIEW IF NOT EXISTS newest AS
    SELECT MAX(id) AS id, student, submission, version, tier FROM gradings GROUP BY student, submission, version;
"""
_MARK = "g.student, g.submission, g.version, g.tier, m.item, m.points, m.max, m.status, m.message"


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


class Claim(StrEnum):
    """What a grader may do with a submission: grade it, leave it as it is, or come back later."""

    MINE = "mine"
    DONE = "done"
    TAKEN = "taken"


class GradebookError(OSError):
    """The gradebook cannot be read or written: the disk is full, it is locked, or it is no gradebook."""


class Gradebook:
    """The marks of all runs; a context manager, for one thread. ``wait``: seconds until a lock is an error."""

    def __init__(self, path: Path, wait: float = 60.0) -> None:
        self._path, self._run, self._version = path, 0, ""
        self._name = secrets.token_hex(4)
        self._alive: FileLock | None = None
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._told():
            self._db = sqlite3.connect(path, timeout=wait, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")  # a power cut may cost the last few, never the rest
            self._db.executescript(_SCHEMA)

    def begin(self, assignment: str, version: str, anew: bool = False) -> None:
        """Starts a run, which may claim submissions; ``anew``: those that are done are to be graded again.

        Raises ValueError if the gradebook is that of another assignment.
        """
        other = self._rows("SELECT assignment FROM runs WHERE assignment != ? LIMIT 1", assignment)
        if other:
            raise ValueError(f"{self._path} holds marks of {other[0][0]}; an assignment has a folder of its own")
        self._alive = FileLock(self._lock(self._name))
        self._alive.acquire()
        with self._transaction():
            row = (assignment, version, anew)
            run = self._db.execute("INSERT INTO runs (assignment, version, anew) VALUES (?, ?, ?)", row).lastrowid
        self._run, self._version = run or 0, version

    def claim(self, student: str, submission: str) -> Claim:
        """Reserves a submission for this run, unless it is done or a grader that still lives has it."""
        key = (student, submission, self._version)
        with self._transaction():
            if self._rows("SELECT 1 FROM done WHERE (student, submission, version) = (?, ?, ?)", *key):
                self._hand_in(*key)
                return Claim.DONE
            holder = self._rows("SELECT grader FROM claims WHERE (student, submission, version) = (?, ?, ?)", *key)
            if holder and holder[0][0] != self._name and self._lives(holder[0][0]):
                return Claim.TAKEN
            self._db.execute("INSERT OR REPLACE INTO claims VALUES (?, ?, ?, ?)", (*key, self._name))
            return Claim.MINE

    def add(self, marks: list[Mark]) -> None:
        """Stores all marks of one submission as one grading, or none. Raises GradebookError."""
        first = marks[0]
        key = (first.student, first.submission, first.version)
        with self._transaction():
            grading = self._db.execute(
                "INSERT INTO gradings (run, student, submission, version, tier) VALUES (?, ?, ?, ?, ?)",
                (self._run, *key, first.tier),
            ).lastrowid
            rows = [(grading, *astuple(mark)[4:]) for mark in marks]
            self._db.executemany("INSERT INTO marks VALUES (?, ?, ?, ?, ?, ?)", rows)
            self._db.execute("DELETE FROM claims WHERE (student, submission, version) = (?, ?, ?)", key)
            self._hand_in(*key)

    def known(self, version: str) -> set[tuple[str, str]]:
        """(student, submission) pairs that need no grading: a sandbox error does, and all before a new start."""
        return set(self._rows("SELECT student, submission FROM done WHERE version = ?", version))

    def marks(self, student: str, submission: str, version: str) -> list[Mark]:
        """The newest marks of one submission, in the order in which its items were graded."""
        query = (
            f"SELECT {_MARK} FROM newest AS g JOIN marks AS m ON m.grading = g.id "
            "WHERE (g.student, g.submission, g.version) = (?, ?, ?) ORDER BY m.rowid"
        )
        return [Mark(*row) for row in self._rows(query, student, submission, version)]

    def current(self, version: str | None = None) -> list[Mark]:
        """The marks that count: of every student the newest grading of what was handed in last, by student.

        ``version`` is by default that of the last run.
        """
        query = (
            f"SELECT {_MARK} FROM handed_in JOIN newest AS g USING (student, version, submission) "
            "JOIN marks AS m ON m.grading = g.id WHERE version = COALESCE(?, (SELECT version FROM gradings "
            "ORDER BY id DESC LIMIT 1)) ORDER BY g.student, m.rowid"
        )
        return [Mark(*row) for row in self._rows(query, version)]

    def history(self, student: str) -> list[tuple[str, Mark]]:
        """Every mark a student ever had, oldest first, with the time (UTC) of its grading."""
        query = f"SELECT g.graded_at, {_MARK} FROM gradings AS g JOIN marks AS m ON m.grading = g.id "
        rows = self._rows(query + "WHERE g.student = ? ORDER BY m.rowid", student)
        return [(time, Mark(*mark)) for time, *mark in rows]

    @property
    def assignment(self) -> str | None:
        """The name of the assignment; None before the first run."""
        rows = self._rows("SELECT assignment FROM runs LIMIT 1")
        return rows[0][0] if rows else None

    def _hand_in(self, student: str, submission: str, version: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO handed_in VALUES (?, ?, ?)", (student, version, submission))

    def _lock(self, grader: str) -> Path:
        return self._path.with_name(f".grader-{grader}.lock")

    def _lives(self, grader: str) -> bool:
        lock = FileLock(self._lock(grader))
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return True
        lock.release()
        self._lock(grader).unlink(missing_ok=True)
        return False

    def _rows(self, query: str, *values: object) -> list[tuple]:
        with self._told():
            return self._db.execute(query, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._told():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            finally:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.IntegrityError:
            raise  # a fault of the program, not of the disk
        except sqlite3.Error as error:
            raise GradebookError(f"{self._path}: {error}; what it holds is kept") from error

    def __enter__(self) -> Gradebook:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()
        if self._alive:
            self._alive.release()
            self._lock(self._name).unlink(missing_ok=True)


def to_csv(marks: list[Mark]) -> str:
    """The long form, one line per student and item; text is safe to open in a spreadsheet."""
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(["student", "item", "points", "max", "status", "message", "submission", "version", "boundary"])
    for m in marks:
        names = (spreadsheet(m.student), m.item, f"{m.points:g}", f"{m.max:g}", m.status, spreadsheet(m.message))
        table.writerow([*names, m.submission, m.version, m.tier])
    return text.getvalue()
