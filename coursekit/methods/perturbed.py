"""Perturbed gradient descent: where the gradient has almost vanished, a random push shows whether to stay."""

from __future__ import annotations

import math
from typing import Self

import torch
from torch import Generator, Tensor

from ..oracles import Oracle
from ..oracles.altered import Altered
from ..problems.problem import Problem


class Perturbed(Altered):
    """Adds a uniform point ξ of a ball to the gradient where it is small: g + ξ if ‖g‖ ≤ ``below``, else g.

    After a push a run is left alone for ``wait`` steps, long enough for a negative curvature to show. The oracle
    of perturbed gradient descent: ``descend(Perturbed(f, 0.1, below=1e-3, wait=50), gradient_descent, w0)``, and
    of any other rule. The point itself is pushed by η ``radius`` at most; Jin et al. (2017, Algorithm 2) push it
    before its gradient is taken, w ← w + ξ - η ∇f(w + ξ), and stop where no decrease follows within ``wait``
    steps. Their later version (2021), noise at every step, is ``oracles.AdditiveNoise``. Source: PL-4-as.
    """

    def __init__(
        self,
        inner: Problem | Oracle,
        radius: float,
        *,
        below: float,
        wait: int,
        seed: int | Generator = 0,
    ) -> None:
        super().__init__(inner, seed)
        for name, value in (("radius", radius), ("below", below), ("wait", wait)):
            if not 0 <= value < math.inf:
                raise ValueError(f"{name} must lie in [0, inf), got {value!r}")
        self.radius, self.below, self.wait = radius, below, wait
        self._since: Tensor | None = None  # steps since the last push, for each run

    def fresh(self) -> Self:
        again = super().fresh()
        again._since = None
        return again

    def alter(self, g: Tensor) -> Tensor:
        norm = g.norm(dim=-1)
        since = torch.full_like(norm, math.inf) if self._since is None else self._since
        due = (norm <= self.below) & (since > self.wait)
        self._since = torch.where(due, 0, since) + 1
        return g + due[..., None] * self.radius * uniform_in_ball(g, self.generator(g))


def uniform_in_ball(like: Tensor, generator: Generator) -> Tensor:
    """Points of the unit ball, one for each vector of ``like``, all equally likely: radius U^(1/dim)."""
    direction = torch.empty_like(like).normal_(generator=generator)
    share = torch.empty_like(like[..., :1]).uniform_(generator=generator)
    return direction / direction.norm(dim=-1, keepdim=True) * share ** (1 / like.shape[-1])
