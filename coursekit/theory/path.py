"""What theorems read off a run: the step size, times, distances and gaps, and the assumptions that many share."""

from __future__ import annotations

import sys
from typing import Any

import torch
from torch import Tensor

from ..problems.problem import Problem
from ..rules.gradient_descent import gradient_descent
from .theorem import Assumption, Constants, Evidence

# Evaluating f sums many terms. On the book's exact problems the rounding error of a side stayed below 2.2 units of
# the last place of those terms; 64 leaves room for longer sums. A violated theorem misses by far more.
ROUNDING = 64

# Convexity and its kin are asked of this many points of a path, evenly chosen, and of all their pairs; in a large
# batch, of this many runs.
ASKED = 40


def rounding(x: Any) -> float:
    """How much of the size of its terms a number like x may be off by."""
    return ROUNDING * (torch.finfo(x.dtype).eps if isinstance(x, Tensor) else sys.float_info.epsilon)


def at_most(x: Any, limit: Any) -> bool:
    """Is every entry of x at most the limit, rounding aside?"""
    return bool(torch.as_tensor(x <= limit + rounding(x) * abs(limit)).all())


def below(x: Any, limit: Any) -> bool:
    """Is every entry of x below the limit, and not at it but for rounding?"""
    return bool(torch.as_tensor(x < limit - rounding(x) * abs(limit)).all())


def has_constant_step(run: Evidence) -> bool:
    """Did every step of the run have the same size?"""
    return bool((run.eta == run.eta[:1]).all())


def eta(run: Evidence) -> Tensor:
    """The step size, one per run of the batch. Raises ValueError unless it is constant."""
    if not has_constant_step(run):
        raise ValueError("this theorem is about steps of constant size: give such a run")
    return run.eta[0]


def times(record: Tensor) -> Tensor:
    """t = 1, ..., T on the first axis, shaped to go with the record of a run, which has T + 1 entries."""
    t = torch.arange(1, len(record), dtype=record.dtype, device=record.device)
    return t.reshape(-1, *[1] * (record.ndim - 1))


def distance(run: Evidence, k: Constants) -> Tensor:
    """‖w_t - w*‖, shape (T+1, ...)."""
    return (run.w - k["w_star"].to(run.w)).norm(dim=-1)


def value_size(run: Evidence) -> Tensor:
    """What the rounding error of f is measured against, (T+1, ...): |f|, and the effect of rounding w if known."""
    moved = run.grad_norm * run.w.norm(dim=-1) if {"w", "grad_norm"} <= run.records.keys() else 0.0
    return run.f.abs() + moved


def chosen(path: Tensor) -> Tensor:
    """At most ASKED points of each of at most ASKED runs, evenly spread, the first and the last among them."""

    def spread(n: int) -> Tensor:
        return torch.linspace(0, n - 1, min(n, ASKED), device=path.device).round().long()

    runs = path if path.ndim < 3 else path.flatten(1, -2)
    runs = runs if path.ndim < 3 else runs[:, spread(runs.shape[1])]
    return runs[spread(len(runs))]


def above_tangents(problem: Problem, points: Tensor, mu: Any = 0.0) -> bool:
    """Is f(v) ≥ f(u) + ∇f(u)ᵀ(v - u) + ½ mu ‖v - u‖² for all u, v among the points (n, ..., dim)?"""
    f, g = problem.value_and_grad(points)
    step = points[None] - points[:, None]
    rise = (g[:, None] * step).sum(-1) + mu / 2 * (step * step).sum(-1)
    scale = f[:, None].abs() + f[None].abs() + (g[:, None] * step).abs().sum(-1)
    return bool((f[None] - f[:, None] - rise >= -rounding(f) * scale).all())


def step_up_to(limit: float, *, closed: bool, constant: bool = True) -> Any:
    """The predicate 0 < eta ≤ limit/L, or < limit/L if not closed; for a constant step size if so wished."""

    def met(run: Evidence, k: Constants) -> bool:
        if not bool((run.eta > 0).all()) or (constant and not has_constant_step(run)):
            return False
        eta_L = run.eta * k["L"]
        return at_most(eta_L, limit) if closed else below(eta_L, limit)

    return met


def is_convex(run: Evidence, k: Constants, mu: float = 0.0) -> bool:
    """Is f above its tangents, and is w* a minimizer, with the value f*? One found by computation counts."""
    points, w_star = chosen(run.w), k["w_star"].to(run.w)
    (f, g), (f_0, g_0) = run.problem.value_and_grad(w_star), run.problem.value_and_grad(run.w[:2])
    if not bool(g.norm() <= 1e-6 * g_0.norm(dim=-1).max()):
        return False
    if "f_star" in k and not bool((f - k["f_star"]).abs() <= 1e-9 * (f_0 - f).abs().max() + rounding(f) * f.abs()):
        return False
    return above_tangents(run.problem, torch.cat([points, w_star.expand_as(points[:1])]), mu)


SMOOTH = Assumption(
    "smoothness",
    r"the gradient of $f$ is $L$-Lipschitz, $L > 0$",
    lambda run, k: bool((torch.as_tensor(k["L"]) > 0).all()),
)
DESCENT = Assumption(
    "gradient descent",
    r"each step is $w_{t+1} = w_t - \eta \nabla f(w_t)$ with the exact gradient",
    lambda run, k: run.follows(gradient_descent),
)
UP_TO_ONE = Assumption("step", r"$0 < \eta \le 1/L$, constant", step_up_to(1, closed=True))
BELOW_TWO = Assumption("step", r"$0 < \eta < 2/L$, constant", step_up_to(2, closed=False))
CONVEX = Assumption(
    "convexity",
    r"$f$ is convex, and $w^\star$ minimizes it (checked at the points of the run and at $w^\star$)",
    is_convex,
)
STRONGLY_CONVEX = Assumption(
    "strong convexity",
    r"$f$ is $\mu$-strongly convex, $0 < \mu \le L$ (checked at the points of the run and at $w^\star$)",
    lambda run, k: at_most(k["mu"], k["L"]) and k["mu"] > 0 and is_convex(run, k, k["mu"]),
)
