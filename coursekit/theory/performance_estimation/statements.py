"""The statements whose worst case is stored: which method, on which functions, and what is measured."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace

from ...rules import accelerated, gradient_descent, heavy_ball
from ...rules.rule import Rule
from .verify import Array, Inequality, Multipliers, Point, Proof, dot, interpolation, minimum, pl, unroll, verify

Points = Mapping[str, Point]

L, MU = 1.0, 0.1
BEST = 2 / (L + MU)
HALF = 1 / (2 * L)

_SMOOTH: dict[str, Inequality] = {"interpolation": partial(interpolation, mu=-L, L=L)}
_BOUNDED = _SMOOTH | {"minimum": partial(minimum, L=L)}
CLASSES: dict[str, dict[str, Inequality]] = {
    "convex": {"interpolation": partial(interpolation, mu=0, L=L)},
    "strongly convex": {"interpolation": partial(interpolation, mu=MU, L=L)},
    "smooth": _SMOOTH,
    "bounded below": _BOUNDED,
    "PL": _BOUNDED | {"pl": partial(pl, mu=MU)},
}


@dataclass(frozen=True)
class Statement:
    """measured ≤ r · initial after T steps, on every L-smooth function of the class; ``text`` in MyST Markdown.

    Of several measured quantities the least is meant. ``exact``: functions are known that attain the stored rate;
    else it is an upper bound.
    """

    id: str
    text: str
    functions: str
    initial: Callable[[Points], Array]
    measured: Callable[[Points], list[Array]]
    rule: Rule = gradient_descent
    eta: float = 1 / L
    beta: float = 0.0
    behind: bool = False
    exact: bool = True

    def points(self, T: int) -> dict[str, Point]:
        """The run of T steps, in symbols."""
        return unroll(self.rule, T, SimpleNamespace(eta=self.eta, beta=self.beta), behind=self.behind)

    def prove(self, T: int, rate: float, weights: Sequence[float], multipliers: Multipliers) -> Proof:
        """:func:`verify` for this statement."""
        points = self.points(T)
        initial, measured = self.initial(points), self.measured(points)
        return verify(points, CLASSES[self.functions], initial, measured, rate, weights, multipliers)


def _last(p: Points) -> Point:
    return p[str(len(p) - 2)]


def _distance(p: Points) -> Array:
    return dot(p["0"].w, p["0"].w)


def _gap(p: Points) -> Array:
    return p["0"].f


def _drop(p: Points) -> Array:
    return p["0"].f - _last(p).f


def _last_distance(p: Points) -> list[Array]:
    return [dot(_last(p).w, _last(p).w)]


def _last_gap(p: Points) -> list[Array]:
    return [_last(p).f]


def _gradients(p: Points) -> list[Array]:
    return [dot(i.g, i.g) for name, i in p.items() if name != "*"]


def _gradients_before_last(p: Points) -> list[Array]:
    return _gradients(p)[:-1]


_FROM_DISTANCE = r"$f(w_T) - f^\star \le r\,\|w_0-w^\star\|^2$"
_BEHIND = r"$f(x_T) - f^\star \le r\,\|x_0-w^\star\|^2$"
_DISTANCE = r"$\|w_T-w^\star\|^2 \le r\,\|w_0-w^\star\|^2$"
_VALUES = r"$f(w_T) - f^\star \le r\,(f(w_0) - f^\star)$"
_DROP = r"$\min_{t<T}\|\nabla f(w_t)\|^2 \le r\,(f(w_0) - f(w_T))$"
_GAP = r"$\min_{t\le T}\|\nabla f(w_t)\|^2 \le r\,(f(w_0) - f^\star)$"
_BETA = math.sqrt((1 - HALF * MU) * (1 - HALF * L))

# fmt: off
STATEMENTS: dict[str, Statement] = {s.id: s for s in (
    Statement("gd-convex", _FROM_DISTANCE, "convex", _distance, _last_gap),
    Statement("gd-distance", _DISTANCE, "strongly convex", _distance, _last_distance),
    Statement("gd-distance-best-step", _DISTANCE, "strongly convex", _distance, _last_distance, eta=BEST),
    Statement("gd-values", _VALUES, "strongly convex", _gap, _last_gap),
    Statement("gd-values-best-step", _VALUES, "strongly convex", _gap, _last_gap, eta=BEST),
    Statement("gd-gradients", _DROP, "smooth", _drop, _gradients_before_last),
    Statement("gd-gradients-above-minimum", _GAP, "bounded below", _gap, _gradients),
    Statement("nesterov-convex", _BEHIND, "convex", _distance, _last_gap, accelerated, behind=True),
    Statement("gd-pl", _VALUES, "PL", _gap, _last_gap, exact=False),
    Statement("heavy-ball-strongly-convex", _VALUES, "strongly convex", _gap, _last_gap, heavy_ball, HALF, _BETA,
              exact=False),
)}
# fmt: on
