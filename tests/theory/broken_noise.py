"""Broken variants of the theorems about mini-batches and about SGD without convexity."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from typing import Any

import torch
from torch import Tensor

from coursekit import data, descend
from coursekit.descend import Trajectory
from coursekit.oracles import AdditiveNoise, Epochs, MiniBatch, Oracle
from coursekit.problems import LeastSquares, Problem, Quadratic
from coursekit.rules import Rule, gradient_descent, heavy_ball
from coursekit.theory import (
    Points,
    Sides,
    minibatch_variance,
    minibatch_variance_without,
    sgd_batch_size,
    sgd_decaying,
    sgd_nonconvex,
    sgd_nonconvex_tuned,
    sgd_second_moment,
    tdl_theorem_462,
)

from .broken import f64, point, row, smaller
from .broken_rates import biased

RECORD = ("w", "f", "g", "grad_norm")


def sgd(
    problem: Problem | Oracle,
    start: Tensor,
    T: int,
    eta: Any,
    sigma: float = 1.0,
    seeds: int = 2000,
    method: Rule = gradient_descent,
    scale: float | None = None,
    **more: Any,
) -> Callable[[], Trajectory]:
    """Runs with independent noise of variance σ², all from one start; ``scale`` is the rule's own sigma."""
    more |= {} if scale is None else {"sigma": scale}
    oracle = AdditiveNoise(problem, sigma) if sigma else problem
    return partial(
        descend, oracle, method, start.expand(seeds, len(start)).clone(), T, record=RECORD, eta=eta, **more
    )


one, bowl = Quadratic(point(3.0)), Quadratic(point(1.0, 10.0))
few = LeastSquares(data.diabetes()[0][:6], data.diabetes()[1][:6])
many = LeastSquares(data.diabetes()[0][:40], data.diabetes()[1][:40])
at = torch.randn(4, 10, generator=torch.Generator().manual_seed(0), dtype=f64)
here = partial(Points, few, at, at)


def estimated(points: Any, k: Any) -> Sides:
    """The claim that σ² is the variance with the divisor n - 1, as (36) reads it, in (37) too."""
    sides = minibatch_variance.sides(points, k)
    return replace(sides, right=sides.right * point(1.0, 6 / 5))


def independent(points: Any, k: Any) -> Sides:
    """The claim that the variance is σ²/b without replacement too."""
    right = minibatch_variance.sides(points, k).right
    return replace(minibatch_variance_without.sides(points, k), right=right)


# fmt: off
row(minibatch_variance, "constant", "10 % smaller", here, b=2, change=smaller(0.9))
row(minibatch_variance, "constant", "σ² with the divisor n - 1", here, b=2,
    broken=replace(minibatch_variance, sides=estimated))
row(minibatch_variance, "exponent", "1/b²", here, b=3, change=lambda right, t: right / 3)
row(minibatch_variance, "assumption", "f is no mean over examples", here, b=2, refused=True,
    instead=lambda: Points(bowl, at[:, :2], at[:, :2]))
row(minibatch_variance_without, "constant", "1 - b/n for (n - b)/(n - 1)", here, b=3, change=smaller(5 / 6))
row(minibatch_variance_without, "constant", "σ²/b, without the factor", here, b=3,
    broken=replace(minibatch_variance_without, sides=independent))
row(minibatch_variance_without, "assumption", "b > n", here, b=3, wrong={"b": 7}, refused=True)

half = sgd(one, point(1.0), 20, 0.5 / 3)
for theorem, run in (
    (sgd_nonconvex, half),
    (sgd_decaying, sgd(one, point(1.0), 20, lambda t: 0.5 / 3 / math.sqrt(t))),
):
    row(theorem, "constant", "10 % smaller, on a parabola", run, sigma2=1.0, change=smaller(0.9))
    row(theorem, "exponent", "1/T² for 1/T", run, sigma2=1.0, change=lambda right, t: right / t)
    row(theorem, "constant", "σ² half", run, sigma2=1.0, wrong={"sigma2": 0.5}, refused=True)
    row(theorem, "constant", "σ² half, not asked", run, sigma2=1.0, wrong={"sigma2": 0.5}, waive=("variance",))
    row(theorem, "constant", "f* too high", run, sigma2=1.0, wrong={"f_star": 0.5}, refused=True)
    row(theorem, "biased gradient", "not asked", run, sigma2=1.0, wrong={"sigma2": 0.01}, waive=("SGD",),
        instead=sgd(one, point(1.0), 200, 0.01, sigma=0.1, method=biased))
    row(theorem, "biased gradient", "batches in order", run, sigma2=1.0, refused=True,
        instead=sgd(Epochs(few, 2), torch.zeros(10, dtype=f64), 9, 0.1 / float(few.L), sigma=0, seeds=100))
    row(theorem, "step", "exactly 2/L", run, sigma2=1.0, refused=True, instead=sgd(one, point(1.0), 20, 2 / 3))
    row(theorem, "method", "heavy ball", run, sigma2=1.0, refused=True,
        instead=sgd(one, point(1.0), 20, 0.1, method=heavy_ball))
row(sgd_decaying, "step", "growing", run, sigma2=1.0, refused=True,
    instead=sgd(one, point(1.0), 20, lambda t: t / 100))

best = sgd(one, point(1.0), 50, math.sqrt(2 * 1.5 / (3 * 50)))
row(sgd_nonconvex_tuned, "constant", "half, beyond the slack", best, sigma2=1.0, change=smaller(0.5))
row(sgd_nonconvex_tuned, "exponent", "1/T", best, sigma2=1.0, change=lambda right, t: right / 50**0.5)
row(sgd_nonconvex_tuned, "step", "a tenth", best, sigma2=1.0, refused=True,
    instead=sgd(one, point(1.0), 50, 0.1 * math.sqrt(2 * 1.5 / (3 * 50))))
row(sgd_nonconvex_tuned, "step", "a hundredth, not asked", best, sigma2=1.0, waive=("step",),
    instead=sgd(one, point(1.0), 50, 0.01 * math.sqrt(2 * 1.5 / (3 * 50))))

# Far from the minimum and with a small step the second moment is the squared gradient, and the bound is attained.
crawl = sgd(one, point(1.0), 3, 1e-4, sigma=0.1)
row(sgd_second_moment, "constant", "10 % smaller, far away", crawl, G2=9.1, change=smaller(0.9))
row(sgd_second_moment, "exponent", "1/T", crawl, G2=9.1, change=lambda right, t: right / t)
row(sgd_second_moment, "assumption", "G² is the variance", crawl, G2=9.1, wrong={"G2": 0.01}, refused=True)
row(sgd_second_moment, "assumption", "G² is the variance, not asked", sgd(one, point(1.0), 20, 0.5, sigma=0.1),
    G2=20.0, wrong={"G2": 0.01}, waive=("second moment",))
row(sgd_second_moment, "biased gradient", "not asked", crawl, G2=9.1, wrong={"G2": 0.3}, waive=("SGD",
    "second moment"),
    instead=sgd(one, point(0.1), 300, 0.01, sigma=0.1, method=biased))


def printed(M: float, G2: float, T: int, L: float = 3.0) -> float:
    """TDL's step."""
    return math.sqrt(M / (L * G2 * T))


small = sgd(one, point(1.0), 100, printed(1.6, 9.05, 100), sigma=0.1)
row(tdl_theorem_462, "constant", "a quarter, beyond the slack", small, M=1.6, G2=9.05, change=smaller(0.25))
row(tdl_theorem_462, "exponent", "1/T", small, M=1.6, G2=9.05, change=lambda right, t: right / 10)
row(tdl_theorem_462, "assumption", "σ² as a variance", small, M=1.6, G2=9.05, refused=True, wrong={"G2": 0.01},
    instead=sgd(one, point(1.0), 100, printed(1.6, 0.01, 100), sigma=0.1))
row(tdl_theorem_462, "assumption", "σ² as a variance, not asked", small, M=1.6, G2=9.05, wrong={"G2": 0.01},
    waive=("second moment", "oscillation"), instead=sgd(one, point(1.0), 100, printed(1.6, 0.01, 100), sigma=0.1))
row(tdl_theorem_462, "assumption", "M below the oscillation", small, M=1.6, G2=9.05, refused=True,
    wrong={"M": 0.1},
    instead=sgd(one, point(1.0), 100, printed(0.1, 9.05, 100), sigma=0.1))
row(tdl_theorem_462, "step", "a hundredth, not asked", small, M=1.6, G2=9.05, waive=("step",),
    instead=sgd(one, point(1.0), 100, 0.01 * printed(1.6, 9.05, 100), sigma=0.1))


EPS2, GAMMA2 = 0.5, 10.6


def batches(size: int, T: int, share: float = 1.0) -> Callable[[], Trajectory]:
    """Mini-batches of 40 patients, with ``share`` of the step that EPS2 asks for."""
    eta = share * min(1 / float(many.L), EPS2 * size / (2 * float(many.L) * GAMMA2))
    return cache(sgd(MiniBatch(many, size), torch.zeros(10, dtype=f64), T, eta, sigma=0, seeds=100))


target: dict[str, float] = {"eps": EPS2**0.5, "gamma2": GAMMA2}
four = batches(4, 130)
row(sgd_batch_size, "constant", "a fifth, beyond the slack", four, **target, change=smaller(0.2))
row(sgd_batch_size, "exponent", "ε⁶ for ε²", batches(40, 13), **target, change=lambda right, t: right**3)
row(sgd_batch_size, "step", "a thousandth", four, **target, refused=True, instead=batches(4, 130, 0.001))
row(sgd_batch_size, "step", "a thousandth, not asked", four, **target, waive=("step",), instead=batches(4, 130,
    0.001))
row(sgd_batch_size, "assumption", "too few steps", four, **target, refused=True, instead=batches(4, 2))
row(sgd_batch_size, "assumption", "too few steps, not asked", four, **target, waive=("length",),
    instead=batches(4, 2))
row(sgd_batch_size, "constant", "γ² too small", four, **target, refused=True, wrong={"gamma2": 5.0})
row(sgd_batch_size, "method", "epochs in order", four, **target, refused=True,
    instead=sgd(Epochs(many, 4), torch.zeros(10, dtype=f64), 130, 0.02, sigma=0, seeds=100))
# fmt: on
