"""Projections on convex sets, for ``descend(..., project=ball(1.0))``: the nearest point of the set.

Each maker gives a function w -> P(w), shape (..., dim) -> (..., dim). The start of a run is taken as it is given,
outside or not; every later point lies in the set.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

Projection = Callable[[Tensor], Tensor]


def ball(radius: float, center: Tensor | float = 0.0) -> Projection:
    """On {‖w - c‖₂ ≤ r}: c + (w - c) min(1, r / ‖w - c‖₂)."""
    _check(radius)

    def project(w: Tensor) -> Tensor:
        out = w - center
        return center + out * (radius / out.norm(dim=-1, keepdim=True)).clamp_max(1)

    return project


def box(low: Tensor | float, high: Tensor | float) -> Projection:
    """On {low ≤ w ≤ high}, coordinate by coordinate; the bounds are numbers or broadcast with w."""
    if not bool((torch.as_tensor(low) <= torch.as_tensor(high)).all()):
        raise ValueError(f"low must be at most high, got {low!r} and {high!r}")
    return lambda w: w.clip(min=low).clip(max=high)


def simplex(total: float = 1.0) -> Projection:
    """On {w ≥ 0, Σ w_i = total}: (w - θ)₊ with the θ for which it adds up (Duchi et al. 2008)."""
    _check(total, "total")

    def project(w: Tensor) -> Tensor:
        u = w.sort(dim=-1, descending=True).values
        k = torch.arange(1, w.shape[-1] + 1, dtype=w.dtype, device=w.device)
        theta = (u.cumsum(-1) - total) / k  # if the k largest stay positive; the right k makes it largest
        return (w - theta.amax(-1, keepdim=True)).clamp_min(0)

    return project


def l1_ball(radius: float) -> Projection:
    """On {‖w‖₁ ≤ r}: w itself, or the signs of w times the projection of \\|w\\| on the simplex of total r."""
    _check(radius)
    shrink = simplex(radius)
    return lambda w: torch.where(w.abs().sum(-1, keepdim=True) <= radius, w, w.sign() * shrink(w.abs()))


def _check(value: float, name: str = "radius") -> None:
    if not 0 < value < math.inf:
        raise ValueError(f"{name} must lie in (0, inf), got {value!r}")
