"""Trace and diagonal of the Hessian from products with random signs, with an interval that says how good."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from .operator import Operator, Product


@dataclass(frozen=True)
class Estimate:
    """A mean over random probes; ``samples`` (probes, ...) are independent and each unbiased."""

    samples: Tensor

    @property
    def value(self) -> Tensor:
        """The mean, shape (...)."""
        return self.samples.mean(0)

    def margin(self, level: float = 0.95) -> Tensor:
        """Half the width of Student's t interval: value ± margin covers the truth with probability ≈ ``level``."""
        from scipy.special import stdtrit

        if not 0 < level < 1:
            raise ValueError(f"level must lie in (0, 1), got {level!r}")
        n = len(self.samples)
        if n < 2:
            raise ValueError(f"an interval needs at least 2 probes, got {n}")
        return stdtrit(n - 1, (1 + level) / 2) * self.samples.std(0) / n**0.5

    def __repr__(self) -> str:
        if self.samples.ndim > 1:
            return f"Estimate of {tuple(self.samples.shape[1:])} values from {len(self.samples)} probes"
        if len(self.samples) == 1:
            return f"{float(self.value):.6g} (1 probe, no interval)"
        return f"{float(self.value):.6g} ± {float(self.margin()):.2g} (95 %, {len(self.samples)} probes)"


def rademacher(H: Operator, probes: int, seed: int = 0) -> Iterator[Tensor]:
    """Vectors of independent fair signs ±1, shaped like the operator's (..., dim)."""
    if probes < 1:
        raise ValueError(f"probes must be at least 1, got {probes!r}")
    w, generator = H.point, H.generator(seed)
    for _ in range(probes):
        yield 2 * torch.randint(0, 2, w.shape, generator=generator, dtype=w.dtype, device=w.device) - 1


def trace(H: Operator, probes: int = 30, seed: int = 0) -> Estimate:
    """Hutchinson's estimate of tr H: the mean of zᵀHz over random signs z, one product each.

    A sample's variance is 2(‖H‖_F² - Σ h_ii²), so a diagonal H is exact. Source: Hutchinson (1989), Avron and
    Toledo (2011).
    """
    return Estimate(torch.stack([(z * H.hvp(z)).sum(-1) for z in rademacher(H, probes, seed)]))


def diagonal(hvp: Product, probes: Iterable[Tensor]) -> Tensor:
    """Estimate of diag H: the mean of z ⊙ Hz over probes z of random signs, one product each.

    An entry's variance per probe is the sum of the squares of the others in its row. Source: Bekas, Kokiopoulou
    and Saad (2007); AdaHessian uses it.
    """
    total, count = None, 0
    for z in probes:
        term = z * hvp(z)
        total = term if total is None else total + term
        count += 1
    if total is None:
        raise ValueError("probes must hold at least one vector, got none")
    return total / count
