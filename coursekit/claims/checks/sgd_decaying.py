"""Claims about SGD with decaying steps: 1/k, 1/√k and 1/(μk), and how much each of them leaves."""

from __future__ import annotations

import math
from functools import partial
from itertools import product
from types import SimpleNamespace
from typing import Any

import torch

from ...descend import Trajectory, descend
from ...methods import projections
from ...oracles import AdditiveNoise, MiniBatch
from ...problems import FiniteSum, Huber, LeastSquares, Quadratic
from ...rules import gradient_descent
from ...schedules import inverse, inverse_sqrt, strongly_convex
from ...theory.sgd import sgd_second_moment
from ...theory.sgd_convex import sgd_convex_averaged, sgd_strongly_convex
from ..check import Measured, check
from .amgt_schedule import Schedule, remaining
from .descent_lemma import point
from .sgd_floor import TILTED, TWO, certified, interval, mean_squares, stuck, upper
from .sgd_nonconvex import Cosines, sgd_run
from .sgd_variance import Drawn, normal


class Signed(FiniteSum):
    """The mean of ½(w_1² + κw_2²) + s_iᵀw over the four s_i = (±1, ±1): noise ±1 in each coordinate."""

    dim, n = 2, 4

    def __init__(self, kappa: float) -> None:
        signs = torch.tensor(list(product((-1.0, 1.0), repeat=2)), dtype=torch.float64)
        self.p = SimpleNamespace(kappa=kappa, s=signs)

    @staticmethod
    def formula(w: Any, p: Any) -> Any:
        return (w[..., 0] ** 2 + p.kappa * w[..., 1] ** 2) / 2 + (w.unsqueeze(-2) * p.s).sum(-1).mean(-1)


def huber_run(eta: Schedule, bound: float, T: int = 500) -> Trajectory:
    """400 runs on Huber's function from 1, kept in |w| ≤ bound: convex, second moment at most 1 + 1."""
    starts = torch.ones(400, 1, dtype=torch.float64)
    return descend(
        AdditiveNoise(Huber(), 1.0),
        gradient_descent,
        starts,
        T,
        record=("w", "f"),
        eta=eta,
        project=projections.box(-bound, bound),
    )


def on_a_cosine(*etas: Schedule) -> tuple[bool, float]:
    """Ση E‖∇f‖² ≤ Δ + ½Lβ² Ση² with noise of variance 1, hence β² = 1.5, and the median of left over right."""
    starts = torch.full((400, 1), 0.5, dtype=torch.float64)
    return certified(sgd_second_moment, *(sgd_run(Cosines(1), 1.0, starts, 500, eta) for eta in etas), G2=1.5)


def stuck_gap(eta: Schedule, T: int = 1000) -> tuple[float, float]:
    """Gap after T/100 and after T steps on the double well from 1.2, without noise."""
    f = stuck(eta, T).f - float(TILTED.f_star or math.nan)
    return float(f[T // 100]), float(f[T])


@check("GG-P2")
def no_gap_without_convexity() -> Measured:
    rates = {
        "1/t": (lambda t: 1 / math.log(t), stuck_gap(inverse)),
        "1/sqrt": (lambda t: math.log(t) / math.sqrt(t), stuck_gap(lambda t: 0.1 * inverse_sqrt(t))),
        "constant": (lambda t: 1 / t + 0.01, stuck_gap(lambda t: 0.01)),
    }
    # A gap of the printed order falls from T/100 to T at least in step with it.
    follows = [gap[1] / gap[0] < 1.1 * rate(1000) / rate(10) for rate, gap in rates.values()]
    return Measured(
        as_printed=any(follows),
        numbers={
            r"gap after 1000 steps without noise, $\eta_t = 1/t$": rates["1/t"][1][1],
            r"$\eta_t = 0.1/\sqrt t$": rates["1/sqrt"][1][1],
            r"$\eta = 0.01$": rates["constant"][1][1],
        },
    )


@check("GG-eq25")
def one_over_the_logarithm() -> Measured:
    early, late = stuck_gap(inverse)
    slow = float(remaining(0.01, 10**6)[-1])
    holds, share = on_a_cosine(inverse)
    convex, convex_share = certified(sgd_convex_averaged, huber_run(inverse, math.inf), G2=2.0)
    return Measured(
        as_printed=late * math.log(1000) < 1.1 * early * math.log(10),
        as_repaired=holds and convex,
        numbers={
            "non-convex, no noise: gap after 1000 steps": late,
            "$f = 0.005w^2$ from 1: $w$ after $10^6$ steps": slow,
            r"weighted average of $\mathbb E\|\nabla f\|^2$: left over right side of its bound, median": share,
            "convex, weighted average of the gap: the same": convex_share,
        },
    )


@check("GG-eq26")
def logarithm_over_the_root() -> Measured:
    early, late = stuck_gap(lambda t: 0.1 * inverse_sqrt(t))
    holds, share = on_a_cosine(inverse_sqrt)
    # Shamir and Zhang (2013): with η = 1/√t on a domain of diameter D, E gap ≤ (D² + G²)(2 + log t)/√t.
    gap = huber_run(inverse_sqrt, 1.0).f[2:]
    t = torch.arange(2, len(gap) + 2, dtype=torch.float64)
    last = float((upper(gap) / ((2**2 + 2) * (2 + t.log()) / t.sqrt())).max())
    return Measured(
        as_printed=late / early < 1.1 * math.log(1000) / math.log(10) / 10,
        as_repaired=holds and last <= 1,
        numbers={
            r"non-convex, no noise, $\eta_t = 0.1/\sqrt t$: gap after 1000 steps": late,
            r"weighted average of $\mathbb E\|\nabla f\|^2$: left over right side of its bound, median": share,
            "convex, bounded domain: mean gap of the last iterate over its bound, at most": last,
        },
    )


@check("GG-eq28")
def in_expectation() -> Measured:
    # ½(w ∓ 1)² with η = 1/t: w_T is the mean of the minimizers drawn, on each of the 2^T paths.
    worst, mean = {}, {}
    for T in (5, 10):
        paths = torch.tensor(list(product((0, 1), repeat=T)))
        start = torch.zeros(len(paths), 1, dtype=torch.float64)
        f = descend(Drawn(TWO, paths.T[..., None]), gradient_descent, start, T, eta=inverse).f[-1] - 0.5
        worst[T], mean[T] = float(f.max()), T * float(f.mean())
    # Curvatures 1 and 3, noise of variance 1/3 in each coordinate, kept in a ball of radius 2.
    noisy = AdditiveNoise(Quadratic(point(1.0, 3.0)), math.sqrt(1 / 3), per_coordinate=True)
    starts = torch.ones(4000, 2, dtype=torch.float64)
    eta, ball = partial(strongly_convex, mu=1.0), projections.ball(2.0)
    run = descend(noisy, gradient_descent, starts, 300, record=("w", "f"), eta=eta, project=ball)
    limit, error = interval(300 * run.w[300].square().sum(-1))
    exact = 300 * sum(float(mean_squares(x, 1 / 3, 1.0, 300, eta)[-1]) for x in (1.0, 3.0))
    holds, _ = certified(sgd_strongly_convex, run, G2=6.0**2 + 2 / 3)  # the second moment at (0, ±2)
    return Measured(
        as_printed=worst[10] < 0.8 * worst[5],  # without an expectation the line speaks of every path
        as_repaired=holds and abs(limit - exact) < 4 * error and abs(mean[10] / mean[5] - 1) < 1e-9,
        numbers={
            "largest gap of all $2^{10}$ paths, $T = 10$": worst[10],
            "$T$ times the mean gap": mean[10],
            r"curvatures 1 and 3: $T\,\mathbb E\|w_T-w^\star\|^2$ at $T = 300$": limit,
            r"exact limit $\sum_j\frac{1/3}{2\lambda_j-1}$": 1 / 3 + 1 / 15,
        },
    )


@check("GG-P2-contradiction")
def bounded_at_the_iterates_only() -> Measured:
    def run(kappa: float, eta: Schedule) -> Trajectory:
        starts = torch.ones(200, 2, dtype=torch.float64)
        return descend(MiniBatch(Signed(kappa), 1), gradient_descent, starts, 200, record=("w", "g"), eta=eta)

    G = [Signed(20.0).per_example_grads(x * point(1.0, 1.0)).square().sum(-1).mean() for x in (1.0, 1000.0)]
    growth = float(G[1] / G[0])
    largest = {
        kappa: float(run(kappa, partial(strongly_convex, mu=1.0)).g.norm(dim=-1).max())
        for kappa in (2.0, 10.0, 20.0)
    }
    # With η ≤ 1/L no iterate leaves the ball of radius max(‖w_0 - w*‖, max ‖∇f_i(w*)‖/μ).
    radius = float(run(20.0, partial(strongly_convex, mu=1.0, kappa=20.0)).w.norm(dim=-1).max())
    return Measured(
        as_printed=growth < 10,
        as_repaired=radius <= math.sqrt(2) + 1e-12,
        numbers={
            r"second moment at distance 1000, in units of that at 1, $\kappa = 20$": growth,
            r"largest sampled gradient of 200 runs with $\eta_t = 1/(\mu t)$, $\kappa = 2$": largest[2.0],
            r"$\kappa = 20$": largest[20.0],
            r"with $\eta \leq 1/L$: largest $\|w_t-w^\star\|$ from $\sqrt2$": radius,
        },
    )


@check("GG-4.1-steps")
def from_which_k() -> Measured:
    k = torch.arange(11, dtype=torch.float64)
    exist = [int((1 / x).isfinite().sum()) for x in (k, k.sqrt())]
    peaks = {L: float(remaining(L, 300).abs().max().log10()) for L in (100.0, 99.5)}
    noisy = mean_squares(1.0, 1.0, 3.0, 10**4, inverse)
    return Measured(
        as_printed=min(exist) == len(k),
        as_repaired=float(noisy[-1]) < 1e-3 and float(noisy.max()) <= 9,
        numbers={
            r"finite steps $\frac1k$ for $k = 0, 1, \dots, 10$": exist[0],
            r"from $k = 1$: $\log_{10}$ of the largest growth of a mode, $L = 100$": peaks[100.0],
            "$L = 99.5$": peaks[99.5],
            r"$L = 1$, noise of variance 1: $\mathbb Ew^2$ after $10^4$ steps from 3": float(noisy[-1]),
        },
    )


@check("KH-3.1-SGD")
def one_over_t_is_not_required() -> Measured:
    T = (200, 2000, 20_000)
    gap = mean_squares(1.0, 1.0, 1.0, T[-1], lambda t: 0.5 * inverse_sqrt(t)) / 2
    root = [float(gap[t]) * math.sqrt(t) for t in T]
    X = normal(5, 40, seed=0)
    shared = LeastSquares(X, X @ normal(40, seed=1))
    eta = 1 / float(X.square().sum(1).max())
    w0 = torch.zeros(40, dtype=torch.float64)
    end = descend(MiniBatch(shared, 1), gradient_descent, w0, 1000, record=("grad_norm",), eta=eta).grad_norm[-1]
    slow = remaining(0.01, 10**6)
    # c/(t + t_0) with 2μc > 1 and η_1 ≤ 1/L, on curvatures 1 and 10.
    kept = [mean_squares(x, 1.0, 1.0, T[-1], lambda t: 2 / (t + 19)) * x / 2 for x in (1.0, 10.0)]
    scaled = [t * float(sum(part[t] for part in kept)) for t in T]
    return Measured(
        as_printed=root[-1] > 1.1 * root[0] or float(end) > 1e-12,
        as_repaired=max(scaled) < 1.1 * min(scaled[1:]) and float(slow[-1]) > 0.5,
        numbers={
            r"$\eta_t = 0.5/\sqrt t$: $\sqrt t$ times the mean gap at $t = 200$": root[0],
            "at $t = 20000$": root[-1],
            "common minimizer, constant step: $\\|\\nabla L\\|$ after 1000 steps": float(end),
            r"$\eta_t = 1/t$, curvature $0.01$: $w$ after $10^6$ steps from 1": float(slow[-1]),
        },
    )


@check("PL-3-sqrt")
def what_the_cut_formula_may_say() -> Measured:
    def eta(t: int) -> float:
        return 0.5 * inverse_sqrt(t)

    g2 = mean_squares(1.0, 1.0, 3.0, 10**4, eta)[:-1]  # on ½θ² from 3
    steps = torch.tensor([eta(t) for t in range(1, 10**4 + 1)], dtype=torch.float64)
    S, S2 = steps.cumsum(0), steps.square().cumsum(0)
    average = (steps * g2).cumsum(0) / S
    bound = (4.5 + 0.5 * S2) / ((1 - 0.25) * S)
    at = {T: (float(average[T - 1]), float(bound[T - 1]), float(g2[:T].min())) for T in (100, 10_000)}
    return Measured(
        as_printed=at[10_000][2] > 0.9 * at[10_000][0],
        numbers={
            r"$\eta_t$-weighted average of $\mathbb E\|\nabla L\|^2$, $T = 10^4$": at[10_000][0],
            "its bound": at[10_000][1],
            "the minimum": at[10_000][2],
            r"bound times $\sqrt T$ at $T = 10^4$, in units of that at $100$": 10 * at[10_000][1] / at[100][1],
        },
    )
