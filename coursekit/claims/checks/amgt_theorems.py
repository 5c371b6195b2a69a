"""Claims of AMGT's convergence proofs, eqs. (15) and (27) to (32), and of what is concluded from them."""

from __future__ import annotations

import math
from functools import partial
from types import SimpleNamespace
from typing import Any, Self

import torch
from torch import Tensor

from ...descend import Trajectory, descend
from ...oracles import AdditiveNoise, Oracle, Wrapper
from ...problems import Problem, Quadratic
from ...rules import amgt_reading, gradient_descent
from ...schedules import strongly_convex
from ..check import Measured, check
from .adaptive import fed, vector

# (14), the method of the proofs: momentum without the division of Adam; λ_t = 1 and the step of (13).
analyzed = amgt_reading("amgt_analyzed", window=2, scaling="none")
clipped = amgt_reading("amgt_clipped", window=2, scaling="none", threshold="norm")
PLAIN: dict[str, Any] = {"gamma": 0.0, "alpha": 0.0}
THREE = Quadratic(vector(1.0, 3.0))


class Outwards(Wrapper):
    """Gradients whose error in step k is 1/k long and points at the origin, so that the step ends further out."""

    k = 0

    def fresh(self) -> Self:
        again = super().fresh()
        again.k = 0
        return again

    def value_and_grad(self, w: Tensor) -> tuple[Tensor, Tensor]:
        self.k += 1
        f, g = self.inner.value_and_grad(w)
        return f, g - w / w.norm(dim=-1, keepdim=True) / self.k


def one_over_k(problem: Problem | Oracle, start: Tensor, T: int, **options: Any) -> Trajectory:
    """Gradient descent with the steps 1/(μk) at μ = 1; w[k - 1] is AMGT's x_k."""
    return descend(
        problem, gradient_descent, start, T, record=("w",), eta=partial(strongly_convex, mu=1.0), **options
    )


def into_ball(radius: float, w: Tensor) -> Tensor:
    """The nearest point of norm at most ``radius``."""
    return w * (radius / w.norm(dim=-1, keepdim=True)).clamp(max=1)


@check("AMGT-eq15")
def descent_needs_the_gradient_itself() -> Measured:
    f, start = Quadratic(vector(1.0, 9.5)), vector(1.0, 1.0)

    def excess(beta1: float) -> tuple[Tensor, Tensor]:
        """Left minus right side of (15) in units of the right, and f's change, step by step."""
        run = descend(f, analyzed, start, 60, eta=partial(strongly_convex, mu=1.0), beta1=beta1, **PLAIN)
        g2, eta = run.grad_norm[:-1].square(), run.eta
        right = run.f[:-1] - eta * g2 + eta.square() * 9.5 / 2 * g2
        return (run.f[1:] - right) / right.abs(), run.f.diff()

    (with_momentum, _), (exact, change) = excess(0.9), excess(0.0)
    last_rise = int((change > 0).nonzero()[-1]) + 1
    return Measured(
        as_printed=float(with_momentum.max()) <= 1e-12,
        as_repaired=float(exact.max()) <= 1e-12 and last_rise <= 4,  # none once k > kappa/2
        numbers={
            r"$\beta_1 = 0.9$, $\kappa = 9.5$: steps of 60 that break (15)": int((with_momentum > 1e-12).sum()),
            "with the gradient itself": int((exact > 1e-12).sum()),
            "last step in which $f$ still rises": last_rise,
        },
    )


@check("AMGT-eq27")
def what_momentum_leaves_of_the_error() -> Measured:
    def k_delta(problem: Problem | Oracle, starts: Tensor, k: int) -> float:
        """k times the mean ‖m̂_k - ∇f(x_k)‖ on ½w²; m̂_k is read off the step."""
        eta = partial(strongly_convex, mu=1.0)
        w = descend(problem, analyzed, starts, k, record=("w",), eta=eta, **PLAIN).w
        return k * float((k * (w[-2] - w[-1]) - w[-2]).norm(dim=-1).mean())

    f, starts = Quadratic(vector(1.0)), torch.ones(500, 1, dtype=torch.float64)
    noisy, exact = ({k: k_delta(of, starts, k) for k in (100, 600)} for of in (AdditiveNoise(f, 1.0), f))
    return Measured(
        as_printed=noisy[600] < 2 * noisy[100],
        as_repaired=exact[600] < 2 * exact[100],  # without noise O(1/k) is true, and no assumption
        numbers={
            r"$\beta_1 = 0.9$, unit noise: $k\,\mathbb E|\hat m_k - f'(x_k)|$ at $k = 100$": noisy[100],
            "at $k = 600$": noisy[600],
            "without noise, at $k = 600$": exact[600],
        },
    )


@check("AMGT-eq28")
def squared_distance_expanded() -> Measured:
    x, star, m = torch.randn(3, 10_000, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    alpha = torch.logspace(-3, 3, 10_000, dtype=torch.float64)[:, None]
    left = (x - alpha * m - star).square().sum(-1, keepdim=True)
    terms = torch.stack([(x - star).square(), -2 * alpha * m * (x - star), alpha.square() * m.square()]).sum(-1)
    gap = float(((left[:, 0] - terms.sum(0)) / terms.abs().sum(0)).abs().max())
    return Measured(gap < 1e-14, numbers={"largest relative difference at 10000 random points": gap})


@check("AMGT-eq29")
def the_same_y_on_both_sides() -> Measured:
    """f(x, y) = ½(x - y)ᵀA(x - y): strongly convex in x for every y, and its minimizer is y."""
    generator = torch.Generator().manual_seed(0)
    y, star = torch.randn(2, 3, generator=generator, dtype=torch.float64)
    lam = vector(0.5, 2.0, 9.0)
    x = 3 * torch.randn(10_000, 3, generator=generator, dtype=torch.float64)

    def least(minimizer: Tensor) -> float:
        """min over x of ∇f(x, y)ᵀ(x - x*)/(μ‖x - x*‖²): at least 1 if (29) holds."""
        away = x - minimizer
        product = (Quadratic(lam, w_star=y).grad(x) * away).sum(-1)
        return float((product / (0.5 * away.square().sum(-1))).min())

    moved, same = least(star), least(y)
    return Measured(
        as_printed=moved >= 1,
        as_repaired=same >= 1 - 1e-12,
        numbers={
            r"least $\nabla f(x,y)^\top(x-x^\star)/(\mu\|x-x^\star\|^2)$, $x^\star$ of another $y$": moved,
            "of the same $y$": same,
        },
    )


@check("AMGT-bounded")
def a_lipschitz_constant_bounds_no_gradient() -> Measured:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(10_000, 2, generator=generator, dtype=torch.float64) * 10
    error = torch.randn(10_000, 2, generator=generator, dtype=torch.float64)
    L, m = float(THREE.L or 0), THREE.grad(x) + error
    split = m.square().sum(-1) / (2 * L**2 * x.square().sum(-1) + 2 * error.square().sum(-1))
    projected = THREE.grad(into_ball(2.0, x)).norm(dim=-1)
    return Measured(
        as_printed=float(m.norm(dim=-1).max()) <= L,
        as_repaired=float(split.max()) <= 1 and float(projected.max()) <= 2 * L,
        numbers={
            r"$\frac12(x_1^2+3x_2^2)$, $L = 3$: largest $\|\hat m\|$ at 10000 points": float(m.norm(dim=-1).max()),
            r"largest $\|\hat m\|^2$ over $2L^2\|x-x^\star\|^2+2\delta^2$": float(split.max()),
            r"largest $\|\nabla f\|$ in the ball of radius 2": float(projected.max()),
        },
    )


@check("AMGT-eq30")
def the_recursion_with_its_fractions() -> Measured:
    R, start = 2.0, vector(1.0, 1.0)
    G = float(THREE.L or 0) * R + 1  # a bound on ‖m̂_k‖ in the ball: the gradient and an error of at most 1
    d2 = one_over_k(Outwards(THREE), start, 1000, project=partial(into_ball, R)).w.square().sum(-1)
    k = torch.arange(1, 1001, dtype=torch.float64)
    C = 2 * R + G**2  # C/k²: 2α_kδ_k‖x_k - x*‖ ≤ 2R/k² and α_k²‖m̂_k‖² ≤ G²/k²
    share = d2[1:] / ((1 - 2 / k) * d2[:-1] + C / k.square())
    printed = (1 - k) * d2[:-1] + C / k.square()
    return Measured(
        as_printed=bool((printed >= d2[1:]).all()),
        as_repaired=float(share.max()) <= 1,
        numbers={
            "factor $1-2k$ at $k = 10$": float(1 - 2 * k[9]),
            r"factor $1-k\mu$ there, $\mu = 1$": float(1 - k[9]),
            "steps of 1000 in which the printed right side is negative": int((printed < 0).sum()),
            r"with $1-2/k$: largest left over right side": float(share.max()),
        },
    )


def outward_errors(T: int) -> Tensor:
    """‖x_k‖ of ½(x_1² + 3x_2²) from (1, 1), k = 1, ..., T + 1, with errors of size 1/k."""
    return one_over_k(Outwards(THREE), vector(1.0, 1.0), T).w.norm(dim=-1)


def noisy_square(k: int) -> tuple[float, float]:
    """k E‖x_k‖² with noise of variance 1, and its standard error over 4000 seeds."""
    starts = torch.ones(4000, 2, dtype=torch.float64)
    square = k * one_over_k(AdditiveNoise(THREE, 1.0), starts, k, record_every=k).w[-1].square().sum(-1)
    return float(square.mean()), float(square.std()) / math.sqrt(4000)


@check("AMGT-global")
def convergence_needs_bounded_iterates() -> Measured:
    # Strongly convex, exact gradients, but no bound: ½x² + ¼x⁴ from 10.
    free, kept = (one_over_k(_Stiff(), vector(10.0), 1000, project=p).w for p in (None, partial(into_ball, 10.0)))
    norms, k = outward_errors(2000), torch.arange(1, 2002, dtype=torch.float64)
    scaled = (norms * k / k.log()).square()
    mean, error = noisy_square(400)
    return Measured(
        as_printed=bool(free[-1].isfinite().all()) and float(free[-1].abs()) < 1,
        as_repaired=float(kept[-1].abs()) < 0.1 and float(norms[-1]) < 0.01 and abs(mean - 0.6) < 4 * error,
        numbers={
            r"$\frac12x^2+\frac14x^4$ from 10: $|x_4|$": float(free[3].abs()),
            r"kept in $|x|\leq10$: $|x_{1001}|$": float(kept[-1].abs()),
            r"errors $1/k$ pushing outwards: $\|x_k\|^2k^2/\log^2k$ at $k = 2000$": float(scaled[1999]),
            r"noise of variance 1: $k\,\mathbb E\|x_k\|^2$ at $k = 400$": mean,
        },
    )


class _Stiff(Problem):
    """½x² + ¼x⁴: strongly convex with μ = 1, and the gradient has no Lipschitz constant."""

    dim = 1
    p = SimpleNamespace()

    @staticmethod
    def formula(w: Any, p: Any) -> Any:
        return (w * w / 2 + w**4 / 4).sum(-1)


@check("AMGT-Ok")
def one_over_k_is_of_the_squared_distance() -> Measured:
    norms = outward_errors(2000)
    distance, squared = ({k: k * float(norms[k - 1]) ** p for k in (20, 200, 2000)} for p in (1, 2))
    (first, _), (last, error) = noisy_square(100), noisy_square(400)
    return Measured(
        as_printed=distance[2000] < 1.1 * distance[200],
        as_repaired=squared[2000] < squared[200] < squared[20] and last < 0.6 + 4 * error,
        numbers={
            r"errors $1/k$: $k\|x_k\|$ at $k = 200$": distance[200],
            "at $k = 2000$": distance[2000],
            r"$k\|x_k\|^2$ at $k = 2000$": squared[2000],
            r"noise of variance 1: $k\,\mathbb E\|x_k\|^2$ at $k = 100$": first,
        },
    )


@check("AMGT-unbiased")
def thresholding_and_momentum_are_biased() -> Measured:
    generator = torch.Generator().manual_seed(0)
    xi = torch.where(torch.rand(400, 2000, 1, generator=generator, dtype=torch.float64) < 0.25, 3.0, -1.0)
    hyper: dict[str, Any] = {"beta1": 0.0, "tau": 1.0, **PLAIN}
    m_hat = -fed(clipped, vector(3.0, -1.0)[None, :, None], eta=1.0, **hyper)[0, :, 0]
    mean = float(0.25 * m_hat[0] + 0.75 * m_hat[1])
    w = torch.zeros_like(xi[0])
    state, h, tail = tuple(torch.zeros_like(w) for _ in clipped.state), clipped.hyper(eta=0.05, **hyper), []
    for t, noise in enumerate(xi, 1):
        delta, state = clipped(w, w + noise, state, clipped.scalars_along(t, w, w + noise, state, h), h)
        w = w + delta
        tail.append(w.mean())
    settled = float(torch.stack(tail[200:]).mean())
    lagging = descend(
        Quadratic(vector(1.0)), analyzed, vector(1.0), 200, record=("w",), eta=0.05, **PLAIN
    ).w[:, 0]  # fmt: skip
    lag = float(((lagging[:-1] - lagging[1:]) / 0.05 - lagging[:-1]).abs().max())
    return Measured(
        as_printed=abs(mean) < 1e-12 and lag < 1e-12,
        numbers={
            r"noise of mean 0, clipped at 1: its mean": mean,
            r"clipped SGD on $\frac12x^2$: where it settles": settled,
            r"$\beta_1 = 0.9$ without noise: largest $|\hat m_t - f'(x_t)|$": lag,
        },
    )
