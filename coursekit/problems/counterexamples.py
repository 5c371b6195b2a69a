"""Functions on which a plausible statement fails. Each is as tame as the statement allows."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from ..rules.ops import absolute, sqrt, where
from .problem import Constant, Problem


class HalvingTrap(Problem):
    """f'(w) = 2w for |w| ≤ 1, (3w + sign w)/2 beyond: strongly convex and smooth, and simple decrease fails on it.

    From w = 3 the step η = 1 always decreases f, since |w| - 1 halves: the run tends to the cycle ±1, where
    f = 1 and |f'| = 2. In double precision it holds for about 50 steps; source: GG-eq5.
    """

    dim = 1
    L = Constant(2.0)
    mu = Constant(1.5)
    pl = Constant(1.5, how="the limit as |w| grows")
    f_star = Constant(0.0)

    def __init__(self) -> None:
        self.p = SimpleNamespace()
        self.w_star = torch.zeros(1, dtype=torch.float64)

    @staticmethod
    def formula(w: Any, p: Any) -> Any:
        x = w[..., 0]
        return where(absolute(x) <= 1, x * x, (3 * x * x + 2 * absolute(x) - 1) / 4)


class HeavyBallTrap(Problem):
    """f'(w) = 25w below 1, w + 24 on [1, 2], 25w - 24 beyond: the slope is 25 or 1, so μ = 1 and L = 25.

    Heavy ball with Polyak's parameters η = 1/9, β = 4/9, optimal for quadratics of this μ and L, goes from 3.3
    into a cycle of three points that attracts (Lessard, Recht and Packard 2016); source: TDL-HB-convex.
    """

    dim = 1
    L = Constant(25.0)
    mu = Constant(1.0)
    pl = Constant(169 / 19, how="attained at w = 2")
    f_star = Constant(0.0)

    def __init__(self) -> None:
        self.p = SimpleNamespace()
        self.w_star = torch.zeros(1, dtype=torch.float64)

    @staticmethod
    def formula(w: Any, p: Any) -> Any:
        x = w[..., 0]
        beyond = where(x <= 2, (x * x + 48 * x - 24) / 2, (25 * x * x - 48 * x + 72) / 2)
        return where(x <= 1, 25 * x * x / 2, beyond)


class Needle(Problem):
    """f(w) = slope·Σwᵢ - depth·max(0, 1 - ‖w - center‖/radius) on the cube [0, 1]ⁿ: a valley in a tilted plain.

    Outside a ball of volume ≤ (2·radius)ⁿ nothing tells where the valley is: without smoothness no method finds it
    in fewer than exponentially many queries. ``f_star`` and ``w_star`` are those on the cube; source:
    TDL-4.6.1-needle. f has no gradient at the center and at the rim; :class:`SmoothNeedle` has one everywhere.
    """

    def __init__(self, center: Tensor, radius: float = 0.1, depth: float = 2.0, slope: float = 0.5) -> None:
        if center.ndim != 1 or not center.is_floating_point():
            raise ValueError(f"center must be a vector of floats, got {center!r}")
        if not radius > 0 or not bool(((center >= radius) & (center <= 1 - radius)).all()):
            raise ValueError(f"the ball must lie in the cube, got center {center.tolist()}, radius {radius!r}")
        if not slope > 0:
            raise ValueError(f"slope must be positive, got {slope!r}")
        rise = slope * float(center.sum())
        if not depth > max(rise, slope * radius * math.sqrt(len(center))):
            raise ValueError(f"depth must exceed {rise:g}, the height of the plain at the center, got {depth!r}")
        self.dim = len(center)
        self.p = SimpleNamespace(center=center, radius=float(radius), depth=float(depth), slope=float(slope))
        self._place_minimum()

    def _place_minimum(self) -> None:
        self.w_star = self.p.center
        self.f_star = Constant(float(self.value(self.p.center)), how="on the cube")

    @staticmethod
    def formula(w: Any, p: Any) -> Any:
        u = w - p.center
        inside = 1 - sqrt((u * u).sum(-1)) / p.radius
        return p.slope * w.sum(-1) - p.depth * where(inside > 0, inside, 0.0)


class SmoothNeedle(Needle):
    """f(w) = slope·Σwᵢ - depth·max(0, 1 - ‖w - center‖²/radius²)² on the cube: L = 8·depth/radius², at the rim.

    The price of hiding: L grows as the valley narrows, and then the bounds with L say nothing.
    """

    def _place_minimum(self) -> None:
        p = self.p
        self.L = Constant(8 * p.depth / p.radius**2, how="the limit at the rim, from inside")
        # The minimum lies s·radius downhill of the center, where 4 depth s (1 - s²) = ‖slope‖·radius.
        tilt = p.slope * math.sqrt(self.dim) * p.radius / (4 * p.depth)
        s = 2 / math.sqrt(3) * math.sin(math.asin(1.5 * math.sqrt(3) * tilt) / 3)
        self.w_star = p.center - s * p.radius / math.sqrt(self.dim)
        self.f_star = Constant(float(self.value(self.w_star)), how="on the cube")

    @staticmethod
    def formula(w: Any, p: Any) -> Any:
        u = w - p.center
        inside = 1 - (u * u).sum(-1) / p.radius**2
        return p.slope * w.sum(-1) - p.depth * where(inside > 0, inside, 0.0) ** 2
