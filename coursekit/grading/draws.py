"""Inputs of graded items: double-precision tensors, written out or drawn from a case generator."""

from __future__ import annotations

from typing import Any

import torch
from torch import Generator, Tensor


def numbers(*rows: Any) -> Tensor:
    """The numbers, or lists of numbers, as a tensor."""
    return torch.tensor(rows, dtype=torch.float64)


def normal(generator: Generator, *shape: int) -> Tensor:
    """Independent standard normal numbers."""
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def uniform(generator: Generator, low: float, high: float) -> float:
    """A number between ``low`` and ``high``."""
    return float(low + (high - low) * torch.rand((), generator=generator, dtype=torch.float64))


def symmetric(generator: Generator, eigenvalues: Tensor) -> Tensor:
    """A symmetric matrix with these eigenvalues in a random basis, symmetric to the last bit."""
    Q, _ = torch.linalg.qr(normal(generator, len(eigenvalues), len(eigenvalues)))
    H = Q * eigenvalues @ Q.T
    return (H + H.T) / 2
