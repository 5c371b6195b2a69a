"""AdaGrad and RMSProp: each step divided by the size of the past gradients, by coordinate or all together."""

from typing import Any

from .ops import sqrt
from .rule import rule


@rule(state=("s",), eta=0.01, eps=1e-10)
def adagrad(w: Any, g: Any, state: Any, scalars: Any, h: Any) -> Any:
    """AdaGrad, diagonal: s ← s + g², w ← w - η g / (√s + ε)."""
    (s,) = state
    s = s + g * g
    return -h.eta * g / (sqrt(s) + h.eps), (s,)


@rule(state=("s",), eta=1.0, eps=1e-10, sums={"g2": lambda w, g, state, h: g * g})
def adagrad_norm(w: Any, g: Any, state: Any, scalars: Any, h: Any) -> Any:
    """AdaGrad-Norm: s ← s + ‖g‖², w ← w - η g / (√s + ε), with the Euclidean norm of the whole gradient.

    TDL Algorithm 4 with P_t of Theorem 4.6.4 is η = 1, ε = 0: then the first step has length 1 whatever f is, and
    a start with g = 0 divides 0 by 0. Every coordinate holds the same number s.
    """
    (s,) = state
    s = s + scalars.g2
    return -h.eta * g / (sqrt(s) + h.eps), (s,)


@rule(state=("v",), eta=0.01, beta=0.99, eps=1e-8)
def rmsprop(w: Any, g: Any, state: Any, scalars: Any, h: Any) -> Any:
    """RMSProp: v ← β v + (1-β) g², w ← w - η g / (√v + ε)."""
    (v,) = state
    v = h.beta * v + (1 - h.beta) * g * g
    return -h.eta * g / (sqrt(v) + h.eps), (v,)
