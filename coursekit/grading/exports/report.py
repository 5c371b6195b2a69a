"""From the gradebook of a grading to everything that is made of it; says what needs a person's eye."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from ..class_report import class_report
from ..exercise import Assignment
from ..feedback import file_stem, write_feedback
from ..files import write_whole
from ..gradebook import Gradebook, Mark, to_csv
from ..text import some
from .canvas import KEY, fill
from .gradescope import results
from .moodle import to_moodle
from .plain import to_gradebook_csv, to_jsonl
from .table import Row, number, points_elsewhere, read_roster, rows


@dataclass
class Report:
    """The files that were written, and sentences about what is missing from them."""

    written: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def write(self, path: Path, text: str) -> None:
        """Writes a file, whole, and remembers it."""
        write_whole(path, text)
        self.written.append(path)


def read_marks(out: Path) -> tuple[str, list[Mark]]:
    """The assignment's name and the marks that count. Raises FileNotFoundError or ValueError if there are none."""
    path = out / "gradebook.db"
    if not path.is_file():
        raise FileNotFoundError(f"{out} holds no gradebook.db: it is the folder that coursekit grade wrote to")
    with Gradebook(path) as book:
        name, marks = book.assignment, book.current()
    if name is None or not marks:
        raise ValueError(f"{path} holds no marks yet")
    return name, marks


def report(marks: list[Mark], assignment: Assignment, out: Path) -> Report:
    """Writes the tables, the students' pages and the class report into ``out``."""
    done, table = Report(), rows(marks)
    done.write(out / "grades.csv", to_csv(marks))
    done.write(out / "grades.jsonl", to_jsonl(marks))
    done.write(out / "gradebook.csv", to_gradebook_csv(table))
    done.write(out / "class.html", class_report(table, assignment))
    write_feedback(marks, assignment, out / "feedback")
    done.written.append(out / "feedback")
    _note(done, "not graded (sandbox error), no total anywhere", [r.student for r in table if r.points is None])
    _note(done, "unreadable, 0 points until you look", [r.student for r in table if r.status == "unreadable"])
    if not table[0].marks[0].version.startswith(assignment.version):
        done.notes.append("the master has changed since it was graded: titles and hints are those of today")
    return done


def to_canvas(
    done: Report,
    table: tuple[Row, ...],
    out: Path,
    file: Path,
    column: str,
    key: str = KEY,
    roster: Path | None = None,
) -> None:
    """Writes ``out/canvas.csv``, the exported gradebook ``file`` with one column filled. Raises ValueError."""
    points = _elsewhere(done, table, key, roster)
    filled = fill(file.read_bytes().decode("utf-8"), column, points, key)
    done.write(out / "canvas.csv", filled.text)
    _note(done, f"graded, but not in the Canvas file by {key}", list(filled.unmatched))
    _note(done, "in the Canvas file without a total here; left as they were", list(filled.empty))
    worth = {number(row.max) for row in table}
    if filled.possible and _amount(filled.possible) not in worth:
        done.notes.append(f"Canvas has {filled.possible} points possible for {column!r}, here it is {worth.pop()}")


def to_moodle_file(
    done: Report, table: tuple[Row, ...], out: Path, key: str, title: str, roster: Path | None = None
) -> None:
    """Writes ``out/moodle.csv``. Raises ValueError for a roster without the columns that are needed."""
    done.write(out / "moodle.csv", to_moodle(_elsewhere(done, table, key, roster), key, title))


def to_gradescope(done: Report, table: tuple[Row, ...], assignment: Assignment, out: Path) -> None:
    """Writes ``out/gradescope/<student>/results.json`` for every student."""
    for row in table:
        text = json.dumps(results(row, assignment), indent=1) + "\n"
        write_whole(out / "gradescope" / file_stem(row.student) / "results.json", text)
    done.written.append(out / "gradescope")


def _elsewhere(done: Report, table: tuple[Row, ...], key: str, roster: Path | None) -> dict[str, float]:
    """The points by a student's name elsewhere; notes who is not on the roster."""
    points, unknown, _ = points_elsewhere(table, read_roster(roster, key) if roster else None)
    _note(done, "not on the roster", unknown)
    return points


def _amount(text: str) -> str:
    try:
        return number(float(text))
    except ValueError:
        return text


def _note(done: Report, what: str, students: list[str]) -> None:
    if students:
        done.notes.append(f"{len(students)} {what}: {some(students, 5)}")
