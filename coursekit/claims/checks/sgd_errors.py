"""Claims about gradients with errors of any kind, GG proposition 3: what an error costs, now and later."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Self

import torch
from torch import Tensor

from ...descend import Trajectory, descend
from ...oracles import AdditiveNoise, Oracle, Wrapper
from ...problems import Huber, Problem, Quadratic
from ...rules import gradient_descent
from ...theory.inexact import inexact_gradient, inexact_gradient_pl
from ...theory.sgd_convex import sgd_convex_smooth
from ..check import Measured, check
from .descent_lemma import point
from .sgd_floor import certified, stuck
from .sgd_nonconvex import Cosines
from .sgd_variance import errors, logistic, mean_square, normal, subsets, tuples, variance


class WithErrors(Wrapper):
    """The gradient of step t plus e_t, given as (T + 1, ..., dim)."""

    t = 0

    def __init__(self, inner: Problem | Oracle, e: Tensor) -> None:
        super().__init__(inner)
        self.e = e

    def fresh(self) -> Self:
        again = super().fresh()
        again.t = 0
        return again

    def value_and_grad(self, w: Tensor) -> tuple[Tensor, Tensor]:
        f, g = self.inner.value_and_grad(w)
        self.t += 1
        return f, g + self.e[self.t - 1]


def run(problem: Problem, e: Tensor, start: Tensor, eta: float) -> Trajectory:
    """Gradient descent with these errors, one step for each but the last."""
    record = ("w", "f", "g", "grad_norm")
    return descend(WithErrors(problem, e), gradient_descent, start, len(e) - 1, record=record, eta=eta)


@check("GG-eq34")
def biased_errors_can_stop_the_method() -> Measured:
    # Convex: the slope is c beyond w = c, and the error cancels it.
    stuck_gaps = {}
    for c in (0.01, 0.001):
        end = run(Huber(c), torch.full((301, 1), -c, dtype=torch.float64), point(1.0), 1.0)
        stuck_gaps[c] = float(end.f[-1])
    # Convex, noise of mean zero: the average gap over w_1, ..., w_T.
    noisy, starts = AdditiveNoise(Huber(0.01), 0.01), torch.ones(200, 1, dtype=torch.float64)
    fair = descend(noisy, gradient_descent, starts, 1000, record=("w", "f", "grad_norm"), eta=0.5)
    convex, _ = certified(sgd_convex_smooth, fair, sigma2=1e-4)
    average = fair.f[1:].mean(1).cumsum(0)
    # Any f, any errors, η = 1/L.
    e = torch.cat([normal(201, 100, 1, seed=1), torch.ones(201, 100, 1, dtype=torch.float64)], 1)
    e = e * torch.logspace(-3, 0, 200, dtype=torch.float64)[:, None]
    anyhow = run(Cosines(1), e, torch.linspace(-3, 3, 200, dtype=torch.float64)[:, None], 1.0)
    holds, _ = certified(inexact_gradient, anyhow)
    return Measured(
        as_printed=stuck_gaps[0.001] / 1e-6 < 2 * stuck_gaps[0.01] / 1e-4,
        as_repaired=convex and holds,
        numbers={
            r"slope-$0.01$ Huber, $e = -\nabla f$: gap after 300 steps": stuck_gaps[0.01],
            r"$\|e\|^2$": 1e-4,
            r"$e$ of mean zero, $\mathbb E\|e\|^2 = 10^{-4}$: average gap, $T = 100$": float(average[99]) / 100,
            "$T = 1000$": float(average[999]) / 1000,
        },
    )


@check("GG-eq35")
def past_errors_persist() -> Measured:
    f, mu, L = Quadratic(point(1.0, 10.0)), 1.0, 10.0
    e = torch.zeros(303, 2, dtype=torch.float64)
    e[300, 0] = 1.0
    late = run(f, e, point(1.0, 1.0), 1 / L)
    printed = (1 - mu / L) ** 301 + float(e[301].square().sum())  # (35) at t = 301 speaks of w_302
    e = normal(61, 200, 2, seed=0) * torch.logspace(-3, 1, 200, dtype=torch.float64)[:, None]
    holds, share = certified(inexact_gradient_pl, run(f, e, normal(200, 2, seed=1), 1 / L))
    level = run(f, torch.ones(301, 2, dtype=torch.float64) * point(1.0, 0.0), point(1.0, 1.0), 1 / L).f
    return Measured(
        as_printed=float(late.f[302]) < 100 * printed,
        as_repaired=holds and float(level[-1]) * 2 * mu <= 1 + 1e-9,
        numbers={
            "one error of length 1 at $t = 300$: gap after step $t = 301$": float(late.f[302]),
            r"$(1-\frac\mu L)^{301}+\|e_{301}\|^2$": printed,
            r"200 runs with random errors: gap over the sum of all their shares, median": share,
            r"constant error: gap over $\frac{\|e\|^2}{2\mu}$": float(level[-1]) * 2 * mu,
        },
    )


@check("GG-5-tradeoff")
def larger_batches() -> Measured:
    n, f, w = 5, logistic(5), normal(3, seed=5)
    without = [mean_square(errors(f, w, subsets(n, b))) for b in range(1, n + 1)]
    with_ = [mean_square(errors(f, w, tuples(n, b))) for b in range(1, n + 1)]
    falls = all(x > y for e in (without, with_) for x, y in pairwise(e))
    # (24) bounds the gap of a convex f. Without convexity no batch is large enough: e = 0, and the gap stays.
    path = stuck(0.1)
    gap = float(path.f[-1] - float(path.problem.f_star or math.nan))
    return Measured(
        as_printed=gap < 0.1,
        as_repaired=falls and without[-1] < 1e-24 and abs(with_[-1] * n / variance(f, w) - 1) < 1e-9,
        numbers={
            r"$\mathbb E\|e\|^2$ at $b = 1$, $n = 5$": with_[0],
            "$b = 5$ with replacement": with_[-1],
            "$b = 5$ without": without[-1],
            "non-convex, no error: gap after 2000 steps": gap,
        },
    )
