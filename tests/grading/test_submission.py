"""Notebooks as data: what is taken from them, and what is said of those that cannot be read."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from coursekit.grading.exercise import Assignment
from coursekit.grading.master import stub
from coursekit.grading.submission import MAX_FILE, find, read, solution_cells
from coursekit.grading.text import clean, spreadsheet

Build = Callable[..., dict[str, Any]]


@pytest.fixture
def stubs(smoothness: Assignment) -> dict[str, str]:
    return {item.id: stub(smoothness.master.solutions[item.id]) for item in smoothness.items}


def cells_of(tree: dict[str, Any], stubs: dict[str, str]) -> dict[str, tuple[str, ...]]:
    return solution_cells(json.dumps(tree).encode(), stubs)


def test_takes_solution_cells_only(notebook: Build, stubs: dict[str, str]) -> None:
    tree = notebook(gd_step="def gd_step(w, g, eta):\n    return w")
    tree["cells"].append({"cell_type": "code", "source": "print('something else')", "metadata": {}})
    cells = cells_of(tree, stubs)
    assert list(cells) == list(stubs)
    assert cells["gd_step"] == ("def gd_step(w, g, eta):\n    return w",)


def test_finds_a_cell_by_its_function_when_metadata_is_gone(notebook: Build, stubs: dict[str, str]) -> None:
    tree = notebook(gd_step="gd_step = lambda w, g, eta: w - eta * g")
    for cell in tree["cells"]:
        cell["metadata"] = {}
        cell["source"] = "".join(cell["source"])
    assert cells_of(tree, stubs) == cells_of(notebook(gd_step="gd_step = lambda w, g, eta: w - eta * g"), stubs)


def test_untouched_stub_does_not_hide_a_solution_elsewhere(notebook: Build, stubs: dict[str, str]) -> None:
    tree = notebook(gd_step=stubs["gd_step"])
    mine = {"cell_type": "code", "source": "def gd_step(w, g, eta):\n    return w - eta * g", "metadata": {}}
    tree["cells"].insert(0, mine)
    assert cells_of(tree, stubs)["gd_step"] == (mine["source"],)
    assert "gd_step" not in cells_of(notebook(gd_step=stubs["gd_step"] + "\n"), stubs)


BROKEN = {
    "empty": b"",
    "truncated": b'{"cells": [{"cell_type": "code", "source": "def gd_st',
    "not UTF-8": b'{"cells": [], "x": "\xff\xfe\xfa"}',
    "a list": b"[]",
    "old schema": b'{"worksheets": [{"cells": []}], "nbformat": 3}',
    "cells of text": b'{"cells": ["a", "b"]}',
    "source is a number": b'{"cells": [{"cell_type": "code", "source": 7}]}',
    "metadata is a list": b'{"cells": [{"cell_type": "code", "source": "", "metadata": []}]}',
    "deep": b"[" * 1_000_000,
    "huge number": b'{"cells": ' + b"9" * 10_000 + b"}",
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_notebooks_are_unreadable_and_no_exception(
    name: str, tmp_path: Path, stubs: dict[str, str]
) -> None:
    path = tmp_path / "ada.ipynb"
    path.write_bytes(BROKEN[name])
    assert "not a readable notebook" in str(read("ada", [path], stubs).fault)


def test_large_linked_and_odd_files_are_refused(tmp_path: Path, stubs: dict[str, str]) -> None:
    large, pipe, link, folder = (tmp_path / name for name in ("large", "pipe", "link", "folder"))
    with open(large, "wb") as file:
        file.truncate(100 * 2**20)
    os.mkfifo(pipe)
    link.symlink_to("/etc/hostname")
    folder.mkdir()
    assert f"larger than {MAX_FILE >> 20} MB" in str(read("ada", [large], stubs).fault)
    for path in (pipe, link, folder, tmp_path / "missing"):
        assert "cannot be read" in str(read("ada", [path], stubs).fault)
    assert "handed in twice" in str(read("ada", [large, pipe], stubs).fault)


def test_finds_files_and_folders(tmp_path: Path) -> None:
    (tmp_path / "ada.ipynb").touch()
    (tmp_path / "bob").mkdir()
    (tmp_path / ".ipynb_checkpoints").mkdir()
    (tmp_path / "notes.txt").touch()
    assert find(tmp_path, "smoothness") == {
        "ada": [tmp_path / "ada.ipynb"],
        "bob": [tmp_path / "bob" / "smoothness.ipynb"],
    }


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("\x1b[31mred\x1b[0m \x1b]0;title\x07end", "red end"),
        ("a\u202eb\u200bc\x00d\x9be", "abcde"),
        ("two\nlines\u2028three", "two lines three"),
        ("lone \ud800 surrogate", "lone surrogate"),
        ("x" * 500, "x" * 299 + "…"),
    ],
)
def test_text_is_made_harmless(text: str, harmless: str) -> None:
    assert clean(text) == harmless


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\x1b[0m=1", "|calc", "＝1"])
def test_formulas_are_neutralised(text: str) -> None:
    assert spreadsheet(text).startswith("'")
    assert spreadsheet("all 7 cases agree") == "all 7 cases agree"
