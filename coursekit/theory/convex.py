"""Gradient descent on convex functions."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .nonconvex import AT_ONE
from .path import BELOW_TWO, CONVEX, DESCENT, SMOOTH, STRONGLY_CONVEX, UP_TO_ONE, at_most, distance, eta, times
from .theorem import Constants, Evidence, Rate, Sharp, Sides, Theorem

DRORI_TEBOULLE = "Drori and Teboulle 2014"


def _gap_below(run: Evidence, k: Constants, share: Tensor) -> Sides:
    """f(w_t) - f* ≤ share ‖w_0 - w*‖² for t = 1, ..., T."""
    f, right = run.f[1:], share * distance(run, k)[0] ** 2
    return Sides(
        left=f - k["f_star"], right=right.expand_as(f), scale=f.abs() + abs(k["f_star"]) + times(run.f) * right
    )


def _elementary(run: Evidence, k: Constants) -> Sides:
    return _gap_below(run, k, 1 / (2 * eta(run) * times(run.f)))


def _exact(run: Evidence, k: Constants) -> Sides:
    return _gap_below(run, k, 1 / (4 * eta(run) * times(run.f) + 2 / k["L"]))


def _printed(run: Evidence, k: Constants) -> Sides:
    return _gap_below(run, k, 2 * k["L"] / times(run.f))


def _factor(run: Evidence, k: Constants) -> Tensor:
    """max(|1 - η μ|, |1 - η L|), what one step does to the distance at worst."""
    return torch.maximum((1 - eta(run) * k["mu"]).abs(), (1 - eta(run) * k["L"]).abs())


def _contraction(run: Evidence, k: Constants) -> Sides:
    d, t, factor = distance(run, k), times(run.f), _factor(run, k)
    # Each step rounds w, and 1 - η L loses digits: t units of the bound one step before. w* is known to κ units.
    scale = t * factor ** (t - 1) * d[0] + k["L"] / k["mu"] * k["w_star"].to(d).norm()
    return Sides(left=d[1:], right=factor**t * d[0], scale=scale)


def _values(run: Evidence, k: Constants) -> Sides:
    gap, t, factor = run.f - k["f_star"], times(run.f), _factor(run, k)
    moved = k["L"] * (distance(run, k) * run.w.norm(dim=-1))[1:]  # what rounding w does to f
    scale = t * factor ** (2 * t - 2) * gap[0] + run.f[1:].abs() + abs(k["f_star"]) + moved
    return Sides(left=gap[1:], right=factor ** (2 * t) * gap[0], scale=scale)


def _share_of_exact(run: Evidence, k: Constants) -> float:
    eta_L = eta(run).max() * k["L"]
    return float(2 + 1 / (eta_L * run.T)) if at_most(eta_L, 1) else math.nan


gd_convex = Theorem(
    id="gd-convex",
    kind="theorem",
    title="Gradient descent on a convex function",
    chapter=2,
    statement=r"""
Let $f$ be convex and $L$-smooth with minimizer $w^\star$, and $w_{t+1} = w_t - \eta\,\nabla f(w_t)$ with
$0<\eta\le1/L$. Then for every $T \ge 1$

$$
f(w_T) - f^\star \;\le\; \frac{\|w_0-w^\star\|^2}{2\,\eta\,T} .
$$
""",
    source="GG-P1",
    assumptions=(SMOOTH, CONVEX, DESCENT, UP_TO_ONE),
    constants=("L", "f_star", "w_star"),
    needs=("w", "f"),
    sides=_elementary,
    sharp=Sharp(r"the exact worst case is $R^2/(4 \eta T + 2/L)$", DRORI_TEBOULLE, _share_of_exact),
    rate=Rate(r"GD, $\eta\le1/L$", "smooth, convex", r"$\frac{R^2}{2\eta T}$"),
)

gd_convex_exact = Theorem(
    id="gd-convex-exact",
    kind="theorem",
    title="Gradient descent on a convex function, the exact constant",
    chapter=2,
    statement=r"""
Let $f$ be convex and $L$-smooth with minimizer $w^\star$, $R = \|w_0-w^\star\|$, and
$w_{t+1} = w_t - \eta\,\nabla f(w_t)$ with $0<\eta\le1/L$. Then for every $T \ge 1$

$$
\begin{gathered}
f(w_T) - f^\star \;\le\; \frac{R^2}{4\,\eta\,T + 2/L}, \\
\text{at } \eta = \tfrac1L:\quad \frac{L\,R^2}{4T+2} .
\end{gathered}
$$

$L$ times the Huber function with its corner at $R/(2\eta LT+1)$, started at $R$, attains it.
""",
    source="GG-P1; Drori and Teboulle 2014",
    assumptions=(SMOOTH, CONVEX, DESCENT, UP_TO_ONE),
    constants=("L", "f_star", "w_star"),
    needs=("w", "f"),
    sides=_exact,
    rate=Rate(r"GD, $\eta=1/L$", "smooth, convex", r"$\frac{LR^2}{4T+2}$"),
)

gg_proposition_1 = Theorem(
    id="gg-proposition-1",
    kind="proposition",
    title="Gradient descent on a convex function, as GG prints it",
    chapter=2,
    statement=r"""
Let $f$ be convex and $L$-smooth with minimizer $w^\star$, and let $\eta = 1/L$. Then for every $T \ge 1$

$$
f(w_T) - f^\star \;\le\; \frac{2L\,\|w_0-w^\star\|^2}{T} .
$$

No step is printed, and not every step will do: at $10^{-3}/L$ the bound fails on $\frac L2w^2$ at $T=10$.
""",
    source="GG-P1",
    assumptions=(SMOOTH, CONVEX, DESCENT, AT_ONE),
    constants=("L", "f_star", "w_star"),
    needs=("w", "f"),
    sides=_printed,
    sharp=Sharp(r"the exact worst case is $LR^2/(4T + 2)$", DRORI_TEBOULLE, lambda run, k: 8 + 4 / run.T),
    rate=Rate("GD, as GG prints it", "smooth, convex", r"$\frac{2LR^2}{T}$"),
)

gd_strongly_convex = Theorem(
    id="gd-strongly-convex",
    kind="theorem",
    title="Gradient descent on a strongly convex function",
    chapter=2,
    statement=r"""
Let $f$ be $\mu$-strongly convex and $L$-smooth with minimizer $w^\star$, $\kappa = L/\mu$, and
$w_{t+1} = w_t - \eta\,\nabla f(w_t)$ with $0<\eta<2/L$. Then for every $T \ge 1$

$$
\begin{gathered}
\|w_T - w^\star\| \;\le\; \rho^T\,\|w_0-w^\star\| , \\
\rho = \max\bigl(|1-\eta\mu|,\,|1-\eta L|\bigr) < 1 .
\end{gathered}
$$

At $\eta = 1/L$ that is $\rho = 1-1/\kappa$. The best is $\eta = 2/(L+\mu)$, with
$\rho = (\kappa-1)/(\kappa+1)$. Parabolas of curvature $\mu$ or $L$ attain it.
""",
    source="TDL-4.4-rate, TDL-kappa",
    assumptions=(SMOOTH, STRONGLY_CONVEX, DESCENT, BELOW_TWO),
    constants=("L", "mu", "w_star"),
    needs=("w", "f"),
    sides=_contraction,
    rate=Rate(
        r"GD, $\eta=\frac2{L+\mu}$", "smooth, strongly convex", r"$(\frac{\kappa-1}{\kappa+1})^TR$ in distance"
    ),
)

gd_strongly_convex_values = Theorem(
    id="gd-strongly-convex-values",
    kind="theorem",
    title="Gradient descent on a strongly convex function, in values",
    chapter=2,
    statement=r"""
Under the assumptions of {prf:ref}`gd-strongly-convex`, with the same $\rho = \max(|1-\eta\mu|, |1-\eta L|)$,

$$
f(w_T) - f^\star \;\le\; \rho^{2T}\,\bigl(f(w_0) - f^\star\bigr) ,
$$

so at $\eta=1/L$ each step leaves at most $(1-1/\kappa)^2$ of the gap. Parabolas of curvature $\mu$ or $L$ attain
it.
""",
    source="TDL-4.4-rate; Taylor, Hendrickx and Glineur 2018",
    assumptions=(SMOOTH, STRONGLY_CONVEX, DESCENT, BELOW_TWO),
    constants=("L", "mu", "f_star", "w_star"),
    needs=("w", "f"),
    sides=_values,
    rate=Rate(r"GD, $\eta=1/L$", "smooth, strongly convex", r"$(1-\frac1\kappa)^{2T}\Delta_0$"),
)
