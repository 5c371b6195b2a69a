"""AdaGrad and RMSProp: each coordinate's step divided by the size of its own past gradients."""

from typing import Any

from .ops import sqrt
from .rule import rule


@rule(state=("s",), eta=0.01, eps=1e-10)
def adagrad(w: Any, g: Any, state: Any, scalars: Any, h: Any) -> Any:
    """AdaGrad, diagonal: s ← s + g², w ← w - η g / (√s + ε)."""
    (s,) = state
    s = s + g * g
    return -h.eta * g / (sqrt(s) + h.eps), (s,)


@rule(state=("v",), eta=0.01, beta=0.99, eps=1e-8)
def rmsprop(w: Any, g: Any, state: Any, scalars: Any, h: Any) -> Any:
    """RMSProp: v ← β v + (1-β) g², w ← w - η g / (√v + ε)."""
    (v,) = state
    v = h.beta * v + (1 - h.beta) * g * g
    return -h.eta * g / (sqrt(v) + h.eps), (v,)
