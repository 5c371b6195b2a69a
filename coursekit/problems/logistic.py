"""Logistic regression on data."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from .problem import Constant, FiniteSum


class LogisticRegression(FiniteSum):
    """f(w) = mean_i log(1 + exp(-y_i x_iᵀw)) + ½ ridge ‖w‖² for data X (n, d) and labels y (n,) in {-1, 1}.

    L = λ_max(XᵀX)/(4n) + ridge, attained at w = 0; mu = ridge, or None without one.
    """

    def __init__(self, X: Tensor, y: Tensor, ridge: float = 0.0) -> None:
        if X.ndim != 2 or y.shape != X.shape[:1]:
            raise ValueError(f"X must be (n, d) and y (n,), got {tuple(X.shape)} and {tuple(y.shape)}")
        if not bool((y.abs() == 1).all()):
            raise ValueError(f"y must hold labels -1 and 1 only, got {y.unique().tolist()[:5]}")
        if not ridge >= 0:
            raise ValueError(f"ridge must be at least 0, got {ridge!r}")
        self.n, self.dim = X.shape
        self.p = SimpleNamespace(X=X, y=y.to(X.dtype), ridge=float(ridge))
        self.L = Constant(float(torch.linalg.eigvalsh(X.T @ X / self.n)[-1]) / 4 + ridge)
        self.mu = self.pl = Constant(float(ridge)) if ridge > 0 else None

    @staticmethod
    def formula(w: Any, p: Any) -> Any:
        margin = p.y * (w.unsqueeze(-2) @ p.X.mT).squeeze(-2)
        return -torch.nn.functional.logsigmoid(margin).mean(-1) + p.ridge / 2 * (w * w).sum(-1)
