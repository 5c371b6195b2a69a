"""Claims about AMGT's correction (2), its moving averages (3), its decaying step (10), (11) and Lemma 2.1."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch

from ...descend import descend
from ...oracles import AdditiveNoise
from ...problems import Huber, Quadratic
from ...rules import Rule, amgt, gradient_descent, rule
from ..check import Measured, check
from .adaptive import fed, vector
from .amgt_schedule import alone


def harmonic(eta0: float, alpha: float) -> Callable[[int], float]:
    """(10) by itself: η_t = η_0/(1 + αt)."""
    return lambda t: eta0 / (1 + alpha * t)


@rule(
    state=("m",), eta=0.1, beta1=0.9, alpha=0.1, power=0.0,
    scalars=lambda t, h: {"c1": 1 / (1 - h.beta1**t), "alpha_t": h.alpha / t**h.power},
)  # fmt: skip
def with_correction(w: Any, g: Any, state: Any, scalars: Any, h: Any) -> Any:
    """(2) in (14): m̂ = m/(1 - β₁ᵗ) + α_t with α_t = α/t^power."""
    m = h.beta1 * state[0] + (1 - h.beta1) * g
    return -h.eta * (m * scalars.c1 + scalars.alpha_t), (m,)


@check("AMGT-eq2")
def what_the_correction_is() -> Measured:
    def end(**hyper: Any) -> float:
        return float(descend(Quadratic(vector(1.0)), with_correction, vector(1.0), 1000, **hyper).grad_norm[-1])

    none, constant, vanishing = end(alpha=0.0), end(alpha=0.1), end(alpha=0.1, power=1.0)
    return Measured(
        as_printed=max(none, constant, vanishing) < 1e-3,
        numbers={
            r"$\frac12w^2$: distance to the minimizer after 1000 steps, $\alpha_t = 0$": none,
            r"$\alpha_t = 0.1$": constant,
            r"$\alpha_t = 0.1/t$": vanishing,
        },
    )


def with_memory(beta1: Callable[[int], float]) -> Rule:
    """(3): m ← β₁(t) m + (1-β₁(t)) g, w ← w - η m."""

    @rule(state=("m",), eta=0.05, scalars=lambda t, h: {"beta1": beta1(t)})
    def averaged(w: Any, g: Any, state: Any, scalars: Any, h: Any) -> Any:
        m = scalars.beta1 * state[0] + (1 - scalars.beta1) * g
        return -h.eta * m, (m,)

    return averaged


@check("AMGT-eq3")
def which_moving_averages() -> Measured:
    f, starts = AdditiveNoise(Quadratic(vector(1.0)), 0.3), torch.ones(1000, 1, dtype=torch.float64)

    def end(beta1: Callable[[int], float]) -> float:
        return float(descend(f, with_memory(beta1), starts, 300, record=("w",)).w[-1].square().mean() / 2)

    constant, falling, whole = end(lambda t: 0.9), end(lambda t: 0.9 * 0.99**t), end(lambda t: 1 - 1 / t)
    return Measured(
        as_printed=max(constant, falling, whole) < 1.1 * min(constant, falling, whole),
        numbers={
            r"noisy $\frac12w^2$: mean loss after 300 steps, $\beta_1 = 0.9$": constant,
            r"$\beta_1(t) = 0.9\cdot0.99^t$": falling,
            r"$\beta_1(t) = 1 - 1/t$": whole,
        },
    )


@check("AMGT-eq10")
def harmonic_decay() -> Measured:
    eta0, alpha = 0.5, 0.25
    h = amgt.hyper(eta=eta0, alpha=alpha)
    first = -fed(amgt, torch.ones(50, 1, dtype=torch.float64), eta=eta0, alpha=alpha)[:, 0]  # a gradient of 1
    steps = eta0 * torch.tensor([amgt.scalars_at(t, h).decay for t in range(1, 20_001)], dtype=torch.float64)
    printed = eta0 / (1 + alpha * torch.arange(1, 20_001, dtype=torch.float64))
    apart = max(float((steps - printed).abs().max()), float((first - printed[:50]).abs().max()))
    doubling = float(steps[10_000:].sum()) / math.log(2)
    return Measured(
        apart < 1e-7 and bool((steps.diff() < 0).all()) and abs(doubling / (eta0 / alpha) - 1) < 1e-3,
        numbers={
            "largest deviation of the steps from (10)": apart,
            r"what $\sum\eta_t$ gains from $T = 10^4$ to $2\cdot10^4$, over $\log2$": doubling,
            r"$\eta_0/\alpha$": eta0 / alpha,
        },
    )


@check("AMGT-eq11")
def a_constant_without_the_start_and_alpha() -> Measured:
    eta0, alpha = 0.1, 1.0
    # ½x² with the gradient itself, x_1 = 1 - η_0: in closed form, and by the rule as far as a run is cheap.
    x = (1 - eta0 / (1 + alpha * torch.arange(10**6, dtype=torch.float64))).cumprod(0)
    run = alone(gradient_descent, lambda t, w: w, float(x[0]), 9999, harmonic(eta0, alpha))
    assert math.isclose(run[-1], float(x[9999]), rel_tol=1e-9)
    plain = {T: math.sqrt(T) * float(x[T - 1]) ** 2 / 2 for T in (100, 10**4, 10**6)}
    # Divided by √v the steps are about η_t long: a far start stays far.
    f = descend(Huber(1.0), amgt, vector(100.0), 400, eta=eta0, alpha=alpha).f
    normalized = {T: math.sqrt(T) * float(f[T]) for T in (100, 400)}
    return Measured(
        as_printed=plain[10**6] <= plain[10**4] or normalized[400] <= normalized[100],
        as_repaired=plain[10**6] <= plain[10**4],  # even if C may depend on the start and on α
        numbers={
            r"$\frac12x^2$, $\eta_0 = 0.1$, $\alpha = 1$: $\sqrt T(f - f^\star)$ at $T = 100$": plain[100],
            r"$T = 10^4$": plain[10**4],
            r"$T = 10^6$": plain[10**6],
            r"divided by $\sqrt{\hat v}$, Huber from 100: the same at $T = 400$ over that at 100": normalized[400]
            / normalized[100],
        },
    )


@check("AMGT-eq10-stable")
def the_decay_does_not_prevent_overshooting() -> Measured:
    def run(curvature: float) -> list[float]:
        return alone(gradient_descent, lambda t, w: curvature * w, 1.0, 800, harmonic(0.1, 0.01))

    w = {curvature: run(curvature) for curvature in (10.0, 19.0, 100.0)}
    peak = {curvature: max(map(abs, path)) for curvature, path in w.items()}
    crossings = {c: sum(a * b < 0 for a, b in pairwise(path)) for c, path in w.items()}
    shrinks = all(abs(path[-1]) < abs(path[-2]) for path in w.values())  # stability in the later phases
    return Measured(
        as_printed=shrinks and max(peak.values()) <= 1 and not any(crossings.values()),
        as_repaired=shrinks and peak[10.0] <= 1 and crossings[10.0] == 0,  # eta_0 at most 1/L
        numbers={
            r"$\eta_0 = 0.1$, $\alpha = 0.01$, curvature 100: $\log_{10}$ of the largest $|w|$ from 1": math.log10(
                peak[100.0]
            ),
            "curvature 19: largest $|w|$": peak[19.0],
            "curvature 19: changes of sign": crossings[19.0],
            "curvature 10: changes of sign": crossings[10.0],
        },
    )


@check("AMGT-L2.1")
def chungs_three_regimes() -> Measured:
    T, gamma = 100_000, 1.0

    def scaled(beta: float) -> tuple[float, float]:
        """k^min(β, 1) a_k at k = 10⁴ and 10⁵, with equality in (12) from a_1 = 1, never below 0."""
        a, seen = 1.0, []
        for k in range(1, T + 1):
            if k in (T // 10, T):
                seen.append(k ** min(beta, 1.0) * a)
            a = max((1 - beta / k) * a + gamma / k**2, 0.0)
        return seen[0], seen[1]

    slow, fast = ({beta: scaled(beta) for beta in betas} for betas in ((0.5, 0.75), (2.0, 3.0)))
    # For β < 1 the next term of a_k is -γ/((1-β)k): without it k^β a_k stands still.
    drift = max(
        abs(
            (late + gamma / (1 - beta) * T ** (beta - 1)) / (early + gamma / (1 - beta) * (T / 10) ** (beta - 1))
            - 1
        )
        for beta, (early, late) in slow.items()
    )
    before, after = scaled(1.0)
    log_factor = (after - before) / math.log(10)  # of k a_k on log k
    # Nothing in the lemma says a_k >= 0: then a_k = -k is admissible, and has no limit.
    k = torch.arange(1, 1001, dtype=torch.float64)
    admissible = bool((-(k + 1) <= (1 - 0.5 / k) * -k + gamma / k**2).all())
    return Measured(
        as_printed=not admissible,
        as_repaired=all(abs(late * (beta - 1) / gamma - 1) < 1e-3 for beta, (_, late) in fast.items())
        and abs(log_factor / gamma - 1) < 1e-3
        and drift < 1e-3,
        numbers={
            r"$\beta = 2$, $\gamma = 1$: $k\,a_k$ at $k = 10^5$": fast[2.0][1],
            r"$\beta = 3$": fast[3.0][1],
            r"$\beta = 1$: what $k\,a_k$ gains from $k = 10^4$ to $10^5$, over $\log10$": log_factor,
            r"$\beta = \frac12$: $k^{1/2}a_k$ at $k = 10^5$": slow[0.5][1],
        },
    )
