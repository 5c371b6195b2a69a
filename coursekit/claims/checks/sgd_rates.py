"""Claims about the rates of SGD and gradient descent without convexity, in KH, PL and GG."""

from __future__ import annotations

import math

import torch

from ...descend import Trajectory, descend
from ...problems import PLSine, Problem, Quadratic
from ...rules import gradient_descent
from ...theory import certify, gd_nonconvex
from ...theory.sgd import sgd_nonconvex, sgd_nonconvex_tuned, sgd_second_moment
from ..check import Measured, check
from .descent_lemma import point
from .sgd_floor import certified, mean_squares, upper
from .sgd_nonconvex import Cosines, averages, sgd_run


def tuned(problem: Problem, Delta: float, sigma2: float, start: float, T: int) -> Trajectory:
    """400 runs with the step min{1/L, √(2Δ/(Lσ²T))} at L = 1, which suits the horizon T."""
    starts = torch.full((400, 1), start, dtype=torch.float64)
    return sgd_run(problem, sigma2, starts, T, min(1.0, math.sqrt(2 * Delta / (sigma2 * T))))


@check("KH-3.1-SGD-eps2")
def one_over_epsilon_squared() -> Measured:
    f, sigma2 = Cosines(1), 1.0
    Delta = float(f.value(point(0.1))) + 0.5
    T, share, runs = {}, {}, []
    for epsilon in (0.4, 0.2, 0.1):
        T[epsilon] = next(
            t for t in range(1, 10**6) if 2 * Delta / t + math.sqrt(8 * Delta * sigma2 / t) <= epsilon
        )
        runs.append(tuned(f, Delta, sigma2, 0.1, T[epsilon]))
        share[epsilon] = float(upper(averages(runs[-1])[None])) / epsilon
    holds, _ = certified(sgd_nonconvex_tuned, *runs, sigma2=sigma2)
    return Measured(
        holds and max(share.values()) <= 1 and T[0.1] / T[0.2] < 4.01,
        numbers={
            r"$T$ by the explicit bound for $\epsilon = 0.2$": T[0.2],
            r"for $\epsilon = 0.1$": T[0.1],
            r"measured $\mathbb E\|\nabla L\|^2$ over $\epsilon$ there, at most": share[0.1],
        },
    )


@check("KH-T1-SGD")
def proportional_to_sigma() -> Measured:
    def mean(sigma: float, T: int) -> float:
        return float(averages(tuned(Quadratic(point(1.0)), 4.5, sigma**2, 3.0, T)).mean())

    base, louder, longer = mean(1.0, 400), mean(2.0, 400), mean(1.0, 1600)
    return Measured(
        1.7 < louder / base < 2.3 and 1.7 < base / longer < 2.3,
        numbers={
            r"mean of $\|\nabla\|^2$, $\sigma = 1$, $T = 400$": base,
            r"$\sigma = 2$: times": louder / base,
            "$T = 1600$: times": longer / base,
        },
    )


def steps_to(kappa: float, share: float) -> int:
    """Steps of gradient descent at 1/L on ½(u_1² + κu_2²) from (1, 1) to this share of the first gap."""
    run = descend(
        Quadratic(point(1.0, kappa)), gradient_descent, point(1.0, 1.0), 4000, record=("f",), eta=1 / kappa
    )
    return int((run.f <= share * run.f[0]).nonzero()[0])


@check("KH-T1-GD")
def the_row_of_gradient_descent() -> Measured:
    steps = {kappa: steps_to(kappa, 1e-6) for kappa in (10.0, 1000.0)}
    starts = torch.linspace(-9, 9, 91, dtype=torch.float64)[:, None]
    problems: tuple[tuple[Problem, float], ...] = ((Cosines(1), 1.0), (PLSine(), 8.0))
    rates = [certify(gd_nonconvex, descend(f, gradient_descent, starts, 300, eta=1 / L)) for f, L in problems]
    return Measured(
        all(rates) and steps[1000.0] > 20 * steps[10.0],
        numbers={
            r"steps to a relative gap of $10^{-6}$, $\kappa = 10$": steps[10.0],
            r"$\kappa = 1000$": steps[1000.0],
            r"non-convex: mean of $\|\nabla f\|^2$ over its bound, at most": max(c.tightness[2] for c in rates),
        },
    )


@check("PL-3-const")
def the_factor_L_and_the_range_of_the_step() -> Measured:
    def average(L: float, eta: float, T: int) -> float:
        """(1/T) Σ E‖∇L(θ_t)‖² on ½Lθ² from its minimum with noise of variance 1, exactly."""
        return L**2 * float(mean_squares(L, 1.0, 0.0, T - 1, lambda t: eta).mean())

    # Δ_0 = 0: what is left of the printed bound is ησ².
    unit, steep = (average(L, 0.5 / L, 1000) / (0.5 / L) for L in (1.0, 100.0))
    beyond = average(1.0, 2.5, 100) / 2.5
    starts = torch.ones(200, 1, dtype=torch.float64)
    runs = [
        sgd_run(Quadratic(point(L)), 1.0, starts, T, x / L)
        for L in (2.0, 100.0)
        for x, T in ((0.1, 100), (0.5, 3), (1.0, 100))
    ]
    holds, share = certified(sgd_nonconvex, *runs, sigma2=1.0)
    return Measured(
        as_printed=steep < 2 * unit and beyond < 100,
        as_repaired=holds,
        numbers={
            r"average over $\frac{\Delta_0}{\eta T}+\eta\sigma^2$ from the minimum, $\eta L = 0.5$, $L = 1$": unit,
            "$L = 100$": steep,
            r"$\eta L = 2.5$, $L = 1$, $T = 100$": beyond,
            r"explicit bound, $\eta \leq 1/L$, six cases: left over right side, largest median": share,
        },
    )


@check("GG-eq27")
def the_constant_hides_the_step() -> Measured:
    gap = float(descend(Quadratic(point(1.0)), gradient_descent, point(1.0), 100, eta=1e-4).f[-1])
    # A second moment: any step, also above 2/L. A variance: up to 1/L.
    starts = torch.full((400, 1), 0.1, dtype=torch.float64)
    runs = [sgd_run(Cosines(1), 0.5, starts, 200, eta) for eta in (0.01, 0.1, 1.0, 3.0)]
    moment, moment_share = certified(sgd_second_moment, *runs, G2=1.0)
    spread, spread_share = certified(sgd_nonconvex, *runs[:3], sigma2=0.5)
    return Measured(
        as_printed=gap < 10 * (1 / 100 + 1e-4),
        as_repaired=moment and spread,
        numbers={
            r"$f = \frac12w^2$ from 1, $\eta = 10^{-4}$, $t = 100$: gap": gap,
            r"$\frac1t+\eta$": 1 / 100 + 1e-4,
            r"second moment, $\eta$ up to $3/L$: left over right side, largest median": moment_share,
            r"variance, $\eta \leq 1/L$: the same": spread_share,
        },
    )
