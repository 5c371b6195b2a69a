"""Claims about width: GG's figure 8 and Proposition 5, and what they ask of the network and of the data."""

from __future__ import annotations

import copy
import math
from functools import cache

import torch
from torch import Generator, Tensor, nn

from ...descend import descend
from ...methods import lbfgs, minimize
from ...oracles import MiniBatch
from ...problems import Network, ReLUNetwork
from ...problems.network import half_squared_error
from ...rules import adam, gradient_descent
from ..check import Measured, check
from .adaptive import vector
from .counterexamples import f64
from .quadratic_activation import every_minimum_is_global, losses, single_unit


@cache
def plane() -> tuple[Tensor, Tensor]:
    """10 random points of the plane with a bias, and normal targets."""
    draw = Generator().manual_seed(0)
    X = torch.cat([torch.randn(10, 2, generator=draw, dtype=f64), torch.ones(10, 1, dtype=f64)], 1)
    return X, torch.randn(10, generator=draw, dtype=f64)


@cache
def relu_losses(width: int, runs: int) -> Tensor:
    """Where L-BFGS ends from random starts of a ReLU network on these points, shape (runs,)."""
    f = ReLUNetwork(*plane(), width, seed=1)
    return torch.stack([minimize(f, lbfgs(), f.random_start(seed), 300).f[-1] for seed in range(runs)])


def above(loss: Tensor) -> float:
    """The share of the runs that end more than 10 % above the best; below 1e-9 is zero."""
    return float((loss > 1.1 * loss.min() + 1e-9).to(f64).mean())


@check("GG-8.1-relu")
def local_minima_of_a_relu_network() -> Measured:
    narrow, wide = relu_losses(4, 40), relu_losses(100, 10)
    # All units dead, at any width: f is constant around there.
    X, y = plane()
    dead = ReLUNetwork(X.abs(), y, 100, seed=1)
    trap = -torch.ones(dead.dim, dtype=f64)
    around = trap + 0.1 * torch.randn(2000, dead.dim, generator=Generator().manual_seed(2), dtype=f64)
    flat = bool((dead.value(around) == dead.value(trap)).all())
    other = minimize(dead, lbfgs(), dead.random_start(), 300).f[-1]
    return Measured(
        as_printed=above(narrow) == 0 and not (flat and float(other) < 0.9 * float(dead.value(trap))),
        as_repaired=max(every_minimum_is_global()) < 1e-10,  # quadratic activation
        numbers={
            "4 ReLU units: share of 40 runs that end more than 10 % above the best": above(narrow),
            "100 ReLU units: largest final loss of 10 runs": float(wide.max()),
            "all units dead: loss there, and at 2000 points around": float(dead.value(trap)),
            "from a random start": float(other),
        },
    )


@check("GG-FIG-8")
def equally_good_minima() -> Measured:
    loss, _ = single_unit()
    benign, single, narrow = above(losses(1, 30, 100)), max(map(above, loss)), above(relu_losses(4, 40))
    return Measured(
        as_printed=benign == single == narrow == 0,
        as_repaired=benign == 0,
        numbers={
            "share of runs that end 10 % above the best: quadratic activation, $k=2d$": benign,
            "$k=1$, the worst of 60 sets": single,
            "4 ReLU units": narrow,
        },
    )


@check("GG-8-width")
def many_parameters_are_not_width() -> Measured:
    # One unit per layer, however many layers, is a monotone function of x: it cannot go up and down.
    x, y = torch.tensor([[-1.0], [0.0], [1.0]], dtype=f64), vector(0.0, 1.0, 0.0)
    layers = [layer for _ in range(10) for layer in (nn.Linear(1, 1, dtype=f64), nn.ReLU())]
    deep = Network(nn.Sequential(*layers, nn.Linear(1, 1, dtype=f64)), x, y[:, None], half_squared_error)
    start = 1 + 0.5 * torch.randn(100, deep.dim, generator=Generator().manual_seed(0), dtype=f64)
    tall = descend(deep, adam, start, 300, record=("f",), record_every=300, eta=0.03).f[-1]
    wide = ReLUNetwork(torch.cat([x, torch.ones_like(x)], 1), y, deep.dim // 2)
    flat = minimize(wide, lbfgs(), wide.random_start(), 300).f[-1]
    return Measured(
        as_printed=float(tall.min()) < 1 / 12 - 1e-9,
        as_repaired=float(flat) < 1e-9 and wide.dim <= deep.dim,
        numbers={
            "parameters of 11 layers of one unit, for 3 data": deep.dim,
            "their smallest final loss of 100 runs; no monotone function gets below 1/12": float(tall.min()),
            "parameters of one wide layer": wide.dim,
            "its final loss": float(flat),
        },
    )


def separated() -> tuple[Tensor, Tensor]:
    """6 random unit inputs in 12 dimensions, with the targets ±1."""
    X = torch.randn(6, 12, generator=Generator().manual_seed(3), dtype=f64)
    return X / X.norm(dim=1, keepdim=True), vector(1.0, -1.0).repeat(3)


def steps_to_one_percent(width: int, law: str, batch: int | None = None) -> int:
    """Steps of η = 6 b/(n width) until the loss is 1 % of what it was.

    Both laws give the same function at the start. "outputs": hidden weights N(0, 1), output weights ±1/√width.
    "hidden": N(0, 1/width) and ±1.
    """
    X, y = separated()
    f, n = ReLUNetwork(X, y, width, seed=1), len(X)
    start = f.random_start(2)
    if law == "hidden":
        f, start = copy.copy(f), start / math.sqrt(width)
        f.v = f.v * math.sqrt(width)
    most = 30 * (1 if law == "hidden" else width) * (1 if batch is None else 2)
    oracle = f if batch is None else MiniBatch(f, batch)
    loss = descend(oracle, gradient_descent, start, most, eta=6 * (batch or n) / n / width, record=("f",)).f
    return int((loss > 0.01 * loss[0]).sum())


def final(X: Tensor, y: Tensor, width: int, batch: int | None = None) -> tuple[float, float]:
    """The loss after 300 constant steps of gradient descent or SGD, and ‖w - w_0‖/‖w_0‖."""
    f = ReLUNetwork(X, y, width, seed=1)
    start = f.random_start(2)
    oracle, eta = (f, 3.0) if batch is None else (MiniBatch(f, batch), 1.0)
    w = descend(oracle, gradient_descent, start, 300, eta=eta, record=("w",), record_every=300).w[-1]
    return float(f.value(w)), float((w - start).norm() / start.norm())


def times(widths: tuple[int, int], batch: int | None = None) -> tuple[bool, dict[str, float]]:
    """Is the time of eq. (59) or (60) independent of the width for both laws? And the times measured."""
    T = {law: [steps_to_one_percent(m, law, batch) for m in widths] for law in ("hidden", "outputs")}
    numbers: dict[str, float] = {
        rf"hidden weights $N(0,\frac1m)$, $v=\pm1$: steps to 1 %, $m={widths[0]}$": T["hidden"][0],
        f"$m={widths[1]}$": T["hidden"][1],
        rf"$N(0,1)$, $v=\pm1/\sqrt m$, the same function at the start: $m={widths[0]}$": T["outputs"][0],
        f"then $m={widths[1]}$": T["outputs"][1],
    }
    return all(late < 2 * early for early, late in T.values()), numbers


@check("GG-P5")
def the_law_of_the_start_decides_the_time() -> Measured:
    same, numbers = times((20, 160))
    X, y = separated()
    moved = [final(X, y, m)[1] for m in (10, 1000)]
    X[1] = X[0]  # δ = 0, with different targets
    return Measured(
        as_printed=same,
        numbers={
            **numbers,
            "relative motion of the weights, $m=10$": moved[0],
            "$m=1000$": moved[1],
            r"final loss with two equal inputs ($\delta=0$)": final(X, y, 1000)[0],
        },
    )


@check("GG-P5-sgd")
def sgd_with_a_constant_step() -> Measured:
    same, numbers = times((20, 80), batch=2)
    loss, _ = final(*separated(), 1000, batch=2)
    return Measured(as_printed=same, numbers={**numbers, "$m=1000$, constant step: loss after 300 steps": loss})


@check("GG-8.1-k-fn2")
def normalizing_changes_the_distances() -> Measured:
    def as_written(x: Tensor) -> Tensor:
        """To length 1/√2, so that appending 1/√2 gives length 1."""
        x = x / x.norm(dim=-1, keepdim=True) / math.sqrt(2)
        return torch.cat([x, torch.full_like(x[..., :1], math.sqrt(0.5))], -1)

    def with_two_more(x: Tensor) -> tuple[Tensor, Tensor]:
        s = 1 / (math.sqrt(2) * x.norm(dim=-1).amax(-1))[..., None, None]
        rest = (0.5 - (s * x).square().sum(-1, keepdim=True)).clamp_min(0).sqrt()
        return torch.cat([s * x, rest, torch.full_like(rest, math.sqrt(0.5))], -1), s

    def distance(x: Tensor) -> float:
        return float((x[0] - x[1]).norm())

    parallel, orthogonal = torch.stack([vector(1.0, 0.0), vector(3.0, 0.0)]), torch.eye(2, dtype=f64)
    x = torch.randn(1000, 10, 3, generator=Generator().manual_seed(0), dtype=f64)
    z, s = with_two_more(x)
    unit = float((z.norm(dim=-1) - 1).abs().max())
    kept = float((torch.cdist(z, z) - s * torch.cdist(x, x)).min())
    return Measured(
        as_printed=distance(as_written(parallel)) > 0,
        as_repaired=unit < 1e-12 and kept > -1e-9,
        numbers={
            "inputs $(1,0)$ and $(3,0)$, at distance 2: distance afterwards": distance(as_written(parallel)),
            r"orthogonal unit inputs, at distance $\sqrt2$": distance(as_written(orthogonal)),
            "two extra coordinates, 1000 random sets: largest error of the norm": unit,
            r"smallest distance beyond $s\|x-x'\|$": kept,
        },
    )
