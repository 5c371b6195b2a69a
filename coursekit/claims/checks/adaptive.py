"""Claims about what AdaGrad, RMSProp and Lion do and what they keep."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from ...descend import descend
from ...problems import Quadratic
from ...rules import Rule, adagrad, adagrad_norm, adam, adamw, lion, rmsprop
from ..check import Measured, check


def vector(*numbers: float) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float64)


def fed(made: Rule, gradients: Tensor, **hyper: float) -> Tensor:
    """The steps, (T, ...), that a rule takes from w = 0 when it is given these gradients one after the other."""
    h, w = made.hyper(**hyper), torch.zeros_like(gradients[0])
    state = tuple(torch.zeros_like(w) for _ in made.state)
    steps = []
    for t, g in enumerate(gradients, 1):
        step, state = made(w, g, state, made.scalars_along(t, w, g, state, h), h)
        w = w + step
        steps.append(step)
    return torch.stack(steps)


@check("TDL-RMSprop")
def rmsprop_by_coordinate() -> Measured:
    g = torch.randn(20, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    s, printed = torch.zeros(3, dtype=torch.float64), []
    for now in g:
        s = 0.9 * s + (1 - 0.9) * now * now
        printed.append(-0.01 / (s.sqrt() + 1e-8) * now)
    gap = float((fed(rmsprop, g, eta=0.01, beta=0.9) - torch.stack(printed)).abs().max())
    first = float(fed(rmsprop, g[:1], eta=1.0, beta=0.9).abs().mean())
    return Measured(
        gap < 1e-12,
        numbers={"largest deviation in 20 steps": gap, r"first step in units of $\eta$, $\gamma = 0.9$": first},
    )


@check("TDL-RMSprop-cycle")
def rmsprop_ends_in_a_cycle() -> Measured:
    f, start, T = Quadratic(vector(1.0)), vector(1.0), 2000

    def amplitude(eta: Any) -> float:
        return float(descend(f, rmsprop, start, T, record=("w",), eta=eta, beta=0.9).w[-10:].abs().max())

    constant = {eta: amplitude(eta) / eta for eta in (0.1, 0.01)}
    falling = amplitude(lambda t: 0.1 / math.sqrt(t))
    return Measured(
        as_printed=max(constant.values()) < 1e-3,
        as_repaired=falling < 2e-3 and falling / (0.1 / math.sqrt(T)) < 1,  # it shrinks with the step
        numbers={
            r"terminal amplitude over $\eta$, $\eta = 0.1$": constant[0.1],
            r"$\eta = 0.01$": constant[0.01],
            r"amplitude after 2000 steps with $\eta = 0.1/\sqrt t$": falling,
        },
    )


@check("TDL-Adagrad-problem")
def when_adagrads_rate_vanishes() -> Measured:
    T = 4000
    run = descend(Quadratic(vector(1.0)), adagrad, vector(1.0), 400, record=("w", "g"), eta=0.5, eps=0.0)
    exact = 0.5 / run.g[:-1].square().sum(0).sqrt().item()
    noise = torch.randn(T, 500, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    rates = -fed(adagrad, noise, eta=0.5)[-1] / noise[-1]  # near the minimizer the gradient is noise
    mean = float(rates.mean()) * math.sqrt(T)
    return Measured(
        as_printed=exact < 0.01,
        as_repaired=abs(mean - 0.5) < 0.01,
        numbers={
            r"$\frac12w^2$ without noise: rate after 400 steps": exact,
            "then $|w|$": float(run.w[-1].abs()),
            r"unit noise: mean rate times $\sqrt t$ after 4000 steps": mean,
        },
    )


@check("TDL-Lion")
def lion_moves_every_coordinate_by_eta() -> Measured:
    start, eta = vector(1.0, 1.0025), 0.01
    w = descend(Quadratic(vector(1.0, 100.0)), lion, start, 1000, record=("w",), eta=eta).w
    off_grid = float(((w - start) / eta - ((w - start) / eta).round()).abs().max())
    moved = (w[1:] - w[:-1]).abs()
    return Measured(
        off_grid < 1e-9 and bool(torch.allclose(moved, torch.full_like(moved, eta), atol=1e-12)),
        numbers={r"largest distance from the grid $w_1 + \eta\mathbb Z$ over $\eta$": off_grid},
    )


@check("TDL-Lion-memory")
def what_lion_keeps() -> Measured:
    g = torch.randn(20, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    steps = fed(lion, g, eta=1.0).abs()
    return Measured(
        len(lion.state) < len(adam.state) and bool((steps == 1).all()),
        numbers={"numbers kept per coordinate, Lion": len(lion.state), "Adam": len(adam.state)},
    )


@check("TDL-4.6.4-memory")
def what_adaptive_methods_keep() -> Measured:
    rules = {"AdaGrad": adagrad, "RMSProp": rmsprop, "Adam": adam, "AdamW": adamw}
    kept = {name: len(rule.state) for name, rule in rules.items()}
    return Measured(
        as_printed=all(n in (2, 3) for n in kept.values()),
        as_repaired=all(1 + n in (2, 3) for n in kept.values()),  # the weight itself counted
        numbers={f"numbers per coordinate beside the weight, {name}": n for name, n in kept.items()},
    )


@check("TDL-Alg4")
def adagrad_norm_without_a_step_size() -> Measured:
    lengths = {
        scale: float(fed(adagrad_norm, scale * vector(3.0, 4.0)[None], eps=0.0).norm())
        for scale in (1e-3, 1.0, 1e3)
    }
    f, start = Quadratic(vector(1.0)), vector(1e-3)
    values = descend(f, adagrad_norm, start, 1, eps=0.0).f
    return Measured(
        as_printed=bool(values[1] <= values[0]),
        numbers={
            r"length of the first step, gradient scaled by $10^{-3}$": lengths[1e-3],
            "by $10^3$": lengths[1e3],
            r"$\frac12w^2$ from $10^{-3}$: value after one step over value before": float(values[1] / values[0]),
        },
    )
