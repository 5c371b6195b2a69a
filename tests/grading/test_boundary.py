"""What a student's process can see of the grader, what it may use, and what happens when it cannot start."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from coursekit.grading import boundary
from coursekit.grading.exercise import Assignment
from coursekit.grading.grade import grade, prepare
from coursekit.grading.sandbox import best_tier
from coursekit.grading.warm import Warm

from .conftest import SEED, SMOOTHNESS

LOOK = """
import os, resource, sys
def look():
    return {"modules": sorted(sys.modules), "environment": sorted(os.environ), "files": os.listdir("."),
            "argv": sys.argv, "path": sys.path, "group": os.getpgrp() == os.getpid(), "safe": sys.flags.isolated,
            "core": resource.getrlimit(resource.RLIMIT_CORE)[1], "cpu": resource.getrlimit(resource.RLIMIT_CPU)[1]}
def threads():
    import torch
    return torch.get_num_threads()
def echo(*values):
    return values
"""

KNOWN_VARIABLES = {
    *("PATH", "LANG", "LC_CTYPE", "HOME", "TMPDIR", "USER", "MPLBACKEND"),
    *("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"),
    *("TORCHINDUCTOR_CACHE_DIR", "KINETO_LOG_LEVEL", "TORCH_NCCL_ASYNC_ERROR_HANDLING"),  # set by torch
    *("KMP_INIT_AT_FORK", "KMP_DUPLICATE_LIB_OK"),  # set by scikit-learn
}


@pytest.fixture(scope="module")
def worker() -> Any:
    with Warm() as warm:
        worker = boundary.Worker(warm)
        assert worker.execute("look", LOOK, 10) is None
        yield worker
        worker.close()


def call(worker: boundary.Worker, name: str, *arguments: Any) -> Any:
    return worker.call(name, arguments, time.monotonic() + 10).value


def test_process_holds_no_exercise_and_no_environment(worker: boundary.Worker) -> None:
    seen = call(worker, "look")
    graders = {f"coursekit.grading.{name}" for name in ("grade", "release", "gradebook", "sitting", "boundary")}
    assert not graders & set(seen["modules"])
    assert "coursekit.grading.wire" in seen["modules"]
    assert set(seen["environment"]) <= KNOWN_VARIABLES
    assert seen["files"] == []
    assert str(SMOOTHNESS.parents[1]) not in seen["path"]
    assert (seen["group"], seen["safe"], seen["core"], seen["cpu"]) == (True, 1, 0, 120)
    assert call(worker, "threads") == 1


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_warm_process_has_one_thread_and_so_may_fork(worker: boundary.Worker) -> None:
    below = [worker._warm._process.pid]  # in the full sandbox it waits, and its child is the one that forks
    for pid in below:
        below += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    assert len(below) >= 2
    for pid in below:
        assert "\nThreads:\t1\n" in Path(f"/proc/{pid}/status").read_text()


def test_importing_the_package_loads_nothing() -> None:
    code = "import coursekit.grading, sys; sys.exit('torch' in sys.modules or 'nbformat' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_values_survive_the_process(worker: boundary.Worker) -> None:
    back = call(worker, "echo", torch.arange(6.0).reshape(2, 3), 1.5, "text", [None, True])
    assert torch.equal(back[0], torch.arange(6.0).reshape(2, 3))
    assert back[1:] == (1.5, "text", [None, True])


def test_self_check_works_in_the_process(worker: boundary.Worker) -> None:
    source = "import coursekit\nassert coursekit.check('smoothness.gd_step', lambda w, g, eta: w - eta * g)"
    assert worker.execute("check", source, 10) is None
    assert str(worker.execute("check", "1 +", 10)) == "SyntaxError: invalid syntax (line 1 of the cell)"


def test_a_failed_start_is_an_error_and_is_tried_again(
    smoothness: Assignment,
    notebook: Callable[..., dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "ada.ipynb").write_text(json.dumps(notebook()))
    exam = prepare(smoothness, SEED)
    best_tier()  # found out with the true interpreter
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", "/bin/false")
        marks = grade(tmp_path / "in", exam, tmp_path / "out")
    assert {mark.status for mark in marks} == {"sandbox error"}
    assert "did not start" in marks[0].message
    again = grade(tmp_path / "in", exam, tmp_path / "out")
    assert [(mark.status, mark.points) for mark in again] == [("graded", item.points) for item in smoothness.items]
