"""Claims about AMGT without convexity, eqs. (34) to (36): steps 1/k, what is summed, what tends to zero."""

from __future__ import annotations

import math
from functools import cache

import torch
from torch import Tensor

from ...descend import descend
from ...problems import Quadratic, Softplus
from ...rules import gradient_descent
from ...schedules import inverse
from ..check import Measured, check
from .amgt_schedule import remaining
from .descent_lemma import point
from .sgd_decaying import on_a_cosine
from .sgd_floor import upper
from .sgd_nonconvex import Cosines, sgd_run

H = 0.1  # f = ½hx² with h = 0.1 and x_1 = 1: deterministic, L = h


def squared_gradients(T: int) -> Tensor:
    """‖∇f(x_k)‖², k = 1, ..., T, of f = ½hx² from x_1 = 1 with α_k = 1/k: (h x_k)²."""
    return (H * torch.cat([point(1.0), remaining(H, T - 1)])).square()


@check("AMGT-eq34")
def the_weighted_sum() -> Measured:
    T = 10**6
    k = torch.arange(1, T + 1, dtype=torch.float64)
    exact = float((squared_gradients(T) / k).sum())
    by_steps = descend(Quadratic(point(H)), gradient_descent, point(1.0), 300, eta=inverse).grad_norm.square()
    # With noise, for free constants c in α_k = c/k, every T.
    holds, share = on_a_cosine(inverse, lambda t: 0.3 / t, lambda t: 3 / t)
    return Measured(
        exact <= H / 2 and holds and float((by_steps - squared_gradients(301)).abs().max()) < 1e-12,
        numbers={
            r"$f = 0.05x^2$: $\sum\alpha_k\|\nabla f\|^2$ up to $10^6$": exact,
            "$f(x_1)-f^*$": H / 2,
            r"cosine with noise, $\alpha_k = 0.3/k, 1/k, 3/k$: left over right side, largest median": share,
        },
    )


@check("AMGT-eq35")
def the_weights_are_lost() -> Measured:
    g2 = squared_gradients(10**6)
    k = torch.arange(1, 10**6 + 1, dtype=torch.float64)
    plain, weighted = g2.cumsum(0), (g2 / k).cumsum(0)
    at = {T: float(plain[T - 1]) for T in (10**2, 10**4, 10**6)}
    holds, _ = on_a_cosine(inverse)
    return Measured(
        as_printed=at[10**6] < 10 * at[10**2],
        as_repaired=float(weighted[-1]) <= H / 2 and holds,
        numbers={
            r"$f = 0.05x^2$: $\sum\|\nabla f(x_k)\|^2$ up to $10^2$": at[10**2],
            "up to $10^4$": at[10**4],
            "up to $10^6$": at[10**6],
            r"$\sum\frac1k\|\nabla f(x_k)\|^2$ up to $10^6$": float(weighted[-1]),
        },
    )


MOMENTS = (10, 10**2, 10**4)


@cache
def drift() -> tuple[list[float], list[float]]:
    """|x| and gradient on the softplus log(1 + e^x) from 0 after each of MOMENTS steps 1/k, exact gradients."""
    T = MOMENTS[-1]
    run = descend(Softplus(), gradient_descent, point(0.0), T, record=("w", "grad_norm"), eta=inverse)
    return [float(run.w[T, 0]) for T in MOMENTS], [float(run.grad_norm[T]) for T in MOMENTS]


@check("AMGT-eq36")
def the_smallest_gradient() -> Measured:
    x, slopes = drift()
    T = 10**6
    quadratic = squared_gradients(T)
    smallest = quadratic.cummin(0).values
    k = torch.arange(1, T + 1, dtype=torch.float64)
    bound = H / 2 / (1 / k).cumsum(0)
    # With noise: E‖∇f‖² itself falls, as the summable jumps |a_{k+1} - a_k| ≤ 2LG²α_k demand.
    starts = torch.full((400, 1), 0.5, dtype=torch.float64)
    a = sgd_run(Cosines(1), 1.0, starts, 2000, inverse).grad_norm.square()
    late = float(upper(a)[1800:].max())
    return Measured(
        # Convergence to a stationary point: then the iterates would come to rest.
        as_printed=x[2] - x[1] < 0.5 * (x[1] - x[0]),
        as_repaired=bool((smallest <= bound).all()) and late < 0.1 * float(a[0].mean()) and slopes[2] < slopes[1],
        numbers={
            r"$f = 0.05x^2$: $\min\|\nabla f(x_k)\|^2$ up to $10^6$": float(smallest[-1]),
            "at the start": float(quadratic[0]),
            r"cosine with noise: $\mathbb E\|\nabla f(x_k)\|^2$ for $k = 1800$ to $2000$, at most": late,
            r"softplus: $|x_k|$ moved between $k = 10^2$ and $10^4$": x[2] - x[1],
        },
    )


@check("AMGT-task-limit")
def the_iterates_need_not_converge() -> Measured:
    x, slopes = drift()
    # |x_k| ≈ log log k: from k to k² it moves by log 2, again and again.
    tends = [math.log(T) * slope for T, slope in zip(MOMENTS, slopes, strict=True)]
    return Measured(
        as_printed=x[2] - x[1] < 0.5 * (x[1] - x[0]),
        as_repaired=slopes[2] < slopes[1] < slopes[0] and max(tends) < 1.1,
        numbers={
            r"softplus: $|x_k|$ at $k = 10^2$": x[1],
            "at $k = 10^4$": x[2],
            "the gradient there": slopes[2],
            r"times $\log k$": tends[2],
        },
    )
