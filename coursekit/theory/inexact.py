"""Gradient descent with errors in the gradient, whatever they are."""

from __future__ import annotations

from torch import Tensor

from .noise import SGD
from .nonconvex import AT_ONE
from .path import SMOOTH, times, value_size
from .polyak_lojasiewicz import PL
from .theorem import Constants, Evidence, Rate, Sides, Theorem


def _error2(run: Evidence) -> Tensor:
    """‖e_t‖² = ‖g_t - ∇f(w_t)‖² for t = 0, ..., T - 1."""
    return (run.g - run.problem.grad(run.w))[:-1].square().sum(-1)


def _mean_square(run: Evidence, k: Constants) -> Sides:
    f, t, L = run.f, times(run.f), k["L"]
    mean = (run.grad_norm[:-1] ** 2).cumsum(0) / t
    errors = _error2(run).cumsum(0) / t
    size = 2 * L * (f[0].abs() + value_size(run)[1:]) / t + mean + errors
    return Sides(left=mean, right=2 * L * (f[0] - f[1:]) / t + errors, scale=size)


def _gap(run: Evidence, k: Constants) -> Sides:
    gap, e2, right = run.f - k["f_star"], _error2(run), run.f[1:].clone()
    now = gap[0]
    for t in range(run.T):
        now = (1 - k["pl"] / k["L"]) * now + e2[t] / (2 * k["L"])
        right[t] = now
    return Sides(left=gap[1:], right=right, scale=value_size(run)[1:] + abs(k["f_star"]) + times(run.f) * right)


inexact_gradient = Theorem(
    id="inexact-gradient",
    kind="theorem",
    title="Gradient descent with any errors in the gradient",
    chapter=3,
    statement=r"""
Let $f$ be $L$-smooth and $w_{t+1} = w_t - \frac1L\bigl(\nabla f(w_t)+e_t\bigr)$ with any errors $e_t$, random or
not. Then for every $T\ge1$

$$
\frac1T\sum_{t<T}\|\nabla f(w_t)\|^2 \;\le\; \frac{2L\,\bigl(f(w_0)-f(w_T)\bigr)}T + \frac1T\sum_{t<T}\|e_t\|^2 .
$$

It needs no expectation. A parabola of curvature $L$ attains it at every $T$.
""",
    source="GG-P3, GG-eq34",
    assumptions=(SMOOTH, SGD, AT_ONE),
    constants=("L",),
    needs=("w", "f", "g", "grad_norm"),
    sides=_mean_square,
    rate=Rate("GD with errors", "smooth", r"$\frac{2L\Delta_0}{T} + \frac1T\sum_t\Vert e_t\Vert^2$"),
)

inexact_gradient_pl = Theorem(
    id="inexact-gradient-pl",
    kind="theorem",
    title="Gradient descent with any errors under PL",
    chapter=3,
    statement=r"""
Let $f$ be $L$-smooth and $\mu$-PL, and $w_{t+1} = w_t - \frac1L\bigl(\nabla f(w_t)+e_t\bigr)$ with any errors
$e_t$. Then for every $T\ge1$

$$
f(w_T)-f^\star \;\le\; \Bigl(1-\frac\mu L\Bigr)^T\bigl(f(w_0)-f^\star\bigr)
 + \frac1{2L}\sum_{t<T}\Bigl(1-\frac\mu L\Bigr)^{T-1-t}\|e_t\|^2 .
$$

Past errors count, each less with every step: with $\|e_t\|\le e$ the sum is at most $e^2/(2\mu)$.
""",
    source="GG-P3, GG-eq35",
    assumptions=(SMOOTH, PL, SGD, AT_ONE),
    constants=("L", "pl", "f_star"),
    needs=("w", "f", "g", "grad_norm"),
    sides=_gap,
    rate=Rate("GD with errors", "smooth, PL", r"$(1-\frac\mu L)^T\Delta_0 + \frac{e^2}{2\mu}$"),
)
