"""What every problem offers: one formula, derivatives by autograd, and the constants that theory needs."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Literal, Self

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
            if not g.requires_grad:  # f is linear
                return torch.zeros_like(g)
            (hv,) = torch.autograd.grad((g * v).sum(), w)
        return hv

    def hessian(self, w: Tensor) -> Tensor:
        """The Hessian, shape (..., dim) -> (..., dim, dim), one Hessian-vector product per column."""
        basis = torch.eye(self.dim, dtype=w.dtype, device=w.device)
        basis = basis.reshape(self.dim, *[1] * (w.ndim - 1), self.dim)
        columns = self.hvp(w.expand(self.dim, *w.shape), basis.expand(self.dim, *w.shape))
        return columns.movedim(0, -1)

    def to(self, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> Self:
        """The same problem with its tensors on another device, or of another dtype if they are floats: a copy."""

        def change(x: Tensor) -> Tensor:
            return x.to(device, dtype if x.is_floating_point() else None)

        again = copy.copy(self)
        vars(again).update({name: change(x) for name, x in vars(self).items() if isinstance(x, Tensor)})
        again.p = mapped(self.p, change)
        return again

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


class FiniteSum(Problem):
    """A mean over n examples: f(w) = (1/n) Σ_i f_i(w). The tensors among its parameters ``p`` hold the examples.

    Their examples lie on the axis after ``axes`` leading ones, which are axes of runs: each run has its own.
    """

    n: int
    axes: int = 0

    def on(self, indices: Tensor) -> Self:
        """The mean over the examples of these indices only; (..., b) gives a set of b to each run of the batch.

        Its constants are not known. Raises ValueError unless the indices are integers.
        """
        if indices.ndim == 0 or indices.is_floating_point() or indices.dtype == torch.bool:
            raise ValueError(
                f"indices must be integers of shape (..., b), got {indices.dtype} {tuple(indices.shape)}"
            )
        if self.axes:
            raise ValueError(f"indices have been chosen already, of {self.axes} batch axes: choose from the whole")

        def choose(data: Tensor) -> Tensor:  # data[indices], in a fifth of its time
            return data.index_select(0, indices.flatten().to(data.device)).unflatten(0, indices.shape)

        return self._part(choose, indices.shape[-1], indices.ndim - 1)

    def per_example_grads(self, w: Tensor) -> Tensor:
        """The gradient of every example, shape (..., dim) -> (..., n, dim); their mean over n is the gradient."""
        alone = self._part(lambda data: data.unsqueeze(self.axes + 1), 1, self.axes + 1)
        return alone.grad(w[..., None, :].expand(*w.shape[:-1], self.n, self.dim))

    def _part(self, choose: Callable[[Tensor], Tensor], n: int, axes: int) -> Self:
        part = copy.copy(self)
        part.p = mapped(self.p, choose)
        part.n, part.axes = n, axes
        part.L = part.mu = part.pl = part.f_star = part.w_star = None
        return part


def mapped(numbers: SimpleNamespace, change: Callable[[Tensor], Tensor]) -> SimpleNamespace:
    """The same names; every tensor among the values is changed, all else is as it was."""
    return SimpleNamespace(**{k: change(v) if isinstance(v, Tensor) else v for k, v in vars(numbers).items()})
