"""Claims about sharpness-aware minimization: its objective, the step up, and the gradient it takes there."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from ...descend import descend
from ...methods import sam
from ...problems import DoubleWell, Problem, Quadratic
from ...rules import gradient_descent
from ...theory import dual_exponent
from ..check import Measured, check
from .counterexamples import f64, vector
from .sgd_variance import normal


def ball_maximum(value: Callable[[Tensor], Tensor], w: Tensor, rho: float, T: Tensor | float = 1.0) -> Tensor:
    """The ε in the plane with ‖ε/T‖₂ ≤ ρ where value(w + ε) is largest, (..., 2): polar grids, finer and finer."""
    r, angle = torch.full_like(w[..., :1, None], 0.5), torch.zeros_like(w[..., :1, None])
    wide, turn = 0.5, math.pi
    for points in (41, *[9] * 16):
        grid = torch.linspace(-1, 1, points, dtype=w.dtype)
        radii, angles = (r + wide * grid[:, None]).clamp(0, 1), angle + turn * grid
        unit = torch.stack(torch.broadcast_tensors(radii * angles.cos(), radii * angles.sin()), -1)
        epsilon = rho * unit.flatten(-3, -2) * (T[..., None, :] if isinstance(T, Tensor) else T)
        best = value(w[..., None, :] + epsilon).argmax(-1)[..., None, None]
        r, angle = (
            x.expand(*w.shape[:-1], points, points).flatten(-2).gather(-1, best[..., 0])[..., None]
            for x in (radii, angles)
        )
        wide, turn = 3 * wide / points, 3 * turn / points
    return epsilon.gather(-2, best.expand(*best.shape[:-1], 2)).squeeze(-2)


def printed_ascent(g: Tensor, p: float, rho: float) -> Tensor:
    """GG (52), letter by letter."""
    q = dual_exponent(p)
    return rho * g.sign() * g.abs() ** (q - 1) / (g.abs() ** q).sum(-1, keepdim=True) ** (1 / p)


def repaired_ascent(g: Tensor, p: float, rho: float) -> Tensor:
    return sam(Quadratic(torch.ones(g.shape[-1], dtype=f64)), rho, p).epsilon(torch.zeros_like(g), g)


@check("GG-eq49")
def the_radius_is_rho() -> Measured:
    f, w = DoubleWell(), normal(50, 2)
    radii = (0.0, 0.1, 0.2, 0.4)
    values = torch.stack([f.value(w + ball_maximum(f.value, w, rho)) for rho in radii])
    # "A neighborhood of radius ε": each feasible ε has its own length, this one half of ρ = 0.4.
    missing = float((values[3] - values[2]).min())
    return Measured(
        as_printed=missing < 1e-6,
        as_repaired=bool((values.diff(dim=0) > 0).all()) and torch.equal(values[0], f.value(w)),
        numbers={
            r"least rise of $L_{SAM}$ from radius 0 to $\rho=0.1$, 50 points": float(
                (values[1] - values[0]).min()
            ),
            r"least loss by searching in radius $\|\epsilon\|=0.2$ instead of $\rho=0.4$": missing,
        },
    )


@check("GG-eq51")
def loss_plus_sharpness() -> Measured:
    f, w = DoubleWell(), 2 * normal(200, 2)
    here, errors = f.value(w), []
    for rho in (0.0, 0.05, 0.5, 2.0):
        highest = f.value(w + ball_maximum(f.value, w, rho))
        rise = ball_maximum(lambda v: f.value(v) - here[:, None], w, rho)
        errors.append(float((here + (f.value(w + rise) - here) - highest).abs().max()))
    return Measured(
        as_printed=max(errors) < 1e-12,
        numbers={r"largest difference of the two sides, 200 points, $\rho=0$ to 2": max(errors)},
    )


class UnevenWells(Problem):
    """A sharp well at -2, a wide and slightly higher one at 2."""

    dim = 1

    def __init__(self) -> None:
        self.p = SimpleNamespace()

    @staticmethod
    def formula(w: Any, p: Any) -> Any:
        x = w[..., 0]
        return 0.005 * x**2 - torch.exp(-((x + 2) ** 2) / 0.045) - 0.95 * torch.exp(-((x - 2) ** 2) / 2)


@check("GG-SAM-flat")
def the_flat_well_wins() -> Measured:
    f, grid = UnevenWells(), torch.linspace(-4, 4, 8001, dtype=f64)
    values = f.value(grid[:, None])

    def wells(rho: float) -> tuple[float, float]:
        """L_SAM at the sharp minimum and at the wide one, and which side the minimizer of L_SAM is on."""
        minima = [grid[:4000][values[:4000].argmin()], grid[4000:][values[4000:].argmin()]]
        offsets = rho * torch.linspace(-1, 1, 2001, dtype=f64)
        sharp, flat = (float(f.value((m + offsets)[:, None]).max()) for m in minima)
        return sharp, flat

    def minimizer(rho: float) -> float:
        reach = round(rho / 0.001)
        highest = torch.nn.functional.max_pool1d(values[None], 2 * reach + 1, 1, reach)[0]
        return float(grid[highest.argmin()])

    scan = torch.arange(0.040, 0.056, 0.0002, dtype=f64).tolist()
    flip = next(rho for rho in scan if wells(rho)[0] > wells(rho)[1])
    low, high = wells(0.0)
    top = grid[2500:5000][values[2500:5000].argmax()]
    steps = descend(sam(f, 0.6), gradient_descent, vector(-1.0), 1000, record=("w",), eta=0.05)
    return Measured(
        as_printed=low < high and minimizer(0.04) < 0 and all(minimizer(rho) > 1 for rho in (0.06, 0.2, 0.6)),
        numbers={
            r"$\rho$ at which the wide well overtakes the sharp one": flip,
            r"$L_{SAM}$ at the sharp minimum, $\rho=0.2$": wells(0.2)[0],
            "at the wide one": wells(0.2)[1],
            r"$\rho=0.6$: how far 1000 steps of SAM from $-1$ end from the maximum between the wells": float(
                (steps.w[-1] - top).abs()
            ),
        },
    )


@check("GG-eq52")
def the_step_up_for_every_norm() -> Measured:
    rho, inner = 0.1, (1.1, 1.2, 1.5, 2.0, 3.0, 7.0, 10.0)
    gradients, cloud = normal(50, 6), normal(20_000, 6, seed=1)

    def is_maximizer(step: Callable[[Tensor, float, float], Tensor], p: float, g: Tensor) -> bool:
        """Feasible, attains ρ‖g‖_q, and no random feasible point does better."""
        epsilon = step(g, p, rho)
        best, feasible = g.norm(dual_exponent(p), dim=-1) * rho, rho * cloud / cloud.norm(p, dim=-1, keepdim=True)
        reached = (g * epsilon).sum(-1)
        return bool(
            (epsilon.norm(p, dim=-1) <= rho * (1 + 1e-12)).all()
            and ((reached - best).abs() <= 1e-12 * (1 + best)).all()
            and ((g @ feasible.T).amax(-1) <= reached + 1e-12).all()
        )

    every, zero, tie = (1.0, *inner, math.inf), torch.zeros(1, 6, dtype=f64), vector(3.0, -3.0, 1.0)
    return Measured(
        as_printed=all(is_maximizer(printed_ascent, p, g) for p in every for g in (gradients, zero)),
        as_repaired=all(is_maximizer(printed_ascent, p, gradients) for p in inner)
        and all(is_maximizer(repaired_ascent, p, g) for p in every for g in (gradients, zero)),
        numbers={
            r"of nine $p$ from 1 to $\infty$, with how many (52) is right": sum(
                is_maximizer(printed_ascent, p, gradients) for p in every
            ),
            "entries of (52) at $p=1$ that are numbers, of 6": int(
                printed_ascent(gradients[0], 1.0, rho).isfinite().sum()
            ),
            r"$p=1$, repaired, for $g=(3,-3,1)$, $\rho=0.1$: first entry": float(
                repaired_ascent(tie, 1.0, rho)[0]
            ),
        },
    )


@check("GG-eq53")
def no_direction_at_a_stationary_point() -> Measured:
    g, zero = normal(1000, 6), torch.zeros(6, dtype=f64)
    printed = 0.1 * zero / zero.norm()
    error = float((repaired_ascent(g, 2.0, 0.1) - 0.1 * g / g.norm(dim=-1, keepdim=True)).abs().max())
    repaired = repaired_ascent(zero, 2.0, 0.1)
    return Measured(
        as_printed=bool(printed.isfinite().all()),
        as_repaired=error < 1e-15 and float(repaired.abs().max()) == 0,
        numbers={
            "entries of (53) at $g=0$ that are numbers, of 6": int(printed.isfinite().sum()),
            r"largest entry of the guarded $\epsilon$ there": float(repaired.abs().max()),
        },
    )


@check("GG-eq54")
def the_dropped_term() -> Measured:
    f, rho = Quadratic(vector(1.0, 10.0)), 0.05
    w = vector(10.0, 1.0, 0.1, 0.02)[:, None] * vector(1.0, 0.3)
    first = sam(f, rho).value_and_grad(w)[1]
    through = sam(f, rho, through=True).value_and_grad(w)[1]
    ratios = ((through - first).norm(dim=-1) / first.norm(dim=-1)).tolist()

    def perturbed(w: Tensor) -> Tensor:
        return f.value(w + repaired_ascent(f.grad(w), 2.0, rho))

    h = 1e-6 * torch.eye(2, dtype=f64)
    by_differences = (perturbed(w[:, None] + h) - perturbed(w[:, None] - h)) / 2e-6
    error = float((by_differences - through).abs().max())
    return Measured(
        as_printed=max(ratios) < 0.05,
        as_repaired=error < 1e-5 and ratios[0] < 1e-3,  # negligible where |g| is large beside ρ|H|
        numbers={
            r"second term over the first on $\mathrm{diag}(1, 10)$ at $w=(10, 3)$, $\rho=0.05$": ratios[0],
            "at $w/100$": ratios[2],
            "at $w/500$": ratios[3],
            "error of the exact second term, by finite differences": error,
        },
    )


@check("GG-eq54-danskin")
def no_second_term_for_the_exact_maximum() -> Measured:
    f, rho, h = DoubleWell(), 0.3, 1e-4
    w = normal(20, 2, seed=3)
    shifted = w[:, None] + h * torch.cat([torch.eye(2, dtype=f64), -torch.eye(2, dtype=f64)])
    highest = f.value(shifted + ball_maximum(f.value, shifted, rho))
    slopes = (highest[:, :2] - highest[:, 2:]) / (2 * h)
    at_maximum = f.grad(w + ball_maximum(f.value, w, rho))
    linearized = sam(f, rho).value_and_grad(w)[1]
    error = float((slopes - at_maximum).abs().max())
    return Measured(
        as_printed=error < 1e-5,
        numbers={
            r"largest error of $\nablaL_{SAM}(w)=\nabla L(w+\epsilon^*)$ at 20 points": error,
            r"with the linearized $\epsilon^*$ instead": float((slopes - linearized).abs().max()),
        },
    )


@check("GG-SAM-conv")
def a_cycle_around_the_minimum() -> Measured:
    L, rho, etas = 2.0, 0.05, vector(0.1, 0.3, 0.6, 0.9)
    f = Quadratic(vector(L))
    run = descend(sam(f, rho), gradient_descent, torch.ones(4, 1, dtype=f64), 500, record=("w",), eta=etas)
    cycle = etas * L * rho / (2 - etas * L)
    last = run.w[-2:, :, 0]
    error = float((last.abs() - cycle).abs().max())
    return Measured(
        as_printed=error < 1e-12 and bool((last[0] * last[1] < 0).all()),
        numbers={
            r"$|w|$ after 500 steps of SAM, $L=2$, $\eta=0.3$, $\rho=0.05$": float(last[1, 1].abs()),
            r"$\eta L\rho/(2-\eta L)$": float(cycle[1]),
        },
    )


@check("GG-7-autodiff")
def automatic_differentiation_is_exact() -> Measured:
    lam, rho = vector(1.0, 10.0), 0.05
    f, w = Quadratic(lam), vector(0.1, 0.03)
    g = lam * w
    exact = lam * (w + rho * g / g.norm())
    by_torch = sam(f, rho).value_and_grad(w)[1]
    rounding = float((by_torch - exact).abs().max())
    whole = sam(f, rho, through=True).value_and_grad(w)[1]
    dropped = float((whole - by_torch).norm() / by_torch.norm())
    return Measured(
        as_printed=rounding > 1e-12,
        as_repaired=rounding < 1e-15 and dropped > 0.01,
        numbers={
            r"error of autograd in $\nabla L(w+\epsilon^*)$, beside the formula": rounding,
            "what leaving out the Jacobian term changes, relative": dropped,
        },
    )
