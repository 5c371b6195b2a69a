"""A submission read as data: bounded, never executed here, and never an exception that reaches the batch."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MAX_FILE = 10 * 2**20
MAX_SOURCE = 200_000  # as JSON; a message's header holds 256 KiB


@dataclass(frozen=True)
class Submission:
    """A student's solution cells by item id, or the reason why there are none."""

    student: str
    digest: str
    cells: dict[str, tuple[str, ...]] = field(default_factory=dict)
    fault: str | None = None


def find(folder: Path, assignment: str) -> dict[str, list[Path]]:
    """The files of every student, ``<student>.ipynb`` or ``<student>/<assignment>.ipynb``; no hidden names.

    A link is taken for the student's file and not followed: it could lead into the folder of another student.
    """
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.suffix == ".ipynb" or path.is_symlink():
            found.setdefault(_name(path.name.removesuffix(".ipynb")), []).append(path)
        elif path.is_dir():
            found.setdefault(_name(path.name), []).extend(_inside(path, f"{assignment}.ipynb"))
    return found


def _inside(folder: Path, file: str) -> list[Path]:
    """The student's file in their folder, or one folder further down, where nbgrader collects it."""
    deeper = folder / file.removesuffix(".ipynb")
    there = [
        place / file for place in (folder, deeper) if not place.is_symlink() and os.path.lexists(place / file)
    ]
    return there or [folder / file]


def read(student: str, paths: list[Path], stubs: dict[str, str]) -> Submission:
    """Reads one student's notebook. ``stubs`` are the released cells, by which untouched ones are known."""
    if len(paths) != 1:
        names = " and ".join(_name(path.name) for path in paths)
        return Submission(student, "twice", fault=f"handed in twice: {names} exist side by side")
    try:
        data = _bytes(paths[0])
    except OSError as error:
        return Submission(student, "none", fault=f"the file cannot be read: {error.strerror or 'no regular file'}")
    digest = hashlib.sha256(data).hexdigest()[:16]
    if len(data) > MAX_FILE:
        limit = f"{MAX_FILE >> 20} MB"
        return Submission(student, digest, fault=f"the notebook is larger than {limit}: clear its outputs")
    try:
        cells = solution_cells(data, stubs)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, MemoryError) as error:
        return Submission(student, digest, fault=f"this is not a readable notebook ({type(error).__name__})")
    return Submission(student, digest, cells)


def _bytes(path: Path) -> bytes:
    """At most MAX_FILE + 1 bytes of a regular file; links, pipes and devices are refused."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("no regular file")
        return file.read(MAX_FILE + 1)


def solution_cells(data: bytes, stubs: dict[str, str]) -> dict[str, tuple[str, ...]]:
    """For every item the cells that carry its grade_id or define its function, in order, untouched stubs left out.

    A cell that defines several functions, as merged cells do, is listed once: other items may be left with none.
    Raises ValueError, KeyError, TypeError or AttributeError if ``data`` is not a notebook.
    """
    notebook = json.loads(data)  # finds out by itself whether it is UTF-8, with a mark or without, or UTF-16
    untouched = {_squeeze(stub) for stub in stubs.values()}
    found: dict[str, list[str]] = {}
    for cell in _cells(notebook):
        if cell["cell_type"] != "code":
            continue
        source = cell["source"] if "source" in cell else cell["input"]  # the name it had in format 3
        source = source if isinstance(source, str) else "".join(source)
        marks = (cell.get("metadata") or {}).get("nbgrader")
        grade_id = marks.get("grade_id") if isinstance(marks, dict) else None
        items = [item for item in stubs if grade_id == item or _defines(item, source)]
        if items and _squeeze(source) not in untouched and not _empty(source):
            for item in items:
                found.setdefault(item, [])
            found[grade_id if grade_id in items else items[0]].append(source)  # it runs once, whatever it defines
    return {item: tuple(found[item]) for item in stubs if item in found}


def _cells(notebook: Any) -> Any:
    """The cells of a notebook; format 3 had worksheets around them."""
    return notebook["cells"] if "cells" in notebook else notebook["worksheets"][0]["cells"]


def _name(name: str) -> str:
    """A file name as text; bytes that are not UTF-8 are spelt out, so that two names stay two."""
    return name.encode("utf-8", "backslashreplace").decode()


def _defines(item: str, source: str) -> bool:
    """Whether a line of ``source`` defines ``item``. A pattern and no parser: hostile text can crash a parser."""
    return re.search(rf"^(?:def {item}\s*\(|{item}\s*(?::[^=\n]*)?=[^=])", source, re.MULTILINE) is not None


def _empty(source: str) -> bool:
    """Whether there are comments at most."""
    return all(line.lstrip().startswith("#") or not line.strip() for line in source.splitlines())


def _squeeze(source: str) -> str:
    return " ".join(source.split())
