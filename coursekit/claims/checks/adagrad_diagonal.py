"""Claims about diagonal AdaGrad: TDL theorem 4.6.5, a noise that refutes it, and the bound with the factor d."""

from __future__ import annotations

import math
from functools import cache
from types import SimpleNamespace
from typing import Any, Self

import torch
from torch import Tensor

from ...descend import descend
from ...oracles import Wrapper
from ...problems import Problem
from ...rules import adagrad_predictable
from ..check import Measured, check
from .adagrad_theorems import AllPaths, oscillation
from .amgt_schedule import alone

L = 2.0
LIFT = 2 * L / math.pi**2  # from a minimum of the wave to a maximum


class Slope(Problem):
    """f(w) = w_1 + Σ_{i≥2} (L/π²)(1 - cos πw_i): L-smooth; minima and maxima of the waves at the integers."""

    p = SimpleNamespace()

    def __init__(self, dim: int) -> None:
        self.dim = dim

    @staticmethod
    def formula(w: Any, p: Any) -> Any:
        return w[..., 0] + LIFT / 2 * (1 - (math.pi * w[..., 1:]).cos()).sum(-1)


class Lifts(Wrapper):
    """The adversary: whenever f ≤ 0 after the first step, a coordinate not yet used sees noise +1 or -1.

    AdaGrad has no past there: it moves by exactly 1, to a maximum with zero gradient, and f rises.
    """

    t = used = 0

    def fresh(self) -> Self:
        again = super().fresh()
        again.t = again.used = 0
        return again

    def value_and_grad(self, w: Tensor) -> tuple[Tensor, Tensor]:
        f, g = self.inner.value_and_grad(w)
        self.t += 1
        if self.t > 1 and float(f) <= 0:
            self.used += 1
            g = g.clone()
            g[self.used] += (-1.0) ** self.used
        return f, g


def along_the_slope(T: int) -> tuple[list[float], int]:
    """f(w_1), ..., f(w_{T+1}) and how many coordinates were lifted, from the first coordinate alone.

    The others rest at integers: each counts 0 or LIFT, so no vector of all of them is needed.
    """
    first = alone(adagrad_predictable, lambda t, w: 1.0, 0.0, T, lambda t: 1.0)
    f, lifted = [0.0], 0
    for t in range(1, T + 1):
        lifted += t > 1 and f[-1] <= 0
        f.append(first[t] + lifted * LIFT)
    return f, lifted


@cache
def refuted(T: int) -> dict[str, float]:
    """Both sides of theorem 4.6.5 on the slope, where ‖∇_t‖ = 1 forever; σ = G = 1."""
    f, lifted = along_the_slope(T)
    M = max(f) - min(f)
    constant = M + L * math.log(T)
    return {
        "d": 1 + lifted,
        "M": M,
        "printed": constant * (math.sqrt(T) + lifted) / T,
        "restored": constant * (math.sqrt(T + 1) + lifted * math.sqrt(2)) / T,  # σ² kept in 1/P_T
    }


@check("TDL-T4.6.5")
def theorem_465() -> Measured:
    # The bookkeeping above against the real thing, all coordinates and the true gradient.
    T = 300
    f, lifted = along_the_slope(T)
    start = torch.zeros(lifted + 2, dtype=torch.float64)
    run = descend(Lifts(Slope(lifted + 2)), adagrad_predictable, start, T, record=("f", "grad_norm"))
    assert float((run.f - torch.tensor(f, dtype=torch.float64)).abs().max()) < 1e-9
    assert float((run.grad_norm - 1).abs().max()) < 1e-9
    far = refuted(100_000)
    repaired, rate = with_the_dimension()
    return Measured(
        as_printed=far["printed"] >= 1,
        as_repaired=far["restored"] >= 1,  # read charitably: expectations, σ² restored, GT ≥ e, M exact
        numbers={
            r"left side, $\frac1T\sum\|\nabla_t\|^2$": float(run.grad_norm[:-1].square().mean()),
            r"right side as printed, $T = 10^5$": far["printed"],
            r"with $\sigma^2$ restored": far["restored"],
            r"repaired with the factor $d$, 60 functions, all noise paths: largest left over right": repaired,
            r"its rate $\frac\sigma{\sqrt T}(M + \frac{dL}2\log_2(1+T))$: largest left over right": rate,
        },
    )


def with_the_dimension() -> tuple[float, float]:
    """Largest left over right of E ΣΣ ∇_t(i)²P_t(i) ≤ M + (dL/2) log₂(1+T), and of the rate it implies."""
    oracle = AllPaths(60, 2, seed=3)
    run = oracle.run(adagrad_predictable, sigma=oracle.sigma)
    past = run.g[:-1].square().cumsum(0) - run.g[:-1].square()
    P = (past + oracle.sigma[..., None].square()).rsqrt()
    gradient2 = torch.stack([oracle.waves.grad(w) for w in run.w[:-1]]).square()
    right = oscillation(run) + 2 * oracle.waves.smooth / 2 * math.log2(1 + oracle.T)
    weighted = oracle.mean((gradient2 * P).sum((0, -1)))
    mean = oracle.mean(gradient2.sum(-1).mean(0))
    rate = oracle.sigma[:, 0] / math.sqrt(oracle.T) * right
    return float((weighted / right).max()), float((mean / rate).max())
