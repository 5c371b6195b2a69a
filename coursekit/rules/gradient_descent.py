"""Gradient descent."""

from typing import Any

from .rule import rule


@rule(eta=0.1)
def gradient_descent(w: Any, g: Any, state: Any, scalars: Any, h: Any) -> Any:
    """Step against the gradient: w ← w - η g."""
    return -h.eta * g, ()
