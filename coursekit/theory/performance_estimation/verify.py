"""A proof that performance estimation has found, checked with numpy alone.

Let a method make T steps on *any* function of a class. What is unknown of the run are the vectors
b = (w_0 - w*, g_0, ..., g_T) and the numbers f_0 - f*, ..., f_T - f*. All that a theorem compares is linear in
these numbers and in the inner products of these vectors. So a vector is the array of its coefficients on b, and a
quantity is an array too: its coefficients on the f_t - f*, then those on the b_k·b_l.

Every function of the class satisfies some inequalities c_k ≥ 0. A proof gives each a multiplier λ_k ≥ 0, so that

    rate · initial - measured = Σ λ_k c_k + Σ S_kl b_k·b_l    and S has no negative eigenvalue.

Both sums on the right are at least 0: measured ≤ rate · initial, on every function and in every dimension.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Multipliers = Mapping[str, Mapping[str, float]]
Inequality = Callable[..., Array]  # of two points; at least 0

TINY = 1e-12  # what rounding the multipliers to 14 decimals may leave


class Point(NamedTuple):
    """The vectors w - w* and g = ∇f(w), and the quantity f(w) - f*."""

    w: Array
    g: Array
    f: Array


def dot(a: Array, b: Array) -> Array:
    """The quantity a·b."""
    return np.concatenate([np.zeros(len(a) - 1), (np.outer(a, b) + np.outer(b, a)).ravel() / 2])


def evaluate(quantity: Array, f: Array, b: Array) -> float:
    """The number that a quantity is on one run: f holds the f_t - f*, shape (T+1,), and b the b_k, (T+2, dim)."""
    return float(quantity @ np.concatenate([f, (b @ b.T).ravel()]))


def interpolation(i: Point, j: Point, mu: float, L: float) -> Array:
    """What two points of any L-smooth, μ-strongly convex function satisfy, as a quantity that is at least 0.

    f_i - f_j - g_j·(w_i - w_j) - ‖g_i - g_j‖²/(2L) - μ/(2(1 - μ/L)) ‖w_i - w_j - (g_i - g_j)/L‖² ≥ 0; μ = 0 if f
    is only convex, μ = -L if it is only smooth. Sources: Taylor, Hendrickx and Glineur 2017, "Smooth strongly
    convex interpolation and exact worst-case performance of first-order methods", theorem 4, and, for μ = -L,
    "Exact worst-case performance of first-order methods for composite convex optimization", theorem 3.10.
    """
    dw, dg = i.w - j.w, i.g - j.g
    e = dw - dg / L
    return i.f - j.f - dot(j.g, dw) - dot(dg, dg) / (2 * L) - mu / (2 * (1 - mu / L)) * dot(e, e)


def minimum(i: Point, star: Point, L: float) -> Array:
    """f_i - f* - ‖g_i‖²/(2L) ≥ 0: f* is below what one step of size 1/L is sure to reach."""
    return i.f - star.f - dot(i.g, i.g) / (2 * L)


def pl(i: Point, star: Point, mu: float) -> Array:
    """‖g_i‖²/(2μ) - (f_i - f*) ≥ 0, the Polyak-Łojasiewicz inequality."""
    return dot(i.g, i.g) / (2 * mu) - (i.f - star.f)


def unroll(rule: Any, T: int, h: Any, *, behind: bool = False) -> dict[str, Point]:
    """The points "0", ..., "T" of a run and the minimizer "*": the rule's own code, run on coefficients.

    ``behind``: the last point is one step along -g from the one before, as x_T lies behind Nesterov's w_T.
    """
    b, f = np.eye(T + 2), np.eye(T + 1, T + 1 + (T + 2) ** 2)
    w, state = [b[0]], (0 * b[0],) * len(rule.state)
    for t in range(1, T + 1):
        delta, state = rule(w[-1], b[t], state, rule.scalars_at(t, h), h)
        w.append(w[-1] + (-h.eta * b[t] if behind and t == T else delta))
    points = {str(t): Point(w[t], b[t + 1], f[t]) for t in range(T + 1)}
    return points | {"*": Point(0 * b[0], 0 * b[0], 0 * f[0])}


class Proof(NamedTuple):
    """What the check found. ``linear`` and ``weights`` are how far off zero and one they are."""

    multiplier: float  # the smallest
    linear: float  # the largest coefficient of an f_t - f* that is left over
    eigenvalue: float  # the smallest of S
    weights: float

    @property
    def holds(self) -> bool:
        """Is the statement proved, up to the rounding of the multipliers?"""
        return self.multiplier >= 0 and max(self.linear, self.weights, -self.eigenvalue) <= TINY


def verify(
    points: Mapping[str, Point],
    inequalities: Mapping[str, Inequality],
    initial: Array,
    measured: Sequence[Array],
    rate: float,
    weights: Sequence[float],
    multipliers: Multipliers,
) -> Proof:
    """Do the multipliers, {inequality: {"i j": λ}}, prove that measured ≤ rate · initial?

    Of several measured quantities the least is meant: it is at most their mean with ``weights`` ≥ 0 of sum 1.
    Raises ValueError unless there is one weight for each.
    """
    if len(weights) != len(measured):
        raise ValueError(f"there must be one weight for each of {len(measured)} quantities, got {len(weights)}")
    used = [
        (multiplier, inequalities[name](*(points[label] for label in pair.split())))
        for name, entries in multipliers.items()
        for pair, multiplier in entries.items()
    ]
    rest = rate * initial - sum(a * m for a, m in zip(weights, measured, strict=True))
    rest = rest - sum(multiplier * c for multiplier, c in used)  # Σ S_kl b_k·b_l, if this is a proof

    T = len(points) - 2
    linear, S = rest[: T + 1], rest[T + 1 :].reshape(T + 2, T + 2)
    return Proof(
        multiplier=min(rate, *weights, *(multiplier for multiplier, _ in used)),
        linear=float(abs(linear).max()),
        eigenvalue=float(np.linalg.eigvalsh(S)[0]),
        weights=abs(sum(weights) - 1),
    )
