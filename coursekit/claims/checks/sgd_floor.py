"""Claims about SGD with a constant step: how fast it comes, where it stops coming, and when it does not stop."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ...descend import Trajectory, descend
from ...methods import NoStep, armijo, halving
from ...oracles import AdditiveNoise, MiniBatch, Oracle
from ...problems import DoubleWell, FiniteSum, LeastSquares, PLSine, Quadratic
from ...rules import gradient_descent, heavy_ball
from ...schedules import inverse_sqrt
from ...theory import Theorem, certify
from ...theory.sgd import sgd_nonconvex
from ...theory.sgd_convex import sgd_noise_floor, sgd_noise_floor_quadratic
from ..check import Measured, check
from .descent_lemma import point
from .sgd_batches import one_dimensional
from .sgd_variance import normal

TILTED = DoubleWell(0.2)
# |f''| of the double wells where |x| ≤ 1.5, in which all runs here stay.
WELL_L = 3 * 1.5**2 - 1
# f_1 = ½(w - 1)², f_2 = ½(w + 1)²: the gradient noise at the minimizer 0 has variance 1.
TWO = one_dimensional(point(1.0, 1.0), point(1.0, -1.0))


def mean_squares(lam: float, sigma2: float, start: float, T: int, eta: Callable[[int], float]) -> Tensor:
    """E u_t², t = 0, ..., T, exactly: u ← (1 - η_t λ) u - η_t ξ with noise ξ of mean zero and variance σ²."""
    m = [start**2]
    for t in range(1, T + 1):
        m.append((1 - eta(t) * lam) ** 2 * m[-1] + eta(t) ** 2 * sigma2)
    return torch.tensor(m, dtype=torch.float64)


def certified(theorem: Theorem, *runs: Trajectory, **constants: Any) -> tuple[bool, float]:
    """Does the theorem hold on every run, and the largest of their median ratios of left to right side."""
    certificates = [certify(theorem, run, **constants) for run in runs]
    return all(certificates), max(certificate.tightness[1] for certificate in certificates)


def strongly_convex_run(lam: Tensor, eta: float, T: int = 300) -> Trajectory:
    """400 runs of SGD on ½ Σ λ_i u_i² from (2, ..., 2), noise of variance 1 in each coordinate."""
    starts = torch.full((400, len(lam)), 2.0, dtype=torch.float64)
    noisy = AdditiveNoise(Quadratic(lam), 1.0, per_coordinate=True)
    return descend(noisy, gradient_descent, starts, T, record=("w", "f", "grad_norm"), eta=eta)


def stuck(eta: float | Callable[[int], float], steps: int = 2000) -> Trajectory:
    """Gradient descent without noise in the higher of two valleys, from (1.2, 0)."""
    return descend(TILTED, gradient_descent, point(1.2, 0.0), steps, eta=eta)


def interval(x: Tensor) -> tuple[float, float]:
    """Mean and standard error over independent runs."""
    return float(x.mean()), float(x.std()) / math.sqrt(len(x))


def upper(x: Tensor) -> Tensor:
    """Upper ends of the intervals of four standard errors for the mean over the runs on axis 1."""
    return x.mean(1) + 4 * x.std(1) / math.sqrt(x.shape[1])


@check("PL-3-floor")
def how_the_floor_depends_on_mu() -> Measured:
    eta, lam = 0.1, point(0.1, 1.0, 5.0)
    noisy = AdditiveNoise(Quadratic(lam), 1.0, per_coordinate=True)
    run = descend(
        noisy, gradient_descent, torch.zeros(2000, 3, dtype=torch.float64), 800, record=("w", "f"), eta=eta
    )
    mean, error = interval(run.f[400:].mean(0))
    exact = float((eta / (2 * (2 - eta * lam))).sum())
    flatter = sum(x / 2 * float(mean_squares(x, 1.0, 0.0, 10**4, lambda t: eta)[-1]) for x in (0.01, 1.0, 5.0))
    formula = certify(sgd_noise_floor_quadratic, run, sigma2=3.0)
    # The bound, up to η = 1/L: on a quadratic, and on a function that is PL and not convex.
    sine = descend(
        AdditiveNoise(PLSine(), 1.0),
        gradient_descent,
        torch.full((400, 1), 3.0, dtype=torch.float64),
        100,
        record=("w", "f", "grad_norm"),
        eta=1 / 8,
    )
    holds, _ = certified(sgd_noise_floor, *(strongly_convex_run(lam, step) for step in (0.02, 0.2)), sigma2=3.0)
    holds = holds and bool(certify(sgd_noise_floor, sine, sigma2=1.0))
    return Measured(
        as_printed=flatter / exact > 5,  # ten times smaller μ: a floor proportional to 1/μ is ten times higher
        as_repaired=holds and bool(formula) and abs(mean - exact) < 4 * error < 0.02 * exact,
        numbers={
            r"loss floor, $\lambda = (0.1, 1, 5)$, $\eta = 0.1$, 2000 chains": mean,
            r"exact, $\sum\frac{\eta\sigma_i^2}{2(2-\eta\lambda_i)}$": exact,
            r"exact with $\mu = 0.01$": flatter,
            r"bound $\frac{L\eta\sigma^2}{2\mu}$, $\mu = 0.1$": 5 * eta * 3 / (2 * 0.1),
        },
    )


@check("GG-4.2-stagnation")
def no_floor_under_interpolation() -> Measured:
    shared = one_dimensional(torch.linspace(0.5, 3, 6, dtype=torch.float64), torch.zeros(6, dtype=torch.float64))
    one = torch.ones(1000, 1, dtype=torch.float64)
    last = float(
        descend(MiniBatch(shared, 1), gradient_descent, one, 2000, record=("w",), eta=0.3).w[-1].abs().max()
    )
    floors = {}
    for eta in (0.3, 0.03):
        w = descend(MiniBatch(TWO, 1), gradient_descent, 0 * one, 400, record=("w",), eta=eta).w[200:, :, 0]
        mean, error = interval((w.square() / 2).mean(0))
        floors[eta] = mean, error, eta / (2 * (2 - eta))
    return Measured(
        as_printed=last > 0,
        as_repaired=all(abs(mean - exact) < 4 * error for mean, error, exact in floors.values()),
        numbers={
            r"six parabolas with one minimizer, $\eta = 0.3$: largest $|w|$ of 1000 runs, 2000 steps": last,
            r"noise at $w^\star$, $\eta = 0.3$: mean gap": floors[0.3][0],
            r"$\frac{\eta\sigma^2}{2(2-\eta\lambda)}$": floors[0.3][2],
            r"$\eta = 0.03$: mean gap": floors[0.03][0],
        },
    )


@check("GG-4.2-limit")
def a_limit_is_not_attained() -> Measured:
    n = 1000
    f = one_dimensional(torch.ones(n, dtype=torch.float64), normal(n, seed=0))
    start, star = point(5.0), float(f.f_star or math.nan)
    gd = descend(Quadratic(point(1.0)), gradient_descent, start, 100, eta=0.1)
    one = MiniBatch(f, 1, replacement=True)
    sgd = descend(one, gradient_descent, start.expand(200, 1), n, record=("f",), record_every=n, eta=0.1)
    mean, error = interval(sgd.f[-1] - star)
    pass_of_gd = float(descend(f, gradient_descent, start, 1, eta=0.1).f[-1]) - star
    same_steps = float(descend(f, gradient_descent, start, n, record_every=n, eta=0.1).f[-1]) - star
    return Measured(
        as_printed=float(gd.f[-1]) == 0,
        as_repaired=0 < float(gd.f[-1]) < 1e-8 and same_steps < mean - 4 * error,
        numbers={
            r"gap of gradient descent after 100 steps, $\eta = 0.1$, $L = 1$": float(gd.f[-1]),
            "1000 examples, 1000 steps each: gap of gradient descent": same_steps,
            "of SGD, mean of 200 runs": mean,
            "gap of gradient descent after as many gradients of single examples": pass_of_gd,
        },
    )


@check("GG-4.2-phases")
def two_phases() -> Measured:
    gap = float(stuck(0.05).f[-1] - float(TILTED.f_star or math.nan))
    eta, sigma = 0.05, 0.1
    starts, noisy = point(1.2, 0.0).expand(200, 2), AdditiveNoise(TILTED, sigma)
    run = descend(noisy, gradient_descent, starts, 600, record=("w", "f", "grad_norm"), eta=eta)
    holds, share = certified(sgd_nonconvex, run, L=WELL_L, sigma2=sigma**2)
    strong, strong_share = certified(sgd_noise_floor, strongly_convex_run(point(1.0, 10.0), eta), sigma2=2.0)
    return Measured(
        as_printed=gap < 0.1,
        as_repaired=float(run.w[..., 0].abs().max()) < 1.5 and holds and strong,
        numbers={
            "non-convex, no noise: gap after 2000 steps": gap,
            r"with noise, bound on the average $\|\nabla f\|^2$: median of left over right side": share,
            r"strongly convex, gap over $(1-\eta\mu)^t\Delta_0+\frac{L\eta\sigma^2}{2\mu}$: median": strong_share,
        },
    )


def sampled_line_search(f: FiniteSum, w: Tensor, steps: int, seed: int) -> tuple[Tensor, Tensor, int]:
    """Search on one random example a step: iterates with Algorithm 1 and with Armijo, and where it first hangs.

    Algorithm 1 has no end where the sampled gradient is zero; here such a step is skipped.
    """
    index = torch.randint(f.n, (steps,), generator=torch.Generator().manual_seed(seed))
    ends, hangs = [], 0
    for search in (halving, armijo):
        x = w
        for t, i in enumerate(index, 1):
            sample = Oracle(f.on(i[None]))
            value, g = sample.value_and_grad(x)
            try:
                x = search(sample, x, value, g, -g).w
            except NoStep:
                hangs = hangs or t
        ends.append(x)
    return ends[0], ends[1], hangs


@check("GG-4.2-linesearch")
def line_search_on_a_sample() -> Measured:
    simple, sufficient, hangs = sampled_line_search(TWO, point(0.3), 100, seed=0)
    values = [float(TWO.value(w)) for w in (simple, sufficient)]
    X = normal(4, 6, seed=1)
    shared = LeastSquares(X, X @ normal(6, seed=2))
    _, end, _ = sampled_line_search(shared, torch.zeros(6, dtype=torch.float64), 300, seed=0)
    starts = torch.full((500, 1), 3.0, dtype=torch.float64)
    run = descend(MiniBatch(TWO, 1), heavy_ball, starts, 1000, record=("f",), eta=0.001, beta=0.9)
    momentum, error = interval(run.f[-1] - 0.5)
    return Measured(
        as_printed=max(values) < 0.6,
        as_repaired=float(shared.value(end)) < 1e-6 and momentum + 4 * error < 0.01,
        numbers={
            r"$f_{1,2} = \frac12(w\mp1)^2$: $f$ after 100 searches on the sampled term, $f^\star = 0.5$": values[
                0
            ],
            "first step at which Algorithm 1 never ends": hangs,
            "examples with a common minimizer: $f$ after 300 searches": float(shared.value(end)),
            r"SGD with momentum on $f_{1,2}$, $\eta = 0.001$: mean gap": momentum,
        },
    )


@check("GG-4.2-stop")
def the_gradient_of_one_example() -> Measured:
    at_one = TWO.per_example_grads(point(1.0)).abs()
    full, at_best = float(TWO.grad(point(1.0)).abs()), TWO.per_example_grads(point(0.0)).abs()
    X = normal(4, 6, seed=1)
    common = normal(6, seed=2)
    shared = LeastSquares(X, X @ common)
    best = shared.per_example_grads(common).norm(dim=-1)
    w = common + normal(200, 6, seed=3) * torch.logspace(-6, 1, 200, dtype=torch.float64)[:, None]
    sampled, whole = shared.per_example_grads(w).norm(dim=-1).amax(-1), shared.grad(w).norm(dim=-1)
    return Measured(
        as_printed=not (float(at_one.min()) == 0 and full > 0.5) and float(at_best.min()) < 0.5,
        as_repaired=float(best.max()) < 1e-12 and bool((whole <= sampled).all()),
        numbers={
            r"$f_{1,2} = \frac12(w\mp1)^2$ at $w = 1$: smaller sampled gradient": float(at_one.min()),
            "full gradient there": full,
            "at the minimizer: smaller sampled gradient": float(at_best.min()),
            "common minimizer: largest sampled gradient there": float(best.max()),
        },
    )


@check("GG-eq29")
def the_contraction_contains_the_step() -> Measured:
    eta = 1e-3
    gap = float(descend(Quadratic(point(1.0)), gradient_descent, point(1.0), 1, eta=eta).f[-1])
    runs = [strongly_convex_run(point(1.0, L), x / L) for L in (1.0, 10.0) for x in (0.001, 0.1, 1.0)]
    holds, share = certified(sgd_noise_floor, *runs, sigma2=2.0)
    return Measured(
        as_printed=gap < 10 * eta,
        as_repaired=holds,
        numbers={
            r"$L = \mu = 1$, $\eta = 10^{-3}$: gap after one step": gap,
            r"$(1-\frac\mu L)^t+\eta$": eta,
            r"six quadratics, gap over $(1-\eta\mu)^t\Delta_0+\frac{L\eta\sigma^2}{2\mu}$: largest median": share,
        },
    )


@check("PL-takeaway-sgd")
def escape_and_convergence() -> Measured:
    f, start = DoubleWell(0.0), torch.zeros(100, 2, dtype=torch.float64)
    trapped = float(descend(f, gradient_descent, start[0], 1000, eta=0.2).f[-1])
    noisy = AdditiveNoise(f, 0.3)

    def gaps(eta: float | Callable[[int], float]) -> tuple[float, float, float]:
        """Mean gap before steps 500 and 2000, and the share of runs in a valley at the end."""
        run = descend(noisy, gradient_descent, start, 2000, record=("w", "f"), eta=eta)
        gap, away = run.f + 0.25, (run.w[-1, :, 0].abs() > 0.5).double().mean()
        return float(gap[400:501].mean()), float(gap[1600:].mean()), float(away)

    constant, falling = gaps(0.2), gaps(lambda t: 0.2 * inverse_sqrt(t))
    return Measured(
        as_printed=trapped == 0 and constant[2] == 1 and constant[1] < constant[0] / 1.5,
        as_repaired=falling[2] == 1 and falling[1] < falling[0] / 1.5,
        numbers={
            "without noise: $f$ after 1000 steps from the saddle ($f^\\star = -0.25$)": trapped,
            r"$\eta = 0.2$ with noise: mean gap before step 2000": constant[1],
            r"$\eta_t = 0.2/\sqrt t$: before step 500": falling[0],
            "before step 2000": falling[1],
        },
    )
