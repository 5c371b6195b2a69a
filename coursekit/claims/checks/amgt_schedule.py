"""Claims about AMGT's step 1/(μk) under strong convexity, eqs. (13) to (23): exact gradients, mode by mode."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace

import torch
from torch import Tensor

from ...problems import Quadratic
from ...rules import Rule, gradient_descent
from ...schedules import strongly_convex
from ..check import Measured, check
from .quadratics import factors

Schedule = Callable[[int], float]


def alone(
    made: Rule,
    gradient: Callable[[int, float], float],
    start: float,
    T: int,
    eta: Schedule,
    bound: float = math.inf,
    **hyper: float,
) -> list[float]:
    """w_0, ..., w_T of one weight in Python's floats, for 10⁵ steps and more, kept in |w| ≤ bound.

    ``gradient(t, w)`` is that of step t. For rules without sums over coordinates.
    """
    h = made.hyper(**hyper)
    w, state, path = start, (0.0,) * len(made.state), [start]
    none = SimpleNamespace()
    for t in range(1, T + 1):
        h.eta = eta(t)
        scalars = made.scalars_at(t, h) if made.scalars else none
        delta, state = made(w, gradient(t, w), state, scalars, h)
        w = min(max(w + delta, -bound), bound)
        path.append(w)
    return path


def mode(h: float, mu: float, T: int, start: float = 1.0, kappa: float = 0.0) -> list[float]:
    """Gradient descent on ½hx² with the steps 1/(μ(k+κ)): element k is x_{k+1} of AMGT, which counts from x_1."""
    return alone(gradient_descent, lambda t, x: h * x, start, T, partial(strongly_convex, mu=mu, kappa=kappa))


def remaining(c: float, T: int) -> Tensor:
    """∏_{i≤k} (1 - c/i) for k = 1, ..., T: what k steps of 1/(μi) leave of a mode of curvature cμ."""
    return (1 - c / torch.arange(1, T + 1, dtype=torch.float64)).cumprod(0)


def slope(path: list[float], k: int) -> float:
    """The exponent p of |x| ~ k^p, between k/2 and k."""
    return math.log2(abs(path[k] / path[k // 2]))


@check("AMGT-linear")
def no_geometric_rate() -> Measured:
    y = mode(5.0, 4.0, 20_000)  # the stiff mode of (4x² + 5y²)/2; the other one is exactly 0 after one step
    ratios = {k: y[k] / y[k - 1] for k in (10, 1000, 20_000)}
    return Measured(
        as_printed=ratios[20_000] < 0.99,
        numbers={
            r"$|y_{k+1}|/|y_k|$ on $\frac12(4x^2+5y^2)$ at $k = 10$": ratios[10],
            "at $k = 1000$": ratios[1000],
            r"at $k = 2\cdot10^4$": ratios[20_000],
        },
    )


@check("AMGT-eq17")
def one_step_factor() -> Measured:
    k = torch.arange(1, 500, dtype=torch.float64)

    def worst(mu: float, kappa: float) -> Tensor:
        """The largest factor of the norm in step k, over modes from μ to κμ, for k = 1, ..., 499."""
        modes = torch.linspace(mu, kappa * mu, 91, dtype=torch.float64)
        return factors(Quadratic(modes), 1 / (mu * k)).abs().amax(-1)

    true, claimed = worst(1.0, 10.0), (1 - 1 / k).sqrt()
    late = int((true > claimed + 1e-12).nonzero()[-1]) + 1
    # The most charitable reading, "for all k large enough": with mu > 2 no k is large enough.
    never = worst(4.0, 1.0).square() > 1 - 4 / k
    return Measured(
        as_printed=bool((true <= claimed + 1e-12).all()),
        as_repaired=not bool(never.all()),
        numbers={
            r"$\mu = 1$, $\kappa = 10$: worst factor of the norm at $k = 2$": float(true[1]),
            "claimed": float(claimed[1]),
            "last $k$ at which it is exceeded": late,
            r"$\mu = 4$, $\kappa = 1$: share of $k < 500$ that exceed the claim": float(never.double().mean()),
        },
    )


@check("AMGT-eq17-worst")
def one_over_k_for_every_mu() -> Measured:
    def cubic(mu: float, start: float, T: int) -> list[float]:
        """f' = μ(x + x³): smooth on the bounded set that the iterates stay in."""
        step = partial(strongly_convex, mu=mu)
        return alone(gradient_descent, lambda t, x: mu * (x + x * x * x), start, T, step)

    T = 50_000
    limits = {mu: T * abs(cubic(mu, 0.5, T)[-1]) for mu in (0.1, 1.0, 8.0)}
    later = T / 2 * abs(cubic(1.0, 0.5, T // 2)[-1])
    # The slowest that a quadratic can be: its mode mu is gone after one step, the next ones fall like k^(-h/mu).
    modes = max(slope(mode(h, 1.0, 4000), 4000) for h in (1.001, 1.5, 3.3, 10.7))
    other = [T / 5 * abs(cubic(1.0, start, T // 5)[-1]) for start in (0.3, 0.9)]
    return Measured(
        as_printed=max(limits.values()) - min(limits.values()) < 1e-9
        and abs(later / limits[1.0] - 1) < 1e-3
        and modes < -1,
        numbers={
            r"$f' = \mu(x+x^3)$ from $\frac12$: $k|x_k|$ at $k = 5\cdot10^4$, $\mu = 0.1$": limits[0.1],
            r"$\mu = 8$": limits[8.0],
            "from 0.3": other[0],
            "from 0.9": other[1],
        },
    )


@check("AMGT-transient")
def the_first_steps_explode() -> Measured:
    peak, binomial = {}, {}
    for kappa in (9.5, 99.5, 999.5):
        peak[kappa] = max(math.log10(abs(x)) for x in mode(kappa, 1.0, int(kappa)))
        n, m = kappa - 1, kappa // 2
        binomial[kappa] = (math.lgamma(n + 1) - math.lgamma(m + 1) - math.lgamma(n - m + 1)) / math.log(10)
    assert all(abs(peak[kappa] - binomial[kappa]) < 1e-6 * binomial[kappa] for kappa in peak)
    calm = mode(99.5, 1.0, 1000, kappa=99.5)
    return Measured(
        as_printed=max(peak.values()) <= 0,
        numbers={
            r"$\kappa = 9.5$: $\log_{10}$ of the largest $|x_k|$ from 1": peak[9.5],
            r"$\kappa = 99.5$": peak[99.5],
            r"$\kappa = 999.5$": peak[999.5],
            r"$\kappa = 99.5$ with steps $1/(\mu(k+\kappa))$: largest $|x_k|$": max(map(abs, calm)),
        },
    )


@check("AMGT-eq19")
def the_product_of_roots() -> Measured:
    def printed(mu: float, k: int) -> float:
        """∏_{i≤k} (1 - μ/i), the square of the product in (19)."""
        return float(remaining(mu, k)[-1])

    x2 = abs(mode(5.0, 0.5, 1)[1])  # the stiff mode of mu = 0.5, kappa = 10
    return Measured(
        as_printed=printed(4.0, 1) >= 0 and printed(1.0, 3) > 0,
        as_repaired=x2 <= math.sqrt(printed(0.5, 1)),  # mu < 1, and k - 1 factors as (18) gives
        numbers={
            r"$\mu = 4$: number under the first root": printed(4.0, 1),
            r"$\mu = 1$: the product from $k = 1$ on": printed(1.0, 3),
            r"$\mu = 0.5$, $\kappa = 10$: largest $\|x_2\|/\|x_1\|$": x2,
            "(19) with $k-1$ factors": math.sqrt(printed(0.5, 1)),
        },
    )


@check("AMGT-eq19-domain")
def a_product_and_its_power() -> Measured:
    T = 10**6
    ratio = {mu: float(remaining(mu / 2, T)[-1]) * T ** (mu / 2) for mu in (0.6, 1.0, 2.0, 3.0)}
    exact = {mu: ratio[mu] * math.gamma(1 - mu / 2) for mu in (0.6, 1.0, 3.0)}
    return Measured(
        as_printed=all(0.5 < r < 2 for r in ratio.values()),  # at mu = 2 not even up to a factor
        as_repaired=all(abs(r - 1) < 1e-5 for r in exact.values()),
        numbers={
            r"product over $k^{-\mu/2}$ at $k = 10^6$, $\mu = 0.6$": ratio[0.6],
            r"$\mu = 2$": ratio[2.0],
            r"$\mu = 0.6$: product over $k^{-\mu/2}/\Gamma(1-\mu/2)$": exact[0.6],
        },
    )


@check("AMGT-eq22")
def the_exponent_depends_on_the_scale_of_f() -> Measured:
    y = mode(5.0, 4.0, 20_000)
    scaled = mode(20.0, 16.0, 1000)  # 4f: the same path, and a claimed exponent four times as large
    grown = {k: k**2 * abs(y[k - 1]) for k in (100, 1000, 20_000)}
    return Measured(
        as_printed=grown[20_000] < 2 * grown[1000],  # k^(mu/2) |y_k| <= C
        as_repaired=any(a != b for a, b in zip(y, scaled, strict=False)),  # no exponent that scales with f
        numbers={
            r"$\frac12(4x^2+5y^2)$, $\mu = 4$: $k^2\|(x_k,y_k)\|$ at $k = 100$": grown[100],
            r"at $k = 2\cdot10^4$": grown[20_000],
            "measured exponent (claimed: -2)": slope(y, 20_000),
            "largest change of the path for $4f$": max(abs(a - b) for a, b in zip(y, scaled, strict=False)),
        },
    )


@check("AMGT-rec2")
def tuning_mu() -> Measured:
    T = 10**6
    over = remaining(0.1, T)  # an estimate of ten times mu leaves a factor 1 - 0.1/k in the slow mode
    run = mode(0.1, 1.0, 2000)
    assert abs(run[-1] / float(over[1999]) - 1) < 1e-9
    under = slope(mode(1.0, 0.8, 20_000), 20_000)  # an estimate below mu
    return Measured(
        as_printed=float(over[-1]) < 1e-3,
        as_repaired=under <= -1,  # |x_k| = O(1/k) is kept
        numbers={
            r"$\hat\mu = 10\mu$: $|x_k|$ after $10^6$ steps from 1": float(over[-1]),
            r"$\hat\mu = 0.8\mu$: exponent of $|x_k|$": under,
            r"largest $|x_k|$ of a mode $h = 99.5\hat\mu$, as a power of 10": max(
                math.log10(abs(x)) for x in mode(99.5, 1.0, 99)
            ),
        },
    )
