"""Small landscapes of one or two variables that each make one point."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from ..rules.ops import absolute, sin, sqrt, where
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
    """f(x, y) = x⁴/4 - x²/2 + y²/2 + tilt·x: two valleys, one deeper, and a strict saddle between them.

    With tilt = 0 the saddle is the origin and the minima are -1/4 at (±1, 0).
    """

    dim = 2

    def __init__(self, tilt: float = 0.2) -> None:
        if not math.isfinite(tilt):
            raise ValueError(f"tilt must be finite, got {tilt!r}")
        self.p = SimpleNamespace(tilt=float(tilt))
        roots = np.roots([1.0, 0.0, -1.0, tilt])
        stationary = torch.tensor([[x, 0.0] for x in roots[roots.imag == 0].real], dtype=torch.float64)
        self.w_star = stationary[self.value(stationary).argmin()]
        self.f_star = Constant(float(self.value(self.w_star)), how="x is a root of x³ - x + tilt")

    @staticmethod
    def formula(w: Any, p: Any) -> Any:
        x, y = w[..., 0], w[..., 1]
        return x**4 / 4 - x**2 / 2 + y**2 / 2 + p.tilt * x


class PLSine(Problem):
    """f(w) = w² + 3 sin² w: not convex, yet every stationary point is the global minimum; f'' lies in [-4, 8]."""

    dim = 1
    L = Constant(8.0)
    pl = Constant(0.1755, "estimated", how="f'²/(2f) is least, 0.17553, at |w| = 2.2017; source: PL-def")
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
        x = w[..., 0]
        return where(absolute(x) <= p.c, x * x / 2, p.c * absolute(x) - p.c * p.c / 2)


class Quartic(Problem):
    """f(w) = a w²/2 + b w⁴/4: strongly convex for a > 0 only, and its curvature grows without bound.

    With a = 0 the minimum has no curvature: Newton's errors shrink by 2/3 a step, those of gradient descent as
    1/√t; sources: TDL-newton-quadratic-rate, TDL-4.7-lr. With a = b, AMGT-eq17-worst.
    """

    dim = 1
    f_star = Constant(0.0)

    def __init__(self, a: float = 0.0, b: float = 1.0) -> None:
        if not (0 <= a < math.inf and 0 < b < math.inf):
            raise ValueError(f"a must lie in [0, inf) and b in (0, inf), got {a!r} and {b!r}")
        self.p = SimpleNamespace(a=float(a), b=float(b))
        self.w_star = torch.zeros(1, dtype=torch.float64)
        self.mu = self.pl = Constant(float(a)) if a > 0 else None

    @staticmethod
    def formula(w: Any, p: Any) -> Any:
        x = w[..., 0]
        return p.a * x**2 / 2 + p.b * x**4 / 4


class PseudoHuber(Problem):
    """f(w) = √(1 + w²): convex and 1-smooth; Newton's step is w ← -w³, which diverges from every |w| > 1."""

    dim = 1
    L = Constant(1.0)
    f_star = Constant(1.0)

    def __init__(self) -> None:
        self.p = SimpleNamespace()
        self.w_star = torch.zeros(1, dtype=torch.float64)

    @staticmethod
    def formula(w: Any, p: Any) -> Any:
        x = w[..., 0]
        return sqrt(1 + x * x)
