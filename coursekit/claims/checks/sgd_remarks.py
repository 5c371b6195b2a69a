"""Claims that TDL, AMGT and GG make of SGD in passing."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ...descend import descend
from ...oracles import MiniBatch
from ...problems import Quadratic
from ...rules import gradient_descent
from ..check import Measured, check
from .descent_lemma import point
from .sgd_batches import one_dimensional
from .sgd_floor import interval, upper
from .sgd_nonconvex import Cosines, averages, sgd_run, spread_starts
from .sgd_variance import subsets, tuples


@check("TDL-4.6.3-descent")
def the_left_side_is_random() -> Measured:
    eta, noise = 0.5, 1.0
    starts = torch.ones(20_000, 1, dtype=torch.float64)
    run = sgd_run(Quadratic(point(1.0)), noise, starts, 1, eta)
    right = -eta + eta**2 / 2 * (1 + noise)  # ‖∇‖² = 1, and the second moment there
    change = run.f[1] - run.f[0]
    broken = float((change > right).double().mean())
    mean, error = interval(change)
    return Measured(
        as_printed=broken == 0,
        as_repaired=abs(mean - right) < 4 * error < 0.02,  # on a parabola an equality
        numbers={
            r"$\frac12w^2$ from 1, $\eta = 0.5$: share of 20000 steps above the right side": broken,
            "right side": right,
            "mean of the left side": mean,
        },
    )


@check("TDL-4.6.3-gross")
def no_overestimate_in_general() -> Measured:
    d, noise = 4, 4.0
    ratio = {}
    for T in (100, 400, 1600):
        unit = math.sqrt(d * (d / 2 + noise) / T)  # √(MLσ²/T), L = 1
        run = sgd_run(Cosines(d), noise, spread_starts(d, 50), T, unit / (d / 2 + noise))
        ratio[T] = float(averages(run).mean(0).max()) / (1.5 * unit)
    # Six parabolas ½a_i w² from 1: M = ½ max a, the second moment is at most the mean of a². Steps to ‖∇f‖² ≤ ε².
    a, epsilon2 = torch.linspace(0.5, 3, 6, dtype=torch.float64), 0.01
    shared = MiniBatch(one_dimensional(a, torch.zeros_like(a)), 1)
    starts = torch.ones(200, 1, dtype=torch.float64)
    easy = descend(shared, gradient_descent, starts, 200, record=("grad_norm",), eta=1 / 3)
    needed = int((upper(easy.grad_norm.square()) <= epsilon2).nonzero()[0])
    promised = 4 * 1.5 * float(a.mean() * a.square().mean()) / epsilon2**2
    return Measured(
        as_printed=min(ratio.values()) < 0.1,
        as_repaired=needed < promised / 100 and min(ratio.values()) > 0.5,
        numbers={
            r"four cosines, mean $\|\nabla f\|^2$ over $1.5\sqrt{ML\sigma^2/T}$, $T = 100$": ratio[100],
            "$T = 1600$": ratio[1600],
            r"six parabolas with one minimizer, $\eta = \frac13$: steps to $\|\nabla f\| \leq 0.1$": needed,
            r"$4ML\sigma^2/\epsilon^4$": promised,
        },
    )


@check("AMGT-eq34-sums")
def the_two_sums() -> Measured:
    k = torch.arange(1, 10**6 + 1, dtype=torch.float64)
    rest, squares = [], []
    for mu in (0.1, 1.0, 10.0):
        alpha = 1 / (mu * k)
        rest.append(mu * (alpha.cumsum(0) - k.log() / mu))
        squares.append(float(alpha.square().sum()) * 6 * mu**2 / math.pi**2)
    every = torch.stack(rest)
    return Measured(
        float(every.min()) > 0.57 and float(every.max()) <= 1 + 1e-9 and max(squares) <= 1,
        numbers={
            r"$\mu(\sum\alpha_k-\frac1\mu\ln T)$, $T$ to $10^6$: largest": float(every.max()),
            "smallest": float(every.min()),
            r"$\sum\alpha_k^2$ over $\frac{\pi^2}{6\mu^2}$": max(squares),
        },
    )


def disjoint_and_whole(batches: Tensor, n: int) -> tuple[int, int, int]:
    """Of all pairs of these batches: how many there are, are disjoint, and hold all n points."""
    has = torch.zeros(len(batches), n, dtype=torch.bool).scatter(1, batches, True)
    both, either = has[:, None] & has, has[:, None] | has
    return len(batches) ** 2, int((~both.any(-1)).sum()), int(either.all(-1).sum())


@check("GG-5-bootstrap")
def drawn_with_replacement() -> Measured:
    pairs, disjoint, whole = disjoint_and_whole(tuples(4, 2), 4)
    sets, apart, all_points = disjoint_and_whole(subsets(4, 2), 4)
    return Measured(
        as_printed=disjoint == 0 and apart == 0,
        as_repaired=0 < disjoint < pairs and 0 < whole < pairs and 0 < apart < sets,
        numbers={
            "pairs of batches with replacement, $n = 4$, $b = 2$": pairs,
            "of these disjoint": disjoint,
            "of these with all four points": whole,
            "batches of different points, two drawn: share disjoint and whole": min(apart, all_points) / sets,
        },
    )
