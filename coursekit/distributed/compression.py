"""Compressed gradients: fewer numbers, or numbers of few values, so that there is less to send.

A compressor is a function (g, generator) -> C(g), shape (..., dim) -> (..., dim), of each vector by itself.
``functools.partial(top_k, k=10)`` fixes its setting.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

import torch
from torch import Generator, Tensor

from ..oracles import Oracle
from ..oracles.altered import Altered
from ..problems.problem import Problem

Compressor = Callable[[Tensor, Generator], Tensor]


def top_k(g: Tensor, generator: Generator | None = None, *, k: int) -> Tensor:
    """The k entries of largest magnitude, the others zero: biased, with ‖C(g) - g‖² ≤ (1 - k/dim) ‖g‖²."""
    _check_k(k, g)
    return _only(g.abs().topk(k).indices, g)


def random_k(g: Tensor, generator: Generator, *, k: int) -> Tensor:
    """k random entries times dim/k, the others zero: unbiased, with E‖C(g) - g‖² = (dim/k - 1) ‖g‖²."""
    _check_k(k, g)
    keys = torch.empty_like(g).uniform_(generator=generator)
    return _only(keys.topk(k).indices, g) * (g.shape[-1] / k)


def quantized(g: Tensor, generator: Generator, *, levels: int) -> Tensor:
    """QSGD (Alistarh et al.): ‖g‖ sign(g_i) l_i/s, with s = ``levels`` and an integer l_i beside s\\|g_i\\|/‖g‖.

    Which of the two is random, so that the mean is g: unbiased. E‖C(g) - g‖² ≤ min(dim/s², √dim/s) ‖g‖².
    """
    if levels < 1:
        raise ValueError(f"levels must be at least 1, got {levels!r}")
    norm = g.norm(dim=-1, keepdim=True)
    place = levels * g.abs() / torch.where(norm > 0, norm, 1.0)
    level = (place + torch.empty_like(g).uniform_(generator=generator)).floor()
    return norm * g.sign() * level / levels


class Compressed(Altered):
    """Gradients compressed before the method sees them: C(g), or with ``feedback`` C(g + e).

    Error feedback keeps what was left out, e ← g + e - C(g + e), and adds it to the next gradient, so that a
    biased compressor loses nothing for ever. It asks for ‖C(g) - g‖ < ‖g‖, as of :func:`top_k`, and a constant η.
    """

    def __init__(
        self,
        inner: Problem | Oracle,
        compressor: Compressor,
        *,
        feedback: bool = False,
        seed: int | Generator = 0,
    ) -> None:
        super().__init__(inner, seed)
        self.compressor, self.feedback = compressor, feedback
        self._left_out: Tensor | float = 0.0

    def fresh(self) -> Self:
        again = super().fresh()
        again._left_out = 0.0
        return again

    def alter(self, g: Tensor) -> Tensor:
        wanted = g + self._left_out
        sent = self.compressor(wanted, self.generator(g))
        if self.feedback:
            self._left_out = wanted - sent
        return sent


def _only(indices: Tensor, g: Tensor) -> Tensor:
    return torch.zeros_like(g).scatter(-1, indices, g.gather(-1, indices))


def _check_k(k: int, g: Tensor) -> None:
    if not 1 <= k <= g.shape[-1]:
        raise ValueError(f"k must lie in [1, {g.shape[-1]}], got {k!r}")
