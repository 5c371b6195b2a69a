"""The Hessian at a point as a linear operator: the graph of the gradient is built once, each product reuses it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import overload

import torch
from torch import Tensor, nn

from ..oracles import Calls
from ..problems.problem import Problem
from .module_loss import as_problem

Product = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Operator:
    """A symmetric operator v -> H v on vectors shaped like ``point`` (..., dim); it counts its products.

    Leading axes are a batch: one H for each. :func:`hessian_of` makes it of f; any other ``product`` will do, a
    Gauss-Newton matrix or a dense one.
    """

    product: Product
    point: Tensor
    calls: Calls = field(default_factory=Calls)

    @property
    def dim(self) -> int:
        """Number of coordinates."""
        return self.point.shape[-1]

    def hvp(self, v: Tensor) -> Tensor:
        """H v, shape (..., dim)."""
        if v.shape != self.point.shape:
            raise ValueError(f"v must have shape {tuple(self.point.shape)}, got {tuple(v.shape)}")
        self.calls.hvps += 1
        return self.product(v)

    def generator(self, seed: int) -> torch.Generator:
        """Random numbers made where the operator lives, so that none is copied between devices."""
        return torch.Generator(self.point.device).manual_seed(seed)


@overload
def hessian_of(f: Problem, at: Tensor) -> Operator: ...
@overload
def hessian_of(f: nn.Module, at: Callable[[], Tensor]) -> Operator: ...
def hessian_of(f: Problem | nn.Module, at: Tensor | Callable[[], Tensor]) -> Operator:
    """The Hessian of a problem at every point of the batch w, or of a module's loss at its present parameters.

    ``hessian_of(problem, w)``, or ``hessian_of(module, lambda: loss(module(x), y))``: there w holds the module's
    trainable parameters one after the other, and the loss is evaluated once, so dropout draws one mask. It costs
    one gradient, and a product 1.6 more; the graph lives as long as the operator. ValueError for a loss that is
    no finite scalar or that depends on no parameter. (Attention needs torch's ``SDPBackend.MATH`` while this runs:
    its fused kernels have no second derivative.)
    """
    f, w = as_problem(f, at)
    with torch.enable_grad():
        w = w.detach().clone().requires_grad_(True)
        value = f.value(w).sum()
        if not bool(value.isfinite()):
            raise ValueError(f"the loss must be finite, got {value.item()}")
        (g,) = torch.autograd.grad(value, w, create_graph=True, allow_unused=True)
        if g is None:
            raise ValueError("the loss does not depend on the module's trainable parameters")

    def product(v: Tensor) -> Tensor:
        if not g.requires_grad:  # f is linear in w: its gradient depends on nothing
            return torch.zeros_like(v)
        return torch.autograd.grad(g, w, v, retain_graph=True, materialize_grads=True)[0]

    return Operator(product, w.detach(), Calls(gradients=1))
