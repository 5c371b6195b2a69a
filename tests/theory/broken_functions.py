"""Broken variants of the theorems about functions: Taylor models, norms, smoothness."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import torch

from coursekit.problems import Huber, PLSine, Quadratic, Quartic, Softplus
from coursekit.problems.problem import Problem
from coursekit.theory import (
    CubicWell,
    Points,
    cocoercivity,
    first_order_remainder,
    gradient_below_gap,
    quadratic_upper_bound,
    second_order_remainder,
    smoothness_equivalences,
    steepest_direction,
    steepest_step,
    strong_convexity_implies,
)

from .broken import f64, point, row, smaller


def pairs(problem: Problem, size: float = 1.0) -> Points:
    generator = torch.Generator().manual_seed(0)
    w, v = (size * torch.randn(100, problem.dim, generator=generator, dtype=f64) for _ in range(2))
    return Points(problem, w, v)


def from_zero(problem: Problem) -> Points:
    v = torch.linspace(0.1, 0.9, 9, dtype=f64)[:, None]
    return Points(problem, torch.zeros_like(v), v)


def parabola() -> Points:
    return pairs(Quadratic(point(3.0)))


def bowl() -> Points:
    return pairs(Quadratic(point(1.0, 10.0)))


# fmt: off
row(first_order_remainder, "constant", "L 10 % smaller", parabola, change=smaller(0.9))
row(first_order_remainder, "exponent", "‖v - w‖³", lambda: from_zero(Quadratic(point(1.0))),
    change=lambda right, t: right * t / 10)
row(first_order_remainder, "assumption", "L of a smaller region", lambda: from_zero(Quartic()), L=3.0,
    instead=lambda: Points(Quartic(), point(0.0)[None], point(3.0)[None]))
row(second_order_remainder, "constant", "ρ 10 % smaller", lambda: from_zero(CubicWell(0, 2)), rho=2.0,
    change=smaller(0.9))
row(second_order_remainder, "constant", "2nd for the 6", lambda: from_zero(CubicWell(0, 2)), rho=2.0,
    change=smaller(0.5))
row(second_order_remainder, "assumption", "the Hessian jumps", lambda: from_zero(CubicWell(1, 1)), rho=1.0,
    instead=lambda: Points(Huber(), point(0.9)[None], point(1.2)[None]))
for p in (1.0, 1.5, math.inf):
    row(steepest_direction, "constant", f"10 % smaller, p = {p:g}", bowl, p=p, change=smaller(0.9))


def _euclidean(points: Points, k: Any) -> Any:
    """The claim that -g is the steepest direction, whatever the norm."""
    sides = steepest_direction.sides(points, k)
    g, length = points.problem.grad(points.w), (points.v - points.w).norm(k["p"], dim=-1)
    step = steepest_step(g, 2)
    reached = -(g * step).sum(-1) * length / step.norm(k["p"], dim=-1)
    return replace(sides, right=torch.stack([sides.right[:, 0], reached], -1))


row(steepest_direction, "method", "-g is steepest in the ∞-norm too", bowl, p=math.inf,
    broken=replace(steepest_direction, sides=_euclidean))
row(steepest_direction, "assumption", "p = 1/2, no norm", bowl, p=2.0, wrong={"p": 0.5}, refused=True)
for theorem in (smoothness_equivalences, quadratic_upper_bound, cocoercivity):
    row(theorem, "constant", "L 10 % smaller", bowl, wrong={"L": 9.0})
row(smoothness_equivalences, "assumption", "no L is enough", lambda: pairs(Quartic(), 0.5), L=20.0,
    instead=lambda: pairs(Quartic(), 10))
row(quadratic_upper_bound, "exponent", "‖v - w‖³", lambda: from_zero(Quadratic(point(1.0))),
    change=lambda right, t: right * t / 10)
row(cocoercivity, "assumption", "not convex", bowl, instead=lambda: pairs(PLSine(), 3), refused=True)
row(cocoercivity, "assumption", "not convex, not asked", bowl, instead=lambda: pairs(PLSine(), 3),
    waive=("convexity",))
row(gradient_below_gap, "constant", "L 10 % smaller", parabola, change=smaller(0.9))
row(gradient_below_gap, "constant", "f* too high", lambda: pairs(Softplus()), wrong={"f_star": 0.1})
row(strong_convexity_implies, "constant", "μ 10 % larger", parabola, wrong={"mu": 3.3}, refused=True)
row(strong_convexity_implies, "constant", "10 % smaller", parabola, change=smaller(0.9))
row(strong_convexity_implies, "assumption", "convex only", parabola, instead=lambda: pairs(Huber(), 3),
    wrong={"mu": 0.5}, refused=True)
row(strong_convexity_implies, "assumption", "convex only, not asked", parabola,
    instead=lambda: pairs(Huber(), 9), wrong={"mu": 0.5}, waive=("strong convexity",))
