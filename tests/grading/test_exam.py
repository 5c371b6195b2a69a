"""Marking one submission: what is the student's fault, what is the machine's, and how long it may take."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from coursekit.grading import exam as exams
from coursekit.grading import sitting as sittings
from coursekit.grading.boundary import WorkerGone
from coursekit.grading.exam import Exam, grade_submission
from coursekit.grading.grade import grade
from coursekit.grading.gradebook import Mark
from coursekit.grading.sandbox import Tier
from coursekit.grading.sitting import Sitting
from coursekit.grading.submission import Submission
from coursekit.grading.warm import StartFailed, Warm

from .runs import exam

RIGHT = {"double": ("def double(x):\n    return 2 * x\n",), "total": ("def total(x):\n    return x.sum()\n",)}
FULL_MARKS = [("graded", 2.0), ("graded", 2.0)]


@pytest.fixture(scope="module")
def tiny() -> Exam:
    return exam()


@pytest.fixture(scope="module")
def warm() -> Iterator[Warm]:
    with Warm(Tier.PROCESS) as process:
        yield process


def earned(exam: Exam, warm: Warm, **cells: tuple[str, ...]) -> list[tuple[str, float]]:
    marks = grade_submission(Submission("ada", "hash", RIGHT | cells), exam, warm)
    return [(mark.status, mark.points) for mark in marks]


def test_a_fault_of_the_grader_is_an_error_and_no_mark(
    tiny: Exam, warm: Warm, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: Any) -> Mark:
        raise ZeroDivisionError("in the grader")

    assert earned(tiny, warm) == FULL_MARKS
    monkeypatch.setattr(exams, "_mark", broken)
    marks = grade_submission(Submission("ada", "hash", RIGHT), tiny, warm)
    assert {(mark.status, mark.message) for mark in marks} == {
        ("sandbox error", "grader: ZeroDivisionError: in the grader")
    }


@pytest.mark.parametrize("setup", ["import no_such_library", "import os\nos._exit(1)"])
def test_a_setup_cell_that_fails_is_an_error_for_every_item(setup: str, tiny: Exam, warm: Warm) -> None:
    master = replace(tiny.assignment.master, setup=setup)
    broken = replace(tiny, assignment=replace(tiny.assignment, master=master))
    assert earned(broken, warm) == 2 * [("sandbox error", 0.0)]
    assert earned(tiny, warm) == FULL_MARKS


def test_the_cells_of_an_item_share_one_time_limit(tiny: Exam, warm: Warm) -> None:
    slow = 40 * ("import time\ntime.sleep(0.2)\n",)  # eight seconds, each cell far below the limit
    assert earned(replace(tiny, cell_seconds=2.0), warm, double=slow) == [("timed out", 0.0), FULL_MARKS[1]]


def test_restarts_do_not_add_up(tiny: Exam, warm: Warm, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(late=0.0, monotonic=lambda: time.monotonic() + clock.late)
    monkeypatch.setattr(sittings, "time", clock)
    one, other = tiny.assignment.items
    with Sitting(warm, tiny.assignment, RIGHT) as sitting:
        assert not any(o.failure for o in sitting.outcomes(one, tiny.hidden[one.id].cases))
        clock.late = sum(item.seconds + tiny.cell_seconds for item in tiny.assignment.items)
        with pytest.raises(WorkerGone, match="the submission as a whole was stopped"):
            sitting.outcomes(other, tiny.hidden[other.id].cases)


def test_a_lost_process_counts_when_it_is_lost_twice_alike(
    tiny: Exam, warm: Warm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a sandbox a cell can leave a note for its next run, and so can a test."""
    once = (
        f"import os, pathlib\nnote = pathlib.Path({str(tmp_path)!r}, 'note')\nn = len(os.listdir(note.parent))\n"
    )
    once += "note.with_name(str(n)).touch()\nif n < {losses}:\n    os._exit({code})\n" + RIGHT["double"][0]
    runs = {
        (1, "1"): FULL_MARKS,  # one loss may have come from outside
        (2, "n"): FULL_MARKS,  # and two that differ
        (2, "1"): [("crashed", 0.0), FULL_MARKS[1]],
        (3, "n"): [("crashed", 0.0), FULL_MARKS[1]],
    }
    for (losses, code), marks in runs.items():
        assert earned(tiny, warm, double=(once.format(losses=losses, code=code),)) == marks
        for note in tmp_path.iterdir():
            note.unlink()


def test_a_grading_that_was_stopped_starts_nothing(tiny: Exam) -> None:
    with Warm(Tier.PROCESS) as process:
        pass
    with Sitting(process, tiny.assignment, RIGHT) as sitting, pytest.raises(StartFailed, match="was stopped"):
        sitting.outcomes(tiny.assignment.items[0], ())


def test_an_empty_folder_says_so(tiny: Exam, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no notebooks"):
        grade(tmp_path, tiny, tmp_path / "out")
    assert not (tmp_path / "out").exists()
