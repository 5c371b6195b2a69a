"""Line searches: how far to go from w along a direction p, by looking at the ray φ(η) = f(w + η p).

Every search is called as ``search(oracle, w, f, g, direction, **options)`` for one point w (dim,) with its value
f and gradient g, and returns a :class:`Step`. It raises ValueError for a bad option and :class:`NoStep` where no
step can be had. A search decides trial by trial, so it takes one run and reads numbers back from the device.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from ..oracles import Oracle

# A change of f by at most this many units of its last place may be nothing but rounding.
ROUNDING = 8


class NoStep(ValueError):
    """There is no step to take along this direction; the message says why."""


@dataclass(frozen=True)
class Step:
    """The accepted step: its size η, the new point w + η p, and value and gradient there."""

    eta: float
    w: Tensor
    f: Tensor
    g: Tensor


Search = Callable[[Oracle, Tensor, Tensor, Tensor, Tensor], Step]


def full_step(oracle: Oracle, w: Tensor, f: Tensor, g: Tensor, direction: Tensor, *, eta: float = 1.0) -> Step:
    """η fixed and nothing tested: what pure Newton does. Uphill directions are taken too."""
    _check_shapes(w, g, direction)
    _check("eta", eta, 0, math.inf)
    return _arrive(oracle, eta, w + eta * direction)


def halving(
    oracle: Oracle, w: Tensor, f: Tensor, g: Tensor, direction: Tensor, *, first: float = 1.0, most: int = 60
) -> Step:
    """Halve η, from ``first``, until φ(η) < φ(0) (GG, Algorithm 1).

    Any decrease is accepted, however small, and that is its weakness: decreases may shrink so fast that the run
    ends where the gradient is not zero, even for a strongly convex f; source: GG-eq5. :func:`armijo` repairs it.
    At most max(0, ⌊log₂(L/2)⌋ + 1) halvings for an L-smooth f, direction -g and first = 1; source: GG-ls-halvings.
    """
    _slope(w, g, direction)
    start = float(f)
    return _backtrack(oracle, w, direction, lambda eta, new: float(oracle.value(new)) < start, first, 0.5, most)


def armijo(
    oracle: Oracle,
    w: Tensor,
    f: Tensor,
    g: Tensor,
    direction: Tensor,
    *,
    c1: float = 1e-4,
    first: float = 1.0,
    shrink: float = 0.5,
    most: int = 60,
) -> Step:
    """Multiply η, from ``first``, by ``shrink`` until φ(η) ≤ φ(0) + c₁ η φ'(0).

    The decrease must be a fixed share of what the slope promises. Close to a minimizer it drowns in the rounding
    of f; then the slope decides: φ'(η) ≤ (2c₁ - 1) φ'(0), which for a quadratic says the same (Hager and Zhang).
    With direction -g, first = 1 and shrink = ½ the
    accepted η is at least min(1, (1-c₁)/L); source: GG-Alg1.
    """
    slope = _slope(w, g, direction)
    _check("c1", c1, 0, 1)
    _check("shrink", shrink, 0, 1)
    enough = _Enough(f, slope, c1)

    def accept(eta: float, new: Tensor) -> bool:
        value = float(oracle.value(new))
        if enough.hidden(value):
            return enough.by_slope(float(oracle.value_and_grad(new)[1] @ direction))
        return enough.by_value(eta, value)

    return _backtrack(oracle, w, direction, accept, first, shrink, most)


def wolfe(
    oracle: Oracle,
    w: Tensor,
    f: Tensor,
    g: Tensor,
    direction: Tensor,
    *,
    c1: float = 1e-4,
    c2: float = 0.9,
    strong: bool = True,
    first: float = 1.0,
    most: int = 60,
) -> Step:
    """Find η with φ(η) ≤ φ(0) + c₁ η φ'(0) and |φ'(η)| ≤ c₂ |φ'(0)|; with strong=False only φ'(η) ≥ c₂ φ'(0).

    It keeps a bracket (low, high): at ``low`` the decrease suffices and f still falls too steeply, at ``high``
    the decrease does not suffice or f rises too steeply. Then φ(η) - c₁ η φ'(0) has a minimum inside, which
    meets both conditions; so the bracket, shrunk by at least a tenth per trial, must run into an acceptable η.
    Until there is a ``high``, η doubles. Each trial costs one gradient. Rounding is met as in :func:`armijo`.
    """
    slope = _slope(w, g, direction)
    _check("c1", c1, 0, 1)
    _check("c2", c2, c1, 1)
    _check("first", first, 0, math.inf)
    enough = _Enough(f, slope, c1)
    steepest = -c2 * slope if strong else math.inf
    low, high = _Trial(0.0, float(f), slope), None
    eta = first
    for _ in range(_at_least_one(most)):
        step = _arrive(oracle, eta, w + eta * direction)
        trial = _Trial(eta, float(step.f), float(step.g @ direction))
        hidden = enough.hidden(trial.f)
        decreased = enough.by_slope(trial.slope) if hidden else enough.by_value(eta, trial.f)
        if not (decreased and trial.slope <= steepest):  # written so that NaN counts as too far
            high = trial
        elif trial.slope < c2 * slope:
            low = trial
        else:
            return step
        eta = 2 * eta if high is None else _between(low, high)
    raise NoStep(f"no step met the Wolfe conditions in {most} trials, the last at η = {eta:.3g}")


def exact(oracle: Oracle, w: Tensor, f: Tensor, g: Tensor, direction: Tensor) -> Step:
    """The minimizer of φ for a quadratic f, by one Hessian-vector product: η = -gᵀp / pᵀHp.

    Raises NoStep if f has no minimum on the ray (pᵀHp ≤ 0), or is not quadratic there: if the step leaves more
    than a hundredth of the slope.
    """
    slope = _slope(w, g, direction)
    curvature = float(direction @ oracle.hvp(w, direction))
    if not curvature > 0:
        raise NoStep(f"f has no minimum along the direction: pᵀHp must be positive, got {curvature:.3g}")
    eta = -slope / curvature
    step = _arrive(oracle, eta, w + eta * direction)
    left = abs(float(step.g @ direction) / slope)
    if not left <= 1e-2:
        raise NoStep(f"exact needs a quadratic: its step left {left:.3g} of the slope, at most 0.01 is allowed")
    return step


class _Trial(NamedTuple):
    eta: float
    f: float
    slope: float


class _Enough:
    """Sufficient decrease, φ(η) ≤ φ(0) + c₁ η φ'(0), or by the slope where rounding hides the change of f."""

    def __init__(self, f: Tensor, slope: float, c1: float) -> None:
        self.f, self.slope, self.c1 = float(f), slope, c1
        self.rounding = ROUNDING * torch.finfo(f.dtype).eps * abs(self.f)

    def hidden(self, f: float) -> bool:
        return abs(f - self.f) <= self.rounding

    def by_value(self, eta: float, f: float) -> bool:
        return f <= self.f + self.c1 * eta * self.slope

    def by_slope(self, slope: float) -> bool:
        return slope <= (2 * self.c1 - 1) * self.slope


def _between(low: _Trial, high: _Trial) -> float:
    """The minimizer of the cubic through both trials, kept a tenth of the bracket away from its ends."""
    width = high.eta - low.eta
    try:
        d = low.slope + high.slope - 3 * (high.f - low.f) / width
        root = math.sqrt(d * d - low.slope * high.slope)
        eta = high.eta - width * (high.slope + root - d) / (high.slope - low.slope + 2 * root)
    except (ValueError, ZeroDivisionError, OverflowError):  # no such cubic, or no minimum of it
        eta = math.nan
    if not math.isfinite(eta):
        return low.eta + width / 2
    return min(max(eta, low.eta + width / 10), high.eta - width / 10)


def _backtrack(
    oracle: Oracle,
    w: Tensor,
    direction: Tensor,
    accept: Callable[[float, Tensor], bool],
    first: float,
    shrink: float,
    most: int,
) -> Step:
    _check("first", first, 0, math.inf)
    eta = first
    for _ in range(_at_least_one(most)):
        new = w + eta * direction
        if accept(eta, new):
            return _arrive(oracle, eta, new)
        eta *= shrink
    raise NoStep(f"f did not decrease enough in {most} trials, from η = {first:.3g} to {eta / shrink:.3g}")


def _arrive(oracle: Oracle, eta: float, w: Tensor) -> Step:
    return Step(eta, w, *oracle.value_and_grad(w))


def _slope(w: Tensor, g: Tensor, direction: Tensor) -> float:
    """φ'(0) = gᵀp; NoStep unless it is negative."""
    _check_shapes(w, g, direction)
    slope = float(g @ direction)
    if not slope < 0:
        raise NoStep(f"direction must point downhill: the slope gᵀp must be negative, got {slope:.3g}")
    return slope


def _check_shapes(w: Tensor, g: Tensor, direction: Tensor) -> None:
    if w.ndim != 1:
        raise ValueError(f"w must be one point of shape (dim,), got {tuple(w.shape)}: a search takes one run")
    for name, given in (("g", g), ("direction", direction)):
        if given.shape != w.shape:
            raise ValueError(f"{name} must have the shape of w, {tuple(w.shape)}, got {tuple(given.shape)}")


def _check(name: str, value: float, low: float, high: float) -> None:
    if not low < value < high:
        raise ValueError(f"{name} must lie in ({low:g}, {high:g}), got {value!r}")


def _at_least_one(most: int) -> int:
    if most < 1:
        raise ValueError(f"most must be at least 1, got {most!r}")
    return most
