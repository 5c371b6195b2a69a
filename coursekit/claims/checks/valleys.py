"""Claims about narrow valleys: the condition number, zig-zags, and the figures that show them."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ...descend import Trajectory, descend
from ...methods import exact, gradient_descent_with, minimize, newton
from ...problems import DoubleWell, PLSine, Quadratic
from ...record import Record
from ...rules import gradient_descent
from ..check import Measured, check
from .amgt_applications import ONE, TWO
from .descent_lemma import gd, point
from .quadratics import factors, modes

VALLEY = Quadratic(point(1.0, 50.0))


def steps_until(run: Record, share: float) -> int:
    """First step at which f is at most ``share`` of its start."""
    return int((run.f <= share * run.f[0]).nonzero()[0])


def flips(run: Trajectory) -> int:
    """How often the coordinate across the valley changed sign."""
    return int((run.w[1:, 1] * run.w[:-1, 1] < 0).sum())


def across(eta_L: float, steps: int) -> Trajectory:
    """Gradient descent in the valley of κ = 50 from (10, 1)."""
    return gd(VALLEY, point(10.0, 1.0), steps, eta_L, record=("w", "f"))


@check("TDL-kappa")
def steps_grow_like_the_condition_number() -> Measured:
    def count(*eigenvalues: float) -> int:
        """Steps of size 1/L until the part that moves is a thousandth of its start."""
        f = Quadratic(point(*eigenvalues))
        w = gd(f, torch.ones(f.dim, dtype=torch.float64), 3000, 1.0, record=("w",)).w
        moving = (w * (f.p.lam > 0)).norm(dim=-1)
        return int((moving <= 1e-3).nonzero()[0])

    few, many = count(0.1, 1.0), count(1 / 300, 1.0)
    slope = math.log(many / few) / math.log(30)
    same = {many, count(1 / 3, 100.0), count(0.0, 1 / 300, 1.0), count(1 / 300, 0.01, 0.5, 1.0)}
    return Measured(
        abs(slope - 1) < 0.03 and max(same) - min(same) <= 1,
        numbers={
            r"steps to $10^{-3}$ at $\eta=1/L$, $\kappa=10$": few,
            r"$\kappa=300$": many,
            "slope in log-log": slope,
            r"range of steps over four spectra of $\kappa=300$, one with a zero": max(same) - min(same),
        },
    )


@check("TDL-4.4-oscillate")
def no_oscillation_at_the_recommended_step() -> Measured:
    calm, wild = across(1.0, 300), across(1.9, 174)
    border = [flips(across(eta_L, 50)) for eta_L in (0.5, 0.99, 1.01, 1.5)]
    return Measured(
        as_printed=flips(calm) > 0,
        as_repaired=flips(wild) == wild.T and border == [0, 0, 50, 50],
        numbers={
            r"$\kappa=50$, $\eta=1/L$: sign changes across the valley in 300 steps": flips(calm),
            r"$\eta=1.9/L$: in 174 steps": flips(wild),
            r"$\eta=0.99/L$: in 50 steps": border[1],
            r"$\eta=1.01/L$: in 50 steps": border[2],
        },
    )


@check("TDL-FIG-4.4")
def which_gradient_descent_is_drawn() -> Measured:
    calm, wild = across(1.0, 400), across(1.9, 200)
    search = minimize(VALLEY, gradient_descent_with(exact), point(50.0, 1.0), 200)
    at_once = minimize(VALLEY, newton(), point(10.0, 1.0), 5)
    counts = [steps_until(run, 1e-6) for run in (wild, calm, search, at_once)]
    return Measured(
        flips(calm) == calm.T and flips(wild) == wild.T,  # does the figure zig-zag whatever the step?
        numbers={
            r"steps to a relative gap of $10^{-6}$, $\kappa=50$: $\eta=1.9/L$, zig-zagging": counts[0],
            r"$\eta=1/L$, without": counts[1],
            "exact line search from (50, 1), zig-zagging": counts[2],
            "Newton": counts[3],
        },
    )


@check("AMGT-apps-scope")
def the_applications_show_neither() -> Measured:
    draw = torch.Generator().manual_seed(0)
    points = 10 * torch.randn(200, 2, generator=draw, dtype=torch.float64)
    lowest = min(float(torch.linalg.eigvalsh(f.hessian(points)).min()) for f in (ONE, TWO))
    distance = descend(ONE, gradient_descent, point(1.0, 0.0), 40, record=("w",), eta=0.25).w.norm(dim=-1)
    # On k^(-μ/2), with μ = 2, both halves of a log-log plot have the slope -1.
    slopes = [math.log2(float(distance[2 * k] / distance[k])) for k in (10, 20)]
    first = [float(factors(f, 1 / float(modes(f)[0][0])).abs().max()) for f in (ONE, TWO)]
    return Measured(
        lowest < 0 or all(abs(slope + 1) < 0.2 for slope in slopes),  # neither half of the statement survives
        numbers={
            "lowest curvature at 200 points of either application": lowest,
            r"Application 1, $\eta=1/4$: factor per step": float(distance[40] / distance[39]),
            r"log-log slope from step 20 to 40, where $k^{-\mu/2}$ has $-1$": slopes[1],
            r"worst factor of the first step of $1/(\mu k)$, Application 2": first[1],
        },
    )


@check("GG-FIG-1")
def the_costs_are_not_given() -> Measured:
    tame, wild = (gd(PLSine(), point(4.0), 50, eta_L) for eta_L in (1.0, 3.0))
    rises = [int((run.f.diff() > 1e-12).sum()) for run in (tame, wild)]
    starts = torch.tensor([[-1.5, 0.8], [1.5, 0.8]], dtype=torch.float64)
    ends = descend(DoubleWell(), gradient_descent, starts, 300, eta=0.2).f[-1]
    return Measured(
        rises[0] == rises[1] and float(ends[1] - ends[0]) < 1e-6,
        numbers={
            r"$w^2+3\sin^2w$, $\eta=1/L$: steps of 50 in which the cost rises": rises[0],
            r"$\eta=3/L$": rises[1],
            "double well, cost at the end from the left": float(ends[0]),
            "from the right": float(ends[1]),
        },
    )


@check("TDL-FIG-4.1")
def the_surfaces_are_not_given() -> Measured:
    grid = torch.cartesian_prod(*[torch.linspace(-1.5, 1.5, 12, dtype=torch.float64)] * 2)
    bowl, well = Quadratic(point(2.0, 4.0)), DoubleWell()

    def gaps(f: Quadratic | DoubleWell) -> tuple[Tensor, float]:
        run = descend(f, gradient_descent, grid, 400, eta=0.2)
        return run.f[-1] - float(f.f_star or 0), float(run.grad_norm[-1].max())

    (of_bowl, flat), (of_well, level) = gaps(bowl), gaps(well)
    return Measured(
        float(of_well.max()) < 1e-6,
        numbers={
            "largest gradient at 144 ends on both surfaces": max(flat, level),
            r"$x^2+2y^2$: largest gap at an end": float(of_bowl.max()),
            r"$x^4/4-x^2/2+y^2/2+0.2x$: the same": float(of_well.max()),
            "its share of ends that are not global minima": float((of_well > 1e-6).double().mean()),
        },
    )
