"""Oracles with randomness: mini-batches, reshuffled epochs, additive noise. Each run of a batch has its own."""

from __future__ import annotations

from typing import Self

import torch
from torch import Generator, Tensor

from ..problems.problem import FiniteSum, Problem
from .oracle import Oracle, Wrapper, finite_sum

# From the seed of one stream to that of the next: far apart, so that neighbouring seeds do not meet.
STREAM = 2654435769


class Stochastic(Wrapper):
    """An oracle whose every answer is that of a fresh :meth:`draw`.

    ``seed`` is a number, with which every run (:meth:`fresh`) begins anew, or a ``torch.Generator`` on the device
    of the points, which goes on from where it stands. Oracles around each other may share a number.
    """

    def __init__(self, inner: Problem | Oracle, seed: int | Generator = 0) -> None:
        super().__init__(inner)
        self.seed = seed
        self._generator: Generator | None = None

    def generator(self, w: Tensor) -> Generator:
        """The source of randomness, on the device of w."""
        if isinstance(self.seed, Generator):
            return self.seed
        if self._generator is None:
            self._generator = Generator(w.device).manual_seed(self.seed + STREAM * self._depth())
        return self._generator

    def _depth(self) -> int:
        """How many stochastic oracles lie inside this one: each has its own stream of random numbers."""
        depth, inner = 0, self.inner
        while isinstance(inner, Wrapper):
            depth, inner = depth + isinstance(inner, Stochastic), inner.inner
        return depth

    def fresh(self) -> Self:
        again = super().fresh()
        again._generator = None
        return again

    def draw(self, w: Tensor) -> Oracle:
        raise NotImplementedError("a stochastic oracle says how it draws")

    def value(self, w: Tensor) -> Tensor:
        return self.draw(w).value(w)

    def value_and_grad(self, w: Tensor) -> tuple[Tensor, Tensor]:
        return self.draw(w).value_and_grad(w)

    def per_example_grads(self, w: Tensor) -> Tensor:
        return self.draw(w).per_example_grads(w)

    def hvp(self, w: Tensor, v: Tensor) -> Tensor:
        return self.draw(w).hvp(w, v)

    def hessian(self, w: Tensor) -> Tensor:
        return self.draw(w).hessian(w)


class _Examples(Stochastic):
    """Mini-batches of ``size`` examples of a mean over n; a subclass says which."""

    def __init__(self, problem: FiniteSum, size: int, seed: int | Generator = 0) -> None:
        super().__init__(finite_sum(problem), seed)
        self.n, self.size = problem.n, size
        if not 1 <= size <= problem.n:
            raise ValueError(f"size must lie in [1, {problem.n}], got {size!r}")

    def indices(self, w: Tensor) -> Tensor:
        """Which examples the next draw is made of, shape (..., b): a set for each run of the batch w."""
        raise NotImplementedError

    def draw(self, w: Tensor) -> Oracle:
        return Oracle(finite_sum(self.problem).on(self.indices(w)), self.calls)

    def _shuffled(self, w: Tensor, size: int) -> Tensor:
        """``size`` of the n examples in random order, for each run: the places of the largest of n random keys."""
        keys = torch.rand(*w.shape[:-1], self.n, generator=self.generator(w), device=w.device, dtype=torch.float32)
        return keys.topk(size).indices


class MiniBatch(_Examples):
    """Each draw is the mean over ``size`` random examples, drawn anew: ∇f_B(w) = (1/b) Σ_{i in B} ∇f_i(w).

    With replacement the variance of ∇f_B is σ²/b, without it σ²/b · (n - b)/(n - 1), where σ² is the mean of
    ‖∇f_i - ∇f‖² over the n examples. Both are unbiased.
    """

    def __init__(
        self, problem: FiniteSum, size: int, *, replacement: bool = False, seed: int | Generator = 0
    ) -> None:
        super().__init__(problem, size, seed)
        self.replacement = replacement

    def indices(self, w: Tensor) -> Tensor:
        if not self.replacement:
            return self._shuffled(w, self.size)
        shape = (*w.shape[:-1], self.size)
        return torch.randint(self.n, shape, generator=self.generator(w), device=w.device)


class Epochs(_Examples):
    """Reshuffled epochs: mini-batches of ``size`` that use every example once before any comes again.

    Where ``size`` does not divide n, the last mini-batch of an epoch is smaller. ``shuffle=False`` keeps the
    examples in their order, epoch after epoch.
    """

    _order: Tensor | None = None
    _at: int = 0

    def __init__(self, problem: FiniteSum, size: int, *, shuffle: bool = True, seed: int | Generator = 0) -> None:
        super().__init__(problem, size, seed)
        self.shuffle = shuffle

    def fresh(self) -> Self:
        again = super().fresh()
        again._order, again._at = None, 0
        return again

    def indices(self, w: Tensor) -> Tensor:
        if self._order is None or self._at >= self.n or self._order.shape[:-1] != w.shape[:-1]:
            in_order = torch.arange(self.n, device=w.device).expand(*w.shape[:-1], self.n)
            self._order, self._at = self._shuffled(w, self.n) if self.shuffle else in_order, 0
        self._at += self.size
        return self._order[..., self._at - self.size : self._at]


class AdditiveNoise(Stochastic):
    """Each draw adds one Gaussian vector ξ to the gradients: that of f(w) + ξᵀw, whose Hessian is that of f.

    ξ ~ N(0, (σ²/dim) I), so that E‖ξ‖² = σ²; with ``per_coordinate=True`` ξ ~ N(0, σ² I) and E‖ξ‖² = σ² dim.
    """

    def __init__(
        self,
        inner: Problem | Oracle,
        sigma: float,
        *,
        per_coordinate: bool = False,
        seed: int | Generator = 0,
    ) -> None:
        super().__init__(inner, seed)
        if not 0 <= sigma < float("inf"):
            raise ValueError(f"sigma must lie in [0, inf), got {sigma!r}")
        self.scale = sigma if per_coordinate else sigma / self.problem.dim**0.5

    def draw(self, w: Tensor) -> Oracle:
        xi = torch.randn(w.shape, generator=self.generator(w), dtype=w.dtype, device=w.device)
        return _Tilted(self.inner.draw(w), self.scale * xi)


class _Tilted(Wrapper):
    """f(w) + ξᵀw for fixed ξ."""

    def __init__(self, inner: Oracle, xi: Tensor) -> None:
        super().__init__(inner)
        self.xi = xi

    def value(self, w: Tensor) -> Tensor:
        return self.inner.value(w) + (self.xi * w).sum(-1)

    def value_and_grad(self, w: Tensor) -> tuple[Tensor, Tensor]:
        f, g = self.inner.value_and_grad(w)
        return f + (self.xi * w).sum(-1), g + self.xi

    def per_example_grads(self, w: Tensor) -> Tensor:
        return self.inner.per_example_grads(w) + self.xi[..., None, :]
