"""Claims about AdaGrad-Norm: TDL theorem 4.6.4, each step of its proof, and the theorem that is true."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any, Self

import torch
from torch import Tensor

from ...descend import Trajectory, descend
from ...oracles import Wrapper
from ...problems import Problem, Quadratic
from ...rules import Rule, adagrad_norm
from ..check import Measured, check
from .adaptive import fed, vector
from .descent_lemma import Line


class Waves(Problem):
    """Many functions at once, Σ_i a_i w_i + b_i (1 - cos(c_i w_i))/c_i², from scale 10⁻³ to 10³: |f''| ≤ max b_i.

    Not convex. Shape of the parameters: (n, 1, dim), so that points are (n, paths, dim).
    """

    def __init__(self, n: int, dim: int, generator: torch.Generator) -> None:
        def uniform(low: float, high: float, *shape: int) -> Tensor:
            return low + (high - low) * torch.rand(*shape, generator=generator, dtype=torch.float64)

        self.dim, shape = dim, (n, 1, dim)
        scale = 10 ** uniform(-3, 3, n, 1, 1)
        self.p = SimpleNamespace(
            a=scale * uniform(-0.3, 0.3, *shape), b=scale * uniform(0, 1, *shape), c=uniform(0.1, 3, *shape)
        )
        self.smooth = self.p.b.amax((1, 2))
        self.steepest = (self.p.a.abs() + self.p.b / self.p.c).norm(dim=-1)  # |∇f| anywhere, (n, 1)
        self.start = uniform(-3, 3, *shape)
        # A third of the starts near a point where the wave is flat.
        self.start[: n // 3] = 10 ** uniform(-6, -2, n // 3, 1, dim)

    @staticmethod
    def formula(w: Any, p: Any) -> Any:
        return (p.a * w + p.b * (1 - (p.c * w).cos()) / p.c**2).sum(-1)


class AllPaths(Wrapper):
    """Skewed noise of two values on n random functions, all its 2¹¹ paths of 11 steps along the second axis.

    In step t path k sees noise of mean zero: √((1-p)/p) with probability p or else -√(p/(1-p)), times
    ``size``·(½ + ½ sin w), which depends on the point. Expectations are sums over the paths.
    """

    T = 11
    t = 0

    def __init__(self, n: int, dim: int, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.waves = Waves(n, dim, generator)
        super().__init__(self.waves)
        p = 0.05 + 0.9 * torch.rand(n, 1, 1, generator=generator, dtype=torch.float64)
        self.size = (
            self.waves.steepest[..., None] * 3 * torch.rand(n, 1, 1, generator=generator, dtype=torch.float64)
        )
        self.bits = (torch.arange(2**self.T)[:, None] >> torch.arange(self.T)) & 1 == 1  # (paths, T)
        self.weight = torch.where(self.bits, p, 1 - p).prod(-1)  # (n, paths)
        self.high, self.low = ((1 - p) / p).sqrt(), -(p / (1 - p)).sqrt()
        # No coordinate of an answer is larger, (n, 1).
        self.sigma = (self.waves.steepest[..., None] + self.size * torch.maximum(self.high, -self.low))[..., 0]

    def fresh(self) -> Self:
        again = super().fresh()
        again.t = 0
        return again

    def value_and_grad(self, w: Tensor) -> tuple[Tensor, Tensor]:
        f, g = self.inner.value_and_grad(w)
        if self.t == self.T:  # descend looks once more after the last step
            return f, g
        up = self.bits[:, self.t, None]
        self.t += 1
        return f, g + self.size * (0.5 + 0.5 * w.sin()) * torch.where(up, self.high, self.low)

    def mean(self, x: Tensor) -> Tensor:
        """The expectation of x, (..., n, paths) -> (..., n)."""
        return (x * self.weight).sum(-1)

    def run(self, made: Rule, **hyper: Any) -> Trajectory:
        """Eleven steps of the rule on every function, along every path."""
        start = self.waves.start.expand(-1, 2**self.T, -1)
        return descend(self, made, start, self.T, record=("w", "f", "g", "grad_norm"), **hyper)


def oscillation(run: Trajectory) -> Tensor:
    """M, per function: the largest f minus the smallest along any path, over w_1, ..., w_{T+1}."""
    return (run.f.amax(0) - run.f.amin(0)).amax(-1)


def root_sum(g: Tensor) -> Tensor:
    """b_t = √(Σ_{i≤t} ‖g_i‖²)."""
    return g.square().sum(-1).cumsum(0).sqrt()


@check("TDL-T4.6.4-fixed")
def adagrad_norm_without_tuning() -> Measured:
    # Exact gradients: b_T ≤ M + L, hence the mean of ‖∇f‖² is at most (M + L)²/T.
    f = Waves(3600, 2, torch.Generator().manual_seed(0))
    exact = descend(f, adagrad_norm, f.start, 60, record=("f", "g", "grad_norm"), eps=0.0)
    bT = root_sum(exact.g[:-1])[-1, :, 0]
    exact_share = float((bT / (oscillation(exact) + f.smooth)).max())
    # Without M: b_T ≤ max{L, 2Δ + 2L log⁺(L/‖g_1‖)} with Δ = f(w_1) less the smallest value met.
    drop, far = exact.f[0] - exact.f.amin(0), (f.smooth[:, None] / exact.grad_norm[0]).log().clamp(min=0)
    explicit = torch.maximum(f.smooth[:, None], 2 * drop + 2 * f.smooth[:, None] * far)[:, 0]
    explicit_share = float((bT / explicit).max())
    # Noise: E Σ‖∇f(w_t)‖² ≤ (M + L) E b_T, and E b_T ≤ σ√T.
    oracle = AllPaths(60, 2, seed=1)
    run = oracle.run(adagrad_norm, eps=0.0)
    b = oracle.mean(root_sum(run.g[:-1])[-1])
    left = oracle.mean(run.grad_norm[:-1].square().sum(0))
    noisy_share = float((left / ((oscillation(run) + oracle.waves.smooth) * b)).max())
    sigma = oracle.mean(run.g[:-1].square().sum(-1)).amax(0).sqrt()
    jensen = float((b / (sigma * math.sqrt(oracle.T))).max())
    line = descend(Line(), adagrad_norm, vector(0.0), 1, record=("f", "grad_norm"), eps=0.0)
    equality = float(line.grad_norm[0] ** 2 / ((line.f[0] - line.f[1]) * line.grad_norm[0]))
    return Measured(
        as_printed=max(exact_share, explicit_share) <= 1
        and noisy_share <= 1
        and jensen <= 1
        and abs(equality - 1) < 1e-12,
        numbers={
            "exact gradients, 3600 random functions: largest $b_T/(M+L)$": exact_share,
            r"$b_T$ over $\max\{L, 2\Delta + 2L\log^+\frac L{\|g_1\|}\}$": explicit_share,
            r"noise, all $2^{11}$ paths: largest $\mathbb E\sum\|\nabla_t\|^2/((M+L)\mathbb Eb_T)$": noisy_share,
            "on a line, $T = 1$": equality,
        },
    )


class _Cosine(Problem):
    """10 cos w."""

    dim = 1
    p = SimpleNamespace()

    @staticmethod
    def formula(w: Any, p: Any) -> Any:
        return 10 * w.cos().sum(-1)


def printed_sides(f: Problem, L: float, start: float, T: int) -> tuple[float, float]:
    """Both sides of theorem 4.6.4 for exact gradients, t = T, M = 2 max|f(w_t)| and G = max‖∇_t‖ of the run."""
    run = descend(f, adagrad_norm, vector(start), T, record=("f", "g", "grad_norm"), eps=0.0)
    g2 = run.grad_norm[:-1].square()
    M, G = 2 * float(run.f.abs().max()), float(g2.max().sqrt())
    b = float(root_sum(run.g)[T - 2]) if T > 1 else float(g2[0].sqrt())
    return float(g2.mean()), (L + M * math.log(G * T)) * b / T


@check("TDL-T4.6.4")
def theorem_464() -> Measured:
    shallow = printed_sides(Quadratic(vector(0.01)), 0.01, 1.0, 10)
    line = printed_sides(Line(), 0.0, 0.5, 1)
    steep = printed_sides(_Cosine(), 10.0, 1e-6, 2)
    # The repair: b_T in expectation for the printed norm, max(1, log GT) for log GT, M up to w_{T+1}.
    oracle = AllPaths(60, 2, seed=2)
    run = oracle.run(adagrad_norm, eps=0.0)
    GT = run.grad_norm[:-1].amax((0, 2)) * oracle.T
    right = (oracle.waves.smooth + oscillation(run) * GT.log().clamp(min=1)) * oracle.mean(
        root_sum(run.g[:-1])[-1]
    )
    share = float((oracle.mean(run.grad_norm[:-1].square().sum(0)) / right).max())
    return Measured(
        as_printed=all(left <= right for left, right in (shallow, line, steep)),
        as_repaired=share <= 1,
        numbers={
            "$f = 0.005w^2$, $T = 10$: left side": shallow[0],
            "right side": shallow[1],
            r"$f = 10\cos w$, $T = 2$: left over right": steep[0] / steep[1],
            r"repaired, 60 functions, all $2^{11}$ noise paths: largest left over right": share,
        },
    )


@check("TDL-T4.6.4-log")
def the_harmonic_step() -> Measured:
    def total(norms: Tensor) -> float:
        """Σ_t ‖g_t‖²/Σ_{i≤t}‖g_i‖²: the sum of AdaGrad-Norm's squared steps."""
        return float(fed(adagrad_norm, norms[:, None], eps=0.0).square().sum())

    ones = total(torch.ones(1000, dtype=torch.float64))
    growing = {T: total(2.0 ** (torch.arange(1, T + 1, dtype=torch.float64) - T)) for T in (50, 200)}
    generator = torch.Generator().manual_seed(0)
    g = torch.randn(60, 2000, 1, generator=generator, dtype=torch.float64)
    g = g * 10 ** (3 * torch.randn(1, 2000, 1, generator=generator, dtype=torch.float64))
    sums = fed(adagrad_norm, g, eps=0.0).square().sum((0, 2))
    right = 1 + (g.square().sum((0, 2)) / g[0, :, 0].square()).log()
    worst = float((sums / right).max())
    return Measured(
        as_printed=ones <= math.log(1000),
        as_repaired=all(s <= 4 * (1 + math.log(T)) for T, s in growing.items()),  # nor with a constant, at G = 1
        numbers={
            "1000 gradients of norm 1: the sum": ones,
            r"$\log GT$": math.log(1000),
            r"$\|g_t\|^2 = 4^{t-T}$, $T = 50$, where $\log GT = 3.9$: the sum": growing[50],
            r"largest sum over $1 + \log(S_T/\|g_1\|^2)$, 2000 random sequences": worst,
        },
    )


@check("TDL-T4.6.4-monotone")
def the_scaling_only_falls() -> Measured:
    g = torch.randn(20, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    P = (fed(adagrad_norm, g, eps=0.0) / -g)[:, 0]
    kept = float((P[:-1] <= P[1:]).double().mean())
    return Measured(
        as_printed=kept == 1,
        numbers={
            r"20 random gradients: share of steps with $P_{\tau-1} \leq P_\tau$": kept,
            "$P_{20}/P_1$": float(P[-1] / P[0]),
        },
    )


@check("TDL-T4.6.4-cond")
def the_scaling_contains_the_noise() -> Measured:
    outcomes, chance = vector(10.0, -1.0), vector(0.2, 0.8)

    def mean_step(b: float) -> float:
        """E[P_t ĝ_t] after past gradients of total norm b; the true gradient is 1.2."""
        past = torch.full((1, 2, 1), b, dtype=torch.float64)
        g = outcomes[None, :, None] if b == 0 else torch.cat([past, outcomes[None, :, None]])
        return float(-(chance * fed(adagrad_norm, g, eps=0.0)[-1, :, 0]).sum())

    grid = torch.arange(400, 450, dtype=torch.float64) / 100
    turn = next(float(b) for b in grid if mean_step(float(b)) > 0)
    return Measured(
        as_printed=mean_step(0.0) > 0 and mean_step(1.0) > 0,
        numbers={
            r"$\mathbb E\hat\nabla$": float((chance * outcomes).sum()),
            r"$\mathbb E[P_t\hat\nabla]$ in the first step": mean_step(0.0),
            "at $b = 1$": mean_step(1.0),
            "first positive at $b$": turn,
        },
    )


@check("TDL-T4.6.4-select")
def the_smallest_is_chosen_after_the_noise() -> Measured:
    first = vector(3.0, -1.0)  # ĝ = 1 ± 2, P = 1, ∇ = 1, two steps: four outcomes
    products = torch.cartesian_prod(first, first)
    mean_of_least = float(products.min(-1).values.mean())
    return Measured(
        as_printed=mean_of_least >= 1,
        numbers={
            r"$\mathbb E\min_t\nabla_t\hat\nabla_t$": mean_of_least,
            r"$\min_t\mathbb E\nabla_t\hat\nabla_t = \|\nabla\|^2$": float(products.mean(0).min()),
        },
    )
