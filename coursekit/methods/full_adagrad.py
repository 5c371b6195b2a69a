"""AdaGrad with the full matrix: each direction has its step divided by the size of past gradients along it."""

import math
from functools import partial

import torch
from torch import Tensor

from ..oracles import Oracle
from .line_search import full_step
from .minimize import Direction, Method


def inverse_root(M: Tensor, p: float, eps: float) -> Tensor:
    """(M + ε I)^(-1/p) of a symmetric positive semidefinite M; at ε = 0 the pseudo-inverse where M is singular."""
    lam, Q = torch.linalg.eigh(M)
    noise = len(lam) * torch.finfo(lam.dtype).eps * lam[-1]
    lam = torch.where(lam > noise, lam, 0) + eps
    return Q * torch.where(lam > 0, lam, torch.inf) ** (-1 / p) @ Q.mT


def full_adagrad(eta: float = 0.01, eps: float = 1e-10) -> Method:
    """Full-matrix AdaGrad (Duchi, Hazan and Singer 2011): G ← G + g gᵀ, w ← w - η (G + ε I)^(-1/2) g.

    G is dense, dim² numbers, and each step takes its eigenvectors, O(dim³). A rotated problem gives the rotated
    path, as it does not with the diagonal rule ``adagrad``. ε = 0 is allowed. Shampoo on a vector is this method.
    """
    if not 0 <= eps < math.inf:
        raise ValueError(f"eps must lie in [0, inf), got {eps!r}")
    return Method("full-matrix adagrad", partial(_FullMatrix, eps), partial(full_step, eta=eta))


class _FullMatrix(Direction):
    def __init__(self, eps: float) -> None:
        self.eps = eps
        self.G: Tensor | float = 0.0

    def __call__(self, oracle: Oracle, w: Tensor, g: Tensor) -> Tensor:
        self.G = self.G + torch.outer(g, g)
        return -inverse_root(self.G, 2, self.eps) @ g
