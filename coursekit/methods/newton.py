"""Newton's method and its repairs: p solves H p = -g, or something safer where H is not positive definite."""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import Tensor

from ..oracles import Oracle
from .line_search import NoStep, Search, armijo, full_step
from .minimize import Direction, Method


def newton(search: Search = full_step) -> Method:
    """Newton: p = -H⁻¹ g, taken in full, so it goes to any stationary point, saddles and maxima included."""
    return Method("newton", _Newton, search)


def damped_newton(search: Search = armijo) -> Method:
    """Newton with a line search. It ends with a reason where -H⁻¹ g points uphill, which H ≻ 0 excludes."""
    return Method("damped newton", _Newton, search)


def regularized_newton(floor: float = 1e-3, search: Search = armijo) -> Method:
    """Newton with Levenberg's shift: p = -(H + τI)⁻¹ g, τ = 0 where H is positive definite.

    Elsewhere τ raises the lowest eigenvalue to ``floor`` times the largest |eigenvalue|, so p points downhill.
    The run's ``curvature`` is that lowest eigenvalue before the shift: negative where f curves down.
    """
    if not 0 < floor <= 1:
        raise ValueError(f"floor must lie in (0, 1], got {floor!r}")
    return Method("regularized newton", partial(_Shifted, floor), search)


def newton_cg(most: int | None = None, search: Search = armijo) -> Method:
    """Hessian-free Newton: conjugate gradients on H p = -g, each a Hessian-vector product; H is never formed.

    Solved to ‖Hp + g‖ ≤ min(½, √‖g‖)·‖g‖, which keeps fast convergence, and cut short after ``most`` products (dim
    by default) or at the first direction of curvature ≤ 0, where it returns what it has, or -g.
    """
    if most is not None and most < 1:
        raise ValueError(f"most must be at least 1, got {most!r}")
    return Method("newton-cg", partial(_ConjugateGradients, most), search)


class _Newton(Direction):
    def __call__(self, oracle: Oracle, w: Tensor, g: Tensor) -> Tensor:
        p, info = torch.linalg.solve_ex(oracle.hessian(w), -g)
        if int(info) or not bool(p.isfinite().all()):
            raise NoStep("the Hessian is singular: H p = -g has no one solution")
        return p


class _Shifted(Direction):
    def __init__(self, floor: float) -> None:
        self.floor = floor

    def __call__(self, oracle: Oracle, w: Tensor, g: Tensor) -> Tensor:
        lam, Q = torch.linalg.eigh(oracle.hessian(w))
        self.curvature, largest = float(lam[0]), float(lam.abs().max())
        definite = self.curvature > len(w) * torch.finfo(w.dtype).eps * largest
        shift = 0.0 if definite else self.floor * (largest or 1.0) - self.curvature
        return -(Q @ ((g @ Q) / (lam + shift)))


class _ConjugateGradients(Direction):
    def __init__(self, most: int | None) -> None:
        self.most = most

    def __call__(self, oracle: Oracle, w: Tensor, g: Tensor) -> Tensor:
        norm = float(g.norm())
        limit = min(0.5, math.sqrt(norm)) * norm
        p, residual, d = torch.zeros_like(g), g, -g
        self.curvature = math.inf
        for i in range(self.most or len(w)):
            Hd = oracle.hvp(w, d)
            dHd = d @ Hd
            self.curvature = min(self.curvature, float(dHd / (d @ d)))
            if not self.curvature > 0:
                return p if i else -g
            before = residual @ residual
            step = before / dHd
            p, residual = p + step * d, residual + step * Hd
            if float(residual.norm()) <= limit:
                break
            d = (residual @ residual) / before * d - residual
        return p
