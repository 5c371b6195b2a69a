"""Claims about what AMGT's factor λ_t and its threshold do to convergence."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

from ...descend import Trajectory, descend
from ...problems import Application, Problem, Quadratic
from ...rules import Rule, amgt_reading
from ...stopping import Look
from ..check import Measured, check
from .adaptive import vector
from .amgt_conclusions import with_lambda
from .amgt_theorems import PLAIN, clipped

hard = amgt_reading("amgt_hard", window=2, scaling="none", threshold="hard")


def trials(f: Problem, gamma: float, etas: Tensor, level: float, T: int) -> Trajectory:
    """(14) with λ_t from 20 random starts, every step size, until f - f* is at most ``level``."""
    start = 2 * torch.randn(20, 1, f.dim, generator=torch.Generator().manual_seed(1), dtype=torch.float64)

    def reached(look: Look) -> Tensor:
        return look.f - float(f.f_star or 0) <= level

    return descend(f, with_lambda, start, T, record=("w",), stop=reached, eta=etas, gamma=gamma, alpha=0.0)


def median_steps(run: Trajectory) -> float:
    """The best median over the starts."""
    return float(run.stopped.double().median(0).values.min())


def sign_changes(run: Trajectory) -> float:
    """Mean number of changes of sign of a coordinate in the first 40 steps."""
    w = run.w[:41]
    return float((w[1:] * w[:-1] < 0).double().sum(0).mean())


@check("AMGT-lambda-effect")
def less_memory_is_not_always_faster() -> Measured:
    mild = {g: trials(Application(1), g, vector(0.03, 0.1, 0.2, 0.25), 1e-8, 400) for g in (0.0, 1.0)}
    valley = Quadratic(vector(1.0, 1000.0))
    narrow = {g: trials(valley, g, vector(0.001, 0.0019, 0.005, 0.02), 1e-6, 1000) for g in (0.0, 1.0)}
    steps, far = ({g: median_steps(run) for g, run in runs.items()} for runs in (mild, narrow))
    calmer = sign_changes(mild[1.0]) < sign_changes(mild[0.0])
    return Measured(
        as_printed=calmer and steps[1.0] < steps[0.0] and far[1.0] < far[0.0],
        as_repaired=calmer and steps[1.0] < 0.7 * steps[0.0] and far[0.0] < 1000,
        numbers={
            r"Application 1, best median of steps to $10^{-8}$, $\gamma = 0$": steps[0.0],
            r"$\gamma = 1$": steps[1.0],
            r"$\kappa = 1000$, to $10^{-6}$, $\gamma = 0$": far[0.0],
            r"$\kappa = 1000$, $\gamma = 1$ (1000: not reached)": far[1.0],
        },
    )


def error_of(made: Rule, f: Problem, start: Tensor, T: int) -> Tensor:
    """‖m̂_k - ∇f(x_k)‖ for k = 1, ..., T with β₁ = 0: what the threshold alone does. m̂ is read off the step."""
    w = descend(f, made, start, T, record=("w",), eta=0.1, beta1=0.0, tau=0.5, **PLAIN).w
    return torch.stack([(a - b) / 0.1 - f.grad(a) for a, b in pairwise(w)]).norm(dim=-1)


@check("AMGT-threshold-error")
def a_threshold_is_no_vanishing_error() -> Measured:
    f, T = Quadratic(vector(1.0, 3.0)), 400
    k = torch.arange(1, T + 1, dtype=torch.float64)
    hardly = error_of(hard, f, vector(1.0, 1.0), T)
    near, far = (error_of(clipped, f, scale * vector(1.0, 1.0), T) for scale in (1.0, 100.0))
    return Measured(
        as_printed=float((k * hardly)[-1]) < 2 * float((k * hardly)[T // 2])
        and float(far[0]) < 2 * float(near[0]),
        as_repaired=float(near[-1])
        < 1e-12,  # the norm clip, exact gradients, a bounded set: 0 after finitely many
        numbers={
            r"hard threshold $0.5$: $\|\hat m_k - \nabla f(x_k)\|$ at $k = 400$": float(hardly[-1]),
            r"norm clip at $0.5$: at $k = 1$ from $(1, 1)$": float(near[0]),
            "from $(100, 100)$": float(far[0]),
            r"from $(1, 1)$ at $k = 400$": float(near[-1]),
        },
    )
