"""Curvature by Hessian-vector products: how much the gradient changes, measured where the run goes."""

from __future__ import annotations

import torch
from torch import Tensor

from .problems.problem import Problem


def largest_curvature(problem: Problem, w: Tensor, steps: int = 10, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Largest |eigenvalue| of the Hessian at every point of the batch w (..., dim), by Lanczos.

    Returns (value, residual), both of shape (...): some eigenvalue lies within ``residual`` of ``value``.
    Costs ``steps`` Hessian-vector products.
    """
    problem.check_point(w, "w")
    steps = min(steps, problem.dim)
    v = torch.randn(problem.dim, generator=torch.Generator().manual_seed(seed), dtype=w.dtype).to(w.device)
    basis = [(v / v.norm()).expand_as(w)]
    alpha, beta = [], []
    for _ in range(steps):
        u = problem.hvp(w, basis[-1])
        alpha.append((u * basis[-1]).sum(-1))
        for _ in range(2):  # twice is enough to keep the basis orthogonal to rounding
            for b in basis:
                u = u - (u * b).sum(-1, keepdim=True) * b
        beta.append(u.norm(dim=-1))
        basis.append(u / beta[-1][..., None].clamp_min(torch.finfo(w.dtype).tiny))
    # A breakdown (beta = 0) means that the basis already spans an invariant subspace: what follows is zero.
    T = torch.diag_embed(torch.stack(alpha, -1))
    if steps > 1:
        off = torch.stack(beta[:-1], -1)
        T = T + torch.diag_embed(off, 1) + torch.diag_embed(off, -1)
    values, vectors = torch.linalg.eigh(T)
    best = values.abs().argmax(-1, keepdim=True)
    last = vectors[..., -1, :].gather(-1, best).squeeze(-1)
    return values.gather(-1, best).squeeze(-1).abs(), (beta[-1] * last).abs()


def smoothness_along(problem: Problem, path: Tensor, points: int = 5, steps: int = 10) -> Tensor:
    """An estimate of L on each segment of a path (T+1, ..., dim): the largest |curvature| at ``points`` of it.

    Shape (T, ...). It is an estimate: the curvature between the points is not seen, and Lanczos approaches
    the largest eigenvalue from below, so its residual is added.
    """
    s = torch.linspace(0, 1, points, dtype=path.dtype, device=path.device)
    s = s.reshape(points, *[1] * path.ndim)
    value, residual = largest_curvature(problem, path[:-1] + s * (path[1:] - path[:-1]), steps)
    return (value + residual).amax(0)
