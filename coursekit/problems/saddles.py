"""Saddles: strict ones that gradient descent leaves fast, degenerate ones that it leaves slowly or not at all.

The strict saddle with minima beside it is ``DoubleWell(tilt=0)``; the bare one is ``Quadratic`` with eigenvalues
of both signs.
"""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import torch

from .problem import Constant, Problem


class Inflection(Problem):
    """f(w) = w⁴/4 + w³/3: stationary at 0 with f'' = 0, no minimum there; the minimum is -1/12 at -1.

    Gradient descent from any start in (0, 1) with a small step tends to 0, as slowly as 1/t; source: GG-2.1-local.
    """

    dim = 1
    f_star = Constant(-1 / 12)

    def __init__(self) -> None:
        self.p = SimpleNamespace()
        self.w_star = -torch.ones(1, dtype=torch.float64)

    @staticmethod
    def formula(w: Any, p: Any) -> Any:
        x = w[..., 0]
        return x**4 / 4 + x**3 / 3


class FlatSaddle(Problem):
    """f(x, y) = x² - y⁴ + ⅔ y⁶: at 0 the Hessian diag(2, 0) is positive semidefinite, and 0 is no minimum.

    The minima are -1/3 at (0, ±1). A second-order stationary point is not a local minimum; source: TDL-D4.1.6.
    """

    dim = 2
    f_star = Constant(-1 / 3)

    def __init__(self) -> None:
        self.p = SimpleNamespace()
        self.w_star = torch.tensor([0.0, 1.0], dtype=torch.float64)

    @staticmethod
    def formula(w: Any, p: Any) -> Any:
        x, y = w[..., 0], w[..., 1]
        return x**2 - y**4 + 2 * y**6 / 3


class MonkeySaddle(Problem):
    """f(x, y) = x³ - 3xy² + b (x² + y²)²: three ways down from 0, where the Hessian is zero.

    With r the radius, f = r³ cos 3θ + b r⁴, so the minima -27/(256 b³) lie at r = 3/(4b), cos 3θ = -1. b = 0 is
    the bare saddle, unbounded below. It is left in time 1/r₀, not in log(1/r₀) as a strict saddle.
    """

    dim = 2

    def __init__(self, b: float = 0.75) -> None:
        if not 0 <= b < math.inf:
            raise ValueError(f"b must lie in [0, inf), got {b!r}")
        self.p = SimpleNamespace(b=float(b))
        if b > 0:
            self.f_star = Constant(-27 / (256 * b**3))
            self.w_star = torch.tensor([-3 / (4 * b), 0.0], dtype=torch.float64)

    @staticmethod
    def formula(w: Any, p: Any) -> Any:
        x, y = w[..., 0], w[..., 1]
        return x**3 - 3 * x * y**2 + p.b * (x**2 + y**2) ** 2


class DeepLinear(Problem):
    """f(w) = ½ (w₁ w₂ ⋯ w_d - y)²: a linear network of d layers, one unit each.

    At 0 lies a saddle, strict for d = 2 (eigenvalues ±y), with a zero Hessian for d > 2: the plateau of small
    starts. Symmetry holds a run: equal weights stay equal. On the minima, w₁ ⋯ w_d = y, the trace of the Hessian
    has no upper bound though f is the same function of the network; source: KH-3.4-flat.
    """

    f_star = Constant(0.0)

    def __init__(self, depth: int = 2, y: float = 1.0) -> None:
        if depth < 2:
            raise ValueError(f"depth must be at least 2, got {depth!r}")
        if not 0 < y < math.inf:
            raise ValueError(f"y must lie in (0, inf), got {y!r}")
        self.dim = depth
        self.p = SimpleNamespace(y=float(y))
        self.w_star = torch.full((depth,), y ** (1 / depth), dtype=torch.float64)

    @staticmethod
    def formula(w: Any, p: Any) -> Any:
        return (w.prod(-1) - p.y) ** 2 / 2
