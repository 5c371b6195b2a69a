"""AdaGrad: theorems 4.6.4 and 4.6.5 of TDL, repaired."""

from __future__ import annotations

import torch
from torch import Tensor

from ..rules.adagrad import adagrad_norm
from ..rules.printed import adagrad_predictable
from .noise import OSCILLATION, SECOND_MOMENT, UNBIASED
from .path import SMOOTH, at_most, eta, has_constant_step, times
from .theorem import Assumption, Constants, Evidence, Rate, Sides, Theorem


def _constant(run: Evidence, k: Constants) -> Tensor:
    """M/η + ηL."""
    return k["M"] / eta(run) + eta(run) * k["L"]


def _norm_exact(run: Evidence, k: Constants) -> Sides:
    t = times(run.f)
    left = (run.grad_norm[:-1] ** 2).cumsum(0) / t
    right = (_constant(run, k) + run.h.eps) ** 2 / t
    return Sides(left=left, right=right, scale=left + right + k["L"] * run.f.abs().amax(0))


def _norm_noise(run: Evidence, k: Constants) -> Sides:
    t, c = times(run.f), _constant(run, k)
    mean = (run.grad_norm[:-1] ** 2).cumsum(0) / t
    b = run.g[:-1].square().sum(-1).cumsum(0).sqrt()
    limit = (k["G2"] * t).sqrt()
    right = c * (limit + run.h.eps) / t
    # The second entry is E mean ≤ c E(b_T + ε)/T, with the random right side brought to the left.
    left = torch.stack([mean, mean + c * (limit - b) / t], -1)
    return Sides(left=left, right=right[..., None].expand_as(left), scale=left + right[..., None], over_seeds=True)


def _diagonal(run: Evidence, k: Constants) -> Sides:
    t, step, sigma2 = times(run.f), eta(run), run.h.sigma**2
    grad2 = run.problem.grad(run.w[:-1]).square()
    S = run.g[:-1].square().cumsum(0)
    before = torch.cat([torch.zeros_like(S[:1]), S[:-1]])
    spent = (grad2 / (sigma2 + before).sqrt()).sum(-1).cumsum(0)
    every = run.problem.dim * (1 + t).log2()
    saved = every - (1 + S / sigma2).log2().sum(-1)
    right = k["M"] / step + step * k["L"] / 2 * every
    # Per unit of √T, so that both inequalities are of one size: the rate, and the form that the data decide.
    left = torch.stack([grad2.sum(-1).cumsum(0) / (sigma2 * t).sqrt(), spent + step * k["L"] / 2 * saved], -1)
    return Sides(left=left, right=right[..., None].expand_as(left), scale=left + right[..., None], over_seeds=True)


def _norm_steps(run: Evidence, k: Constants) -> bool:
    return run.rule is adagrad_norm and run.project is None and has_constant_step(run)


ADAGRAD_NORM = Assumption(
    "AdaGrad-Norm", r"each step is $w_{t+1} = w_t - \eta g_t/(b_t + \epsilon)$ with constant $\eta$", _norm_steps
)

adagrad_norm_exact = Theorem(
    id="adagrad-norm-exact",
    kind="theorem",
    title="AdaGrad-Norm with exact gradients",
    chapter=4,
    statement=r"""
Let $f$ be $L$-smooth, $b_t^2 = \sum_{s\le t}\|\nabla f(w_s)\|^2$ and
$w_{t+1} = w_t - \eta\,\nabla f(w_t)/(b_t+\varepsilon)$ with any $\eta>0$ and $\varepsilon\ge0$ (no step while
$b_t + \varepsilon = 0$), and let $\max f(w_t) - \min f(w_t) \le M$ along the run. Then for every $T\ge1$

$$
\min_{t<T}\|\nabla f(w_t)\|^2 \;\le\; \frac1T\sum_{t<T}\|\nabla f(w_t)\|^2 \;=\; \frac{b_{T-1}^2}T
\;\le\; \frac1T\Bigl(\frac M\eta+\eta L+\varepsilon\Bigr)^2 .
$$

The method does not know $L$. On $f = gw$ it is attained at $T = 1$.
""",
    source="TDL-T4.6.4-fixed, TDL-T4.6.4",
    assumptions=(
        SMOOTH,
        OSCILLATION,
        ADAGRAD_NORM,
        Assumption("gradient", "the gradient is exact", lambda run, k: run.oracle.exact),
    ),
    constants=("L", "M"),
    needs=("f", "grad_norm"),
    sides=_norm_exact,
    rate=Rate("AdaGrad-Norm", "smooth, bounded along the run", r"$\frac1T(\frac M\eta+\eta L)^2$"),
)

adagrad_norm_noise = Theorem(
    id="adagrad-norm-noise",
    kind="theorem",
    title="AdaGrad-Norm with noise",
    chapter=4,
    statement=r"""
Let $f$ be $L$-smooth, $b_t^2 = \sum_{s\le t}\|g_s\|^2$ and $w_{t+1} = w_t - \eta\,g_t/(b_t+\varepsilon)$ with any
$\eta>0$ and $\varepsilon\ge0$. Let $\mathbb E[g_t\mid w_0,\dots,w_t] = \nabla f(w_t)$,
$\mathbb E[\|g_t\|^2\mid w_t]\le G^2$, and almost surely $\max f(w_t) - \min f(w_t) \le M$ along the run. Then for
every $T\ge1$

$$
\frac1T\sum_{t<T}\mathbb E\,\|\nabla f(w_t)\|^2
\;\le\; \Bigl(\frac M\eta+\eta L\Bigr)\,\frac{\mathbb E\,b_{T-1}+\varepsilon}T
\;\le\; \Bigl(\frac M\eta+\eta L\Bigr)\Bigl(\frac G{\sqrt T}+\frac\varepsilon T\Bigr) .
$$

No bound on the noise other than its second moment is needed, and no logarithm.
""",
    source="TDL-T4.6.4-fixed, TDL-T4.6.4",
    assumptions=(SMOOTH, OSCILLATION, ADAGRAD_NORM, UNBIASED, SECOND_MOMENT),
    constants=("L", "M", "G2"),
    needs=("w", "f", "g", "grad_norm"),
    sides=_norm_noise,
    rate=Rate("AdaGrad-Norm", "smooth, bounded along the run, noise", r"$(\frac M\eta+\eta L)\frac G{\sqrt T}$"),
)

adagrad_diagonal = Theorem(
    id="adagrad-diagonal",
    kind="theorem",
    title="Diagonal AdaGrad, with the factor d",
    chapter=4,
    statement=r"""
Let $f$ on $\mathbb R^d$ be $L$-smooth and $w_{t+1}(i) = w_t(i) - \eta\,P_t(i)\,g_t(i)$ with
$P_t(i) = \bigl(\sigma^2+\sum_{s<t}g_s(i)^2\bigr)^{-1/2}$. Let $\mathbb E[g_t\mid w_0,\dots,w_t] = \nabla f(w_t)$,
$|g_t(i)|\le\sigma$ and $\max f(w_t)-\min f(w_t)\le M$ along the run, almost surely. Then for every $T\ge1$, with
$S_T(i) = \sum_{t<T}g_t(i)^2$,

$$
\mathbb E\sum_{t<T}\sum_i P_t(i)\,\nabla_i f(w_t)^2
\;\le\; \frac M\eta + \frac{\eta L}2\,\mathbb E\sum_i\log_2\Bigl(1+\frac{S_T(i)}{\sigma^2}\Bigr) ,
\qquad
\frac1T\sum_{t<T}\mathbb E\,\|\nabla f(w_t)\|^2
\;\le\; \frac\sigma{\sqrt T}\Bigl(\frac M\eta+\frac{\eta\,d\,L}2\log_2(1+T)\Bigr) .
$$

The factor $d$ is needed: noise that lifts one fresh coordinate after the other to a maximum keeps
$\|\nabla f\| = 1$ forever with $M$ bounded.
""",
    source="TDL-T4.6.5",
    assumptions=(
        SMOOTH,
        OSCILLATION,
        Assumption(
            "AdaGrad",
            r"each step is that of diagonal AdaGrad, scaled by past gradients only, with constant $\eta$",
            lambda run, k: run.rule is adagrad_predictable and run.project is None and has_constant_step(run),
        ),
        UNBIASED,
        Assumption(
            "bounded gradients", r"$|g_t(i)| \le \sigma$", lambda run, k: at_most(run.g[:-1].abs(), run.h.sigma)
        ),
    ),
    constants=("L", "M"),
    needs=("w", "f", "g"),
    sides=_diagonal,
    rate=Rate(
        "AdaGrad, diagonal",
        r"smooth, $\lvert g(i)\rvert\le\sigma$",
        r"$\frac\sigma{\sqrt T}\bigl(\frac M\eta+\frac{\eta dL}2\log_2(1+T)\bigr)$",
    ),
)
