"""The table of marks that every export and report reads: one row a student, one mark an item."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from ..gradebook import Mark

UNGRADED = "sandbox error"
_WORST_FIRST = (UNGRADED, "unreadable", "crashed", "timed out")


@dataclass(frozen=True)
class Row:
    """The marks of one student's latest submission."""

    student: str
    marks: tuple[Mark, ...]

    @property
    def points(self) -> float | None:
        """The sum of all items; None while one of them could not be graded, since that is no zero."""
        return None if self.status == UNGRADED else round(sum(mark.points for mark in self.marks), 2)

    @property
    def max(self) -> float:
        """What could be earned."""
        return sum(mark.max for mark in self.marks)

    @property
    def status(self) -> str:
        """The worst that befell an item; "not attempted" if all are; else "graded"."""
        found = {mark.status for mark in self.marks}
        if worst := next((status for status in _WORST_FIRST if status in found), None):
            return worst
        return "not attempted" if found == {"not attempted"} else "graded"


def rows(marks: Iterable[Mark]) -> tuple[Row, ...]:
    """The table of ``marks`` in which a student's marks stand together."""
    return tuple(Row(student, tuple(group)) for student, group in groupby(marks, key=lambda mark: mark.student))


def item_ids(table: Iterable[Row]) -> list[str]:
    """Every item that somebody has a mark for, in the order of the assignment."""
    return list(dict.fromkeys(mark.item for row in table for mark in row.marks))


def number(points: float) -> str:
    """Points as every export writes them: at most two decimals, none that are zero."""
    return f"{points:.2f}".rstrip("0").rstrip(".")


def read_roster(path: Path, key: str) -> dict[str, str]:
    """Who a student is elsewhere: from a CSV with the columns ``student`` and ``key``. Raises ValueError."""
    with open(path, encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        columns = reader.fieldnames or []
        if missing := [name for name in ("student", key) if name not in columns]:
            raise ValueError(f"the roster {path} has no column {missing[0]!r}; its columns: {', '.join(columns)}")
        lines = [((line["student"] or "").strip(), (line[key] or "").strip()) for line in reader]
    pairs = [(student, known) for student, known in lines if student and known]
    for place, kind in enumerate(("student", key)):
        names = [pair[place] for pair in pairs]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"the roster {path} names the {kind} {twice[0]!r} more than once")
    return dict(pairs)


def points_elsewhere(
    table: Iterable[Row], roster: dict[str, str] | None
) -> tuple[dict[str, float], list[str], list[str]]:
    """Points by a student's name elsewhere; who is not on the roster; who has an item that is not graded yet."""
    points: dict[str, float] = {}
    unknown, ungraded = [], []
    for row in table:
        name = row.student if roster is None else roster.get(row.student)
        if name is None:
            unknown.append(row.student)
        elif row.points is None:
            ungraded.append(row.student)
        else:
            points[name] = row.points
    return points, unknown, ungraded
