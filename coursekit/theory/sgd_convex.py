"""SGD with convexity or PL: the noise floor of a constant step, and what decaying steps and averages achieve."""

from __future__ import annotations

import torch
from torch import Tensor

from ..oracles import AdditiveNoise
from ..rules.gradient_descent import gradient_descent
from .noise import BOUNDED_VARIANCE, SECOND_MOMENT, SGD, UNBIASED
from .path import BELOW_TWO, CONVEX, SMOOTH, UP_TO_ONE, at_most, below, distance, eta, is_convex, rounding, times
from .polyak_lojasiewicz import PL
from .quadratics import QUADRATIC, modes
from .sgd import step_is
from .theorem import Assumption, Constants, Evidence, Rate, Sides, Theorem


def _gap(run: Evidence, k: Constants, right: Tensor) -> Sides:
    """E f(w_t) - f* ≤ right."""
    f = run.f[1:]
    return Sides(left=f - k["f_star"], right=right, scale=f.abs() + abs(k["f_star"]) + right, over_seeds=True)


def _floor(run: Evidence, k: Constants) -> Sides:
    kept = (1 - eta(run) * k["pl"]) ** times(run.f)
    floor = k["L"] * eta(run) * k["sigma2"] / (2 * k["pl"])
    return _gap(run, k, kept * (run.f[0] - k["f_star"]) + (1 - kept) * floor)


def _exact_floor(run: Evidence, k: Constants) -> Sides:
    lam, u = modes(run, k)
    step, gap = eta(run)[..., None], (lam * u**2).sum(-1) / 2
    kept = (1 - step * lam) ** (2 * times(u))
    floor = step * k["sigma2"] / run.problem.dim / (2 * (2 - step * lam))
    right = (kept * lam * u[0] ** 2 / 2 + (1 - kept) * floor).sum(-1)
    return Sides(left=gap[1:], right=right, scale=gap[1:] + right, equal=True, over_seeds=True)


def _pl_decaying(run: Evidence, k: Constants) -> Sides:
    c, t0 = k["c"], k["t0"]
    start = (t0 + 1) * (run.f[0] - k["f_star"])
    noise = c**2 * k["L"] * k["sigma2"] / (2 * (c * k["pl"] - 1))
    return _gap(run, k, start.clamp(min=noise) / (t0 + 1 + times(run.f)))


def _one_over_t(run: Evidence, k: Constants) -> Sides:
    d2 = distance(run, k)[1:] ** 2
    right = (k["G2"] / (k["mu"] ** 2 * times(run.f))).expand_as(d2)
    return Sides(left=d2, right=right, scale=d2 + right, over_seeds=True)


def _averaged(run: Evidence, k: Constants) -> Sides:
    step, d = run.eta, distance(run, k)
    total = step.cumsum(0)
    average = (step[..., None] * run.w[:-1]).cumsum(0) / total[..., None]
    gap = (step * (run.f[:-1] - k["f_star"])).cumsum(0) / total
    right = (d[0] ** 2 + k["G2"] * (step**2).cumsum(0)) / (2 * total)
    left = torch.stack([run.problem.value(average) - k["f_star"], gap + d[1:] ** 2 / (2 * total)], -1)
    scale = left.abs() + (right + run.f[1:].abs() + abs(k["f_star"]))[..., None]
    return Sides(left=left, right=right[..., None].expand_as(left), scale=scale, over_seeds=True)


def _smooth(run: Evidence, k: Constants) -> Sides:
    t, step, d2 = times(run.f), eta(run), distance(run, k) ** 2
    left = (run.f[1:] - k["f_star"]).cumsum(0) / t + d2[1:] / (2 * step * t)
    right = d2[0] / (2 * step * t) + step * (1 + step * k["L"]) / 2 * k["sigma2"]
    return Sides(
        left=left, right=right, scale=left.abs() + right + run.f[1:].abs() + abs(k["f_star"]), over_seeds=True
    )


def _isotropic(run: Evidence, k: Constants) -> bool:
    oracle = run.oracle
    known = isinstance(oracle, AdditiveNoise) and oracle.inner.exact
    return known and abs(oracle.scale**2 * run.problem.dim / k["sigma2"] - 1) <= rounding(0.0)


def _projected(run: Evidence, k: Constants) -> bool:
    w_star = k["w_star"].to(run.w)
    return run.rule is gradient_descent and (run.project is None or torch.equal(run.project(w_star), w_star))


PROJECTED_SGD = Assumption(
    "SGD",
    r"each step is $w_{t+1} = P(w_t - \eta_t g_t)$, with $P$ the projection on a convex set with $w^\star$ in it,"
    r" or none",
    _projected,
)
POSITIVE = Assumption("step", r"$\eta_t > 0$", lambda run, k: bool((run.eta > 0).all()))

sgd_noise_floor = Theorem(
    id="sgd-noise-floor",
    kind="theorem",
    title="SGD with a constant step goes down to a floor",
    chapter=3,
    statement=r"""
Let $f$ be $L$-smooth and $\mu$-PL, and $w_{t+1} = w_t - \eta\,g_t$ with $0<\eta\le1/L$, $\mathbb E[g_t\mid w_t]
= \nabla f(w_t)$ and $\mathbb E[\|g_t-\nabla f(w_t)\|^2\mid w_t] \le \sigma^2$. Then for every $T\ge1$

$$
\mathbb E f(w_T) - f^\star \;\le\; (1-\eta\mu)^T\bigl(f(w_0)-f^\star\bigr)
 + \bigl(1-(1-\eta\mu)^T\bigr)\,\frac{L\,\eta\,\sigma^2}{2\mu} .
$$

It is attained at $\eta = 1/L = 1/\mu$. It is an upper bound: the floor itself need not grow like $1/\mu$
({prf:ref}`sgd-noise-floor-quadratic`).
""",
    source="PL-3-floor, GG-eq29",
    assumptions=(SMOOTH, PL, SGD, UNBIASED, BOUNDED_VARIANCE, UP_TO_ONE),
    constants=("L", "pl", "f_star", "sigma2"),
    needs=("w", "f", "grad_norm"),
    sides=_floor,
    rate=Rate("SGD, constant step", "smooth, PL", r"$(1-\eta\mu)^T\Delta_0 + \frac{L\eta\sigma^2}{2\mu}$"),
)

sgd_noise_floor_quadratic = Theorem(
    id="sgd-noise-floor-quadratic",
    kind="theorem",
    title="The noise floor on a quadratic, exactly",
    chapter=3,
    statement=r"""
Let $f$ be a quadratic with the eigenvalues $0\le\lambda_i\le L$, $u_i$ the coordinates of $w_0-w^\star$ in its
eigenvectors, and $w_{t+1} = w_t - \eta\,(\nabla f(w_t)+\xi_t)$ with $0<\eta<2/L$ and independent noise of mean 0
and variance $\sigma_i^2$ along each eigenvector. Then for every $T$

$$
\mathbb E f(w_T) - f^\star \;=\; \sum_i (1-\eta\lambda_i)^{2T}\,\frac{\lambda_i u_i^2}2
 + \bigl(1-(1-\eta\lambda_i)^{2T}\bigr)\,\frac{\eta\,\sigma_i^2}{2\,(2-\eta\lambda_i)} .
$$

To first order in $\eta$ the floor is $\frac\eta4\sum_{\lambda_i>0}\sigma_i^2$, whatever the curvatures. (The
certificate takes isotropic noise, $\sigma_i^2 = \sigma^2/d$.)
""",
    source="PL-3-floor",
    assumptions=(
        QUADRATIC,
        SGD,
        Assumption("noise", r"isotropic Gaussian noise of total variance $\sigma^2 > 0$", _isotropic),
        BELOW_TWO,
    ),
    constants=("L", "w_star", "sigma2"),
    needs=("w",),
    sides=_exact_floor,
    rate=Rate("SGD, constant step", "quadratic", r"floor $\sum_i\frac{\eta\sigma_i^2}{2(2-\eta\lambda_i)}$"),
)

sgd_pl_decaying = Theorem(
    id="sgd-pl-decaying",
    kind="theorem",
    title="SGD under PL with steps c/t",
    chapter=3,
    statement=r"""
Let $f$ be $L$-smooth and $\mu$-PL, and $w_t = w_{t-1} - \eta_t\,g_{t-1}$ with $\eta_t = c/(t_0+t)$, $c\,\mu > 1$,
$\eta_1\le1/L$, $\mathbb E[g_t\mid w_t] = \nabla f(w_t)$ and
$\mathbb E[\|g_t-\nabla f(w_t)\|^2\mid w_t] \le \sigma^2$. Then for every $T\ge1$

$$
\mathbb E f(w_T) - f^\star \;\le\; \frac{1}{t_0+1+T}\,
\max\Bigl\{(t_0+1)\bigl(f(w_0)-f^\star\bigr),\; \frac{c^2 L\,\sigma^2}{2\,(c\mu-1)}\Bigr\} .
$$

Without $t_0$ the first steps may exceed $1/L$; with too small a $c$ the rate is a useless power of $T$.
""",
    source="KH-3.1-SGD; Bottou, Curtis and Nocedal 2018, theorem 4.7",
    assumptions=(
        SMOOTH,
        PL,
        SGD,
        UNBIASED,
        BOUNDED_VARIANCE,
        Assumption(
            "step",
            r"$\eta_t = c/(t_0 + t)$ with $c \mu > 1$ and $c/(t_0 + 1) \le 1/L$",
            lambda run, k: (
                below(1.0, k["c"] * k["pl"])
                and at_most(k["c"] * k["L"], k["t0"] + 1)
                and step_is(run, k["c"] / (k["t0"] + times(run.f)))
            ),
        ),
    ),
    constants=("L", "pl", "f_star", "sigma2", "c", "t0"),
    needs=("w", "f", "grad_norm"),
    sides=_pl_decaying,
    rate=Rate(r"SGD, $\eta_t = c/(t_0+t)$", "smooth, PL", r"$O(1/T)$ for $c\mu>1$"),
)

sgd_strongly_convex = Theorem(
    id="sgd-strongly-convex",
    kind="theorem",
    title="SGD on a strongly convex function with steps 1/(μt)",
    chapter=3,
    statement=r"""
Let $f$ be $\mu$-strongly convex with minimizer $w^\star$, and $w_t = P\bigl(w_{t-1} - \frac1{\mu
t}\,g_{t-1}\bigr)$ with $P$ the projection on a convex set that holds $w^\star$, or the identity. If $\mathbb
E[g_t\mid w_t] = \nabla f(w_t)$ and $\mathbb E[\|g_t\|^2\mid w_t] \le G^2$ at the iterates, then for every
$T\ge1$

$$
\mathbb E\,\|w_T-w^\star\|^2 \;\le\; \frac{G^2}{\mu^2\,T} ,
$$

and, if $f$ is also $L$-smooth, $\mathbb E f(w_T)-f^\star\le\frac{L\,G^2}{2\mu^2T}$. (Often printed with $4G^2$.)
""",
    source="GG-eq28, GG-P2-contradiction; Rakhlin, Shamir and Sridharan 2012",
    assumptions=(
        Assumption(
            "strong convexity",
            r"$f$ is $\mu$-strongly convex, $\mu > 0$ (checked at points of the run and at $w^\star$)",
            lambda run, k: k["mu"] > 0 and is_convex(run, k, k["mu"]),
        ),
        PROJECTED_SGD,
        UNBIASED,
        SECOND_MOMENT,
        Assumption("step", r"$\eta_t = 1/(\mu t)$", lambda run, k: step_is(run, 1 / (k["mu"] * times(run.f)))),
    ),
    constants=("mu", "w_star", "G2"),
    needs=("w", "f"),
    sides=_one_over_t,
    rate=Rate(
        r"SGD, $\eta_t = 1/(\mu t)$",
        "strongly convex",
        r"$\mathbb E\Vert w_T-w^\star\Vert^2\le\frac{G^2}{\mu^2T}$",
    ),
)

sgd_convex_averaged = Theorem(
    id="sgd-convex-averaged",
    kind="theorem",
    title="The averaged iterate of SGD on a convex function",
    chapter=3,
    statement=r"""
Let $f$ be convex with minimizer $w^\star$, $R = \|w_0-w^\star\|$, and $w_t = P(w_{t-1} - \eta_t\,g_{t-1})$ with
any $\eta_t>0$ and $P$ the projection on a convex set that holds $w^\star$, or the identity. If $\mathbb
E[g_t\mid w_t] = \nabla f(w_t)$ and $\mathbb E[\|g_t\|^2\mid w_t] \le G^2$, then $\bar w_T = \sum_{t\le
T}\eta_t\,w_{t-1} / \sum_{t\le T}\eta_t$ has

$$
\mathbb E f(\bar w_T) - f^\star \;\le\; \frac{R^2 + G^2\sum_{t\le T}\eta_t^2}{2\sum_{t\le T}\eta_t} .
$$

With $\eta = R/(G\sqrt T)$ that is $RG/\sqrt T$. No smoothness is needed.
""",
    source="GG-P2, GG-eq25, GG-eq26",
    assumptions=(CONVEX, PROJECTED_SGD, UNBIASED, SECOND_MOMENT, POSITIVE),
    constants=("f_star", "w_star", "G2"),
    needs=("w", "f"),
    sides=_averaged,
    rate=Rate("SGD, averaged", "convex", r"$RG/\sqrt T$"),
)

sgd_convex_smooth = Theorem(
    id="sgd-convex-smooth",
    kind="theorem",
    title="SGD on a smooth convex function",
    chapter=3,
    statement=r"""
Let $f$ be convex and $L$-smooth with minimizer $w^\star$, $R = \|w_0-w^\star\|$, and $w_{t+1} = w_t - \eta\,g_t$
with $0<\eta\le1/L$, $\mathbb E[g_t\mid w_t] = \nabla f(w_t)$ and
$\mathbb E[\|g_t-\nabla f(w_t)\|^2\mid w_t] \le \sigma^2$. Then for every $T\ge1$

$$
\frac1T\sum_{t=1}^T\mathbb E f(w_t) - f^\star \;\le\; \frac{R^2}{2\,\eta\,T} + \frac{\eta\,(1+\eta L)}2\,\sigma^2
\;\le\; \frac{R^2}{2\,\eta\,T} + \eta\,\sigma^2 ,
$$

and $\mathbb E\|w_T-w^\star\|^2/(2\eta T)$ may be added on the left; then $\frac L2w^2$ from its minimizer, with
$\eta = 1/L$ and $T=1$, attains it.
""",
    source="GG-eq34, GG-P3",
    assumptions=(SMOOTH, CONVEX, SGD, UNBIASED, BOUNDED_VARIANCE, UP_TO_ONE),
    constants=("L", "f_star", "w_star", "sigma2"),
    needs=("w", "f"),
    sides=_smooth,
    rate=Rate("SGD, constant step", "smooth, convex", r"$\frac{R^2}{2\eta T} + \eta\sigma^2$"),
)
