"""Gradient descent with a line search: exact on a quadratic, Armijo's on a smooth function."""

from __future__ import annotations

import inspect

import torch

from ..methods import armijo, exact, gradient_descent_with
from .path import SMOOTH, times, value_size
from .quadratics import QUADRATIC
from .theorem import Assumption, Constants, Evidence, Rate, Sides, Theorem


def _option(run: Evidence, name: str) -> float:
    """What a run's line search was called with, or its default."""
    return float(inspect.signature(run.method.search).parameters[name].default)


def _zigzag(run: Evidence, k: Constants) -> Sides:
    gap, t = run.f - k["f_star"], times(run.f)
    factor = ((k["L"] - k["mu"]) / (k["L"] + k["mu"])) ** 2
    return Sides(
        left=gap[1:], right=factor * gap[:-1], scale=value_size(run)[1:] + abs(k["f_star"]) + t * gap[:-1] / 4
    )


def _backtracked(run: Evidence, k: Constants) -> Sides:
    c1, first, shrink = (_option(run, name) for name in ("c1", "first", "shrink"))
    f, t = run.f, times(run.f)
    least = f.new_tensor(min(first, 2 * shrink * (1 - c1) / k["L"]))
    mean = (run.grad_norm[:-1] ** 2).cumsum(0) / t
    promise = 1 / (c1 * t * least)
    # The search may accept a step whose decrease drowns in the rounding of f: t of them by step t.
    return Sides(
        left=torch.stack([least.expand_as(t), mean], -1),
        right=torch.stack([run.eta, promise * (f[0] - f[1:])], -1),
        scale=torch.stack([run.eta, promise * t * (f[0].abs() + f[1:].abs()) + mean], -1),
    )


exact_line_search = Theorem(
    id="exact-line-search",
    kind="theorem",
    title="Steepest descent with exact line search on a quadratic",
    chapter=1,
    statement=r"""
Let $f$ be a quadratic whose Hessian has eigenvalues in $[\mu, L]$, $\mu > 0$, and $\kappa = L/\mu$. Let
$w_{t+1} = w_t - \eta_t\,\nabla f(w_t)$, where $\eta_t$ minimizes $f$ along the ray. Then

$$
f(w_{t+1}) - f^\star \;\le\; \Bigl(\frac{\kappa-1}{\kappa+1}\Bigr)^2\,\bigl(f(w_t) - f^\star\bigr) .
$$

On $\frac12(\mu x^2 + L y^2)$ from $(\kappa, 1)$ every step attains it.
""",
    source="GG-eq9, GG-2.5",
    assumptions=(
        QUADRATIC,
        Assumption("spectrum", r"$0 < \mu \le L$", lambda run, k: 0 < k["mu"] <= k["L"]),
        Assumption(
            "exact line search",
            r"each step minimizes $f$ along $-\nabla f(w_t)$",
            lambda run, k: run.method == gradient_descent_with(exact),
        ),
    ),
    constants=("L", "mu", "f_star"),
    needs=("method", "w", "f"),
    sides=_zigzag,
    rate=Rate("GD, exact line search", "quadratic", r"$(\frac{\kappa-1}{\kappa+1})^{2T}\Delta_0$"),
)

armijo_line_search = Theorem(
    id="armijo-line-search",
    kind="theorem",
    title="Gradient descent with Armijo's line search",
    chapter=1,
    statement=r"""
Let $f$ be $L$-smooth. At each step multiply $\eta$, from $\eta_0$, by $s\in(0,1)$ until
$f(w_t-\eta g_t) \le f(w_t) - c\,\eta\,\|g_t\|^2$, where $g_t=\nabla f(w_t)$ and $0<c<1$. Then the accepted
$\eta_t$ and the gradients satisfy, for every $T \ge 1$,

$$
\eta_t \;\ge\; \bar\eta = \min\Bigl(\eta_0,\; \frac{2s\,(1-c)}{L}\Bigr),
\qquad
\min_{t<T}\|g_t\|^2 \;\le\; \frac1T\sum_{t<T}\|g_t\|^2 \;\le\; \frac{f(w_0)-f(w_T)}{c\,\bar\eta\,T} .
$$

No $L$ goes into the method. With $\eta_0 = 1$ and $s = \frac12$, $\bar\eta = \min(1, (1-c)/L)$.
""",
    source="GG-Alg1, GG-armijo, GG-eq5",
    assumptions=(
        SMOOTH,
        Assumption(
            "Armijo's line search",
            r"each step goes along $-\nabla f(w_t)$, its size found by backtracking to a sufficient decrease",
            lambda run, k: (
                run.method == gradient_descent_with(run.method.search)
                and getattr(run.method.search, "func", run.method.search) is armijo
            ),
        ),
    ),
    constants=("L",),
    needs=("method", "f", "grad_norm", "eta"),
    sides=_backtracked,
    rate=Rate("GD, Armijo", "smooth", r"$\frac{\Delta_0}{c\bar\eta T}$"),
)
