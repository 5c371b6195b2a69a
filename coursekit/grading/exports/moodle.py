"""Marks for Moodle's grade import: one row a student, keyed by email address or ID number."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

from ..text import spreadsheet
from .table import number

COLUMNS = {"email": "Email address", "idnumber": "ID number"}  # as Moodle's own export names them


def to_moodle(points: Mapping[str, float], key: str, title: str) -> str:
    """The file for "Import, CSV": map its first column to the user field, the second to the grade item.

    There is no feedback column: Moodle overwrites a grade by an imported comment that comes without one.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([COLUMNS[key], spreadsheet(title)])
    writer.writerows([spreadsheet(who), number(earned)] for who, earned in points.items())
    return text.getvalue()
