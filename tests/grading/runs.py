"""Gradings of the tiny assignment in processes of their own, which a test may kill."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from coursekit.cli import main
from coursekit.grading.crew import local
from coursekit.grading.exam import Exam, prepare
from coursekit.grading.exercise import load
from coursekit.grading.grade import grade
from coursekit.grading.gradebook import Gradebook, Mark
from coursekit.grading.release import student_notebook
from coursekit.grading.sandbox import best_tier

TINY = Path(__file__).parent / "tiny"
SEED = b"a seed for the tests, not a secret"
# What students hand in for `double`, and what that earns; their `total` is right.
HANDED_IN = {
    "ada": ("def double(x):\n    return 2 * x\n", 2.0, "graded", "all 3 hidden cases agree"),
    "bob": ("def double(x):\n    return 3 * x\n", 0.0, "graded", "This returns 3 * x."),
    "cyd": (
        *("import os\nos._exit(3)\n", 0.0, "crashed"),
        "when the solution cell ran, its process ended (exit code 3)",
    ),
    "dan": (
        *("def double(x):\n    import os\n    os._exit(x.numel())\n", 0.0, "crashed"),
        "its process ended (exit code 1)",
    ),
    "eve": (
        *("def double(x):\n    x *= 2\n    return x\n", 1.0, "partly"),
        "the values agree, but the argument x was changed in place",
    ),
}

# A server that has imported all this once forks the graders: torch with one thread may be forked.
_server = multiprocessing.get_context("forkserver")
_server.set_forkserver_preload([__name__])


def exam() -> Exam:
    return prepare(load(TINY), SEED)


def hand_in(folder: Path, copies: int = 1) -> Path:
    """Notebooks of ``copies`` times the students of HANDED_IN."""
    folder.mkdir(parents=True)
    assignment = load(TINY)
    released = student_notebook(assignment)
    for name, (source, *_) in HANDED_IN.items():
        tree = json.loads(released)
        for cell in tree["cells"]:
            match cell["metadata"].get("nbgrader", {}).get("grade_id"):
                case "double":
                    cell["source"] = source
                case "total":
                    cell["source"] = assignment.master.solutions["total"]
        for copy in range(copies):
            (folder / f"{name}{copy}.ipynb").write_text(json.dumps(tree))
    return folder


def run_grade(folder: Path, out: Path, jobs: int = 1) -> list[Mark]:
    """Grades in this process, with the best boundary there is."""
    prepared = exam()
    return grade(folder, prepared, out, crew=local(prepared, jobs, best_tier()))


@contextlib.contextmanager
def started(target: Callable[..., object], *arguments: object) -> Iterator[ForkServerProcess]:
    """``target(*arguments)`` in a process of its own, killed at the end if it is still there."""
    process = _server.Process(target=target, args=arguments)
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


def command(log: Path, *words: object) -> None:
    """``coursekit`` with ``words``; its messages go to ``log``, its exit code is that of this process."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where tests run in the background
    with log.open("w") as file, contextlib.redirect_stderr(file), contextlib.redirect_stdout(file):
        sys.exit(main([*map(str, words)]))


def marks_of(out: Path) -> list[Mark]:
    """The marks that count."""
    with Gradebook(out / "gradebook.db") as book:
        return book.current()


def check(folder: Path, out: Path) -> None:
    """Everybody has the right marks and messages, and was graded once."""
    earned = [(m.student, m.item, m.points, m.status, m.message) for m in marks_of(out)]
    students = sorted(path.stem for path in folder.iterdir())
    right = (2.0, "graded", "all 3 hidden cases agree")
    assert earned == [
        row for who in students for row in ((who, "double", *HANDED_IN[who[:3]][1:]), (who, "total", *right))
    ]
    assert sound_gradings(out) == len(students)


def sound_gradings(out: Path) -> int:
    """How many gradings without an error of the sandbox there are so far, seen from outside."""
    if not (out / "gradebook.db").exists():
        return 0
    query = "SELECT COUNT(DISTINCT grading) - COUNT(DISTINCT CASE status WHEN 'sandbox error' THEN grading END)"
    with contextlib.closing(sqlite3.connect(out / "gradebook.db", timeout=10)) as db:
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'marks'").fetchone():
            return 0
        return int(db.execute(f"{query} FROM marks").fetchone()[0])


def wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Returns once ``condition`` holds. Raises TimeoutError."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError("it did not happen")
        time.sleep(0.01)
