"""What an attack is: a submission, what its success would look like, and the weakest tier that must stop it.

The attack is the solution cell of ``gd_step`` (or the notebook's bytes, or its place in the folder); in the same
notebook ``estimate_L`` is honest. An attack that tries to *get* something answers rightly if it got it and wrongly
if it did not, so that its own mark tells: see ``attempt``.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TIERS = ("process", "landlock", "full")  # from the weakest to the strongest

Tree = dict[str, Any]


@dataclass(frozen=True)
class Attack:
    """``points`` is what the cell honestly deserves; ``status`` and ``says``, where given, the exact reaction."""

    name: str
    family: str
    aim: str  # changes a "mark", makes a "leak", can "reach" network, disk or processes, or "cost" others
    source: str = ""
    holds: str = "process"
    points: float = 0.0
    status: str = ""
    says: str = ""
    others: bool = True  # must the honest item of the same notebook keep its points?
    control: bool = True  # may it be let loose in tier "process", where it should succeed?
    tell: Callable[[tuple[Any, ...]], str] | None = None  # what must not be in the message, from the first case
    file: Callable[[Tree], bytes] | None = None  # a notebook that is no ordinary one
    times: int = 1  # students who hand in the same: the last one's mark counts
    place: Callable[[Path, bytes], None] | None = None  # puts it into the folder in a way of its own

    def __post_init__(self) -> None:
        assert self.aim in ("mark", "leak", "reach", "cost")
        assert self.holds in TIERS


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
LIBC = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def refused(result):
    return result == -1 and ctypes.get_errno() in (1, 13, 38)  # EPERM, EACCES, ENOSYS
"""


def answer(expression: str, before: str = "") -> str:
    """A cell whose function returns ``expression``."""
    return f"import torch\n{before}\n{BODY}return {expression}\n"


def attempt(body: str) -> str:
    """A cell that tries ``body`` (true for a success) and answers rightly if it succeeded."""
    inner = textwrap.indent(textwrap.dedent(body).strip(), "    ")
    return (
        f"def attempt():\n{inner}\ntry:\n    won = bool(attempt())\nexcept BaseException:\n    won = False\n"
        "def gd_step(w, g, eta):\n    return w - eta * g if won else w * 0\n"
    )


def family(name: str, aim: str) -> Callable[..., Attack]:
    """A shorthand for the attacks of one family."""

    def make(title: str, source: str = "", **more: Any) -> Attack:
        return Attack(**({"name": title, "family": name, "aim": aim, "source": source} | more))

    return make
