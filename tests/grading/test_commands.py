"""The two commands: what they print, what they write, and how they say that something is wrong."""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from coursekit.grading import crew, public
from coursekit.grading.commands import add_parsers
from coursekit.grading.exercise import load
from coursekit.grading.grade import grade
from coursekit.grading.gradebook import Gradebook
from coursekit.grading.sandbox import Tier, best_tier

from .conftest import SMOOTHNESS
from .runs import TINY, check, exam, hand_in, marks_of, sound_gradings


def run(*words: object, exercises: Path = SMOOTHNESS.parent) -> int:
    parser = argparse.ArgumentParser()
    add_parsers(parser.add_subparsers(required=True))
    options = parser.parse_args([*map(str, words), "--exercises", str(exercises)])
    return int(options.command(options))


def run_tiny(folder: Path, out: Path, *words: object) -> int:
    return run("grade", folder, "--assignment", "tiny", "--out", out, "-j", 1, *words, exercises=TINY.parent)


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
    words = ("--assignment", "smoothness", "--out", tmp_path / "out", "-j", 1, "--allow-process-tier")
    assert run("grade", submissions, *words) == 0
    printed = capsys.readouterr().out
    assert best_tier().promises in printed
    items = load(SMOOTHNESS).items
    n = len(items)
    assert f"2 students, {2 * n} items: {n} graded, {n} not attempted" in printed
    with open(tmp_path / "out" / "grades.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    points = {(row["student"], row["item"]): row["points"] for row in rows}
    assert points == {("ada", i.id): f"{i.points:g}" for i in items} | {("bob", i.id): "0" for i in items}
    assert {row["boundary"] for row in rows} == {best_tier()}
    page = (tmp_path / "out" / "feedback" / "ada.html").read_text()
    total = sum(item.points for item in items)
    assert f"{total:g} of {total:g} points" in page
    assert (tmp_path / "out" / "seed").read_text().strip() not in page


def test_a_machine_without_a_sandbox_refuses_unless_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = hand_in(tmp_path / "in"), tmp_path / "out"
    monkeypatch.setattr(crew, "best_tier", lambda: Tier.PROCESS)
    assert run_tiny(folder, out) == 2
    assert "--allow-process-tier grades all the same" in capsys.readouterr().err
    assert not out.exists()
    assert run_tiny(folder, out, "--allow-process-tier") == 0
    assert Tier.PROCESS.promises in capsys.readouterr().out
    assert {mark.tier for mark in marks_of(out)} == {"process"}
    with pytest.raises(ValueError, match="no sandbox"):
        grade(folder, exam(), out)


def test_errors_of_the_sandbox_are_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = hand_in(tmp_path / "in"), tmp_path / "out"
    best_tier()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", "/bin/false")
        assert run_tiny(folder, out, "--allow-process-tier") == 3
    assert "10 sandbox error" in capsys.readouterr().out
    assert run_tiny(folder, out, "--resume", "--allow-process-tier") == 0
    check(folder, out)
    assert run_tiny(folder, out, "--allow-process-tier") == 2
    assert "already has the marks of 5 submissions" in capsys.readouterr().err
    first = (out / "grades.csv").read_bytes()
    assert run_tiny(folder, out, "--anew", "--allow-process-tier") == 0
    assert (out / "grades.csv").read_bytes() == first
    assert sound_gradings(out) == 10
    with Gradebook(out / "gradebook.db") as book:
        assert [mark.status for _, mark in book.history("ada0")] == 2 * ["sandbox error"] + 4 * ["graded"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["grade", "IN", "--assignment", "no_such", "--out", "OUT"], "no_such is not an assignment"),
        (["grade", "IN", "--assignment", "smoothness", "--out", "OUT", "-j", "0"], "jobs is 0"),
        (["grade", "IN/none", "--assignment", "smoothness", "--out", "OUT"], "No such file or directory"),
        (["grade", "IN", "--assignment", "smoothness", "--out", "OUT", "--seed-file", "IN/none"], "No such file"),
        (["grade", "IN", "--assignment", "smoothness", "--out", "IN/ada/smoothness.ipynb"], "File exists"),
        (["release", "no_such", "--out", "OUT"], "no_such is not an assignment"),
    ],
)
def test_what_is_wrong_is_said(
    words: list[str], said: str, submissions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = {"OUT": tmp_path / "out"} | {
        f"IN{name}": Path(f"{submissions}{name}") for name in ("", "/none", "/ada/smoothness.ipynb")
    }
    allow = ["--allow-process-tier"] if words[0] == "grade" else []
    assert run(*(places.get(word, word) for word in words), *allow) in (1, 2)
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out" / "grades.csv").exists()
