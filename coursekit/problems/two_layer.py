"""One hidden layer, output weights fixed: the two networks whose training is understood.

w holds the hidden weights W, shape (m, d), row after row. The loss is ½ the mean squared error, so its gradient
flow has the rate λ_min(H)/n with H = J Jᵀ the Gram matrix of the outputs' gradients (n, n).
"""

from __future__ import annotations

import math
from types import SimpleNamespace

import torch
from torch import Tensor

from .problem import Constant, FiniteSum


class _TwoLayer(FiniteSum):
    """Hidden weights on data X (n, d) with targets y (n,) and output weights v (m,)."""

    def __init__(self, X: Tensor, y: Tensor, v: Tensor) -> None:
        if X.ndim != 2 or y.shape != X.shape[:1]:
            raise ValueError(f"X must be (n, d) and y (n,), got {tuple(X.shape)} and {tuple(y.shape)}")
        if v.ndim != 1 or not len(v):
            raise ValueError(f"v must be a vector of output weights, got shape {tuple(v.shape)}")
        self.n, self.dim, self.v = len(X), len(v) * X.shape[1], v
        self.p = SimpleNamespace(X=X, y=y)

    def random_start(self, seed: int = 0) -> Tensor:
        """Independent standard normal hidden weights, shape (dim,), on the data's device."""
        draw = torch.Generator().manual_seed(seed)
        return torch.randn(self.dim, generator=draw, dtype=self.p.X.dtype).to(self.p.X.device)

    def outputs(self, w: Tensor) -> Tensor:
        """v·activation(W x) for every row x of X, shape (..., dim) -> (..., n)."""
        X = self.p.X
        W = w.reshape(*w.shape[:-1], len(self.v), X.shape[-1])
        return self._activation(X @ W.mT) @ self.v

    def value(self, w: Tensor) -> Tensor:
        """‖outputs - y‖²/(2n), shape (..., dim) -> (...)."""
        return (self.outputs(w) - self.p.y).square().mean(-1) / 2

    def gram(self, w: Tensor) -> Tensor:
        """H = J Jᵀ at one point w (dim,), shape (n, n): what gradient descent contracts the residuals with."""
        J = torch.func.jacrev(self.outputs)(w)
        return J @ J.T

    @staticmethod
    def _activation(a: Tensor) -> Tensor:
        raise NotImplementedError("a network states its activation")


class QuadraticNetwork(_TwoLayer):
    """Outputs Σ_j v_j (w_jᵀx)² = xᵀMx with M = Wᵀ diag(v) W: convex in M though not in W; source: GG-P4.

    With at least d entries of v of each sign every symmetric M is reached, every local minimum is global and every
    saddle strict, and ``f_star`` is that of a least-squares problem in M. With fewer it is not known.
    """

    def __init__(self, X: Tensor, y: Tensor, v: Tensor) -> None:
        super().__init__(X, y, v)
        n, d = X.shape
        if int((v > 0).sum()) >= d and int((v < 0).sum()) >= d:
            products = (X[:, :, None] * X[:, None, :]).reshape(n, d * d)
            left = y - products @ torch.linalg.pinv(products) @ y
            self.f_star = Constant(float((left * left).mean()) / 2, how="least squares in M")

    @staticmethod
    def _activation(a: Tensor) -> Tensor:
        return a * a


class ReLUNetwork(_TwoLayer):
    """Outputs Σ_r v_r max(0, w_rᵀx)/√m, v_r = ±1: wide enough, it stays near its start and fits any labels.

    As m grows ``gram`` at the start tends to :meth:`limit_gram` (Du, Zhai, Póczos and Singh 2019); source: GG-P5.
    """

    def __init__(self, X: Tensor, y: Tensor, width: int, seed: int = 0) -> None:
        if width < 1:
            raise ValueError(f"width must be at least 1, got {width!r}")
        draw = torch.Generator().manual_seed(seed)
        v = 2 * torch.randint(2, (width,), generator=draw).to(X.device, X.dtype) - 1
        super().__init__(X, y, v / math.sqrt(width))

    def limit_gram(self) -> Tensor:
        """The Gram matrix of infinite width: xᵀx' (π - ∠(x, x'))/(2π), shape (n, n)."""
        X = self.p.X
        unit = X / X.norm(dim=1, keepdim=True)
        angle = (unit @ unit.T).clamp(-1, 1).acos()
        return X @ X.T * (math.pi - angle) / (2 * math.pi)

    @staticmethod
    def _activation(a: Tensor) -> Tensor:
        return a.relu()
