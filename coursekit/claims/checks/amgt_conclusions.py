"""Claims that AMGT's discussion and recommendations draw: faster than SGD, and what regularization bounds."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import torch

from ...descend import descend
from ...oracles import AdditiveNoise
from ...problems import LeastSquares, Quadratic
from ...rules import Rule, amgt_reading, gradient_descent
from ...schedules import strongly_convex
from ..check import Measured, check
from .adaptive import fed, vector
from .amgt_theorems import PLAIN, clipped

# (14) with the λ_t of (9); γ, α and the step are those of the proofs.
with_lambda = amgt_reading("amgt_with_lambda", scaling="none")


@check("AMGT-vs-SGD")
def as_fast_as_sgd() -> Measured:
    def k_square(mu: float, made: Rule, **hyper: Any) -> dict[int, tuple[float, float]]:
        """k μ² E x_k² on ½μx² with unit noise and steps 1/(μk), and its standard error over 8000 seeds."""
        f = AdditiveNoise(Quadratic(vector(mu)), 1.0, seed=round(10 * mu))
        starts, eta = torch.ones(8000, 1, dtype=torch.float64), partial(strongly_convex, mu=mu)
        w = descend(f, made, starts, 400, record=("w",), record_every=100, eta=eta, **hyper).w
        scaled = {k: k * mu**2 * w[k // 100].square() for k in (100, 400)}
        return {k: (float(x.mean()), float(x.std()) / math.sqrt(8000)) for k, x in scaled.items()}

    sgd = {mu: k_square(mu, gradient_descent)[400] for mu in (0.5, 1.0, 4.0)}
    amgt = k_square(1.0, with_lambda, alpha=0.0)
    late, error = amgt[400]
    # A faster rate would show as a factor below 1 that falls from k = 100 to 400.
    faster = late + 4 * error < 1 and late < 0.7 * amgt[100][0]
    return Measured(
        as_printed=faster,
        as_repaired=any(abs(mean - 1) > 4 * se for mean, se in sgd.values()),  # nor is SGD slower than 1/k
        numbers={
            r"$\frac\mu2x^2$, unit noise, $k\mu^2\,\mathbb Ex_k^2$ at $k = 400$, SGD, $\mu = 0.5$": sgd[0.5][0],
            r"SGD, $\mu = 4$": sgd[4.0][0],
            r"AMGT (14), $\mu = 1$": late,
            "its standard error": error,
        },
    )


@check("AMGT-rec3")
def what_keeps_gradients_bounded() -> Measured:
    generator = torch.Generator().manual_seed(0)
    X = torch.randn(50, 4, generator=generator, dtype=torch.float64)
    y, direction = X[:, 0].sin(), torch.randn(4, generator=generator, dtype=torch.float64)
    f = LeastSquares(X, y, ridge=0.1)
    norms = {scale: float(f.grad(scale * direction).norm()) for scale in (1e2, 1e4)}
    # Dropout of inputs, half of them, each kept one doubled: the same expected prediction, a random gradient.
    w = torch.ones(4, dtype=torch.float64)
    masks = 2.0 * (torch.rand(4000, 50, 4, generator=generator, dtype=torch.float64) < 0.5)
    x = X * masks
    dropped = (((x @ w) - y)[..., None] * x).mean(1)
    variance = float((dropped - dropped.mean(0)).square().sum(-1).mean())
    steps = fed(clipped, f.grad(1e4 * direction)[None], eta=1.0, beta1=0.0, tau=1.0, **PLAIN)
    return Measured(
        as_printed=norms[1e4] <= 2 * norms[1e2] and variance < 1e-12,
        as_repaired=float(steps.norm()) <= 1 + 1e-12,  # what bounds the step is clipping, or a projection
        numbers={
            r"least squares with weight decay 0.1: $\|\nabla f\|$ at $\|w\|\approx10^2$": norms[1e2],
            r"at $10^4$": norms[1e4],
            r"variance that dropout of half the inputs adds to the gradient at $w = (1,\dots,1)$": variance,
            r"longest step after clipping at 1, $\eta = 1$": float(steps.norm()),
        },
    )
