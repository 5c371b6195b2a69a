"""Muon: momentum whose singular values are all made about one, for matrices; everything else goes by AdamW."""

from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from ..rules.adam import adamw, bias_correction
from ..rules.momentum import nesterov
from ..rules.rule import rule
from .optimizer import RuleOptimizer, from_rule

# Jordan's quintic a x + b x³ + c x⁵: five rounds take singular values from [0.002, 1] into [0.68, 1.21].
A, B, C = 3.4445, -4.7750, 2.0315
ROUNDS = 5


def orthogonalized(G: Tensor) -> Tensor:
    """About U Vᵀ of G = U Σ Vᵀ, by Newton-Schulz: X ← a X + (b XXᵀ + c (XXᵀ)²) X from X = G/‖G‖_F.

    In the dtype of G; a tensor of more axes is the matrix of its first axis by all others, and zero stays zero.
    """
    X = G.flatten(1)
    tall = X.shape[0] > X.shape[1]
    X = X.mT if tall else X
    norm = X.norm()
    X = X / torch.where(norm > 0, norm, 1.0)
    for _ in range(ROUNDS):
        S = X @ X.mT
        X = A * X + (B * S + C * S @ S) @ X
    return (X.mT if tall else X).reshape(G.shape)


@rule(
    state=("m", "v"), eta=1e-3, beta=0.95, beta1=0.9, beta2=0.999, eps=1e-8, wd=0.1, scalars=bias_correction
)  # fmt: skip
def muon(w: Any, g: Any, state: Any, scalars: Any, h: Any) -> Any:
    """Muon (Jordan et al. 2024): m ← β m + g, O ≈ U Vᵀ of g + β m, w ← w - η (0.2 √max(rows, columns) O + λ w).

    The factor (Liu et al. 2025) gives O the length of AdamW's steps, so that one η serves both: vectors and
    scalars go by AdamW, with β₁, β₂ and ε. Embeddings and the last layer are better off with AdamW too.
    """
    if w.ndim < 2:
        return adamw(w, g, state, scalars, h)
    delta, state = nesterov(w, g, state, scalars, SimpleNamespace(eta=1.0, beta=h.beta))
    return h.eta * (0.2 * max(w.flatten(1).shape) ** 0.5 * orthogonalized(delta) - h.wd * w), state


class _Muon(RuleOptimizer):
    def _buffers(self, p: Tensor) -> dict[str, Tensor]:
        return {name: torch.zeros_like(p) for name in (self.rule.state if p.ndim < 2 else ("m",))}


Muon = from_rule(muon, base=_Muon)
