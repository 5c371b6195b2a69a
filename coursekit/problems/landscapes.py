"""Small landscapes of one or two variables that each make one point."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import torch

from ..rules.ops import absolute, sin, where
from .problem import Constant, Problem


class Rosenbrock(Problem):
    """f(x, y) = (1 - x)² + b (y - x²)²: a curved valley with its minimum at (1, 1)."""

    dim = 2
    f_star = Constant(0.0)

    def __init__(self, b: float = 100.0) -> None:
        if not b > 0:
            raise ValueError(f"b must be positive, got {b!r}")
        self.p = SimpleNamespace(b=float(b))
        self.w_star = torch.ones(2, dtype=torch.float64)

    @staticmethod
    def formula(w: Any, p: Any) -> Any:
        x, y = w[..., 0], w[..., 1]
        return (1 - x) ** 2 + p.b * (y - x * x) ** 2


class DoubleWell(Problem):
    """f(x, y) = x⁴/4 - x²/2 + y²/2 + tilt·x: two valleys, one deeper, and a saddle between them."""

    dim = 2

    def __init__(self, tilt: float = 0.2) -> None:
        self.p = SimpleNamespace(tilt=float(tilt))

    @staticmethod
    def formula(w: Any, p: Any) -> Any:
        x, y = w[..., 0], w[..., 1]
        return x**4 / 4 - x**2 / 2 + y**2 / 2 + p.tilt * x


class PLSine(Problem):
    """f(w) = w² + 3 sin² w: not convex, yet every stationary point is the global minimum; f'' lies in [-4, 8]."""

    dim = 1
    L = Constant(8.0)
    f_star = Constant(0.0)

    def __init__(self) -> None:
        self.p = SimpleNamespace()
        self.w_star = torch.zeros(1, dtype=torch.float64)

    @staticmethod
    def formula(w: Any, p: Any) -> Any:
        x = w[..., 0]
        return x * x + 3 * sin(x) ** 2


class Softplus(Problem):
    """f(w) = log(1 + e^{-w}): convex and ¼-smooth, its infimum 0 is not attained; one separable data point."""

    dim = 1
    L = Constant(0.25)
    f_star = Constant(0.0, how="not attained")

    def __init__(self) -> None:
        self.p = SimpleNamespace()

    @staticmethod
    def formula(w: Any, p: Any) -> Any:
        return torch.nn.functional.softplus(-w[..., 0], threshold=math.inf)


class Huber(Problem):
    """f(w) = ½ w² for |w| <= c, c |w| - ½ c² beyond: convex, 1-smooth; the worst case of gradient descent.

    Started at R with c = R/(2T + 1), T steps of size 1/L leave exactly the gap L R²/(4T + 2), the largest
    that any convex 1-smooth function can leave (Drori and Teboulle 2014).
    """

    dim = 1
    L = Constant(1.0)
    f_star = Constant(0.0)

    def __init__(self, c: float = 1.0) -> None:
        if not c > 0:
            raise ValueError(f"c must be positive, got {c!r}")
        self.p = SimpleNamespace(c=float(c))
        self.w_star = torch.zeros(1, dtype=torch.float64)

    @staticmethod
    def formula(w: Any, p: Any) -> Any:
        x = absolute(w[..., 0])
        return where(x <= p.c, x * x / 2, p.c * x - p.c * p.c / 2)
