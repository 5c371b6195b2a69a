"""A certificate: the record of one run held against one theorem."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any

import torch
from torch import Tensor

from ..plain import plain
from ..problems.problem import Constant
from .path import rounding
from .theorem import Assumption, Constants, Evidence, Points, Sides, Theorem

# A bound on a mean is refuted if the lower end of a one-sided interval for the mean lies above it, at any step.
# All intervals hold together with probability 1 - RISK; the normal approximation asks for many seeds.
RISK = 1e-3
SEEDS = 100

# Asked of every run: with an f* that is too high, the gap f - f* is too small and any bound on it holds.
LOWER_BOUND = Assumption(
    "lower bound",
    r"$f(w_t) \ge f^\star$ at every step",
    lambda run, k: (
        "f_star" not in k
        or not hasattr(run, "f")
        or not bool((run.f < k["f_star"] - rounding(run.f) * (run.f.abs() + abs(k["f_star"]))).any())
    ),
)


@dataclass(frozen=True)
class Certificate:
    """``holds`` (also its truth value), or why not: ``refused`` names the assumption that the run does not meet,
    ``violated_at`` the first step at which the inequality fails.

    ``slack`` is the smallest right side minus left side, ``tightness`` the (smallest, median, largest) ratio of
    what was promised to what was achieved, measured to its bound, or a lower bound to what was measured: as
    ``compared`` says. 1 means that the bound is attained. ``loose`` is how many times the bound exceeds the sharp
    one. Of a statement about a mean over ``seeds`` runs ``holds`` says "not refuted", and a bound smaller than
    ``power`` times this one would have been.
    """

    theorem: Theorem
    holds: bool
    refused: str = ""
    violated_at: int | None = None
    steps: int = 0
    unit: str = "steps"
    slack: float = float("nan")
    tightness: tuple[float, float, float] = (float("nan"),) * 3
    basis: str = ""
    compared: str = ""
    loose: float = float("nan")
    seeds: int = 0
    power: float = float("nan")

    def __bool__(self) -> bool:
        return self.holds

    def __str__(self) -> str:
        title = self.theorem.title
        if self.refused:
            return f"{title}: refused, the run does not meet\n  {self.refused}"
        if not self.holds:
            refuted = f"REFUTED by the mean of {self.seeds} runs" if self.seeds else "VIOLATED"
            return f"{title}: {refuted} at {self.unit[:-1]} {self.violated_at}, by {-self.slack:.2e} at worst"
        basis = f" ({self.basis})" if self.basis else ""
        if self.seeds:
            lines = [f"{title}: not refuted on {self.steps} {self.unit} by the mean of {self.seeds} runs{basis}"]
        else:
            lines = [f"{title}: holds on all {self.steps} {self.unit}{basis}"]
        low, median, high = self.tightness
        if self.compared == "equality" and self.seeds:
            lines.append("the means equal the right side within their intervals")
        elif self.compared == "equality":
            lines.append(f"both sides are equal, the largest difference is {abs(self.slack):.1e}")
        elif math.isnan(median):
            lines.append("the bound promises nothing on this run")
        else:
            lines.append(f"{self.compared}: median {median:.3f}, range {low:.3f} to {high:.3f}")
        if self.seeds:
            lines.append(f"a bound below {self.power:.3f} times this one would be refuted (risk {RISK:g})")
        sharp, loose = self.theorem.sharp, f"{self.loose:.3g}"
        known = ""
        if sharp and loose == "1":
            known = "sharp to three digits" if sharp.exact else ""
        elif sharp and self.loose > 1:
            known = f"{loose} times loose" if sharp.exact else f"at least {loose} times loose"
        if sharp and known:
            lines.append(f"this constant is {known}: {plain(sharp.text)} ({sharp.source})")
        return "\n  ".join(lines)

    __repr__ = __str__


def certify(
    theorem: Theorem, run: Evidence, *, waive: Collection[str] = (), **constants: Constant | Tensor | float
) -> Certificate:
    """Check a theorem's assumptions, then its inequality on every recorded step of every run of the batch.

    ``run`` is what ``descend`` or ``minimize`` returns, :class:`Points` or a :class:`Sequence`, as the theorem
    needs. Constants come from the problem unless given: a number, a :class:`Constant`, or a tensor with one entry
    per step (say, an L estimated on each step's segment). ``waive`` names assumptions not to insist on, to look at
    what happens outside them. Raises ValueError for a constant that nobody knows, an unknown name or a run
    that lacks a record.
    """
    strange = set(waive) - {a.name for a in theorem.assumptions}
    if strange or set(constants) - set(theorem.constants):
        raise ValueError(
            f"{theorem.id} has the assumptions {[a.name for a in theorem.assumptions]} and the constants"
            f" {list(theorem.constants)}; got waive={list(waive)}, constants={list(constants)}"
        )
    missing = [name for name in theorem.needs if not hasattr(run, name)]
    if missing:
        raise ValueError(f"{theorem.id} needs the records {list(theorem.needs)}; the run lacks {missing}")
    if getattr(run, "every", 1) > 1:
        raise ValueError(f"{theorem.id} needs every step; the run recorded only each {run.every}-th")
    if not run.T:
        raise ValueError(f"{theorem.id} needs at least one step; the run has none")
    known, basis = _constants(theorem, run, constants)
    for assumption in (*theorem.assumptions, LOWER_BOUND):
        if assumption.name not in waive and not assumption.met(run, known):
            return Certificate(
                theorem, False, refused=f"{assumption.name} ({plain(assumption.text)})", basis=basis
            )
    return _compare(theorem, run, known, basis)


def _compare(theorem: Theorem, run: Evidence, known: Constants, basis: str) -> Certificate:
    sides = theorem.sides(run, known)
    if sides.over_seeds:
        if bool((run.stopped < run.T).any()):
            raise ValueError(
                f"{theorem.id} is about means over runs of {run.T} steps; some of these stopped earlier"
            )
        scale = sides.scale.expand_as(sides.left).amax(1, keepdim=True)
        sides = replace(sides, right=sides.right.mean(1, keepdim=True), scale=scale)
    # What is smaller than the root of the smallest number loses its digits in a norm, whose squares underflow.
    tolerance = rounding(sides.left) * sides.scale + torch.finfo(sides.left.dtype).tiny ** 0.5
    measured, margin = _over_seeds(sides) if sides.over_seeds else (sides.left, torch.zeros_like(sides.left))
    slack = sides.right - measured
    slack = margin + (-slack.abs() if sides.equal else slack)
    happened = _happened(run, slack)
    # Written so that a NaN is a violation, and so is a side that left the numbers: an infinite tolerance is none.
    bad = happened & ~((slack >= -tolerance) & slack.isfinite() & tolerance.isfinite())
    per_step = bad.reshape(len(bad), -1).any(1)
    tightness = (torch.tensor(torch.nan),) * 3
    if not sides.equal:
        small, large = measured, sides.right
        if sides.promised is not None and sides.achieved is not None:
            small, large = sides.promised, sides.achieved
        # Steps whose promise is below rounding say nothing about tightness.
        floor = sides.right if sides.promised is None else sides.promised
        ratio = (small / large)[(floor > 100 * tolerance) & happened & ~bad]
        if len(ratio):
            tightness = (ratio.min(), ratio.median(), ratio.max())
    return Certificate(
        theorem,
        holds=not bool(per_step.any()),
        violated_at=int(per_step.nonzero()[0]) if bool(per_step.any()) else None,
        steps=len(bad),
        unit="pairs" if isinstance(run, Points) else "steps",
        slack=float(slack[happened].min()) if bool(happened.any()) else math.nan,
        tightness=(float(tightness[0]), float(tightness[1]), float(tightness[2])),
        basis=basis,
        compared=_compared(sides),
        loose=theorem.sharp.loose(run, known) if theorem.sharp else math.nan,
        seeds=sides.left.shape[1] if sides.over_seeds else 0,
        power=_power(sides, measured, margin) if sides.over_seeds else math.nan,
    )


def _compared(sides: Sides) -> str:
    if sides.equal:
        return "equality"
    if sides.promised is not None:
        return "promised / achieved"
    return "bound / measured" if sides.lower else "measured / bound"


def _over_seeds(sides: Sides) -> tuple[Tensor, Tensor]:
    """The means over the runs, and how far off they may be, all at once, with probability 1 - RISK."""
    seeds = sides.left.shape[1] if sides.left.ndim > 1 else 1
    if seeds < SEEDS:
        raise ValueError(f"a bound on a mean needs at least {SEEDS} runs on the batch axis, got {seeds}")
    deviation, mean = torch.std_mean(sides.left, dim=1, keepdim=True)
    quantile = NormalDist().inv_cdf(1 - RISK / mean.numel() / (2 if sides.equal else 1))
    return mean, quantile * deviation / math.sqrt(seeds)


def _power(sides: Sides, mean: Tensor, margin: Tensor) -> float:
    """Which factor on the right side would be refuted for certain, from this one down."""
    share = (mean - margin) / sides.right
    return float(share[share.isfinite()].max()) if bool(share.isfinite().any()) else math.nan


def _happened(run: Evidence, slack: Tensor) -> Tensor:
    """Which entries are steps that were taken: a run that met its stopping criterion stands still afterwards."""
    stopped = getattr(run, "stopped", None)
    if stopped is None or slack.shape[1 : 1 + stopped.ndim] != stopped.shape:
        return torch.ones_like(slack, dtype=torch.bool)
    taken = torch.arange(len(slack), device=slack.device).reshape(-1, *[1] * stopped.ndim) < stopped
    return taken.reshape(*taken.shape, *[1] * (slack.ndim - taken.ndim)).expand_as(slack)


def _constants(theorem: Theorem, run: Evidence, given: dict[str, Any]) -> tuple[Constants, str]:
    known: dict[str, Any] = {}
    told = []
    for name in theorem.constants:
        value = given.get(name, getattr(run.problem, name, None))
        if value is None:
            of = f" of {run.problem.name}" if run.problem else ""
            raise ValueError(f"{name}{of} is not known: give it, {name}=...")
        known[name] = float(value) if isinstance(value, Constant) else value
        if isinstance(value, Constant):
            told.append(f"{name} {value.status}")
        elif name in given:
            stepwise = isinstance(value, Tensor) and value.ndim > 0 and len(value) == run.T and name != "w_star"
            told.append(f"{name} estimated step by step" if stepwise else f"{name} as given")
    return known, ", ".join(told)
