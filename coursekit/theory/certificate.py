"""A certificate: the record of one run held against one theorem."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..descend import Trajectory
from ..plain import plain
from ..problems.problem import Constant
from .theorem import Constants, Theorem

# Evaluating f sums many terms. On the book's exact problems the rounding error of a side stayed below 2.2 units of
# the last place of those terms; 64 leaves room for longer sums. A violated theorem misses by far more.
ROUNDING = 64


@dataclass(frozen=True)
class Certificate:
    """``holds`` (also its truth value), or why not: ``refused`` names the assumption that the run does not meet,
    ``violated_at`` the first step at which the inequality fails.

    ``slack`` is the smallest right side minus left side, ``tightness`` the (smallest, median, largest) ratio of
    what was promised to what was achieved; 1 means that the bound is attained.
    """

    theorem: Theorem
    holds: bool
    refused: str = ""
    violated_at: int | None = None
    steps: int = 0
    slack: float = float("nan")
    tightness: tuple[float, float, float] = (float("nan"),) * 3
    basis: str = ""

    def __bool__(self) -> bool:
        return self.holds

    def __str__(self) -> str:
        if self.refused:
            return f"{self.theorem.title}: refused, the run does not meet\n  {self.refused}"
        if not self.holds:
            return f"{self.theorem.title}: VIOLATED at step {self.violated_at}, by {-self.slack:.2e} at worst"
        low, median, high = self.tightness
        promise = f"promised / achieved: median {median:.3f}, range {low:.3f} to {high:.3f}"
        if math.isnan(median):
            promise = "the bound promises nothing on this run"
        return f"{self.theorem.title}: holds on all {self.steps} steps ({self.basis})\n  {promise}"

    __repr__ = __str__


def certify(
    theorem: Theorem, run: Trajectory, *, waive: Collection[str] = (), **constants: Constant | Tensor | float
) -> Certificate:
    """Check a theorem's assumptions, then its inequality on every recorded step of every run of the batch.

    Constants come from the problem unless given: a number, a :class:`Constant`, or a tensor with one entry per
    step (say, an L estimated on each step's segment). ``waive`` names assumptions not to insist on, to look at
    what happens outside them. Raises ValueError for a constant that nobody knows, an unknown name or a run
    that lacks a record.
    """
    strange = set(waive) - {a.name for a in theorem.assumptions}
    if strange or set(constants) - set(theorem.constants):
        raise ValueError(
            f"{theorem.id} has the assumptions {[a.name for a in theorem.assumptions]} and the constants"
            f" {list(theorem.constants)}; got waive={list(waive)}, constants={list(constants)}"
        )
    missing = [name for name in theorem.needs if name not in run.records]
    if missing:
        raise ValueError(f"{theorem.id} needs the records {list(theorem.needs)}; the run lacks {missing}")
    known, basis = _constants(theorem, run, constants)
    for assumption in theorem.assumptions:
        if assumption.name not in waive and not assumption.met(run, known):
            return Certificate(
                theorem, False, refused=f"{assumption.name} ({plain(assumption.text)})", basis=basis
            )

    sides = theorem.sides(run, known)
    slack = sides.right - sides.left
    tolerance = ROUNDING * torch.finfo(slack.dtype).eps * sides.scale
    bad = ~(slack >= -tolerance)  # a NaN is a violation too
    per_step = bad.reshape(len(bad), -1).any(1)
    # Steps whose promise is below rounding say nothing about tightness.
    meaningful = (sides.promised > 100 * tolerance) & ~bad
    ratio = (sides.promised / sides.achieved)[meaningful]
    tightness = (ratio.min(), ratio.median(), ratio.max()) if len(ratio) else (torch.tensor(torch.nan),) * 3
    return Certificate(
        theorem,
        holds=not bool(per_step.any()),
        violated_at=int(per_step.nonzero()[0]) if bool(per_step.any()) else None,
        steps=len(bad),
        slack=float(slack.min()),
        tightness=(float(tightness[0]), float(tightness[1]), float(tightness[2])),
        basis=basis,
    )


def _constants(theorem: Theorem, run: Trajectory, given: dict[str, Any]) -> tuple[Constants, str]:
    known: dict[str, Any] = {}
    told = []
    for name in theorem.constants:
        value = given.get(name, getattr(run.problem, name))
        if value is None:
            raise ValueError(f"{name} of {run.problem.name} is not known: give it, {name}=...")
        if isinstance(value, Constant):
            known[name] = float(value)
            told.append(f"{name} {value.status}")
        else:
            known[name] = value
            told.append(f"{name} estimated step by step" if isinstance(value, Tensor) else f"{name} as given")
    return known, ", ".join(told)
