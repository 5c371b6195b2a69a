"""Claims about where Adam converges and where it does not."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import torch
from torch import Tensor

from ...descend import descend
from ...oracles import Epochs, Oracle
from ...oracles.stochastic import Stochastic
from ...problems import OnlineLinear, Problem, Quadratic
from ...rules import Rule, adagrad, adam, amsgrad, rmsprop
from ...schedules import inverse_sqrt
from ..check import Measured, check
from .adaptive import vector
from .amgt_schedule import alone

ROUNDS = 60_000


def halved(t: int) -> float:
    """η_t = 0.5/√t."""
    return 0.5 * inverse_sqrt(t)


@cache
def online(made: Rule, **hyper: Any) -> tuple[float, float]:
    """Where 60000 rounds of 4x, -x, -x on [-1, 1] from 0 end, and the regret per round."""
    f = OnlineLinear()
    slopes = f.p.slopes.tolist()
    w = alone(made, lambda t, w: slopes[(t - 1) % 3], 0.0, ROUNDS, halved, bound=1.0, **hyper)
    start, oracle = torch.zeros(1, dtype=torch.float64), Epochs(f, 1, shuffle=False)
    same = descend(oracle, made, start, 90, record=("w",), project=lambda w: w.clamp(-1, 1), eta=halved, **hyper)
    assert math.isclose(float(same.w[-1]), w[90], abs_tol=1e-12)
    paid = sum(slopes[t % 3] * w[t] for t in range(ROUNDS))
    return w[-1], paid / ROUNDS - float(f.f_star or 0)


# β₁ = 0 and β₂ = 1/(1 + C²): the memory of the large gradient is gone before the next one comes.
SHORT: dict[str, float] = {"beta1": 0.0, "beta2": 1 / 17}


@check("AMGT-intro-adam")
def adam_ends_at_the_worst_point() -> Measured:
    end, regret = online(adam, **SHORT)
    return Measured(
        as_printed=end > 0.99 and regret > 1,
        numbers={"end of Adam (the best point is -1)": end, "its regret per round": regret},
    )


@check("TDL-adaptive-nonconv")
def several_adaptive_methods_fail() -> Measured:
    ends = {"Adam": online(adam, **SHORT)[0], "RMSProp": online(rmsprop, beta=1 / 17)[0]}
    safe = {"AMSGrad": online(amsgrad, **SHORT)[0], "AdaGrad": online(adagrad)[0]}
    return Measured(
        as_printed=min(ends.values()) > 0.99 and max(safe.values()) < -0.9,
        numbers={f"end of {name} (the best point is -1)": end for name, end in (ends | safe).items()},
    )


class _Skewed(Stochastic):
    """Gradients with noise 8.8 with probability 0.2 and -2.2 with 0.8: mean zero."""

    def draw(self, w: Tensor) -> Oracle:
        rare = torch.rand(w.shape, generator=self.generator(w), dtype=w.dtype, device=w.device) < 0.2
        return _Shifted(self.inner.problem, torch.where(rare, 8.8, -2.2))


class _Shifted(Oracle):
    exact = False

    def __init__(self, problem: Problem, xi: Tensor) -> None:
        super().__init__(problem)
        self.xi = xi

    def value_and_grad(self, w: Tensor) -> tuple[Tensor, Tensor]:
        f, g = super().value_and_grad(w)
        return f, g + self.xi


def settled(beta2: Tensor) -> tuple[Tensor, Tensor]:
    """Adam with β₁ = 0 on ½x² with skewed noise: mean iterate and mean f'² over the second half of 3000 steps."""
    starts = torch.zeros(len(beta2), 200, 1, dtype=torch.float64)
    noisy = _Skewed(Quadratic(vector(1.0)))
    w = descend(noisy, adam, starts, 3000, record=("w",), eta=halved, beta1=0.0, beta2=beta2[:, None]).w[1500:]
    return w.mean((0, 2, 3)), w.square().mean((0, 2, 3))


@check("KH-adam-rate")
def a_fixed_beta2_leaves_a_bias() -> Measured:
    (end, regret), (safe_end, safe_regret) = online(adam, **SHORT), online(amsgrad, **SHORT)
    beta2 = vector(0.01, 0.5, 0.9, 0.99, 0.999)
    bias, square = settled(beta2)
    return Measured(
        as_printed=regret < 0.1 and float(square.max()) < 0.1,
        as_repaired=safe_regret < 0.02 and float(square[-1]) < 0.1 and bool((bias.diff() < 0.02).all()),
        numbers={
            "4x, -x, -x on [-1, 1], 60000 rounds: end of Adam": end,
            "of AMSGrad": safe_end,
            r"$\frac12x^2$, skewed noise: mean iterate, $\beta_2 = 0.9$": float(bias[2]),
            r"$\beta_2 = 0.999$": float(bias[4]),
        },
    )
