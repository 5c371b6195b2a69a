"""Eigenvalues of the Hessian by Lanczos, with residuals that say how good they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from ..problems.problem import Problem
from .lanczos import Lanczos
from .operator import Operator, hessian_of

Which = Literal["magnitude", "largest", "smallest"]


@dataclass(frozen=True)
class Eigenpairs:
    """``values`` (k,), unit ``vectors`` (k, dim) as rows, and ``residuals`` ‖H v - λ v‖ (k,); ``products`` used.

    Within its residual of each value lies an eigenvalue of H. ``converged`` says that all k were found, each with
    a residual of at most tol·|λ|.
    """

    values: Tensor
    vectors: Tensor
    residuals: Tensor
    products: int
    converged: bool


def eigenpairs(
    H: Operator,
    k: int = 1,
    which: Which = "magnitude",
    *,
    tol: float = 1e-3,
    most: int = 300,
    check_every: int = 1,
    seed: int = 0,
) -> Eigenpairs:
    """The k eigenvalues of largest |λ|, or the ``largest`` or ``smallest`` ones, the wanted end first.

    Stops when |β_m s_m| ≤ tol·|λ| for each, which is looked at every ``check_every`` products, or after ``most``;
    a vector is kept for each product. ValueError for a batch, a bad option, or an operator that is not symmetric.
    No method that only multiplies can exclude that a larger eigenvalue hides from its start, which is random here.
    Of a multiple eigenvalue one copy is seen: fewer than k values come back where fewer are distinct.
    """
    if H.point.ndim != 1:
        raise ValueError(f"eigenpairs takes one operator, got a batch of shape {tuple(H.point.shape[:-1])}")
    if which not in ("magnitude", "largest", "smallest"):
        raise ValueError(f"which must be 'magnitude', 'largest' or 'smallest', got {which!r}")
    if not 1 <= k <= H.dim:
        raise ValueError(f"k must lie in [1, {H.dim}], got {k!r}")
    if not tol > 0:
        raise ValueError(f"tol must be positive, got {tol!r}")
    if most < k:
        raise ValueError(f"most must be at least k = {k}, got {most!r}")
    if check_every < 1:
        raise ValueError(f"check_every must be at least 1, got {check_every!r}")
    most = min(most, H.dim)
    before = H.calls.hvps
    lanczos = Lanczos(H, _random(H, seed))
    while True:
        lanczos.extend()
        m = len(lanczos)
        if m < most and m % check_every:
            continue
        rank = int(lanczos.rank)
        values, S, residuals = lanczos.ritz(min(rank, m))
        key = {"magnitude": -values.abs(), "largest": -values, "smallest": values}[which]
        best = key.argsort()[:k]
        converged = len(best) == k and bool((residuals[best] <= tol * values[best].abs()).all())
        if converged or rank <= m or m == most:
            vectors = S[:, best].mT @ lanczos.Q[: len(S)]
            return Eigenpairs(values[best], vectors, residuals[best], H.calls.hvps - before, converged)


def largest_curvature(problem: Problem, w: Tensor, steps: int = 10, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Largest |eigenvalue| of the Hessian at every point of the batch w (..., dim), by Lanczos.

    Returns (value, residual), both of shape (...): some eigenvalue lies within ``residual`` of ``value``.
    Costs ``steps`` Hessian-vector products.
    """
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps!r}")
    H = hessian_of(problem, w)
    lanczos = Lanczos(H, _random(H, seed))
    for _ in range(min(steps, H.dim)):
        lanczos.extend()
    values, _, residuals = lanczos.ritz()
    best = values.abs().argmax(-1, keepdim=True)
    return values.gather(-1, best).squeeze(-1).abs(), residuals.gather(-1, best).squeeze(-1)


def smoothness_along(problem: Problem, path: Tensor, points: int = 5, steps: int = 10) -> Tensor:
    """An estimate of L on each segment of a path (T+1, ..., dim): the largest |curvature| at ``points`` of it.

    Shape (T, ...). It is an estimate: the curvature between the points is not seen, and Lanczos approaches
    the largest eigenvalue from below, so its residual is added.
    """
    s = torch.linspace(0, 1, points, dtype=path.dtype, device=path.device)
    s = s.reshape(points, *[1] * path.ndim)
    value, residual = largest_curvature(problem, path[:-1] + s * (path[1:] - path[:-1]), steps)
    return (value + residual).amax(0)


def _random(H: Operator, seed: int) -> Tensor:
    """A direction that favours none, the same for each H of a batch, made on the operator's device."""
    return torch.randn(H.dim, generator=H.generator(seed), dtype=H.point.dtype, device=H.point.device)
