"""Linear least squares on data."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from .problem import Constant, Problem


class LeastSquares(Problem):
    """f(w) = ‖X w - y‖² / (2n) for data X (n, d) and targets y (n,); its Hessian is XᵀX/n."""

    def __init__(self, X: Tensor, y: Tensor) -> None:
        if X.ndim != 2 or y.shape != X.shape[:1]:
            raise ValueError(f"X must be (n, d) and y (n,), got {tuple(X.shape)} and {tuple(y.shape)}")
        n, self.dim = X.shape
        self.p = SimpleNamespace(X=X, y=y)
        lam = torch.linalg.eigvalsh(X.T @ X / n)
        zero = float(lam[-1]) * max(n, self.dim) * torch.finfo(X.dtype).eps
        positive = lam[lam > zero]
        self.L = Constant(float(lam[-1]))
        self.pl = Constant(float(positive[0]))
        self.mu = Constant(float(lam[0])) if len(positive) == self.dim else None
        self.w_star = torch.linalg.lstsq(X, y, driver="gelsd").solution
        self.f_star = Constant(float(self.value(self.w_star)))

    @staticmethod
    def formula(w: Any, p: Any) -> Any:
        residual = w @ p.X.T - p.y
        return (residual * residual).mean(-1) / 2
