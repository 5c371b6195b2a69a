"""Claims met in the section "The descent lemma"."""

from __future__ import annotations

import math
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from ...descend import Trajectory, descend
from ...problems import DoubleWell, Huber, PLSine, Problem, Quadratic, Softplus
from ...rules import gradient_descent
from ...stopping import gradient_below
from ...theory import certify, descent_lemma
from ..check import Measured, check


def point(*coordinates: float) -> Tensor:
    return torch.tensor(coordinates, dtype=torch.float64)


def gd(problem: Problem, start: Tensor, steps: int, eta_L: float | Tensor, **options: Any) -> Trajectory:
    """Gradient descent with the step given as a multiple of 1/L."""
    return descend(problem, gradient_descent, start, steps, eta=eta_L / float(problem.L or 1.0), **options)


def largest_rise(run: Trajectory) -> float:
    """max f(w_{t+1}) - f(w_t) over the run: negative if f fell at every step."""
    return float((run.f[1:] - run.f[:-1]).max())


@check("KH-2.2.1")
def one_step_formula() -> Measured:
    f, eta_L = Quadratic(point(3.0)), point(0.1, 0.5, 1.0, 1.5, 1.9, 1.999, 2.0)
    run = gd(f, point(1.0), 1, eta_L)
    eta = eta_L / 3
    error = run.f[1] - (run.f[0] - eta * (1 - eta_L / 2) * run.grad_norm[0] ** 2)
    drop = float(run.f[0, -1] - run.f[1, -1])
    worst = float(error.abs().max())
    return Measured(
        as_printed=worst < 1e-12
        and abs(drop) < 1e-12
        and bool(certify(descent_lemma, gd(f, point(1.0), 50, 1.999))),
        numbers={"largest deviation from equality on a parabola": worst, r"drop at $\eta = 2/L$": drop},
    )


@check("TDL-L4.1.4")
def at_most_one_over_L() -> Measured:
    # w^2 + 3 sin^2 w is a parabola plus a cosine: not convex, L = 8.
    starts = torch.linspace(-9, 9, 181, dtype=torch.float64)[:, None]
    runs = [gd(PLSine(), starts, 100, eta_L) for eta_L in (0.1, 0.5, 1.0)]
    share = min(
        float(((r.f[:-1] - r.f[1:]) / (r.h.eta / 2 * r.grad_norm[:-1] ** 2))[r.grad_norm[:-1] > 1e-6].min())
        for r in runs
    )
    edge = gd(Quadratic(point(1.0)), point(1.0), 1, 1.0)
    equality = float((edge.f[0] - edge.f[1]) / (edge.grad_norm[0] ** 2 / 2))
    return Measured(
        as_printed=share >= 1 - 1e-9 and abs(equality - 1) < 1e-12,
        numbers={
            r"smallest decrease, in units of $\eta \|\nabla f\|^2/2$": share,
            r"the same on a parabola at $\eta = 1/L$": equality,
        },
    )


@check("TDL-fn5")
def every_step_below_two_over_L() -> Measured:
    f, start = Quadratic(point(3.0)), point(1.0)
    falls, stays = (gd(f, start, 1, eta_L) for eta_L in (1.999, 2.0))
    drops = [float(run.f[0] - run.f[1]) for run in (falls, stays)]
    wild = gd(PLSine(), torch.linspace(-9, 9, 181, dtype=torch.float64)[:, None], 200, 1.999)
    return Measured(
        as_printed=drops[0] > 0 and abs(drops[1]) < 1e-12 and largest_rise(wild) <= 1e-12,
        numbers={r"drop at $\eta L = 1.999$": drops[0], r"drop at $\eta L = 2$": drops[1]},
    )


@check("TDL-C4.1.5")
def vanishing_gradient_without_stationary_point() -> Measured:
    t = 10_000
    run = gd(Softplus(), point(0.0), t, 1.0, record=("w", "grad_norm"))
    drift = float(run.w[-1, 0])
    well = gd_on_the_double_well()
    settled = float((well.w[-1] - well.w[-2]).norm(dim=-1).max())
    return Measured(
        # The gradient vanishes, but the iterates follow log(eta t) to infinity: no stationary point is reached.
        as_printed=float(run.grad_norm[-1]) < 1e-4 and drift < 5,
        as_repaired=float(well.grad_norm[-1].max()) < 1e-8 and settled < 1e-8,
        numbers={
            r"softplus, $w$ after 10000 steps": drift,
            r"$\log(\eta t)$": math.log(4.0 * t),
            "its gradient": float(run.grad_norm[-1]),
            "double well (coercive), largest last gradient": float(well.grad_norm[-1].max()),
        },
    )


def gd_on_the_double_well() -> Trajectory:
    """Coercive with isolated critical points; |Hessian| is at most 2 where |x| <= 1, the runs stay inside."""
    grid = torch.cartesian_prod(*[torch.linspace(-1, 1, 9, dtype=torch.float64)] * 2)
    return descend(DoubleWell(), gradient_descent, grid, 400, record=("w", "grad_norm"), eta=0.4)


@check("TDL-4.6-intro")
def decrease_for_ever() -> Measured:
    slope = descend(Line(), gradient_descent, point(0.0), 1000, eta=0.5, record=("f", "grad_norm"))
    bounded = gd(PLSine(), torch.linspace(-9, 9, 37, dtype=torch.float64)[:, None], 500, 1.0)
    return Measured(
        as_printed=float(slope.grad_norm[-1]) < 1e-6,
        as_repaired=float(bounded.grad_norm[-1].max()) < 1e-6,
        numbers={
            r"$f(w) = w$ after 1000 steps": float(slope.f[-1]),
            "its gradient": float(slope.grad_norm[-1]),
            "bounded below: largest last gradient": float(bounded.grad_norm[-1].max()),
        },
    )


class Line(Problem):
    """f(w) = w: smooth with every L > 0, and not bounded below."""

    dim = 1
    p = SimpleNamespace()

    @staticmethod
    def formula(w: Tensor, p: SimpleNamespace) -> Tensor:
        return w[..., 0]


@check("GG-eq7")
def decrease_below_one_over_L() -> Measured:
    starts = torch.linspace(-9, 9, 180, dtype=torch.float64)[:, None]
    runs = [gd(f, starts, 1, 0.999) for f in (PLSine(), Softplus(), Huber(1.0))]
    rise = max(float((run.f.diff(dim=0)[0] / run.grad_norm[0] ** 2).max()) for run in runs)
    beyond = float(gd(Quadratic(point(1.0)), point(1.0), 1, 1.999).f.diff(dim=0))
    return Measured(
        as_printed=rise < 0,
        numbers={
            r"largest change of $f$ at $\eta L = 0.999$, in units of $\|\nabla f\|^2$": rise,
            r"change at $\eta L = 1.999$ on a parabola": beyond,
        },
    )


@check("GG-2.1-monotone")
def oscillation_is_a_matter_of_the_step() -> Measured:
    start = point(4.0)
    tame = gd(PLSine(), start, 200, 1.9)
    convex = gd(Quadratic(point(1.0)), start, 20, 2.1)
    wild = gd(PLSine(), start, 20, 12.0)
    return Measured(
        # "The overall pattern decreases" for a non-convex cost, whatever the step: refuted by eta = 12/L.
        as_printed=float(wild.f[-1]) < float(wild.f[0]),
        as_repaired=largest_rise(tame) <= 1e-12 and float(convex.f[-1]) > float(convex.f[0]),
        numbers={
            r"non-convex, $\eta = 1.9/L$, largest rise": largest_rise(tame),
            r"convex, $\eta = 2.1/L$, $f$ after 20 steps over $f$ at the start": float(convex.f[-1] / convex.f[0]),
            r"non-convex, $\eta = 12/L$, the same ratio": float(wild.f[-1] / wild.f[0]),
        },
    )


@check("GG-2.1-convex-conv")
def convex_and_yet_no_limit() -> Measured:
    run = gd(Softplus(), point(0.0), 10_000, 1.0, record=("w", "f"))
    half = float(run.w[-1, 0] - run.w[5000, 0])
    tame = gd(Quadratic(point(1.0, 10.0)), point(1.0, 1.0), 2000, 1.9, record=("w", "f"))
    edge = gd(Quadratic(point(1.0)), point(1.0), 100, 2.0, record=("w",))
    return Measured(
        as_printed=half < 1e-3,  # convergent iterates would hardly move in the last 5000 steps
        as_repaired=float(tame.w[-1].norm()) < 1e-12 and largest_rise(tame) <= 0,
        numbers={
            "softplus, distance moved in steps 5000 to 10000": half,
            r"$\log 2$": math.log(2),
            r"parabola at $\eta = 2/L$, $|w|$ after 100 steps from 1": float(edge.w[-1].norm()),
            r"with a minimizer and $\eta = 1.9/L$, distance to it": float(tame.w[-1].norm()),
        },
    )


@check("GG-2.2-grad")
def small_gradient_under_pl() -> Measured:
    generator = torch.Generator().manual_seed(0)
    epsilon, ratios = 1e-3, []
    for _ in range(20):
        f = Quadratic(torch.rand(8, generator=generator, dtype=torch.float64) * 10 + 0.01)
        start = torch.randn(8, generator=generator, dtype=torch.float64)
        run = gd(f, start, 20_000, 1.0, stop=gradient_below(epsilon))
        ratios.append(float(run.f[-1]) / (epsilon**2 / (2 * float(f.pl or math.nan))))
    return Measured(
        as_printed=max(ratios) <= 1,
        numbers={r"largest gap on 20 quadratics, in units of $\epsilon^2/(2\mu)$": max(ratios)},
    )


@check("GG-2.2-crit")
def small_change_far_from_the_optimum() -> Measured:
    crawl = descend(Quadratic(point(1.0)), gradient_descent, point(1000.0), 1, eta=1e-9)
    line = descend(Line(), gradient_descent, point(0.0), 1, eta=0.1, record=("g",))
    change, gap = float(-crawl.f.diff()), float(crawl.f[-1])
    return Measured(
        as_printed=not (change < 2e-3 and gap > 1e5) and float(line.g.diff(dim=0).abs().max()) > 0,
        numbers={
            r"change of $f$ in one step of $\eta = 10^{-9}$": change,
            r"$f - f^\star$ there": gap,
            "change of the gradient on a line": float(line.g.diff(dim=0).abs().max()),
            "gradient on the line": float(line.g[-1]),
        },
    )


@check("GG-2.2-maxiter")
def enough_iterations() -> Measured:
    R, ratios = 1.0, []
    for epsilon in (0.1, 0.01, 0.001):
        T = math.ceil(R**2 / (4 * epsilon))
        worst = Huber(R / (2 * T + 1))
        ratios.append(float(gd(worst, point(R), T, 1.0).f[-1]) / epsilon)
    return Measured(
        as_printed=max(ratios) <= 1, numbers={r"gap over $\epsilon$ on the worst function": max(ratios)}
    )


@check("KH-intro-finite")
def never_exactly_stationary() -> Measured:
    w, h = Fraction(1), SimpleNamespace(eta=Fraction(1, 2))
    for _ in range(200):  # exact arithmetic: the gradient of w^2/2 is w
        delta, _ = gradient_descent(w, w, (), None, h)
        w += delta
    run = gd(Quadratic(point(1.0)), point(1.0), 200, 0.5, stop=gradient_below(1e-6))
    return Measured(
        as_printed=w == 0,
        as_repaired=int(run.stopped) < 200,
        numbers={"$w$ after 200 exact steps": float(w), r"steps to a gradient of $10^{-6}$": float(run.stopped)},
    )
