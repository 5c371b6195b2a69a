"""The whole spectrum by stochastic Lanczos quadrature: its density, and the trace of any function of H."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from .lanczos import Lanczos
from .operator import Operator
from .stochastic import Estimate, rademacher


@dataclass(frozen=True)
class Spectrum:
    """Per probe a Gauss quadrature: ``nodes`` and ``weights``, both (probes, ..., steps); weights add up to 1.

    Averaged over probes, Σ weight·φ(node) estimates the mean of φ over the ``dim`` eigenvalues. With m steps it is
    exact for polynomials φ up to degree 2m - 1, but for the randomness of the probe. Nodes lie between the
    smallest and the largest eigenvalue.
    """

    nodes: Tensor
    weights: Tensor
    dim: int

    def trace_of(self, phi: Callable[[Tensor], Tensor]) -> Estimate:
        """tr φ(H) = Σ φ(λ_i), for an elementwise φ, with its interval."""
        return Estimate(self.dim * (self.weights * phi(self.nodes)).sum(-1))

    def density(self, grid: Tensor, width: float) -> Tensor:
        """The density of eigenvalues at the points of grid (G,), smoothed by Gaussians of deviation ``width``.

        Shape (..., G); its integral is 1.
        """
        if not width > 0:
            raise ValueError(f"width must be positive, got {width!r}")
        bell = torch.exp(-(((grid - self.nodes[..., None]) / width) ** 2) / 2) / (width * math.sqrt(2 * math.pi))
        return (self.weights[..., None] * bell).sum(-2).mean(0)


def spectrum(H: Operator, probes: int = 10, steps: int = 60, seed: int = 0) -> Spectrum:
    """Stochastic Lanczos quadrature: Lanczos from ``probes`` vectors of random signs, ``steps`` products each.

    Source: Ubaru, Chen and Saad (2017); on networks Ghorbani, Krishnan and Xiao (2019).
    """
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps!r}")
    nodes, weights = [], []
    for z in rademacher(H, probes, seed):
        lanczos = Lanczos(H, z)
        for _ in range(min(steps, H.dim)):
            lanczos.extend()
        values, S, _ = lanczos.ritz()
        nodes.append(values)
        weights.append(S[..., 0, :] ** 2)
    return Spectrum(torch.stack(nodes), torch.stack(weights), H.dim)


def log_det(of: Spectrum, shift: float) -> Estimate:
    """log det(H + shift·I) = Σ log(λ_i + shift), for a positive definite H + shift·I only.

    Minus it is a flatness. At a non-degenerate minimum ``shift=0`` is the source's det(H)⁻¹; at the minimum of an
    over-parameterized network det H = 0, so a shift is needed (KH-3.4-flat). Less dim·log(shift) it is the
    log det(I + H/σ²) of a Gaussian prior of precision σ² = shift. It changes with the coordinates, even where f
    does not. ValueError if a node lies at or below -shift; the smallest eigenvalue may lie lower still, unseen.
    """
    lowest = float(of.nodes.min()) + shift
    if not lowest > 0:
        raise ValueError(f"H + shift·I must be positive definite; with shift = {shift!r} it reaches {lowest:.3g}")
    return of.trace_of(lambda lam: (lam + shift).log())
