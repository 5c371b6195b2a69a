"""What every problem offers: one formula, derivatives by autograd, and the constants that theory needs."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Literal

import torch
from torch import Tensor


@dataclass(frozen=True)
class Constant:
    """A number that a theorem uses, with how it is known."""

    value: float
    status: Literal["exact", "estimated"] = "exact"
    how: str = ""

    def __float__(self) -> float:
        return self.value


class Problem:
    """A function f of vectors w: the last axis holds the ``dim`` coordinates, leading axes are a batch.

    A problem is its ``formula(w, p)`` with parameters ``p``. Constants are None where nobody knows them:
    ``L`` (smoothness), ``mu`` (strong convexity), ``pl`` (Polyak-Lojasiewicz), ``f_star`` (infimum),
    ``w_star`` (a minimizer).
    """

    dim: int
    p: SimpleNamespace
    L: Constant | None = None
    mu: Constant | None = None
    pl: Constant | None = None
    f_star: Constant | None = None
    w_star: Tensor | None = None

    @staticmethod
    def formula(w: Any, p: Any) -> Any:
        """f(w): pure, made of operations that tensors and arrays of symbols share."""
        raise NotImplementedError("a problem states its formula")

    @property
    def name(self) -> str:
        return type(self).__name__

    def value(self, w: Tensor) -> Tensor:
        """f(w), shape (..., dim) -> (...)."""
        return self.formula(w, self.p)

    def value_and_grad(self, w: Tensor) -> tuple[Tensor, Tensor]:
        """f(w) and its gradient, shapes (...) and (..., dim)."""
        with torch.enable_grad():
            w = w.detach().requires_grad_(True)
            f = self.value(w)
            (g,) = torch.autograd.grad(f.sum(), w)
        return f.detach(), g

    def grad(self, w: Tensor) -> Tensor:
        """The gradient, shape (..., dim)."""
        return self.value_and_grad(w)[1]

    def hvp(self, w: Tensor, v: Tensor) -> Tensor:
        """Hessian times v, at every w of the batch, shape (..., dim)."""
        with torch.enable_grad():
            w = w.detach().requires_grad_(True)
            (g,) = torch.autograd.grad(self.value(w).sum(), w, create_graph=True)
            (hv,) = torch.autograd.grad((g * v).sum(), w)
        return hv

    def hessian(self, w: Tensor) -> Tensor:
        """The Hessian, shape (..., dim) -> (..., dim, dim), one Hessian-vector product per column."""
        basis = torch.eye(self.dim, dtype=w.dtype, device=w.device)
        basis = basis.reshape(self.dim, *[1] * (w.ndim - 1), self.dim)
        columns = self.hvp(w.expand(self.dim, *w.shape), basis.expand(self.dim, *w.shape))
        return columns.movedim(0, -1)

    def check_point(self, w: Tensor, name: str) -> None:
        """Raise ValueError unless w is a finite floating-point batch of ``dim`` coordinates."""
        if not isinstance(w, Tensor) or not w.is_floating_point():
            raise ValueError(f"{name} must be a floating-point tensor, got {type(w).__name__}")
        if w.ndim == 0 or w.shape[-1] != self.dim:
            raise ValueError(
                f"{name} must have {self.dim} coordinates on its last axis, got shape {tuple(w.shape)}"
            )
        if not bool(w.isfinite().all()):
            raise ValueError(f"{name} must be finite, got a NaN or an infinity")
