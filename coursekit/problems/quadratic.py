"""Quadratics with any spectrum."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from .problem import Constant, Problem


class Quadratic(Problem):
    """f(w) = ½ Σ λ_i u_i² with u = w - w*, or u = Qᵀ(w - w*) with a ``basis`` Q of eigenvectors (columns).

    Eigenvalues may be zero (then there is no strong convexity, but PL holds) or negative (then no minimizer).
    """

    def __init__(self, eigenvalues: Tensor, w_star: Tensor | None = None, basis: Tensor | None = None) -> None:
        lam = torch.as_tensor(eigenvalues)
        if lam.ndim != 1 or not lam.is_floating_point() or not bool(lam.isfinite().all()):
            raise ValueError(f"eigenvalues must be a finite vector of floats, got {eigenvalues!r}")
        self.dim = len(lam)
        if basis is not None and basis.shape != (self.dim, self.dim):
            raise ValueError(f"basis must have shape {(self.dim, self.dim)}, got {tuple(basis.shape)}")
        center = torch.zeros_like(lam) if w_star is None else torch.as_tensor(w_star).to(lam)
        self.p = SimpleNamespace(lam=lam, w_star=center, basis=basis)
        self.L = Constant(float(lam.abs().max()))
        low = float(lam.min())
        if low >= 0:
            self.w_star, self.f_star = center, Constant(0.0)
            self.pl = Constant(float(lam[lam > 0].min())) if bool((lam > 0).any()) else None
        if low > 0:
            self.mu = Constant(low)

    @staticmethod
    def formula(w: Any, p: Any) -> Any:
        """½ Σ λ_i u_i² with u = w - w*, in eigen-coordinates where a basis is given."""
        u = w - p.w_star
        if p.basis is not None:
            u = u @ p.basis
        return (u * p.lam * u).sum(-1) / 2
