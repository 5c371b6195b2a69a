"""A submission can fail, hang, crash, lie or attack: it costs its own item, no other item and no other student.

All notebooks below are graded in one batch through the real boundary. In each of them ``gd_step`` is the attack
and ``estimate_L`` is honest; ``honest`` is right throughout.
"""

from __future__ import annotations

import csv
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from coursekit.grading.exercise import Assignment
from coursekit.grading.grade import grade, prepare
from coursekit.grading.gradebook import Mark

from .conftest import SEED

RIGHT = "def gd_step(w, g, eta):\n    return w - eta * g\n"
BODY = "def gd_step(w, g, eta):\n    "
FRAMES = """
import sys
def frames():
    frame = sys._getframe()
    while frame:
        yield frame
        frame = frame.f_back
conn = next(f.f_locals["conn"] for f in frames() if "conn" in f.f_locals)
"""

STUB = "def gd_step(w, g, eta):\n    raise NotImplementedError('gd_step is not written yet')\n"
EVIL = "raise ValueError('=HYPERLINK(\"http://x\")<script>alert(1)</script>\\x1b[31m\\u202e')"
BLOCK_SIGNALS = "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 30))\n"
HUNT = (
    FRAMES
    + "secrets = [v for f in frames() for v in f.f_locals.values() if type(v).__name__ in ('Exam', 'Item')]\n"
)
GARBAGE = """
import os
for fd in range(1, 64):
    try:
        os.write(fd, b"\\xff" * 64)
    except OSError:
        pass
"""
FORGE = (
    FRAMES
    + """
from coursekit.grading.wire import send
send(conn, {"kind": "value", "id": "0" * 16}, [None, ()])
"""
)
DEEP = """
import os
for _ in range(3000):
    os.mkdir("d")
    os.chdir("d")
"""
LIAR = """
import torch
class Liar(torch.Tensor):
    def __eq__(self, other): return True
    def __array__(self, *arguments): return self
    __hash__ = None
"""
PATCH = """
import numpy, torch
import coursekit.grading.compare
def yes(*arguments, **options): return True
numpy.allclose = numpy.isclose = numpy.array_equal = yes
torch.allclose = torch.equal = torch.testing.assert_close = yes
coursekit.grading.compare.difference = lambda *arguments: None
"""
DAEMON = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        with open({file!r} + ".new", "w") as file:
            file.write(str(os.getpid()))
        os.rename({file!r} + ".new", {file!r})
        time.sleep(1e6)
    os._exit(0)
while not os.path.exists({file!r}):
    time.sleep(0.01)
"""

# name: (source of gd_step, status, points, a piece of the message)
ATTACKS: dict[str, tuple[str, str, float, str]] = {
    "honest": (RIGHT, "graded", 2, "all 7 hidden cases agree"),
    "prints_a_score": (RIGHT + "print('{\"score\": 100}' * 10**6)", "graded", 2, "agree"),
    "in_place": (BODY + "w -= eta * g\n    return w", "partly", 1, "in place"),
    "no_shapes": (BODY + "return (w - eta * g).reshape(-1)", "partly", 1, "other shapes"),
    "untouched": (STUB, "not attempted", 0, "stub"),
    "missing_helper": (BODY + "return helper(w)", "graded", 0, "a helper function belongs in it"),
    "nan": (BODY + "return w * float('nan')", "graded", 0, "are NaN"),
    "sys_exit": ("raise SystemExit(0)", "graded", 0, "the solution cell stops with SystemExit"),
    "loop_in_call": (BODY + "while True: pass", "timed out", 0, "time limit"),
    "loop_in_cell": (BLOCK_SIGNALS + "while True: pass", "timed out", 0, "cell ran"),
    "exit_in_call": (BODY + "import os; os._exit(0)", "crashed", 0, "exit code 0"),
    "exit_in_cell": ("import os; os._exit(0)", "crashed", 0, "when the solution cell ran"),
    "kills_its_group": (BODY + "import os; os.kill(0, 9)", "crashed", 0, "SIGKILL"),
    "kills_its_parent": (
        BODY + "import os, time; os.kill(os.getppid(), 9); time.sleep(1e6)",
        "crashed",
        0,
        "ended",
    ),
    "segfault": (BODY + "import ctypes; ctypes.string_at(0)", "crashed", 0, "SIGSEGV"),
    "garbage_on_every_fd": (GARBAGE + RIGHT, "crashed", 0, "size limit"),
    "forged_reply": (FORGE + RIGHT, "crashed", 0, "nobody asked for"),
    "drip": (FRAMES + "import time\nconn.sendall(b'\\1')\ntime.sleep(1e6)", "timed out", 0, "time limit"),
    "deep_folder": (DEEP + BODY + "return w", "graded", 0, "hidden cases differ"),
    "huge_return": (BODY + "import torch; return torch.zeros(10**7)", "graded", 0, "stops with ValueError"),
    "memory": (BODY + "return b'x' * 2**40", "graded", 0, "MemoryError"),
    "deep_return": (BODY + "x = []\n    for _ in range(5000): x = [x]\n    return x", "graded", 0, "ValueError"),
    "lying_type": (
        LIAR + BODY + "return torch.zeros(w.shape).as_subclass(Liar)",
        "graded",
        0,
        "a type of its own",
    ),
    "patched_comparison": (PATCH + BODY + "return w * 0", "graded", 0, "hidden cases differ"),
    "imports_the_exercise": ("import exercises.smoothness.items\n" + RIGHT, "graded", 0, "ModuleNotFoundError"),
    "imports_the_tests": ("import tests.grading.conftest\n" + RIGHT, "graded", 0, "ModuleNotFoundError"),
    "asks_for_the_reference": (HUNT + BODY + "return secrets[0]", "graded", 0, "IndexError"),
    "leaks_inputs": (
        BODY + "raise type(f'W{float(w.sum())}', (Exception,), {})(str(w))",
        "graded",
        0,
        "another class",
    ),
    "evil_text": (EVIL, "graded", 0, "<script>"),
}


@pytest.fixture(scope="module")
def batch(
    hasty: Assignment, notebook: Callable[..., dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[tuple[str, str], Mark], Path]:
    folder, out = tmp_path_factory.mktemp("submissions"), tmp_path_factory.mktemp("out")
    for name, (source, *_) in ATTACKS.items():
        (folder / f"{name}.ipynb").write_text(json.dumps(notebook(gd_step=source)))
    left = DAEMON.format(file=str(out / "pid"))
    (folder / "leaves_a_process.ipynb").write_text(json.dumps(notebook(gd_step=left + RIGHT)))
    (folder / "unreadable.ipynb").write_bytes(b"\xff\xfe{")
    (folder / "=cmd|' 'A1.ipynb").write_text(
        json.dumps(notebook(gd_step=ATTACKS["untouched"][0], estimate_L="pass"))
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("homes")))  # of the students' processes
        marks = grade(folder, replace(prepare(hasty, SEED), cell_seconds=4.0), out, jobs=2)
        assert os.listdir(tempfile.gettempdir()) == []
    return {(mark.student, mark.item): mark for mark in marks}, out


@pytest.mark.parametrize("name", ATTACKS)
def test_costs_its_own_item_and_nothing_else(name: str, batch: tuple[dict[tuple[str, str], Mark], Path]) -> None:
    marks, _ = batch
    _, status, points, message = ATTACKS[name]
    mine, other = marks[name, "gd_step"], marks[name, "estimate_L"]
    assert (mine.status, mine.points) == (status, points), mine.message
    assert message in mine.message
    assert (other.status, other.points) == ("graded", 4.0), other.message


def test_a_process_left_behind_is_gone(batch: tuple[dict[tuple[str, str], Mark], Path]) -> None:
    marks, out = batch
    assert marks["leaves_a_process", "gd_step"].points == 2
    with pytest.raises(ProcessLookupError):
        os.kill(int((out / "pid").read_text()), 0)


def test_an_unreadable_notebook_is_no_zero_without_a_word(batch: tuple[dict[tuple[str, str], Mark], Path]) -> None:
    marks, _ = batch
    assert {marks["unreadable", item].status for item in ("gd_step", "estimate_L")} == {"unreadable"}


def test_table_and_pages_are_harmless(batch: tuple[dict[tuple[str, str], Mark], Path]) -> None:
    _, out = batch
    with open(out / "grades.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len({row["item"] for row in rows}) * (len(ATTACKS) + 3) > 64
    for row in rows:
        assert not any(value.startswith(("=", "+", "-", "@", "|")) for value in row.values())
        assert not any(ord(ch) < 32 or ch == "\u202e" for value in row.values() for ch in value)
    assert {row["boundary"] for row in rows} == {"process"}
    page = (out / "feedback" / "evil_text.html").read_text()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert len(list((out / "feedback").glob("*.html"))) == len(ATTACKS) + 3
