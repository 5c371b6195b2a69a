"""Sign methods: every coordinate moves by the same amount, only the direction is learned."""

from typing import Any

from .ops import sign
from .rule import rule


@rule(eta=1e-3)
def sign_descent(w: Any, g: Any, state: Any, scalars: Any, h: Any) -> Any:
    """Steepest descent in the infinity norm, up to its length: w ← w - η sign(g)."""
    return -h.eta * sign(g), ()


@rule(state=("m",), eta=1e-4, beta1=0.9, beta2=0.99, wd=0.0)
def lion(w: Any, g: Any, state: Any, scalars: Any, h: Any) -> Any:
    """Lion (Chen et al. 2023): w ← w - η (sign(β₁ m + (1-β₁) g) + λ w), m ← β₂ m + (1-β₂) g."""
    (m,) = state
    c = h.beta1 * m + (1 - h.beta1) * g
    return -h.eta * (sign(c) + h.wd * w), (h.beta2 * m + (1 - h.beta2) * g,)
