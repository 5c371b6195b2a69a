"""Shampoo: one small preconditioner for each axis of a tensor, instead of a huge one for all its numbers."""

from typing import Any

import torch
from torch import Tensor

from ..methods.full_adagrad import inverse_root
from ..rules.rule import rule
from .optimizer import RuleOptimizer, from_rule


def unfolded(G: Tensor, axis: int) -> Tensor:
    """G as a matrix with one row for each place on the axis."""
    return G.movedim(axis, 0).reshape(G.shape[axis], -1)


@rule(eta=0.1, eps=1e-4, every=1, scalars=lambda t, h: {"due": (t - 1) % h.every < 1})
def shampoo(w: Any, g: Any, state: Any, scalars: Any, h: Any) -> Any:
    """Shampoo (Gupta, Koren and Singer 2018): L ← L + G Gᵀ, R ← R + Gᵀ G, w ← w - η L^(-1/4) G R^(-1/4).

    L and R start at ε I. A tensor of k axes has one such matrix per axis, to the power -1/(2k): on a vector this
    is full-matrix AdaGrad; a scalar counts as a vector of one. Roots are taken at the first step and at each
    ``every``-th after it. An axis of length n takes 2 n² numbers, a root O(n³) work; on CUDA Python waits for it.
    """
    G = g.reshape(g.shape or 1)
    k = G.ndim
    L = tuple(state[i] + unfolded(G, i) @ unfolded(G, i).mT for i in range(k))
    roots = tuple(inverse_root(M, 2 * k, h.eps) for M in L) if scalars.due else state[k:]
    for i, root in enumerate(roots):
        G = torch.tensordot(root, G, ([1], [i])).movedim(0, i)
    return -h.eta * G.reshape(g.shape), (*L, *roots)


class _Shampoo(RuleOptimizer):
    def __init__(self, params: Any, lr: Any = None, *, compile: bool = False, **options: Any) -> None:
        if compile:
            raise ValueError("compile must be False for shampoo, got True: eigenvalues are not compiled")
        super().__init__(params, lr, **options)

    def _check_gradients(self) -> None:
        super()._check_gradients()
        for group in self.param_groups:
            for p in group["params"]:
                if p.dtype not in (torch.float32, torch.float64):
                    raise ValueError(f"parameters must be float32 or float64 for shampoo, got {p.dtype}")

    def _buffers(self, p: Tensor) -> dict[str, Tensor]:
        return {f"{name}{i}": p.new_zeros(n, n) for name in ("L", "root") for i, n in enumerate(p.shape or [1])}


Shampoo = from_rule(shampoo, base=_Shampoo)
