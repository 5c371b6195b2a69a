"""Gradient descent under the Polyak-Łojasiewicz inequality."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .nonconvex import at_one
from .path import BELOW_TWO, DESCENT, SMOOTH, UP_TO_ONE, at_most, eta, rounding, times, value_size
from .theorem import Assumption, Constants, Evidence, Rate, Sharp, Sides, Theorem


def _is_pl(run: Evidence, k: Constants) -> bool:
    gap, scale = run.f - k["f_star"], run.f.abs() + abs(k["f_star"])
    return bool((run.grad_norm**2 / 2 - k["pl"] * gap >= -rounding(gap) * k["pl"] * scale).all())


PL = Assumption(
    "PL",
    r"$\|\nabla f(w)\|^2 \ge 2 \mu (f(w) - f^\star)$ with $0 < \mu \le L$ (checked at the points of the run)",
    lambda run, k: k["pl"] > 0 and at_most(k["pl"], k["L"]) and _is_pl(run, k),
)


def _geometric(run: Evidence, k: Constants, factor: Tensor) -> Sides:
    gap, t = run.f - k["f_star"], times(run.f)
    scale = t * factor ** (t - 1) * gap[0] + value_size(run)[1:] + abs(k["f_star"])
    return Sides(left=gap[1:], right=factor**t * gap[0], scale=scale)


def _whole_range(run: Evidence, k: Constants) -> Sides:
    return _geometric(run, k, 1 - eta(run) * k["pl"] * (2 - eta(run) * k["L"]))


def _printed(run: Evidence, k: Constants) -> Sides:
    return _geometric(run, k, 1 - eta(run) * k["pl"])


def _loose(run: Evidence, k: Constants) -> float:
    return (1 + k["pl"] / k["L"] / 2) ** run.T if at_one(run, k) else math.nan


def _path_length(run: Evidence, k: Constants) -> Sides:
    gap, size = (run.f - k["f_star"]).clamp_min(0), value_size(run) + abs(k["f_star"])
    reach = math.sqrt(2 / k["pl"]) / (1 - eta(run) * k["L"] / 2)
    length = (run.eta * run.grad_norm[:-1]).cumsum(0)
    # Rounding f by δ moves the root of the gap by δ/√gap, or by √δ where the gap is smaller than δ.
    moved = (size / (gap + rounding(gap) * size + torch.finfo(gap.dtype).tiny).sqrt())[1:]
    return Sides(
        left=length,
        right=reach * (gap[0].sqrt() - gap[1:].sqrt()),
        scale=length + reach * (gap[0].sqrt() + moved),
    )


SHARP = Sharp(
    r"at $\eta = 1/L$ the factor is at most $(2L - 2\mu)/(2L + \mu)$ a step",
    "Abbaszadehpeivasti, de Klerk and Zamani 2023",
    _loose,
    exact=False,
)

gd_pl = Theorem(
    id="gd-pl",
    kind="theorem",
    title="Gradient descent under PL",
    chapter=2,
    statement=r"""
Let $f$ be $L$-smooth and $\mu$-PL, and $w_{t+1} = w_t - \eta\,\nabla f(w_t)$ with $0<\eta<2/L$. Then for every
$T \ge 1$

$$
\begin{aligned}
f(w_T) - f^\star &\le q^T\,\bigl(f(w_0)-f^\star\bigr) , \\
q &= 1-\eta\mu\,(2-\eta L) .
\end{aligned}
$$

The factor is smallest at $\eta = 1/L$, where it is $1-\mu/L$. If $\mu = L$ a parabola attains it for every
$\eta$.
""",
    source="PL-thm1, KH-3.1-PL",
    assumptions=(SMOOTH, PL, DESCENT, BELOW_TWO),
    constants=("L", "pl", "f_star"),
    needs=("f", "grad_norm"),
    sides=_whole_range,
    sharp=SHARP,
    rate=Rate(r"GD, $\eta<2/L$", "smooth, PL", r"$(1-\eta\mu(2-\eta L))^T\Delta_0$"),
)

pl_theorem_1 = Theorem(
    id="pl-theorem-1",
    kind="theorem",
    title="Gradient descent under PL, as PL prints it",
    chapter=2,
    statement=r"""
Let $f$ be $L$-smooth and $\mu$-PL, and $w_{t+1} = w_t - \eta\,\nabla f(w_t)$ with $0<\eta\le1/L$. Then for
every $T \ge 1$

$$
f(w_T) - f^\star \;\le\; (1-\eta\mu)^T\,\bigl(f(w_0)-f^\star\bigr) .
$$

At $\eta=1/L$ it says the same as {prf:ref}`gd-pl`; below, that theorem's factor is smaller.
""",
    source="PL-thm1, PL-thm1-proof, KH-3.1-PL",
    assumptions=(SMOOTH, PL, DESCENT, UP_TO_ONE),
    constants=("L", "pl", "f_star"),
    needs=("f", "grad_norm"),
    sides=_printed,
    sharp=SHARP,
    rate=Rate(r"GD, $\eta\le1/L$", "smooth, PL", r"$(1-\eta\mu)^T\Delta_0$"),
)

pl_ball = Theorem(
    id="pl-ball",
    kind="theorem",
    title="PL in a ball is enough",
    chapter=2,
    statement=r"""
Let $0<\eta<2/L$, $\Delta_t = f(w_t)-f^\star$ with $f^\star=\inf f$ and $\Delta_0>0$ (else nothing moves), and let
$f$ be $L$-smooth and $\mu$-PL at the points of the ball of radius

$$
R \;=\; \frac{\sqrt{2\Delta_0/\mu}}{1-\eta L/2}
$$

around $w_0$; nothing is asked outside. Then $w_{t+1} = w_t - \eta\,\nabla f(w_t)$ never leaves this ball: for
every $T \ge 1$

$$
\sum_{t<T}\|w_{t+1}-w_t\| \;\le\; R\,\Bigl(1-\sqrt{\Delta_T/\Delta_0}\Bigr) .
$$

So {prf:ref}`gd-pl` holds along the whole run, and $w_t$ converges to a global minimizer within distance $R$. For
$\eta\le1/L$, $R \le \sqrt{8\Delta_0/\mu}$.
""",
    source="PL-setup",
    assumptions=(SMOOTH, PL, DESCENT, BELOW_TWO),
    constants=("L", "pl", "f_star"),
    needs=("f", "grad_norm"),
    sides=_path_length,
)
