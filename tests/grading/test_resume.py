"""Nothing is lost: whatever is killed, whenever, the gradebook ends as that of an undisturbed run."""

from __future__ import annotations

import contextlib
import itertools
import random
import signal
import time
from collections.abc import Callable
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import psutil
import pytest
from tqdm import tqdm

from coursekit.grading.gradebook import Gradebook

from .runs import HANDED_IN, TINY, check, command, hand_in, marks_of, run_grade, sound_gradings, started, wait_for

KINDS = ("grader", "warm", "child")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hand_in(tmp_path_factory.mktemp("submissions") / "in", copies=3)


def targets(kind: str, process: ForkServerProcess) -> list[psutil.Process]:
    """The grader, its warm process, or the student's: whatever of it there is now."""
    grader = psutil.Process(process.pid)
    if kind == "grader":
        return [grader]
    warm = [child for child in grader.children() if "coursekit.grading.zygote" in child.cmdline()]
    return warm if kind == "warm" else [child for process in warm for child in process.children(recursive=True)]


def kill_one(kind: str, process: ForkServerProcess, due: Callable[[], bool]) -> bool:
    """Kills a process of ``kind`` once there is one and it is ``due``; False if the grader ended before that."""
    while process.is_alive():
        with contextlib.suppress(psutil.NoSuchProcess):  # it was quicker
            if (found := targets(kind, process)) and due():
                found[-1].kill()
                return True
        time.sleep(0.001)
    return False


def resume(folder: Path, out: Path) -> None:
    with started(run_grade, folder, out) as grader:
        grader.join()
    assert grader.exitcode == 0
    check(folder, out)


def test_child_warm_process_and_grader_are_killed_in_turn(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with started(run_grade, folder, out) as grader:
        for kind, graded in (("child", 0), ("warm", 2), ("child", 5)):
            assert kill_one(kind, grader, lambda graded=graded: sound_gradings(out) >= graded)
        wait_for(lambda: sound_gradings(out) >= 6 and bool(targets("child", grader)))
        left = [*targets("warm", grader), *targets("child", grader)]
        homes = [Path(word) for word in left[0].cmdline() if word.startswith("/") and Path(word).is_dir()]
        assert homes
        grader.kill()
        grader.join()
    assert 0 < sound_gradings(out) < len(list(folder.iterdir()))
    psutil.wait_procs(left, timeout=30)
    assert not [p for p in left if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
    wait_for(lambda: not any(home.exists() for home in homes))
    resume(folder, out)


def test_the_oracle_sees_a_lost_mark_and_a_double_one(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_grade(folder, out)
    check(folder, out)
    some = marks_of(out)[:2]
    with Gradebook(out / "gradebook.db") as book:
        book.add(some)
    with pytest.raises(AssertionError):
        check(folder, out)
    (folder / "zoe0.ipynb").touch()
    with pytest.raises((AssertionError, KeyError)):
        check(folder, out)
    (folder / "zoe0.ipynb").unlink()


@pytest.mark.soak
def test_200_kills_at_random_moments(folder: Path, tmp_path: Path) -> None:
    moments = random.Random(6)
    begin = time.monotonic()
    resume(folder, tmp_path / "undisturbed")
    seconds = {"grader": time.monotonic() - begin, "warm": time.monotonic() - begin, "child": 1.5}
    hits = dict.fromkeys(KINDS, 0)
    with tqdm(total=200, desc="kills") as bar:
        for attempt in itertools.count():  # some come too late
            if bar.n == 200:
                break
            kind, out, first = KINDS[bar.n % 3], tmp_path / str(attempt), list[float]()
            after = seconds[kind] * moments.random()

            def due(first: list[float] = first, after: float = after) -> bool:
                first.append(time.monotonic())
                return first[-1] - first[0] >= after

            with started(run_grade, folder, out) as grader:
                hit = kill_one(kind, grader, due)
                grader.join()
            resume(folder, out)
            assert marks_of(out) == marks_of(tmp_path / "undisturbed")
            hits[kind] += hit
            bar.set_postfix(hits)
            bar.update(hit)


def test_graders_that_share_a_gradebook_share_the_work(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with started(run_grade, folder, out) as one, started(run_grade, folder, out) as other:
        one.join()
        other.join()
    assert (one.exitcode, other.exitcode) == (0, 0)
    check(folder, out)


def test_ctrl_c_keeps_what_is_graded(tmp_path: Path) -> None:
    copies = 40  # enough for a slow observer
    folder, out, log = hand_in(tmp_path / "in", copies), tmp_path / "out", tmp_path / "log"
    words = ("grade", folder, "--assignment", "tiny", "--exercises", TINY.parent, "--out", out, "-j", 1)
    with started(command, log, *words) as grader:
        wait_for(lambda: sound_gradings(out) > 0)
        psutil.Process(grader.pid).send_signal(signal.SIGINT)
        grader.join()
    assert grader.exitcode == 130
    assert "the same command with --resume goes on" in log.read_text()
    before = sound_gradings(out)
    assert 0 < before < copies * len(HANDED_IN)
    with started(command, log, *words) as grader:
        grader.join()
    assert grader.exitcode == 2
    assert f"already has the marks of {before} submissions" in log.read_text()
    with started(command, log, *words, "--resume") as grader:
        grader.join()
    assert grader.exitcode == 0
    assert sound_gradings(out) == len(marks_of(out)) / 2 == copies * len(HANDED_IN)
