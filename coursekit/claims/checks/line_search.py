"""Claims about line searches: halving, Armijo, Wolfe, and the exact one."""

from __future__ import annotations

import math
from functools import partial
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from ...methods import armijo, exact, gradient_descent_with, halving, minimize, wolfe
from ...methods.line_search import Search
from ...problems import DoubleWell, HalvingTrap, PLSine, Problem, Quadratic, Rosenbrock
from ...theory import armijo_line_search, certify, exact_line_search
from ..check import Measured, check
from .counterexamples import f64, vector
from .quadratics import random_spd
from .sgd_variance import normal


class Raised(Problem):
    """A bowl whose minimum value is 1: 1 + ½ Σ λ_i w_i²."""

    def __init__(self, *lam: float) -> None:
        self.p, self.dim = SimpleNamespace(lam=vector(*lam)), len(lam)

    @staticmethod
    def formula(w: Any, p: Any) -> Any:
        return 1 + (p.lam * w * w).sum(-1) / 2


def halvings(f: Problem, w: Tensor, most: int = 5000) -> int:
    """How often Algorithm 1 halves η from 1 before f(w - ηg) < f(w); ``most`` if it never holds."""
    here, g = f.value_and_grad(w)
    eta = 1.0
    for n in range(most):
        if bool(f.value(w - eta * g) < here):
            return n
        eta /= 2
    return most


@check("GG-Alg1")
def halving_with_a_sufficient_decrease() -> Measured:
    trapped = minimize(HalvingTrap(), gradient_descent_with(halving), vector(3.0), 45, stop=None)
    held, total = 0, 0
    for seed in range(20):
        lam = torch.linalg.eigvalsh(random_spd(4, seed)) * 10.0 ** (seed % 5 - 2)
        for c in (1e-4, 0.1, 0.5, 0.8, 0.95):
            search = partial(armijo, c1=c)
            run = minimize(Quadratic(lam), gradient_descent_with(search), normal(4, seed=seed), 15)
            held += bool(certify(armijo_line_search, run))
            total += 1
    flat = minimize(Quadratic(vector(1e-3)), gradient_descent_with(armijo), vector(1.0), 100)
    return Measured(
        as_printed=float(trapped.grad_norm[-1]) < 1,
        as_repaired=held == total,
        numbers={
            r"$|f'|$ after 45 iterations on a strongly convex function": float(trapped.grad_norm[-1]),
            rf"with Armijo's test: of {total} runs on random quadratics, how many keep both bounds": held,
            r"$|w|$ after 100 iterations on $10^{-3}w^2/2$, where $\eta$ never exceeds 1": float(flat.w[-1].abs()),
        },
    )


@check("GG-Alg1-stationary")
def the_inner_loop_at_a_stationary_point() -> Measured:
    valley = Raised(2.0)  # 1 + w²
    never = halvings(valley, vector(0.0))
    close = halvings(valley, vector(1e-9))
    bowl = minimize(Raised(1.0, 10.0), gradient_descent_with(halving), vector(1.0, 1.0), 200, stop=None)
    guarded = minimize(valley, gradient_descent_with(halving), vector(0.0))
    most = max(halvings(f, w) for f in (Rosenbrock(), DoubleWell(), Raised(1.0, 1e4)) for w in normal(50, 2))
    return Measured(
        as_printed=never < 5000,
        as_repaired=most < 60 and guarded.converged and guarded.T == 0,
        numbers={
            r"halvings on $1+w^2$ at $w=0$, without end": never,
            r"at $w=10^{-9}$, where rounding hides the decrease": close,
            r"iterations on $1+(x^2+10y^2)/2$ from $(1,1)$ until the search sticks": bowl.T,
            r"$\|g\|$ there": float(bowl.grad_norm[-1]),
        },
    )


@check("GG-ls-halvings")
def how_many_halvings() -> Measured:
    lams = (0.5, 1.0, 1.9, 2.0, 3.0, 4.0, 10.0, 1e3, 1e6)
    counts = [halvings(Quadratic(vector(L)), vector(1.0)) for L in lams]
    bounds = [max(0, math.floor(math.log2(L / 2)) + 1) for L in lams]
    other = max(
        halvings(f, w) - max(0, math.floor(math.log2(float(f.L) / 2)) + 1)
        for f in (PLSine(), HalvingTrap())
        if f.L is not None
        for w in 3 * normal(200, 1)
    )
    return Measured(
        as_printed=counts == bounds and other <= 0,
        numbers={
            r"halvings on $Lw^2/2$ at $L=10$": counts[6],
            "at $L=10^6$": counts[-1],
            r"most halvings less the bound, 400 points of two other functions": other,
        },
    )


@check("GG-armijo")
def the_constants_decide_the_step() -> Measured:
    f, w = Rosenbrock(), vector(-1.0, 1.5)

    def first_step(search: Search) -> float:
        return float(minimize(f, gradient_descent_with(search), w, 1).eta[0])

    etas = {
        "Armijo, $c=10^{-4}$": first_step(armijo),
        "Armijo, $c=0.9$": first_step(partial(armijo, c1=0.9)),
        "Wolfe, $c_1=10^{-4}$, $c_2=0.9$": first_step(wolfe),
        "Wolfe, $c_2=0.1$": first_step(partial(wolfe, c2=0.1)),
    }
    return Measured(
        as_printed=max(etas.values()) < 1.01 * min(etas.values()),
        numbers={f"first step on Rosenbrock's function, {name}": eta for name, eta in etas.items()},
    )


@check("GG-eq9")
def only_forward_along_the_ray() -> Measured:
    well, w = DoubleWell(tilt=0.2), vector(0.5, 0.0)
    g = well.grad(w)
    etas = torch.linspace(-20, 20, 400_001, dtype=f64)
    values = well.value(w - etas[:, None] * g)
    anywhere = float(etas[values.argmin()])
    forward = float(etas[200_000:][values[200_000:].argmin()])
    errors = []
    for seed in range(20):
        f, start = Quadratic(torch.linalg.eigvalsh(random_spd(4, seed))), normal(4, seed=seed)
        g4 = f.grad(start)
        grid = torch.linspace(-20, 20, 40_001, dtype=f64)
        lowest = float(grid[f.value(start - grid[:, None] * g4).argmin()])
        eta = float(g4 @ g4 / (g4 @ f.hvp(start, g4)))
        errors.append(abs(lowest - eta))
    return Measured(
        as_printed=anywhere >= 0,
        as_repaired=forward > 0 and max(errors) < 5.1e-4,  # half the spacing of the grid
        numbers={
            r"best of all $\eta$ from $x=1/2$ on $x^4/4-x^2/2+x/5$": anywhere,
            r"best $\eta\ge0$": forward,
            r"$g \cdot g/(g \cdot Ag)$ beside a grid of spacing 0.001, 20 quadratics: largest error": max(errors),
        },
    )


@check("GG-2.5")
def greedy_is_not_fast() -> Measured:
    kappa = 20.0
    f = Quadratic(vector(1.0, kappa))
    run = minimize(f, gradient_descent_with(exact), vector(kappa, 1.0), 15, stop=None)
    g = f.grad(run.w)
    cosine = float(((g[1:] * g[:-1]).sum(-1) / (g[1:].norm(dim=-1) * g[:-1].norm(dim=-1))).abs().max())
    factors = run.f[1:] / run.f[:-1]
    lower, slower = math.inf, 0.0
    for seed in range(100):
        lam = torch.linalg.eigvalsh(random_spd(3, seed))
        other = Quadratic(lam)
        w = normal(3, seed=seed)
        short = minimize(other, gradient_descent_with(exact), w, 3, stop=None)
        ray = w - torch.linspace(0, 10, 1001, dtype=f64)[:, None] * other.grad(w)
        lower = min(lower, float(other.value(ray).min() - short.f[1]))
        bound = ((lam[-1] - lam[0]) / (lam[-1] + lam[0])) ** 2
        slower = max(slower, float((short.f[1:] / short.f[:-1]).max() / bound))
    return Measured(
        as_printed=lower >= -1e-12 and cosine < 1e-9 and bool(certify(exact_line_search, run)) and slower <= 1,
        numbers={
            r"factor per step from $(\kappa,1)$, $\kappa=20$": float(factors.mean()),
            r"$((\kappa-1)/(\kappa+1))^2$": ((kappa - 1) / (kappa + 1)) ** 2,
            "largest cosine between successive gradients": cosine,
            "largest factor over that bound, 300 steps on random quadratics": slower,
        },
    )
