"""What theorems about stochastic gradients ask of an oracle and of a run, and how much noise there is."""

from __future__ import annotations

import torch
from torch import Tensor

from ..oracles import AdditiveNoise, MiniBatch, Oracle
from ..oracles.oracle import finite_sum
from ..rules.gradient_descent import gradient_descent
from .path import at_most, chosen, rounding
from .theorem import Assumption, Constants, Evidence


def example_variance(oracle: Oracle, w: Tensor) -> Tensor:
    """σ² = (1/n) Σ_i ‖∇f_i(w) - ∇f(w)‖², shape (..., dim) -> (...). ValueError if f is no mean over examples."""
    g = finite_sum(oracle.problem).per_example_grads(w)
    return (g - g.mean(-2, keepdim=True)).square().sum(-1).mean(-1)


def variance(oracle: Oracle, w: Tensor) -> Tensor:
    """E‖g - ∇f(w)‖² of the oracle's answer g at w, exactly, shape (..., dim) -> (...).

    For mini-batches, additive noise, both, and no noise; ValueError for any other oracle.
    """
    if isinstance(oracle, AdditiveNoise):
        return variance(oracle.inner, w) + oracle.scale**2 * oracle.problem.dim
    if isinstance(oracle, MiniBatch):
        left = 1.0 if oracle.replacement else (oracle.n - oracle.size) / max(oracle.n - 1, 1)
        return example_variance(oracle, w) * left / oracle.size
    if oracle.exact:
        return torch.zeros_like(w[..., 0])
    raise ValueError(f"the variance of {type(oracle).__name__} is not known: give MiniBatch or AdditiveNoise")


def second_moment(oracle: Oracle, w: Tensor) -> Tensor:
    """E‖g‖² = ‖∇f(w)‖² + the variance, shape (..., dim) -> (...)."""
    return oracle.problem.grad(w).square().sum(-1) + variance(oracle, w)


def is_unbiased(run: Evidence, k: Constants) -> bool:
    """Is the oracle one whose every answer has the mean ∇f(w), whatever happened before?"""
    oracle = run.oracle
    while isinstance(oracle, AdditiveNoise):
        oracle = oracle.inner
    return oracle.exact or isinstance(oracle, MiniBatch)


def before_the_end(run: Evidence) -> Tensor:
    """Some of the points at which a step was taken."""
    return chosen(run.w[:-1])


def is_sgd(run: Evidence, k: Constants) -> bool:
    """Is every step -η_t g_t, not projected?"""
    return run.rule is gradient_descent and run.project is None


SGD = Assumption("SGD", r"each step is $w_{t+1} = w_t - \eta_t g_t$", is_sgd)
UNBIASED = Assumption(
    "unbiased",
    r"$\mathbb E[g_t \mid w_0, \dots, w_t] = \nabla f(w_t)$ (checked by the kind of oracle)",
    is_unbiased,
)
BOUNDED_VARIANCE = Assumption(
    "variance",
    r"$\mathbb E[\|g_t - \nabla f(w_t)\|^2 \mid w_t] \le \sigma^2$ (checked at the points of the run)",
    lambda run, k: at_most(variance(run.oracle, before_the_end(run)), k["sigma2"]),
)
SECOND_MOMENT = Assumption(
    "second moment",
    r"$\mathbb E[\|g_t\|^2 \mid w_t] \le G^2$ (checked at the points of the run)",
    lambda run, k: at_most(second_moment(run.oracle, before_the_end(run)), k["G2"]),
)


def oscillation(run: Evidence) -> Tensor:
    """max f - min f along w_0, ..., w_T, per run."""
    return run.f.amax(0) - run.f.amin(0)


def _oscillates(run: Evidence, k: Constants) -> bool:
    slack = rounding(run.f) * run.f.abs().amax(0)
    return bool((oscillation(run) <= k["M"] + slack).all())


OSCILLATION = Assumption("oscillation", r"$\max_t f(w_t) - \min_t f(w_t) \le M$ on every run", _oscillates)
