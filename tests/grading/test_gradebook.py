"""Nothing is lost: a killed run resumes to the gradebook of an undisturbed one."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from coursekit.grading import grade as grading
from coursekit.grading.exercise import Assignment
from coursekit.grading.files import own_seed, seed_of
from coursekit.grading.gradebook import Gradebook, Mark

from .conftest import SEED, SMOOTHNESS

GRADE = """
import sys
from pathlib import Path
from coursekit.grading.exercise import load
from coursekit.grading.grade import grade, prepare
folder, out, exercise, seed = sys.argv[1:]
grade(Path(folder), prepare(load(exercise), seed.encode()), Path(out))
"""


def rows(path: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute("SELECT * FROM marks ORDER BY student, item").fetchall()


def students(path: Path) -> int:
    if not path.exists():
        return 0
    with closing(sqlite3.connect(path, timeout=10)) as db:
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'marks'").fetchone():
            return 0
        return int(db.execute("SELECT COUNT(DISTINCT student) FROM marks").fetchone()[0])


def test_resume_after_kill_9_gives_the_same_gradebook(
    smoothness: Assignment,
    notebook: Callable[..., dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder, killed, quiet = (tmp_path / name for name in ("in", "killed", "quiet"))
    folder.mkdir()
    for name, source in {
        "ada": "",
        "bob": "def gd_step(w, g, eta):\n    return w",
        "eve": "pass",
        "joe": "1/0",
    }.items():
        (folder / f"{name}.ipynb").write_text(json.dumps(notebook(gd_step=source) if source else notebook()))
    arguments = [str(folder), str(killed), str(SMOOTHNESS), SEED.decode()]
    homes = tmp_path / "homes"
    homes.mkdir()
    environment = os.environ | {"TMPDIR": str(homes)}
    grader = subprocess.Popen(
        [sys.executable, "-c", GRADE, *arguments], env=environment, stderr=subprocess.DEVNULL
    )
    while students(killed / "gradebook.db") < 1 and grader.poll() is None:
        time.sleep(0.01)
    grader.send_signal(signal.SIGKILL)
    assert grader.wait() == -signal.SIGKILL
    assert 1 <= students(killed / "gradebook.db") < 4
    until = time.monotonic() + 30
    while any(homes.iterdir()) and time.monotonic() < until:  # the warm process notices, clears up and ends
        time.sleep(0.01)
    assert not any(homes.iterdir())

    exam = grading.prepare(smoothness, SEED)
    resumed: list[str] = []
    honest = grading.grade_submission

    def counted(submission: Any, *others: Any) -> list[Mark]:
        resumed.append(submission.student)
        return honest(submission, *others)

    monkeypatch.setattr(grading, "grade_submission", counted)
    grading.grade(folder, exam, killed)
    assert 1 <= len(resumed) < 4
    resumed.clear()
    grading.grade(folder, exam, quiet)
    assert len(resumed) == 4
    assert rows(killed / "gradebook.db") == rows(quiet / "gradebook.db")
    assert (killed / "grades.csv").read_bytes() == (quiet / "grades.csv").read_bytes()
    resumed.clear()
    grading.grade(folder, exam, quiet)
    assert resumed == []


def test_a_submission_is_stored_whole_or_not_at_all(tmp_path: Path) -> None:
    good = Mark("ada", "hash", "v", "process", "a", 1.0, 1.0, "graded", "")
    with Gradebook(tmp_path / "book.db") as book:
        with pytest.raises(sqlite3.IntegrityError):
            book.add([good, replace(good, item="b", status="a zero without a reason")])
        assert book.known("v") == set()
        book.add([good, replace(good, item="b")])
        book.add([replace(good, student="bob"), replace(good, student="bob", item="b", status="sandbox error")])
        assert book.known("v") == {("ada", "hash")}
        assert book.known("another version") == set()
        assert [mark.item for mark in book.marks("ada", "hash", "v")] == ["a", "b"]


def test_a_fault_of_the_grader_is_an_error_and_no_mark(
    smoothness: Assignment,
    notebook: Callable[..., dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "ada.ipynb").write_text(json.dumps(notebook()))

    def broken(*arguments: Any) -> Mark:
        raise ZeroDivisionError("in the grader")

    monkeypatch.setattr(grading, "_mark", broken)
    marks = grading.grade(tmp_path, grading.prepare(smoothness, SEED), tmp_path / "out")
    assert {(mark.status, mark.message) for mark in marks} == {
        ("sandbox error", "grader: ZeroDivisionError: in the grader")
    }


def test_an_empty_folder_says_so(smoothness: Assignment, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no notebooks"):
        grading.grade(tmp_path, grading.prepare(smoothness, SEED), tmp_path / "out")


def test_the_seed_is_drawn_once_and_is_no_short_word(tmp_path: Path) -> None:
    seed = own_seed(tmp_path / "out" / "seed")
    assert own_seed(tmp_path / "out" / "seed") == seed
    assert len(seed) == 64
    assert os.stat(tmp_path / "out" / "seed").st_mode & 0o077 == 0
    (tmp_path / "weak").write_text("1234\n")
    with pytest.raises(ValueError, match="has 4 bytes"):
        seed_of(tmp_path / "weak")
