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


@pytest.mark.parametrize("source", ["", "  \n", "# later\n    # much later\n"])
def test_an_emptied_cell_is_not_written(source: str, notebook: Build, stubs: dict[str, str]) -> None:
    assert list(cells_of(notebook(gd_step=source), stubs)) == [item for item in stubs if item != "gd_step"]
    assert cells_of(notebook(gd_step=source + "\n1"), stubs)["gd_step"]


def test_merged_cells_answer_every_item_that_they_define(notebook: Build, stubs: dict[str, str]) -> None:
    both = "def gd_step(w, g, eta):\n    return w\n\n\ndef estimate_L(H, v, steps):\n    return 1"
    tree = notebook(gd_step=both)
    tree["cells"] = [c for c in tree["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") != "estimate_L"]
    cells = cells_of(tree, stubs)
    assert (cells["gd_step"], cells["estimate_L"]) == ((both,), ())  # it runs once


def test_a_corrected_copy_comes_after_the_cell_it_corrects(notebook: Build, stubs: dict[str, str]) -> None:
    draft = "def gd_step(w, g, eta): return w\ndef estimate_L(H, v, steps): return 1"
    tree = notebook(gd_step="gd_step = 1 + 1", estimate_L="estimate_L = 2 + 2")
    tree["cells"].insert(0, {"cell_type": "code", "source": draft, "metadata": {}})
    cells = cells_of(tree, stubs)
    assert (cells["gd_step"], cells["estimate_L"]) == ((draft, "gd_step = 1 + 1"), ("estimate_L = 2 + 2",))


BROKEN = {
    "empty": b"",
    "truncated": b'{"cells": [{"cell_type": "code", "source": "def gd_st',
    "not UTF-8": b'{"cells": [], "x": "\xff\xfe\xfa"}',
    "a list": b"[]",
    "no worksheets": b'{"worksheets": {}, "nbformat": 3}',
    "worksheets without cells": b'{"worksheets": [{}], "nbformat": 3}',
    "cells of text": b'{"cells": ["a", "b"]}',
    "source is a number": b'{"cells": [{"cell_type": "code", "source": 7}]}',
    "metadata is a number": b'{"cells": [{"cell_type": "code", "source": "", "metadata": 7}]}',
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


def test_a_link_is_not_followed_into_another_students_folder(
    tmp_path: Path, notebook: Build, stubs: dict[str, str]
) -> None:
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / "smoothness.ipynb").write_text(json.dumps(notebook()))
    (tmp_path / "eve").symlink_to(tmp_path / "ada")
    found = {student: read(student, paths, stubs) for student, paths in find(tmp_path, "smoothness").items()}
    assert found["ada"].fault is None
    assert "cannot be read" in str(found["eve"].fault)


def test_names_that_are_not_text_stay_apart_and_can_be_stored(tmp_path: Path, stubs: dict[str, str]) -> None:
    for name in (b"\xff", b"\xfe"):
        (tmp_path / os.fsdecode(name + b".ipynb")).touch()
        (tmp_path / os.fsdecode(name)).mkdir()
    found = {student: read(student, paths, stubs) for student, paths in find(tmp_path, "smoothness").items()}
    assert len(found) == 2
    for student, submission in found.items():
        assert "handed in twice" in str(submission.fault)
        (student + str(submission.fault)).encode()


def test_finds_files_and_folders(tmp_path: Path) -> None:
    (tmp_path / "ada.ipynb").touch()
    (tmp_path / "bob").mkdir()
    (tmp_path / ".ipynb_checkpoints").mkdir()
    (tmp_path / "notes.txt").touch()
    assert find(tmp_path, "smoothness") == {
        "ada": [tmp_path / "ada.ipynb"],
        "bob": [tmp_path / "bob" / "smoothness.ipynb"],
    }


def test_finds_what_nbgrader_has_collected(tmp_path: Path) -> None:
    collected = tmp_path / "ada" / "smoothness" / "smoothness.ipynb"
    collected.parent.mkdir(parents=True)
    collected.touch()
    assert find(tmp_path, "smoothness") == {"ada": [collected]}
    (tmp_path / "eve").mkdir()
    (tmp_path / "eve" / "smoothness").symlink_to(collected.parent)
    assert find(tmp_path, "smoothness")["eve"] == [tmp_path / "eve" / "smoothness.ipynb"]
    (tmp_path / "ada" / "smoothness.ipynb").touch()
    assert len(find(tmp_path, "smoothness")["ada"]) == 2


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
