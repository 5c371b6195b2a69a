"""The two commands: what they print, what they write, and how they say that something is wrong."""

from __future__ import annotations

import argparse
import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from coursekit.grading import public
from coursekit.grading.commands import add_parsers
from coursekit.grading.exercise import load

from .conftest import SMOOTHNESS


def run(*words: object) -> int:
    parser = argparse.ArgumentParser()
    add_parsers(parser.add_subparsers(required=True))
    options = parser.parse_args([*map(str, words), "--exercises", str(SMOOTHNESS.parent)])
    return int(options.command(options))


@pytest.fixture
def submissions(notebook: Callable[..., dict[str, Any]], tmp_path: Path) -> Path:
    folder = tmp_path / "submissions"
    (folder / "ada").mkdir(parents=True)
    (folder / "ada" / "smoothness.ipynb").write_text(json.dumps(notebook()))
    return folder


def test_release_then_grade(submissions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shipped = public.FOLDER / "smoothness.json"
    before = shipped.stat().st_mtime_ns
    assert run("release", "smoothness", "--out", tmp_path / "student") == 0
    assert shipped.stat().st_mtime_ns == before  # nothing to refresh
    shutil.copy(tmp_path / "student" / "smoothness.ipynb", submissions / "bob.ipynb")
    assert run("grade", submissions, "--assignment", "smoothness", "--out", tmp_path / "out", "-j", 1) == 0
    printed = capsys.readouterr().out
    assert "boundary tier: process" in printed
    assert "Namespaces and seccomp are not applied yet" in printed
    items = load(SMOOTHNESS).items
    n = len(items)
    assert f"2 students, {2 * n} items: {n} graded, {n} not attempted" in printed
    with open(tmp_path / "out" / "grades.csv", newline="") as file:
        points = {(row["student"], row["item"]): row["points"] for row in csv.DictReader(file)}
    assert points == {("ada", i.id): f"{i.points:g}" for i in items} | {("bob", i.id): "0" for i in items}
    page = (tmp_path / "out" / "feedback" / "ada.html").read_text()
    total = sum(item.points for item in items)
    assert f"{total:g} of {total:g} points" in page
    assert (tmp_path / "out" / "seed").read_text().strip() not in page


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["grade", "IN", "--assignment", "no_such", "--out", "OUT"], "no_such is not an assignment"),
        (["grade", "IN", "--assignment", "smoothness", "--out", "OUT", "-j", "0"], "jobs is 0"),
        (["grade", "IN/none", "--assignment", "smoothness", "--out", "OUT"], "No such file or directory"),
        (["grade", "IN", "--assignment", "smoothness", "--out", "OUT", "--seed-file", "IN/none"], "No such file"),
        (["release", "no_such", "--out", "OUT"], "no_such is not an assignment"),
    ],
)
def test_what_is_wrong_is_said(
    words: list[str], said: str, submissions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = {"IN": submissions, "OUT": tmp_path / "out", "IN/none": submissions / "none"}
    assert run(*(places.get(word, word) for word in words)) in (1, 2)
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out" / "grades.csv").exists()
