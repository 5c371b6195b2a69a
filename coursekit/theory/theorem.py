"""What a theorem is, to a program: a statement, named assumptions, and an inequality along a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ..problems.problem import Problem

Constants = Mapping[str, Any]

# What a theorem is held against: a Trajectory of `descend`, a Run of `minimize`, Points or a Sequence.
Evidence = Any


@dataclass(frozen=True)
class Points:
    """Pairs of points w and v, shape (n, ..., dim), for a statement about a function instead of a run.

    Raises ValueError unless both are points of the problem, of the same shape.
    """

    problem: Problem
    w: Tensor
    v: Tensor

    def __post_init__(self) -> None:
        self.problem.check_point(self.w, "w")
        self.problem.check_point(self.v, "v")
        if self.w.ndim < 2 or self.w.shape != self.v.shape:
            raise ValueError(f"w and v must be (n, ..., dim), got {tuple(self.w.shape)} and {tuple(self.v.shape)}")

    @property
    def T(self) -> int:
        """Number of pairs."""
        return len(self.w)


@dataclass(frozen=True)
class Sequence:
    """Numbers a_0, ..., a_T, shape (T+1, ...), for a statement about sequences. ValueError if fewer than two."""

    a: Tensor
    problem: None = None

    def __post_init__(self) -> None:
        if self.a.ndim < 1 or len(self.a) < 2 or not self.a.is_floating_point():
            raise ValueError(f"a must hold at least two floats on its first axis, got {tuple(self.a.shape)}")

    @property
    def T(self) -> int:
        """Number of steps."""
        return len(self.a) - 1


@dataclass(frozen=True)
class Rate:
    """One line of the rates table, in MyST Markdown: which method, on which functions, how fast."""

    method: str
    setting: str
    formula: str


@dataclass(frozen=True)
class Assumption:
    """One assumption, in words (MyST Markdown): ``met(run, constants)`` says whether this run satisfies it."""

    name: str
    text: str
    met: Callable[[Evidence, Constants], bool]


@dataclass(frozen=True)
class Sides:
    """The two sides of ``left <= right``, one entry per checked step (first axis) and run of the batch.

    ``scale`` is the size of the terms that were added up: rounding error is measured against it. ``promised`` and
    ``achieved`` are what the bound guarantees and what the run did, where these are not the two sides themselves;
    their ratio is the tightness. ``lower`` says that the bound is the left side, and bounds from below. ``equal``
    asks for ``left == right``. With ``over_seeds`` the statement is about the means over the second axis, on which
    each entry of ``left`` is an independent run, and ``right`` is fixed by its start.
    """

    left: Tensor
    right: Tensor
    scale: Tensor
    promised: Tensor | None = None
    achieved: Tensor | None = None
    lower: bool = False
    equal: bool = False
    over_seeds: bool = False


@dataclass(frozen=True)
class Sharp:
    """The exact worst case, or a smaller bound on it: in words (MyST Markdown), and who proved it.

    ``loose(run, constants)`` is how many times larger the theorem's own bound is, at the last step of the run, or
    NaN where this is not known; if not ``exact``, it may be more.
    """

    text: str
    source: str
    loose: Callable[[Evidence, Constants], float]
    exact: bool = True


@dataclass(frozen=True)
class Theorem:
    """A statement that the book proves, with what is needed to hold a run against it.

    ``kind`` is lemma, theorem or proposition; ``statement`` is MyST Markdown, and the book prints it from here;
    ``source`` names the ledger's claims. ``constants`` names the constants that the bound uses (the problem's, or
    given to the certificate); ``needs`` the records of the run; ``sharp`` is what is known to be better; ``rate``
    is its line in the rates table, if it states a rate.
    """

    id: str
    kind: str
    title: str
    chapter: int
    statement: str
    source: str
    assumptions: tuple[Assumption, ...]
    constants: tuple[str, ...]
    needs: tuple[str, ...]
    sides: Callable[[Evidence, Constants], Sides]
    sharp: Sharp | None = None
    rate: Rate | None = None
