"""The same grading on a Dask cluster of this machine, with a worker killed in the middle."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psutil
import pytest
from distributed import LocalCluster

from coursekit.cli import main
from coursekit.grading import cluster as clusters
from coursekit.grading.cluster import Paper, cluster
from coursekit.grading.crew import Crew
from coursekit.grading.grade import grade
from coursekit.grading.gradebook import Mark
from coursekit.grading.submission import Submission

from .runs import HANDED_IN, SEED, TINY, check, exam, hand_in

PAPER = Paper.of(TINY, SEED, b"book")


@contextmanager
def workers(count: int = 2) -> Iterator[LocalCluster]:
    with LocalCluster(n_workers=count, threads_per_worker=1, dashboard_address="127.0.0.1:0") as local:
        yield local


@contextmanager
def after(number: int, crew: AbstractContextManager[Crew], event: list[int]) -> Iterator[Crew]:
    """``crew``, but the process whose id is in ``event`` is killed once ``number`` submissions are done."""
    done = 0

    def count(future: Future[list[Mark]]) -> None:
        nonlocal done
        done += 1
        if done == number:
            os.kill(event[0], signal.SIGKILL)

    with crew as hands:

        def submit(submission: Submission) -> Future[list[Mark]]:
            future = hands.submit(submission)
            future.add_done_callback(count)
            return future

        yield Crew(submit, hands.at_once)


def grade_with_a_killed_worker(folder: Path, out: Path, number: int) -> None:
    here = psutil.Process()
    with workers() as local:
        crew = cluster(local.scheduler_address, exam(), PAPER, allow_process=True)
        victim = [worker.pid for worker in local.workers.values()]
        grade(folder, exam(), out, crew=after(number, crew, victim))
        assert victim[0] not in [worker.pid for worker in local.workers.values()]
        left = [p for p in here.children(recursive=True) if "coursekit.grading.zygote" in p.cmdline()]
        assert not left  # ended with the grading, not only with the cluster
    check(folder, out)


def test_a_killed_worker_costs_nobody_a_mark(tmp_path: Path) -> None:
    folder = hand_in(tmp_path / "in", copies=4)
    grade_with_a_killed_worker(folder, tmp_path / "out", 5)


@pytest.mark.soak
def test_2000_submissions_and_a_killed_worker(tmp_path: Path) -> None:
    folder = hand_in(tmp_path / "in", copies=400)
    grade_with_a_killed_worker(folder, tmp_path / "out", 700)


def test_the_command_and_a_worker_with_another_exam(tmp_path: Path) -> None:
    folder, seed = hand_in(tmp_path / "in"), tmp_path / "seed"
    seed.write_bytes(SEED)
    with workers(1) as local:
        words = ["grade", folder, "--assignment", "tiny", "--exercises", TINY.parent, "--out", tmp_path / "out"]
        words += ["--seed-file", seed, "--scheduler", local.scheduler_address, "--allow-process-tier"]
        assert main([str(word) for word in words]) == 0
        check(folder, tmp_path / "out")
        other = Paper.of(TINY, SEED + b", but another one", b"book")
        crew = cluster(local.scheduler_address, exam(), other, allow_process=True)
        marks = grade(folder, exam(), tmp_path / "other", crew=crew)
    assert len(marks) == 2 * len(HANDED_IN)
    assert {mark.status for mark in marks} == {"sandbox error"}
    assert all("of the exam, not" in mark.message for mark in marks)


def test_no_scheduler_and_no_workers_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "CONNECT_SECONDS", 1)
    folder = hand_in(tmp_path / "in")
    with pytest.raises(OSError, match="tcp://127"):
        grade(folder, exam(), tmp_path / "out", crew=cluster("tcp://127.0.0.1:9", exam(), PAPER))
    with workers(0) as local, pytest.raises(OSError, match="has no workers"):
        grade(folder, exam(), tmp_path / "out", crew=cluster(local.scheduler_address, exam(), PAPER))
    assert not (tmp_path / "out").exists()
