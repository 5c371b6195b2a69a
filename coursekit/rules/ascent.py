"""The step up of the SAM family: where the linearized loss is largest in a ball, for every norm, written once."""

from __future__ import annotations

import functools
import math
from typing import Any

import torch
from torch import Generator, Tensor

from .ops import absolute, sign, where
from .rule import Rule, rule


@functools.cache
def ascent(p: float = 2.0) -> Rule:
    """The step up of SAM (Foret et al. 2021): w ← w + ε, where ε maximizes gᵀε over ‖ε‖_p ≤ ρ.

    ε = ρ sign(g) |g|^{q-1} / (Σ |g|^q)^{1/p} with 1/p + 1/q = 1. That is ρ g/‖g‖ for p = 2 and ρ sign(g) for
    p = ∞; for p = 1 the coordinates where |g| is largest share all of ρ. ε = 0 if g = 0 (GG-eq52, repaired). The
    ε of ASAM is T times that for T g (:func:`normalizer`). ValueError unless p lies in [1, ∞].
    """
    if not p >= 1:
        raise ValueError(f"p must lie in [1, inf], got {p!r}")
    r = math.inf if p == 1 else 1 / (p - 1)  # q - 1

    def power(g: Any) -> Any:
        return g if r == 1 else sign(g) * absolute(g) ** r

    def scaled(g: Any, totals: Any) -> Any:
        # Divided by its largest entry no power leaves the range of the numbers; squares do without.
        return g if r == 1 else g / where(totals.top > 0, totals.top, 1.0)

    def size(w: Any, g: Any, state: Any, h: Any) -> Any:
        return absolute(g)

    def share(w: Any, g: Any, state: Any, h: Any) -> Any:
        g = scaled(g, h)  # h holds the peaks here
        return g * power(g)  # |g|^q

    @rule(peaks={} if r == 1 else {"top": size}, sums={"s": share}, rho=0.05)
    def ascent(w: Any, g: Any, state: Any, scalars: Any, h: Any) -> Any:
        g, s = scaled(g, scalars), scalars.s
        return power(g) * where(s > 0, h.rho * s ** (-1 / p), 0.0), ()

    return ascent


def normalizer(w: Any, floor: float) -> Any:
    """T_w = |w| + floor, the elementwise operator of ASAM (Kwon et al. 2021, whose η is our floor).

    Its ball is ‖ε/T_w‖_p ≤ ρ. With u = ε/T_w the linearized loss is (T_w g)ᵀu: ε = T_w u with SAM's u for T_w g.
    """
    return absolute(w) + floor


def thinned(epsilon: Tensor, beta: float, generator: Generator | None = None) -> Tensor:
    """ε ⊙ m / β with m_i ~ Bernoulli(β): the stochastic weight perturbation of ESAM, whose mean is ε (GG-eq55)."""
    if beta == 1:
        return epsilon
    return epsilon * torch.empty_like(epsilon).bernoulli_(beta, generator=generator) / beta


def sharpest(rise: Tensor, gamma: float) -> Tensor:
    """Indices of the γ n examples, at least one, whose losses rise most: the data selection of ESAM (GG-eq56).

    ``rise`` of shape (..., n) holds ℓ_i(w + ε) - ℓ_i(w), example by example.
    """
    return rise.topk(max(1, round(gamma * rise.shape[-1]))).indices
