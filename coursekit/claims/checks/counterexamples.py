"""Claims that one small function decides: saddles, inflections, curvature without bound."""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import Tensor

from ...descend import descend
from ...methods import armijo, gradient_descent_with, halving, minimize, newton
from ...problems import (
    DeepLinear,
    DoubleWell,
    FlatSaddle,
    HalvingTrap,
    Inflection,
    Problem,
    Quadratic,
    Quartic,
)
from ...rules import gradient_descent
from ..check import Measured, check
from .adaptive import vector

f64 = torch.float64
STRICT = DoubleWell(tilt=0.0)  # its saddle at the origin has the eigenvalues -1 and 1, its minima are at (±1, 0)


def eigenvalues(problem: Problem, w: Tensor) -> Tensor:
    return torch.linalg.eigvalsh(problem.hessian(w))


def is_local_minimum(problem: Problem, w: Tensor, radius: float = 1e-2) -> bool:
    """Is f at no point of a fine set around w lower than at w?"""
    draw = torch.Generator().manual_seed(0)
    axes = torch.cat([torch.eye(problem.dim, dtype=f64), -torch.eye(problem.dim, dtype=f64)])
    around = torch.cat([axes, torch.randn(1000, problem.dim, generator=draw, dtype=f64)])
    around = w + radius * around / around.norm(dim=-1, keepdim=True)
    return bool((problem.value(around) >= problem.value(w)).all())


def escapes() -> tuple[Tensor, int]:
    """Where gradient descent ends from 100 random starts around a strict saddle, and how many ends are minima."""
    starts = torch.rand(100, 2, generator=torch.Generator().manual_seed(0), dtype=f64) - 0.5
    ends = descend(STRICT, gradient_descent, starts, 2000, record=("w",), eta=0.1).w[-1]
    return ends, int(((ends.abs() - vector(1.0, 0.0)).norm(dim=-1) < 1e-6).sum())


@check("TDL-D4.1.6")
def a_positive_semidefinite_hessian() -> Measured:
    flat, origin = FlatSaddle(), vector(0.0, 0.0)
    low = float(eigenvalues(flat, origin)[0])
    definite = [(STRICT, vector(1.0, 0.0)), (flat, vector(0.0, 1.0)), (Inflection(), vector(-1.0))]
    return Measured(
        as_printed=low >= 0 and is_local_minimum(flat, origin),
        as_repaired=all(float(eigenvalues(f, w)[0]) > 0 and is_local_minimum(f, w) for f, w in definite),
        numbers={
            r"lowest eigenvalue of $x^2-y^4+\frac23y^6$ at 0": low,
            r"its value at $(0, 10^{-2})$, below that at 0": float(flat.value(vector(0.0, 1e-2))),
        },
    )


@check("GG-crit-points")
def a_critical_point_without_a_change_of_sign() -> Measured:
    f = Inflection()
    left, at, right = f.grad(vector(-1e-2, 0.0, 1e-2)[:, None])[:, 0].tolist()
    return Measured(
        as_printed=at != 0 or left * right < 0,
        numbers={
            r"$f'$ of $\frac{w^4}4+\frac{w^3}3$ at $-10^{-2}$": left,
            "at 0": at,
            r"at $10^{-2}$": right,
        },
    )


@check("GG-2.1-local")
def the_solution_found_is_a_local_optimum() -> Measured:
    w = descend(Inflection(), gradient_descent, vector(0.5), 20_000, record=("w",), eta=0.1).w[-1]
    _, minima = escapes()
    return Measured(
        # w > 0 decreases forever: its limit is the stationary point 0, where f is no minimum.
        as_printed=float(w) > 1e-2 or is_local_minimum(Inflection(), vector(0.0)),
        as_repaired=minima == 100,
        numbers={
            r"$w$ after 20000 steps on $\frac{w^4}4+\frac{w^3}3$ from $\frac12$, heading for 0": float(w),
            "of 100 starts around a strict saddle, how many end in a minimum": minima,
        },
    )


@check("GG-P4-saddles")
def first_order_methods_avoid_saddles() -> Measured:
    y = torch.logspace(-2, -12, 6, dtype=f64)
    starts = torch.stack([y, torch.zeros_like(y)], -1)
    run = descend(STRICT, gradient_descent, starts, 500, record=("w",), eta=0.1)
    times = (run.w[..., 0].abs() > 0.5).to(torch.int8).argmax(0).to(f64)
    slope = float((times[-1] - times[0]) / (math.log(float(y[0] / y[-1]))))
    on_the_manifold = descend(STRICT, gradient_descent, vector(0.0, 0.5), 500, record=("w",), eta=0.1).w[-1]
    _, minima = escapes()
    return Measured(
        as_printed=float(on_the_manifold.norm()) > 0.5,
        as_repaired=minima == 100 and abs(slope * math.log1p(0.1) - 1) < 0.02,
        numbers={
            "of 100 random starts, how many end in a minimum": minima,
            r"steps to leave per unit of $\log(1/|y_0|)$": slope,
            r"$1/\log(1+\eta|\lambda|)$": 1 / math.log1p(0.1),
            "distance from the saddle after 500 steps from a start with $y_0=0$": float(on_the_manifold.norm()),
        },
    )


@check("GG-eq5")
def halving_until_f_decreases() -> Measured:
    f, start = HalvingTrap(), vector(3.0)
    printed = minimize(f, gradient_descent_with(halving), start, 45, stop=None)
    repaired = minimize(f, gradient_descent_with(partial(armijo, c1=0.1)), start)
    return Measured(
        as_printed=float(printed.grad_norm[-1]) < 1,
        as_repaired=repaired.converged,
        numbers={
            "$f$ after 45 steps, of a strongly convex function with minimum 0": float(printed.f[-1]),
            r"$|f'|$ there": float(printed.grad_norm[-1]),
            "steps of Armijo's rule with $c=0.1$ to the minimum": repaired.T,
        },
    )


@check("AMGT-eq1")
def a_vanishing_gradient_is_no_minimum() -> Measured:
    saddle = Quadratic(vector(2.0, -2.0))
    end = descend(saddle, gradient_descent, vector(1.0, 0.0), 200, record=("w", "grad_norm"), eta=0.1)
    low = float(eigenvalues(saddle, end.w[-1])[0])
    return Measured(
        as_printed=float(end.grad_norm[-1]) > 1e-12 or low >= 0,
        numbers={
            "gradient after 200 steps on $x^2-y^2$ from $(1, 0)$": float(end.grad_norm[-1]),
            "lowest eigenvalue there": low,
        },
    )


@check("TDL-newton-quadratic-rate")
def digits_double_where_the_hessian_is_definite() -> Measured:
    flat = minimize(Quartic(), newton(), vector(1.0), 20, stop=None).w[:, 0]
    factors = flat[1:] / flat[:-1]
    definite = minimize(Quartic(a=1.0), newton(), vector(0.4), 3, stop=None).w[:, 0].abs()
    orders = definite[1:].log() / definite[:-1].log()
    return Measured(
        as_printed=float(factors.max()) < 0.5,
        as_repaired=bool((orders > 2).all()),
        numbers={
            "Newton's factor per step on $w^4/4$": float(factors[-1]),
            r"error after 3 steps on $\frac{w^2}2+\frac{w^4}4$ from 0.4": float(definite[-1]),
        },
    )


@check("TDL-nonconvex-stationary")
def a_stationary_point_that_is_no_minimum() -> Measured:
    f, origin = DeepLinear(2), vector(0.0, 0.0)
    lam = eigenvalues(f, origin)
    minima = [vector(1.0, 1.0), vector(-1.0, -1.0)]
    return Measured(
        as_printed=float(f.grad(origin).norm()) == 0
        and float(lam[0]) < 0
        and all(float(f.value(w)) == 0 for w in minima),
        numbers={r"eigenvalues of $\frac12(ab-1)^2$ at 0: lowest": float(lam[0]), "highest": float(lam[1])},
    )


@check("TDL-4.7-lr")
def only_the_curvature_along_the_path_counts() -> Measured:
    f, start = Quartic(), vector(0.5)
    eta = 1.5
    run = descend(f, gradient_descent, start, 50, eta=eta)
    L = float(eigenvalues(f, vector(10.0))[0])
    blind = minimize(f, gradient_descent_with(armijo), vector(9.0), 50)
    return Measured(
        as_printed=eta > 2 / L and bool((run.f.diff() < 0).all()) and bool((blind.f.diff() < 0).all()),
        numbers={
            "$2/L$ for $w^4/4$ on $|w| < 10$": 2 / L,
            "a step that descends from 0.5 throughout": eta,
        },
    )


@check("AMGT-locsmooth")
def two_layers_are_not_globally_smooth() -> Measured:
    f = DeepLinear(2)
    norms = {t: float(eigenvalues(f, vector(float(t), 0.0)).abs().max()) for t in (1, 10, 100)}
    path = descend(f, gradient_descent, vector(2.0, 0.1), 300, record=("w", "f"), eta=0.1)
    bound = float(eigenvalues(f, path.w).abs().max())
    return Measured(
        as_printed=norms[100] < 10 * norms[1],
        as_repaired=2 / bound > 0.1 and bool((path.f.diff() <= 0).all()),
        numbers={rf"Hessian norm of $\frac12(ab-1)^2$ at $({t}, 0)$": x for t, x in norms.items()},
    )


@check("KH-3.4-flat")
def the_determinant_of_a_degenerate_minimum() -> Measured:
    f = DeepLinear(2)
    dets, traces = [], []
    for a in (1.0, 2.0, 4.0):
        H = f.hessian(vector(a, 1 / a))
        dets.append(float(torch.linalg.det(H)))
        traces.append(float(H.trace()))
    bowl = Quadratic(vector(1.0, 2.0, 3.0))
    wide = Quadratic(vector(1.0, 2.0, 3.0) / 10**2)  # the same function of φ = 10 w
    ratio = float(
        torch.linalg.det(wide.hessian(vector(0, 0, 0))) / torch.linalg.det(bowl.hessian(vector(0, 0, 0)))
    )
    # The repair: at a non-degenerate minimum in fixed coordinates, the volume below a level goes as det^(-1/2).
    draw = 4 * torch.rand(200_000, 3, generator=torch.Generator().manual_seed(0), dtype=f64) - 2
    stretched = Quadratic(vector(4.0, 2.0, 3.0))
    volumes = [float((g.value(draw) <= 0.5).to(f64).mean()) for g in (bowl, stretched)]
    return Measured(
        as_printed=min(abs(d) for d in dets) > 1e-9 and abs(ratio - 1) < 1e-9,
        as_repaired=abs(volumes[0] / volumes[1] / 2 - 1) < 0.05,
        numbers={
            r"largest $|\det|$ on the minima of $\frac12(ab-1)^2$": max(abs(d) for d in dets),
            "while the trace runs to": traces[-1],
            "factor on $\\det$ of writing the same function in $10\\,\\theta$": ratio,
        },
    )
