"""Adam and its two closest relatives."""

from typing import Any

from .ops import maximum, sqrt
from .rule import rule


def bias_correction(t: Any, h: Any) -> dict[str, Any]:
    """1/(1 - β₁ᵗ) and 1/(1 - β₂ᵗ): they undo the start of both averages at zero."""
    return {"c1": 1 / (1 - h.beta1**t), "c2": 1 / (1 - h.beta2**t)}


@rule(state=("m", "v"), eta=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, scalars=bias_correction)
def adam(w: Any, g: Any, state: Any, scalars: Any, h: Any) -> Any:
    """Adam (Kingma and Ba): m ← β₁ m + (1-β₁) g, v ← β₂ v + (1-β₂) g², w ← w - η (c₁ m) / (√(c₂ v) + ε)."""
    m, v = state
    m = h.beta1 * m + (1 - h.beta1) * g
    v = h.beta2 * v + (1 - h.beta2) * g * g
    return -h.eta * (m * scalars.c1) / (sqrt(v * scalars.c2) + h.eps), (m, v)


@rule(state=("m", "v"), eta=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, wd=1e-2, scalars=bias_correction)
def adamw(w: Any, g: Any, state: Any, scalars: Any, h: Any) -> Any:
    """AdamW (Loshchilov and Hutter): Adam, and w shrinks by η λ w beside it, untouched by the scaling."""
    delta, state = adam(w, g, state, scalars, h)
    return delta - h.eta * h.wd * w, state


@rule(state=("m", "v", "v_max"), eta=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, scalars=bias_correction)
def amsgrad(w: Any, g: Any, state: Any, scalars: Any, h: Any) -> Any:
    """AMSGrad (Reddi, Kale and Kumar): Adam with the largest v so far, so that no step size grows again."""
    m, v, v_max = state
    m = h.beta1 * m + (1 - h.beta1) * g
    v = h.beta2 * v + (1 - h.beta2) * g * g
    v_max = maximum(v_max, v)
    return -h.eta * (m * scalars.c1) / (sqrt(v_max * scalars.c2) + h.eps), (m, v, v_max)
