"""Quasi-Newton: learn the inverse Hessian from gradients. A step s changed the gradient by y, so ask B y = s."""

from __future__ import annotations

from collections import deque
from functools import partial

import torch
from torch import Tensor

from ..oracles import Oracle
from .line_search import Search, wolfe
from .minimize import Direction, Method

# A pair is learned only if cos(s, y) exceeds this: f must curve up along the step, or B is positive definite no
# longer. On a quadratic of condition number κ the cosine is at least 2√κ/(κ+1), so real pairs pass up to κ = 10¹⁶.
LEAST_COSINE = 1e-8


def bfgs(search: Search = wolfe, least_cosine: float = LEAST_COSINE) -> Method:
    """BFGS: B ← (I - ρ s yᵀ) B (I - ρ y sᵀ) + ρ s sᵀ with ρ = 1/sᵀy, and p = -B g.

    B is dense, dim² numbers like the Hessian. A pair with sᵀy ≤ least_cosine·‖s‖‖y‖ is skipped; -1 skips none.
    """
    _check(least_cosine)
    return Method("bfgs", partial(BFGS, least_cosine), search)


def lbfgs(memory: int = 10, search: Search = wolfe, least_cosine: float = LEAST_COSINE) -> Method:
    """L-BFGS: BFGS from the last ``memory`` pairs only, B g by two loops over them; 2·memory·dim numbers."""
    if memory < 1:
        raise ValueError(f"memory must be at least 1, got {memory!r}")
    _check(least_cosine)
    return Method("l-bfgs", partial(LBFGS, memory, least_cosine), search)


def _check(least_cosine: float) -> None:
    if not -1 <= least_cosine < 1:
        raise ValueError(f"least_cosine must lie in [-1, 1), got {least_cosine!r}")


class _QuasiNewton(Direction):
    """The first step is -g, cut to length 1: nothing is known yet. Afterwards -B g."""

    def __init__(self, least_cosine: float) -> None:
        self.least_cosine = least_cosine
        self.learned = False

    def __call__(self, oracle: Oracle, w: Tensor, g: Tensor) -> Tensor:
        return -self.times(g) if self.learned else -g / g.norm().clamp_min(1)

    def learn(self, s: Tensor, y: Tensor) -> None:
        if bool(s @ y > self.least_cosine * s.norm() * y.norm()):
            self.update(s, y)
            self.learned = True

    def times(self, v: Tensor) -> Tensor:
        """B v."""
        raise NotImplementedError

    def update(self, s: Tensor, y: Tensor) -> None:
        raise NotImplementedError


class BFGS(_QuasiNewton):
    """The dense inverse Hessian ``B``; it starts at (sᵀy / yᵀy) I of the first pair, whatever the units of f."""

    B: Tensor

    def times(self, v: Tensor) -> Tensor:
        return self.B @ v

    def update(self, s: Tensor, y: Tensor) -> None:
        sy = s @ y
        if not self.learned:
            self.B = sy / (y @ y) * torch.eye(len(s), dtype=s.dtype, device=s.device)
        # The product above, multiplied out: O(dim²) instead of O(dim³).
        By = self.B @ y
        cross = torch.outer(By, s)
        self.B = self.B + (1 + y @ By / sy) / sy * torch.outer(s, s) - (cross + cross.T) / sy


class LBFGS(_QuasiNewton):
    """The last pairs; B starts afresh at (sᵀy / yᵀy) I of the latest each time it is applied."""

    def __init__(self, memory: int, least_cosine: float) -> None:
        super().__init__(least_cosine)
        self.pairs: deque[tuple[Tensor, Tensor, Tensor]] = deque(maxlen=memory)

    def update(self, s: Tensor, y: Tensor) -> None:
        self.pairs.append((s, y, 1 / (s @ y)))

    def times(self, v: Tensor) -> Tensor:
        shares = []
        for s, y, rho in reversed(self.pairs):
            shares.append(rho * (s @ v))
            v = v - shares[-1] * y
        s, y, rho = self.pairs[-1]
        v = v / (rho * (y @ y))
        for (s, y, rho), share in zip(self.pairs, reversed(shares), strict=True):
            v = v + (share - rho * (y @ v)) * s
        return v
