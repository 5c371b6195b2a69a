"""What a theorem is, to a program: a statement, named assumptions, and an inequality along a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ..descend import Trajectory

Constants = Mapping[str, Any]


@dataclass(frozen=True)
class Assumption:
    """One assumption, in words (MyST Markdown): ``met(run, constants)`` says whether this run satisfies it."""

    name: str
    text: str
    met: Callable[[Trajectory, Constants], bool]


@dataclass(frozen=True)
class Sides:
    """The two sides of ``left <= right``, one entry per checked step (first axis) and run of the batch.

    ``scale`` is the size of the terms that were added up: rounding error is measured against it.
    ``promised`` and ``achieved`` are what the bound guarantees and what the run did; their ratio is the tightness.
    """

    left: Tensor
    right: Tensor
    scale: Tensor
    promised: Tensor
    achieved: Tensor


@dataclass(frozen=True)
class Theorem:
    """A statement that the book proves, with what is needed to hold a run against it.

    ``kind`` is lemma, theorem or proposition; ``statement`` is MyST Markdown, and the book prints it from here.
    ``constants`` names the problem's constants that the bound uses; ``needs`` the records of the run.
    """

    id: str
    kind: str
    title: str
    statement: str
    source: str
    assumptions: tuple[Assumption, ...]
    constants: tuple[str, ...]
    needs: tuple[str, ...]
    sides: Callable[[Trajectory, Constants], Sides]
