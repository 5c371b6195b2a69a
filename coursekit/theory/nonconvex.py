"""Gradient descent without convexity: how small a gradient it is sure to meet."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .path import BELOW_TWO, DESCENT, SMOOTH, UP_TO_ONE, at_most, eta, has_constant_step, rounding, times
from .theorem import Assumption, Constants, Evidence, Rate, Sharp, Sides, Theorem


def at_one(run: Evidence, k: Constants) -> bool:
    """Is the step size 1/L?"""
    return has_constant_step(run) and at_most((eta(run) * k["L"] - 1).abs(), rounding(run.eta))


AT_ONE = Assumption("step", r"$\eta = 1/L$", at_one)


def _mean_square(run: Evidence) -> Tensor:
    """(1/t) Σ ‖∇f(w_s)‖² over s < t, for t = 1, ..., T."""
    return (run.grad_norm[:-1] ** 2).cumsum(0) / times(run.f)


def _promise(run: Evidence, k: Constants) -> Tensor:
    """1 / (t η (1 - η L/2)); an L that is given step by step counts with its largest value so far."""
    L = torch.as_tensor(k["L"])
    L = L.cummax(0).values if L.ndim else L
    return 1 / (times(run.f) * eta(run) * (1 - eta(run) * L / 2))


def _telescoped(run: Evidence, k: Constants) -> Sides:
    f, mean, promise = run.f, _mean_square(run), _promise(run, k)
    return Sides(left=mean, right=promise * (f[0] - f[1:]), scale=promise * (f[0].abs() + f[1:].abs()) + mean)


def _smallest(run: Evidence, k: Constants) -> Sides:
    g2, step = run.grad_norm**2, eta(run)
    share = 4 / (times(run.f) * step * (4 - step * k["L"]) + 2 / k["L"])
    f0 = run.f[0]
    return Sides(
        left=g2.cummin(0).values[1:],
        right=share * (f0 - k["f_star"]).expand_as(g2[1:]),
        scale=share * (f0.abs() + abs(k["f_star"])),
    )


def _printed(run: Evidence, k: Constants) -> Sides:
    largest = run.f.abs().cummax(0).values[1:]
    right = 4 * k["L"] * largest / times(run.f)
    return Sides(left=_mean_square(run), right=right, scale=2 * right)


def _loose(run: Evidence, k: Constants) -> float:
    """Against the sharp bound for T - 1 steps: both are then about w_0, ..., w_{T-1}."""
    eta_L = (eta(run) * torch.as_tensor(k["L"]).max()).max()
    known = at_most(eta_L, 1)
    return float(((run.T - 1) * (4 - eta_L) + 2 / eta_L) / (run.T * (4 - 2 * eta_L))) if known else math.nan


gd_nonconvex = Theorem(
    id="gd-nonconvex",
    kind="theorem",
    title="Gradient descent meets a small gradient",
    chapter=2,
    statement=r"""
Let $f$ be $L$-smooth and bounded below by $f^\star$, and $w_{t+1} = w_t - \eta\,\nabla f(w_t)$ with
$0<\eta<2/L$. Then for every $T \ge 1$

$$
\begin{aligned}
\min_{t<T}\|\nabla f(w_t)\|^2 &\le \frac1T\sum_{t<T}\|\nabla f(w_t)\|^2 \\
&\le \frac{f(w_0)-f(w_T)}{\eta\,(1-\eta L/2)\,T} \\
&\le \frac{f(w_0)-f^\star}{\eta\,(1-\eta L/2)\,T} .
\end{aligned}
$$

At $\eta = 1/L$ the bound is $2L\,(f(w_0)-f^\star)/T$, the smallest over all $\eta$.
""",
    source="KH-3.1-GD, KH-T1-GD, TDL-T4.6.1, TDL-4.6-M",
    assumptions=(SMOOTH, DESCENT, BELOW_TWO),
    constants=("L",),
    needs=("f", "grad_norm"),
    sides=_telescoped,
    sharp=Sharp(
        r"the least of $T$ gradients is at worst $4 (f(w_0) - f^\star)/((T - 1) \eta (4 - \eta L) + 2/L)$",
        "Abbaszadehpeivasti, de Klerk and Zamani 2022",
        _loose,
    ),
    rate=Rate(r"GD, $\eta=1/L$", "smooth", r"$\frac{2L\Delta_0}{T}$"),
)

gd_nonconvex_sharp = Theorem(
    id="gd-nonconvex-sharp",
    kind="theorem",
    title="The smallest gradient, sharp",
    chapter=2,
    statement=r"""
Let $f$ be $L$-smooth and bounded below by $f^\star$, and $w_{t+1} = w_t - \eta\,\nabla f(w_t)$ with
$0<\eta\le1/L$. Then for every $T \ge 1$

$$
\min_{t\le T}\|\nabla f(w_t)\|^2 \le \frac{4\,\bigl(f(w_0)-f^\star\bigr)}{T\,\eta\,(4-\eta L) + 2/L} .
$$

At $\eta = 1/L$ the bound is $4L\,(f(w_0)-f^\star)/(3T+2)$. No smaller constant will do: on the function whose
slope zigzags between $G$ at the iterates and $G(1-\eta L/2)$ halfway between them, both sides are equal.
""",
    source="TDL-T4.6.1; Abbaszadehpeivasti, de Klerk and Zamani 2022",
    assumptions=(SMOOTH, DESCENT, UP_TO_ONE),
    constants=("L", "f_star"),
    needs=("f", "grad_norm"),
    sides=_smallest,
    rate=Rate(r"GD, $\eta=1/L$", "smooth", r"$\frac{4L\Delta_0}{3T+2}$"),
)

tdl_theorem_461 = Theorem(
    id="tdl-theorem-4-6-1",
    kind="theorem",
    title="The smallest gradient, as TDL prints it",
    chapter=2,
    statement=r"""
Let $f$ be $L$-smooth, $\eta = 1/L$, and let $M \ge |f(w_t)|$ for $t = 0, \dots, T$. Then

$$
\begin{aligned}
\min_{t<T}\|\nabla f(w_t)\|^2 &\le \frac1T\sum_{t<T}\|\nabla f(w_t)\|^2 \\
&\le \frac{4ML}{T} .
\end{aligned}
$$

It is attained at $T=1$, on $\frac L2 w^2 - M$ from $w_0 = 2\sqrt{M/L}$. The bound depends on where the zero of
$f$ is put; $2L\,(f(w_0)-f(w_T))/T$, from the same proof, does not.
""",
    source="TDL-T4.6.1, TDL-4.6-M",
    assumptions=(SMOOTH, DESCENT, AT_ONE),
    constants=("L",),
    needs=("f", "grad_norm"),
    sides=_printed,
    sharp=Sharp(
        r"the same proof gives $2L (f(w_0) - f(w_T))/T$",
        "gd-nonconvex",
        lambda run, k: float((2 * run.f.abs().amax(0) / (run.f[0] - run.f[-1])).min()),
        exact=False,
    ),
    rate=Rate("GD, as TDL prints it", r"smooth, $\lvert f\rvert\le M$", r"$\frac{4ML}{T}$"),
)
