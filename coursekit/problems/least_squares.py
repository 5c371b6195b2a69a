"""Linear least squares on data, plain or with a ridge."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from .problem import Constant, FiniteSum


class LeastSquares(FiniteSum):
    """f(w) = ‖X w - y‖² / (2n) + ½ ridge ‖w‖² for data X (n, d) and targets y (n,).

    Its Hessian is XᵀX/n + ridge I, whose eigenvalues give L, mu and pl.
    """

    def __init__(self, X: Tensor, y: Tensor, ridge: float = 0.0) -> None:
        if X.ndim != 2 or y.shape != X.shape[:1]:
            raise ValueError(f"X must be (n, d) and y (n,), got {tuple(X.shape)} and {tuple(y.shape)}")
        if not ridge >= 0:
            raise ValueError(f"ridge must be at least 0, got {ridge!r}")
        self.n, self.dim = X.shape
        self.p = SimpleNamespace(X=X, y=y, ridge=float(ridge))
        lam = torch.linalg.eigvalsh(X.T @ X / self.n) + ridge
        zero = float(lam[-1]) * max(self.n, self.dim) * torch.finfo(X.dtype).eps
        positive = lam[lam > zero]
        self.L = Constant(float(lam[-1]))
        self.pl = Constant(float(positive[0]))
        self.mu = Constant(float(lam[0])) if len(positive) == self.dim else None
        # The ridge as d more rows: the least-squares solution of the longer system, accurate for any condition.
        rows = (self.n * ridge) ** 0.5 * torch.eye(self.dim, dtype=X.dtype, device=X.device)
        longer = (torch.cat([X, rows]), torch.cat([y, y.new_zeros(self.dim)])) if ridge else (X, y)
        # On the CPU, whose solver alone takes any rank.
        host = (x.cpu() for x in longer)
        self.w_star = torch.linalg.lstsq(*host, driver="gelsd").solution.to(X.device)
        self.f_star = Constant(float(self.value(self.w_star)))

    @staticmethod
    def formula(w: Any, p: Any) -> Any:
        residual = (w.unsqueeze(-2) @ p.X.mT).squeeze(-2) - p.y
        return (residual * residual).mean(-1) / 2 + p.ridge / 2 * (w * w).sum(-1)
