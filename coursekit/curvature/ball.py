"""Sharpness: how far the value can rise within a ball around w."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ..problems.problem import Problem
from ..rules.ascent import ascent, normalizer
from ..rules.rule import check_range
from .module_loss import as_problem


def sharpness(
    f: Problem | nn.Module,
    at: Tensor | Callable[[], Tensor],
    rho: float | Tensor = 0.05,
    *,
    p: float = 2.0,
    adaptive: bool = False,
    floor: float = 0.0,
    steps: int = 1,
    seed: int | None = None,
) -> Tensor:
    """A lower bound on max f(w + ε) - f(w) over the ball ‖ε‖_p ≤ ρ, or ‖ε/(|w| + floor)‖_p ≤ ρ if ``adaptive``.

    ``f, at`` are a problem and a batch w (..., dim), or a module and its loss, as in :func:`hessian_of`; ``rho``
    may be a tensor that broadcasts with the batch (...), the shape of the result. Each of ``steps`` goes to the
    point of the ball where the linearization at the last point is largest: the first is SAM's, further ones climb
    where f is convex; the best value counts. Where the gradient vanishes no step moves: a ``seed`` starts at a
    random point of the sphere instead. Costs ``steps`` gradients and a value. Source: GG-eq49, GG-eq58.
    """
    problem, w = as_problem(f, at)
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps!r}")
    rule = ascent(p)
    h = rule.hyper(rho=rho)
    check_range("floor", floor)
    T = normalizer(w, floor) if adaptive else 1.0
    h.rho = torch.as_tensor(rho, dtype=w.dtype, device=w.device)[..., None]

    def climb(g: Tensor) -> Tensor:
        Tg = T * g
        return w + T * rule(w, Tg, (), rule.scalars_along(1, w, Tg, (), h), h)[0]

    here, g = problem.value_and_grad(w)
    if seed is not None:
        random = torch.Generator(w.device).manual_seed(seed)
        g, steps = torch.randn(w.shape, generator=random, dtype=w.dtype, device=w.device), steps + 1
    best = torch.zeros_like(here)
    for left in reversed(range(steps)):
        point = climb(g)
        if left:
            value, g = problem.value_and_grad(point)
        else:
            with torch.no_grad():
                value = problem.value(point)
        best = torch.maximum(best, value - here)
    return best
