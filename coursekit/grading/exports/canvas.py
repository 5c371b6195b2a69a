"""Fills one column of a gradebook that Canvas exported; every other cell stays as it was, byte for byte.

Canvas makes a new assignment of a column that it does not know, so the file to upload is the instructor's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .table import number

KEY = "SIS Login ID"
_SEPARATORS = ",;\t"


@dataclass(frozen=True)
class Filled:
    """The text to upload; whose marks found no row, which rows got none, the points Canvas has for the column."""

    text: str
    unmatched: tuple[str, ...]
    empty: tuple[str, ...]
    possible: str | None


def fill(text: str, column: str, points: Mapping[str, float], key: str = KEY) -> Filled:
    """Writes ``points``, keyed by the values of the column ``key``, into ``column`` of an exported gradebook.

    Raises ValueError if a column is missing or named twice, or if two rows have one key.
    """
    lines = list(_lines(text))
    header = [_value(cell).strip() for cell, _ in lines[0]] if lines else []
    target, name = (_place(header, wanted) for wanted in (column, key))
    filled: list[str] = []
    empty: list[str] = []
    possible = None
    for line in lines[1:]:
        if len(line) <= max(target, name):
            continue
        who = _value(line[name][0]).strip()
        if _value(line[0][0]).strip() == "Points Possible":
            possible = _value(line[target][0]).strip()
        elif who in filled:
            raise ValueError(f"the gradebook has two rows with {key} {who!r}")
        elif who in points:
            line[target] = (number(points[who]), line[target][1])
            filled.append(who)
        elif who:
            empty.append(who)
    unmatched = tuple(sorted(points.keys() - set(filled)))
    return Filled("".join(cell + end for line in lines for cell, end in line), unmatched, tuple(empty), possible)


def _lines(text: str) -> Iterator[list[tuple[str, str]]]:
    """The lines of a CSV as (cell, what ends it), both as they are written, quotes included."""
    separator = next((ch for ch in text.partition("\n")[0] if ch in _SEPARATORS), ",")
    cell = re.compile(rf'("(?:[^"]|"")*"|(?!")[^{separator}\r\n]*)({separator}|\r\n|\r|\n|\Z)')
    line: list[tuple[str, str]] = []
    place = 0
    while place < len(text) or (line and line[-1][1] == separator):
        found = cell.match(text, place)
        if found is None:
            raise ValueError("the gradebook is not a CSV file: a quoted cell does not end")
        line.append((found[1], found[2]))
        place = found.end()
        if found[2] != separator:
            yield line
            line = []


def _value(cell: str) -> str:
    cell = cell.removeprefix("\ufeff")
    return cell[1:-1].replace('""', '"') if cell.startswith('"') else cell


def _place(header: list[str], column: str) -> int:
    if (count := header.count(column)) != 1:
        raise ValueError(f"the gradebook has {count} columns {column!r}; its columns: {', '.join(header)}")
    return header.index(column)
