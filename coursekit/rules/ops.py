"""The few functions beyond arithmetic that a rule may use, for tensors, floats and symbols alike.

A rule written with them runs on torch tensors and can be traced with sympy into JavaScript. sympy is imported
only when a symbol arrives.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor


def _symbolic(x: Any) -> bool:
    return hasattr(x, "free_symbols")


def sqrt(x: Any) -> Any:
    """Square root."""
    if isinstance(x, Tensor):
        return x.sqrt()
    return _sympy().sqrt(x) if _symbolic(x) else math.sqrt(x)


def absolute(x: Any) -> Any:
    """Absolute value."""
    return _sympy().Abs(x) if _symbolic(x) else abs(x)


def sin(x: Any) -> Any:
    """Sine."""
    if isinstance(x, Tensor):
        return x.sin()
    return _sympy().sin(x) if _symbolic(x) else math.sin(x)


def sign(x: Any) -> Any:
    """Sign, with sign(0) = 0."""
    if hasattr(x, "sign"):  # a tensor, or a list of them
        return x.sign()
    return _sympy().sign(x) if _symbolic(x) else float(x > 0) - float(x < 0)


def maximum(x: Any, y: Any) -> Any:
    """Elementwise maximum."""
    if isinstance(x, Tensor):
        return torch.maximum(x, y) if isinstance(y, Tensor) else x.clamp(min=y)
    if isinstance(y, Tensor):
        return y.clamp(min=x)
    return _sympy().Max(x, y) if _symbolic(x) or _symbolic(y) else max(x, y)


def where(condition: Any, x: Any, y: Any) -> Any:
    """x where the condition holds, y elsewhere."""
    if isinstance(condition, Tensor):
        return torch.where(condition, x, y)
    if isinstance(condition, bool):
        return x if condition else y
    return _sympy().Piecewise((x, condition), (y, True))


def clip(x: Any, low: Any, high: Any) -> Any:
    """x moved to the nearest point of [low, high]."""
    return -maximum(-maximum(x, low), -high)


def _sympy() -> Any:
    import sympy

    return sympy
