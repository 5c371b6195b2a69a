"""Claims about the Polyak-Łojasiewicz inequality and the geometric rate it gives."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import torch
from torch import Tensor

from ...descend import Trajectory
from ...problems import Huber, Inflection, PLSine, Problem, PseudoHuber, Quadratic, Softplus
from ...theory import Points, certify, gd_pl, gradient_below_gap, pl_theorem_1, quadratic_upper_bound
from ..check import Measured, check
from .descent_lemma import gd, point
from .smoothness import pairs

GRID = torch.linspace(-12, 12, 240_002, dtype=torch.float64)[:, None]  # even: 0 is not on it


def ratio(f: Problem, w: Tensor) -> Tensor:
    """½‖∇f‖²/(f - f*) at every point: the largest μ of the PL inequality there."""
    value, g = f.value_and_grad(w)
    return (g * g).sum(-1) / (2 * (value - float(f.f_star or 0)))


@cache
def runs() -> Trajectory:
    """180 runs on w² + 3 sin²w: 60 starts for each of ηL = 1, ½, 0.1."""
    starts = torch.linspace(-9, 9, 60, dtype=torch.float64)[:, None].expand(3, 60, 1)
    return gd(PLSine(), starts, 150, point(1.0, 0.5, 0.1)[:, None], record=("w", "f", "grad_norm"))


@check("PL-def")
def weaker_than_strong_convexity() -> Measured:
    mu, at = ratio(PLSine(), GRID).min(0)
    curvature = PLSine().hessian(GRID)
    return Measured(
        # Beyond 12, f' >= 2w - 3 and f <= w² + 3, so the ratio is above 1 there.
        as_printed=0.17 < float(mu) < 0.18 and float(curvature.min()) < -3.99,
        numbers={
            r"largest $\mu$ for $w^2+3\sin^2w$": float(mu),
            "attained at $|w|$": abs(float(GRID[at])),
            "lowest second derivative": float(curvature.min()),
            "the often quoted $1/32$": 1 / 32,
        },
    )


@check("PL-stationary")
def every_stationary_point_is_a_minimum() -> Measured:
    g = PLSine().grad(GRID)[:, 0]
    changes = (g[1:] * g[:-1] <= 0).nonzero()[:, 0]
    highest = float(PLSine().value(GRID[changes]).max())
    inflection = float(ratio(Inflection(), point(-1e-3, 1e-3)[:, None]).max())
    return Measured(
        len(changes) == 1 and highest < 1e-6,
        numbers={
            r"stationary points of $w^2+3\sin^2w$ on $[-12,12]$": len(changes),
            "largest gap where its gradient changes sign": highest,
            r"$\mu$ at $\pm10^{-3}$ beside the inflection of $w^4/4+w^3/3$": inflection,
        },
    )


@check("PL-mu-le-L")
def mu_is_at_most_L() -> Measured:
    bowl = Quadratic(point(0.0, 0.3, 1.0, 5.0))
    problems = (bowl, Quadratic(point(2.0, 2.0)), PLSine(), Huber(), Softplus(), PseudoHuber())
    certificates = [certify(gradient_below_gap, pairs(f)) for f in problems]
    constants = [float(f.pl) / float(f.L or 1) for f in problems if f.pl]
    return Measured(
        all(certificates) and max(constants) <= 1,
        numbers={
            r"largest $\|\nabla f\|^2/(2L(f-f^\star))$ on 6 functions": max(c.tightness[2] for c in certificates),
            r"largest $\mu/L$ among those that are PL": max(constants),
        },
    )


@check("PL-thm1")
def the_printed_rate() -> Measured:
    certificate = certify(pl_theorem_1, runs())
    starts = torch.linspace(-9, 9, 60, dtype=torch.float64)[:, None]
    beyond = [certify(gd_pl, gd(PLSine(), starts, 150, eta_L)) for eta_L in (1.2, 1.6, 1.9)]
    edge = certify(pl_theorem_1, gd(Quadratic(point(1.0)), point(1.0), 1, 1.0))
    return Measured(
        bool(certificate) and bool(edge) and all(beyond),
        numbers={
            "largest share of the bound in 180 runs": certificate.tightness[2],
            r"with the factor $1-\eta\mu(2-\eta L)$ at $\eta L = 1.2, 1.6, 1.9$": max(
                c.tightness[2] for c in beyond
            ),
        },
    )


@check("PL-thm1-proof")
def each_line_of_the_proof() -> Measured:
    run = runs()
    link = certify(quadratic_upper_bound, Points(PLSine(), run.w[:-1], run.w[1:]))
    # -η + Lη²/2 <= -η/2, exactly, for ηL = 1/1000, ..., 1; beyond 1 it fails.
    shares = [Fraction(k, 1000) for k in range(1, 1201)]
    true_up_to = max(x for x in shares if -x + x * x / 2 <= -x / 2)
    drop = run.f[:-1] - run.f[1:]
    decrease = drop - run.eta / 2 * run.grad_norm[:-1] ** 2
    gap, mu = run.f, float(PLSine.pl or 0)
    above = run.grad_norm**2 / 2 - mu * gap
    recursion = (1 - run.eta * mu) * gap[:-1] - gap[1:]
    return Measured(
        bool(link)
        and true_up_to == 1
        and all(float(line.min()) > -1e-12 for line in (decrease, above, recursion)),
        numbers={
            r"largest $\eta L$ for which the middle line is true": float(true_up_to),
            r"least decrease minus $\eta\|\nabla L\|^2/2$ in 27000 steps": float(decrease.min()),
            r"least $(1-\eta\mu)\Delta_t-\Delta_{t+1}$": float(recursion.min()),
        },
    )


@check("KH-3.1-PL")
def the_step_is_missing() -> Measured:
    short = gd(Quadratic(point(1.0)), point(1.0), 5, 0.1)
    starts = torch.linspace(-9, 9, 60, dtype=torch.float64)[:, None]
    at_one = certify(gd_pl, gd(PLSine(), starts, 150, 1.0))
    return Measured(
        as_printed=float(short.f[5]) <= 0,  # μ = L = 1: the printed factor is 0
        as_repaired=bool(at_one) and bool(certify(pl_theorem_1, short)),
        numbers={
            r"$w^2/2$, $\eta=0.1$: gap after 5 steps": float(short.f[5]),
            r"$w^2+3\sin^2w$, $\eta=1/L$: largest share of the bound": at_one.tightness[2],
        },
    )
