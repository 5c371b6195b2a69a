"""Marks as plain files: one line a mark as JSON, and one row a student as CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import asdict

from ..gradebook import Mark
from ..text import clean, spreadsheet
from .table import UNGRADED, Row, item_ids, number

# With spaces, since an item may have any name that a function has.
_SUMMARY = (
    "total points",
    "points possible",
    "worst status",
    "submission hash",
    "assignment version",
    "boundary tier",
)


def to_jsonl(marks: Iterable[Mark]) -> str:
    """One JSON object per student and item, with the fields of a mark."""
    harmless = (asdict(mark) | {"student": clean(mark.student), "message": clean(mark.message)} for mark in marks)
    return "".join(json.dumps(mark, ensure_ascii=False) + "\n" for mark in harmless)


def to_gradebook_csv(table: tuple[Row, ...]) -> str:
    """One row a student: points of every item, total, maximum, status. What is not graded stays empty."""
    items = item_ids(table)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["student", *items, *_SUMMARY])
    for row in table:
        points = {mark.item: number(mark.points) for mark in row.marks if mark.status != UNGRADED}
        total = "" if row.points is None else number(row.points)
        first = row.marks[0]
        figures = [*(points.get(item, "") for item in items), total, number(row.max), row.status]
        writer.writerow([spreadsheet(row.student), *figures, first.submission, first.version, first.tier])
    return text.getvalue()
