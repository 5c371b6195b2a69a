"""Many tensors that a rule takes for one: every operation is one call for the whole list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor


class Tensors:
    """A list of tensors with the arithmetic of one, by torch's foreach functions: on a GPU one kernel for all."""

    def __init__(self, items: Sequence[Tensor]) -> None:
        self.items = list(items)

    def map(self, f: Callable[..., Any], *others: Any) -> Tensors:
        """f of the list and of others: lists too, or numbers, or 0-d tensors."""
        return Tensors(f(self.items, *(x.items if isinstance(x, Tensors) else x for x in others)))

    def __add__(self, other: Any) -> Tensors:
        return self.map(torch._foreach_add, other)

    def __mul__(self, other: Any) -> Tensors:
        return self.map(torch._foreach_mul, other)

    def __truediv__(self, other: Any) -> Tensors:
        return self.map(torch._foreach_div, other)

    def __pow__(self, exponent: float) -> Tensors:
        return self.map(torch._foreach_pow, exponent)

    def __abs__(self) -> Tensors:
        return self.map(torch._foreach_abs)

    def sign(self) -> Tensors:
        """Elementwise sign."""
        return self.map(torch._foreach_sign)
