"""The SAM family as oracles: any first-order rule that asks them descends with the gradient at w + ε."""

from __future__ import annotations

from types import SimpleNamespace

import torch
from torch import Generator, Tensor

from ..oracles import Oracle, Stochastic, Wrapper
from ..problems.problem import Problem
from ..rules import ascent, normalizer, thinned
from ..rules.rule import check_range


class Ascended(Stochastic):
    """Answers with f(w) and the gradient ∇f(w + ε(w)); made by :func:`sam` and :func:`asam`.

    Both gradients are of one draw of the oracle inside: of the same mini-batch, with the same noise.
    """

    def __init__(
        self,
        inner: Problem | Oracle,
        rho: float | Tensor,
        p: float,
        floor: float | None,
        beta: float,
        seed: int | Generator,
        through: bool,
    ) -> None:
        super().__init__(inner, seed)
        check_range("rho", rho)
        if floor is not None:
            check_range("floor", floor)
        if not 0 < beta <= 1:
            raise ValueError(f"beta must lie in (0, 1], got {beta!r}")
        self.rule, self.floor, self.beta, self.through = ascent(p), floor, beta, through
        self.h = SimpleNamespace(rho=rho[..., None] if isinstance(rho, Tensor) and rho.ndim else rho)

    def draw(self, w: Tensor) -> Oracle:
        kept = thinned(torch.ones_like(w), self.beta, self.generator(w)) if self.beta < 1 else None
        return _Drawn(self.inner.draw(w), self, kept)

    def epsilon(self, w: Tensor, g: Tensor) -> Tensor:
        """ε for the gradient g at w, shapes (..., dim), before any coordinate is left out."""
        if isinstance(self.h.rho, Tensor):
            self.h.rho = self.h.rho.to(w)  # copied in the first step only
        if self.floor is None:
            return self._step(w, g)
        T = normalizer(w, self.floor)
        return T * self._step(w, T * g)

    def _step(self, w: Tensor, g: Tensor) -> Tensor:
        return self.rule(w, g, (), self.rule.scalars_along(1, w, g, (), self.h), self.h)[0]


class _Drawn(Wrapper):
    """The answers of one draw, with what is ``kept`` of ε in it."""

    def __init__(self, inner: Oracle, ascended: Ascended, kept: Tensor | None) -> None:
        super().__init__(inner)
        self.ascended, self.kept = ascended, kept

    def value_and_grad(self, w: Tensor) -> tuple[Tensor, Tensor]:
        f, g = self.inner.value_and_grad(w)
        with torch.set_grad_enabled(self.ascended.through):
            at = [x.detach().requires_grad_(self.ascended.through) for x in (w, g)]
            epsilon = self.ascended.epsilon(*at)
            epsilon = epsilon if self.kept is None else epsilon * self.kept
        up = self.inner.value_and_grad(w + epsilon.detach())[1]
        if not self.ascended.through:
            return f, up
        by_w, by_g = torch.autograd.grad(epsilon, at, up, materialize_grads=True)
        return f, up + by_w + self.inner.hvp(w, by_g)


def sam(
    problem: Problem | Oracle,
    rho: float | Tensor = 0.05,
    p: float = 2.0,
    *,
    beta: float = 1.0,
    seed: int | Generator = 0,
    through: bool = False,
) -> Ascended:
    """SAM (Foret et al. 2021): ∇f(w + ε) with the ε of :func:`coursekit.rules.ascent`, two gradients a step.

    ``rho`` may be a tensor of the batch shape. ``beta`` < 1 keeps each coordinate of ε with this probability, and
    divides it by it (the stochastic weight perturbation of ESAM, Du et al. 2022). ``through=True`` differentiates
    through ε too, which costs one Hessian-vector product: the exact gradient of f(w + ε(w)) (GG-eq54).
    ValueError for p < 1, rho < 0 and beta outside (0, 1].
    """
    return Ascended(problem, rho, p, None, beta, seed, through)


def asam(
    problem: Problem | Oracle,
    rho: float | Tensor = 0.5,
    p: float = 2.0,
    *,
    floor: float = 0.01,
    beta: float = 1.0,
    seed: int | Generator = 0,
    through: bool = False,
) -> Ascended:
    """Adaptive SAM (Kwon et al. 2021): the ball is ‖ε/T‖_p ≤ ρ with T = |w| + ``floor``; else as :func:`sam`."""
    return Ascended(problem, rho, p, floor, beta, seed, through)
