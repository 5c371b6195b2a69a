"""Functions on which a theorem's two sides are equal: the proof that no smaller constant will do."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import torch

from ..problems.problem import Constant, Problem
from ..rules.ops import absolute


class Zigzag(Problem):
    """The worst case of gradient descent without convexity: T steps of size eta from w = 0, all with slope G.

    Between the iterates w_t = -t·eta·G the slope dips to G(1 - eta·L/2) and comes back, as fast as L allows; after
    the last, f is a parabola. So ‖∇f‖² = 4 L f(0)/(T eta L (4 - eta L) + 2) at every iterate, and f* = 0.
    """

    dim = 1
    f_star = Constant(0.0)

    def __init__(self, T: int, eta: float = 1.0, L: float = 1.0, G: float = 1.0) -> None:
        if T < 1 or not L > 0 or not G > 0 or not 0 < eta * L <= 1:
            raise ValueError(
                f"T must be ≥ 1, L and G positive and eta in (0, 1/L], got {T!r}, {L!r}, {G!r}, {eta!r}"
            )
        self.p = SimpleNamespace(T=T, L=L, G=G, h=eta * G)
        self.L = Constant(float(L))
        self.w_star = torch.tensor([-T * eta * G - G / L], dtype=torch.float64)

    @staticmethod
    def formula(w: Any, p: Any) -> Any:
        x = -w[..., 0]  # counts to the left, where the method goes
        fall = p.h * p.G - p.L * p.h**2 / 4  # of f over one step
        n = (x / p.h).floor().clamp(0, p.T - 1)
        r = x - n * p.h
        first = 2 * r <= p.h
        near = torch.where(first, r, p.h - r)  # distance to the nearest iterate
        fallen = p.G * near - p.L * near**2 / 2
        height = p.T * fall + p.G**2 / (2 * p.L)
        between = height - n * fall - torch.where(first, fallen, fall - fallen)
        before, after = height - p.G * x, p.L / 2 * (x - p.T * p.h - p.G / p.L) ** 2
        return torch.where(x < 0, before, torch.where(x <= p.T * p.h, between, after))


class CubicWell(Problem):
    """f(w) = μ w²/2 - ρ |w|³/6: its Hessian μ - ρ|w| is ρ-Lipschitz, and w* = 0 is a minimum if μ > 0.

    Newton's error e becomes ρ e²/(2(μ - ρ e)), the most that is possible; with μ = 0 the second-order model at 0
    is wrong by ρ |w|³/6, the most that is possible.
    """

    dim = 1

    def __init__(self, mu: float = 1.0, rho: float = 1.0) -> None:
        if not 0 <= mu < math.inf or not 0 < rho < math.inf:
            raise ValueError(f"mu must lie in [0, inf) and rho in (0, inf), got {mu!r} and {rho!r}")
        self.p = SimpleNamespace(mu=float(mu), rho=float(rho))
        self.w_star = torch.zeros(1, dtype=torch.float64)

    @staticmethod
    def formula(w: Any, p: Any) -> Any:
        x = w[..., 0]
        return p.mu * x * x / 2 - p.rho * x * x * absolute(x) / 6
