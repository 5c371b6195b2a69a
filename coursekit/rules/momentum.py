"""Momentum in its two forms. Both keep a velocity v of past gradients; they differ in where they read it."""

from typing import Any

from .rule import rule


@rule(state=("v",), eta=0.1, beta=0.9)
def heavy_ball(w: Any, g: Any, state: Any, scalars: Any, h: Any) -> Any:
    """Polyak's heavy ball: v ← β v + g, w ← w - η v."""
    (v,) = state
    v = h.beta * v + g
    return -h.eta * v, (v,)


@rule(state=("v",), eta=0.1, beta=0.9)
def nesterov(w: Any, g: Any, state: Any, scalars: Any, h: Any) -> Any:
    """Nesterov's gradient, written at the look-ahead point w: v ← β v + g, w ← w - η (g + β v)."""
    (v,) = state
    v = h.beta * v + g
    return -h.eta * (g + h.beta * v), (v,)
