"""Claims about the needle in a haystack: what cannot be found without smoothness, and in which sense."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ...descend import descend
from ...problems import Needle, SmoothNeedle
from ...rules import gradient_descent
from ..check import Measured, check

# By symmetry the gradient around a valley in the middle of the square vanishes on this line or nowhere.
DIAGONAL = torch.linspace(1e-5, 1, 20_001, dtype=torch.float64)[:, None].expand(-1, 2)
MIDDLE = torch.full((2,), 0.5, dtype=torch.float64)


def volume(n: int, radius: float) -> float:
    """Volume of the ball: the largest chance that one query falls into a valley whose place is random."""
    return math.exp(n / 2 * math.log(math.pi) + n * math.log(radius) - math.lgamma(n / 2 + 1))


def hits(needle: Needle, queries: int) -> float:
    """Share of random points of the cube that lie in the valley."""
    draw = torch.Generator().manual_seed(1)
    w = torch.rand(queries, needle.dim, generator=draw, dtype=torch.float64)
    return float(((w - needle.p.center).norm(dim=-1) < needle.p.radius).double().mean())


def center(n: int, radius: float) -> Tensor:
    draw = torch.Generator().manual_seed(0)
    return radius + (1 - 2 * radius) * torch.rand(n, generator=draw, dtype=torch.float64)


@check("TDL-4.6.1-needle")
def stationary_in_which_sense() -> Measured:
    needle = Needle(center(20, 0.25), radius=0.25, depth=12.0)
    start = torch.full((20,), 0.5, dtype=torch.float64)
    run = descend(needle, gradient_descent, start, 20, record=("w",), eta=0.1, project=lambda w: w.clamp(0, 1))
    end = run.w[-1]
    moved = float((end - (end - needle.grad(end)).clamp(0, 1)).norm())
    small = Needle(center(4, 0.25), radius=0.25)
    share = hits(small, 200_000)
    return Measured(
        # The bound on the chance is right; but a vertex, where no feasible step descends, is found at once.
        as_printed=abs(share / volume(4, 0.25) - 1) < 0.1 and volume(20, 0.25) < 1e-13 and moved > 1e-6,
        numbers={
            r"chance of one query, $n=20$, $r=1/4$": volume(20, 0.25),
            r"$n=40$": volume(40, 0.25),
            r"$n=4$: share of 200000 random queries over the formula": share / volume(4, 0.25),
            "projected gradient after 20 steps of projected gradient descent": moved,
        },
    )


@check("TDL-FIG-4.2")
def a_cone_or_a_smooth_valley() -> Measured:
    cone, smooth = Needle(MIDDLE, radius=0.25), SmoothNeedle(MIDDLE, radius=0.25)
    least = [float(f.grad(DIAGONAL).norm(dim=-1).min()) for f in (cone, smooth)]
    slope = smooth.grad(DIAGONAL).sum(-1)
    zeros = int((slope[1:] * slope[:-1] < 0).sum())
    chances = [hits(Needle(center(n, 0.25), radius=0.25, depth=4.0), 100_000) for n in (2, 6)]
    return Measured(
        least[0] < 0.05 or zeros == 1,  # "the unique point with a vanishing gradient", in either reading
        numbers={
            "smallest gradient of the cone-shaped valley": least[0],
            "stationary points of the smooth one": zeros,
            r"random queries that hit it, $n=2$": chances[0],
            r"$n=6$": chances[1],
        },
    )


@check("TDL-4.6.1-unique")
def the_valley_brings_a_saddle() -> Measured:
    smooth = SmoothNeedle(MIDDLE, radius=0.25)
    slope = smooth.grad(DIAGONAL).sum(-1)
    stationary = DIAGONAL[1:][slope[1:] * slope[:-1] < 0]
    index = torch.linalg.det(smooth.hessian(stationary)).sign()
    # Around the valley the gradient does not turn: the indices of the stationary points inside add up to 0.
    angle = torch.linspace(0, 2 * math.pi, 1001, dtype=torch.float64)
    around = smooth.grad(MIDDLE + 0.2501 * torch.stack([angle.cos(), angle.sin()], -1))
    turn = float((around - around[0]).norm(dim=-1).max())
    return Measured(
        as_printed=len(stationary) == 1,
        as_repaired=bool(((stationary - MIDDLE).norm(dim=-1) < 0.25).all())
        and turn == 0
        and sorted(index.tolist()) == [-1.0, 1.0],
        numbers={
            "stationary points of the smooth valley": len(stationary),
            "sum of their indices": float(index.sum()),
            "largest change of the gradient around the valley": turn,
        },
    )
