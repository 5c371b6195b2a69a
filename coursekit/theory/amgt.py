"""AMGT's lemma and theorems, repaired: Chung's lemma, and steps 1/(μk) with and without errors."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .noise import SECOND_MOMENT, SGD, UNBIASED
from .path import DESCENT, SMOOTH, STRONGLY_CONVEX, at_most, distance, is_convex, rounding, times
from .sgd import step_is
from .theorem import Assumption, Constants, Evidence, Rate, Sequence, Sides, Theorem


def _index(a: Tensor, k: Constants) -> Tensor:
    """The k of a_k, of the same number of axes as the sequence."""
    return k["k0"] + torch.arange(len(a), dtype=a.dtype, device=a.device).reshape(-1, *[1] * (a.ndim - 1))


def _chung(run: Sequence, k: Constants) -> Sides:
    a, beta, gamma, k0 = run.a, k["beta"], k["gamma"], k["k0"]
    at = _index(a, k)[1:]
    if beta == 1:
        right = ((k0 - 1) * a[0] + gamma * (1 / k0 + ((at - 1) / k0).log())) / (at - 1)
    elif beta > 1:
        right = gamma / ((beta - 1) * at) + (k0 / at) ** beta * a[0]
    else:
        right = (k0 / at) ** beta * (a[0] + gamma / ((1 - beta) * (k0 - 1)))
    return Sides(left=a[1:], right=right, scale=a[1:] + times(a) * right)


def _obeys(run: Sequence, k: Constants) -> bool:
    a = run.a
    at = _index(a, k)[:-1]
    limit = (1 - k["beta"] / at) * a[:-1] + k["gamma"] / at**2
    return bool((a[1:] - limit <= rounding(a) * (a[:-1] + limit.abs())).all())


def _starts(run: Sequence, k: Constants) -> bool:
    return k["beta"] > 0 and k["gamma"] >= 0 and k["k0"] >= (2 if k["beta"] < 1 else k["beta"])


def _worst_mode(run: Evidence, k: Constants) -> Sides:
    d, t, kappa = distance(run, k), times(run.f), k["L"] / k["mu"]
    factor = torch.maximum(1 - 1 / t, (1 - kappa / t).abs()).cumprod(0)
    # Rounding is multiplied by every later factor, of which the largest product counts.
    size = t * (factor.amax() + kappa) * (d[0] + k["w_star"].to(d).norm())
    return Sides(left=d[1:], right=factor * d[0], scale=size.expand_as(d[1:]))


def _shifted(run: Evidence, k: Constants) -> Sides:
    d, t, kappa = distance(run, k), times(run.f), k["L"] / k["mu"]
    right = kappa / (t + kappa) * d[0]
    return Sides(left=d[1:], right=right, scale=t * right + kappa * k["w_star"].to(d).norm())


def _moves(run: Evidence) -> Tensor:
    """m̂_t, read off the steps w_t = w_{t-1} - η_t m̂_t, t = 1, ..., T."""
    return -run.w.diff(dim=0) / run.eta[..., None]


def _inexact(run: Evidence, k: Constants) -> Sides:
    d2 = distance(run, k)[1:] ** 2
    right = (2 * k["delta"] * k["D"] / k["mu"] + k["G"] ** 2 / k["mu"] ** 2) / times(run.f)
    return Sides(left=d2, right=right.expand_as(d2), scale=d2 + right)


def _errors(run: Evidence, k: Constants) -> bool:
    error = (_moves(run) - run.problem.grad(run.w[:-1])).norm(dim=-1)
    lost = rounding(run.w) * times(run.f) * run.w.abs().amax()  # w_t - w_{t-1} loses digits, more as steps shrink
    return bool((times(run.f) * (error - lost * k["mu"]) <= k["delta"] * (1 + rounding(error))).all())


def _logarithmic(run: Evidence, k: Constants) -> Sides:
    t, c = times(run.f), run.eta[0]
    left = (run.grad_norm[:-1] ** 2 / t).cumsum(0) / t.log1p()
    right = ((run.f[0] - k["f_star"]) / c + math.pi**2 / 12 * k["L"] * c * k["G2"]) / t.log1p()
    return Sides(
        left=left, right=right, scale=left + right + (run.f[0].abs() + abs(k["f_star"])) / c, over_seeds=True
    )


STEPS = Assumption("step", r"$\eta_t = 1/(\mu t)$", lambda run, k: step_is(run, 1 / (k["mu"] * times(run.f))))

chung_lemma = Theorem(
    id="chung-lemma",
    kind="lemma",
    title="Chung's lemma, in three regimes",
    chapter=3,
    statement=r"""
Let $a_k\ge0$ and $a_{k+1}\le\bigl(1-\frac\beta k\bigr)a_k+\frac\gamma{k^2}$ for $k\ge k_0$, with $\gamma\ge0$ and
$\beta>0$. Then $a_k\to0$, and for every $k>k_0$

$$
\begin{aligned}
\beta>1,\ k_0\ge\beta: &\qquad a_k \le \frac\gamma{(\beta-1)\,k} + \Bigl(\frac{k_0}k\Bigr)^{\beta} a_{k_0} ,\\
\beta=1,\ k_0\ge1: &\qquad
a_k \le \frac{(k_0-1)\,a_{k_0} + \gamma\,\bigl(\frac1{k_0}+\log\frac{k-1}{k_0}\bigr)}{k-1} ,\\
\beta<1,\ k_0\ge2: &\qquad
a_k \le \Bigl(\frac{k_0}k\Bigr)^{\beta}\Bigl(a_{k_0}+\frac\gamma{(1-\beta)(k_0-1)}\Bigr) .
\end{aligned}
$$

The orders $1/k$, $\log k/k$ and $k^{-\beta}$ cannot be improved, nor can the constant $\gamma/(\beta-1)$. Without
$a_k\ge0$ the limit fails: $a_k = -1$.
""",
    source="AMGT-L2.1; Chung 1954",
    assumptions=(
        Assumption("non-negative", r"$a_k \ge 0$", lambda run, k: bool((run.a >= 0).all())),
        Assumption("start", r"$\beta > 0$, $\gamma \ge 0$, and $k_0$ is as large as the regime asks", _starts),
        Assumption("recursion", r"$a_{k+1} \le (1 - \beta/k) a_k + \gamma/k^2$ from $k_0$ on", _obeys),
    ),
    constants=("beta", "gamma", "k0"),
    needs=("a",),
    sides=_chung,
)

amgt_exact = Theorem(
    id="amgt-exact",
    kind="theorem",
    title="Steps 1/(μt) with exact gradients",
    chapter=4,
    statement=r"""
Let $f$ be $\mu$-strongly convex and $L$-smooth with minimizer $w^\star$, $\kappa = L/\mu$, and
$w_t = w_{t-1} - \frac1{\mu t}\nabla f(w_{t-1})$. Then for every $T\ge1$

$$
\|w_T-w^\star\| \;\le\; \prod_{t\le T}\max\Bigl\{1-\frac1t,\;\Bigl|1-\frac\kappa t\Bigr|\Bigr\}\;\|w_0-w^\star\| .
$$

For $t\ge(\kappa+1)/2$ the factor is $1-1/t$: then the distance falls at least like $1/t$, for every $\mu$. Before,
the stiff directions grow by up to $\prod_{t\le\kappa/2}(\kappa/t-1)$, more than $10^{28}$ at $\kappa = 100$. Every
single factor is attained by a parabola of curvature $\mu$ or $L$.
""",
    source="AMGT-eq17, AMGT-eq17-worst, AMGT-eq22, AMGT-transient",
    assumptions=(SMOOTH, STRONGLY_CONVEX, DESCENT, STEPS),
    constants=("L", "mu", "w_star"),
    needs=("w", "f"),
    sides=_worst_mode,
    rate=Rate(r"GD (AMGT), $\eta_t = 1/(\mu t)$", "smooth, strongly convex", r"$\Vert w_T-w^\star\Vert = O(1/T)$"),
)

amgt_shifted = Theorem(
    id="amgt-shifted",
    kind="theorem",
    title="Steps 1/(μ(t+κ)) with exact gradients",
    chapter=4,
    statement=r"""
Let $f$ be $\mu$-strongly convex and $L$-smooth with minimizer $w^\star$, $\kappa = L/\mu$, and
$w_t = w_{t-1} - \frac1{\mu\,(t+\kappa)}\nabla f(w_{t-1})$. No step exceeds $1/L$, and for every $T\ge1$

$$
\|w_T-w^\star\| \;\le\; \frac\kappa{T+\kappa}\,\|w_0-w^\star\| .
$$

A parabola of curvature $\mu$ attains it.
""",
    source="AMGT-transient, AMGT-rec2",
    assumptions=(
        SMOOTH,
        STRONGLY_CONVEX,
        DESCENT,
        Assumption(
            "step",
            r"$\eta_t = 1/(\mu (t + \kappa))$",
            lambda run, k: step_is(run, 1 / (k["mu"] * times(run.f) + k["L"])),
        ),
    ),
    constants=("L", "mu", "w_star"),
    needs=("w", "f"),
    sides=_shifted,
    rate=Rate(
        r"GD, $\eta_t = 1/(\mu(t+\kappa))$",
        "smooth, strongly convex",
        r"$\frac\kappa{T+\kappa}\Vert w_0-w^\star\Vert$",
    ),
)

amgt_inexact = Theorem(
    id="amgt-inexact",
    kind="theorem",
    title="Steps 1/(μt) with errors that fade like 1/t",
    chapter=4,
    statement=r"""
Let $f$ be $\mu$-strongly convex with minimizer $w^\star$, and $w_t = w_{t-1} - \frac1{\mu t}\,\hat m_t$ with
$\|\hat m_t-\nabla f(w_{t-1})\|\le\delta/t$, $\|\hat m_t\|\le G$ and $\|w_t-w^\star\|\le D$ for all $t$. Then for
every $T\ge1$

$$
\|w_T-w^\star\|^2 \;\le\; \frac1T\Bigl(\frac{2\,\delta D}\mu+\frac{G^2}{\mu^2}\Bigr) .
$$

$\hat m_t$ may be momentum. This is {prf:ref}`chung-lemma` with $\beta=2$. That the error fades and that the run
stays bounded are assumptions: neither momentum nor thresholding brings them about.
""",
    source="AMGT-global, AMGT-Ok, AMGT-eq27, AMGT-eq30, AMGT-bounded",
    assumptions=(
        Assumption(
            "strong convexity",
            r"$f$ is $\mu$-strongly convex, $\mu > 0$ (checked at points of the run and at $w^\star$)",
            lambda run, k: k["mu"] > 0 and is_convex(run, k, k["mu"]),
        ),
        Assumption("not projected", r"each step is $-\eta_t \hat m_t$", lambda run, k: run.project is None),
        STEPS,
        Assumption("errors", r"$\|\hat m_t - \nabla f(w_{t-1})\| \le \delta/t$", _errors),
        Assumption(
            "bounded",
            r"$\|\hat m_t\| \le G$ and $\|w_t - w^\star\| \le D$",
            lambda run, k: at_most(_moves(run).norm(dim=-1), k["G"]) and at_most(distance(run, k), k["D"]),
        ),
    ),
    constants=("mu", "w_star", "delta", "D", "G"),
    needs=("w", "f"),
    sides=_inexact,
    rate=Rate(
        r"AMGT's update, $\eta_t = 1/(\mu t)$",
        "strongly convex, bounded, errors $O(1/t)$",
        r"$\Vert w_T-w^\star\Vert^2 = O(1/T)$",
    ),
)

amgt_nonconvex = Theorem(
    id="amgt-nonconvex",
    kind="theorem",
    title="Steps c/t without convexity",
    chapter=3,
    statement=r"""
Let $f$ be $L$-smooth and bounded below by $f^\star$, and $w_t = w_{t-1} - \frac ct\,g_{t-1}$ with $c>0$,
$\mathbb E[g_t\mid w_t] = \nabla f(w_t)$ and $\mathbb E[\|g_t\|^2\mid w_t]\le G^2$. Then for every $T\ge1$

$$
\min_{t<T}\mathbb E\,\|\nabla f(w_t)\|^2 \;\le\;
\frac1{\log(T+1)}\sum_{t\le T}\frac1t\,\mathbb E\,\|\nabla f(w_{t-1})\|^2 \;\le\;
\frac1{\log(T+1)}\Bigl(\frac{f(w_0)-f^\star}c+\frac{\pi^2}{12}\,L\,c\,G^2\Bigr) .
$$

The weights $1/t$ are needed: the sum without them may grow like a power of $T$.
""",
    source="AMGT-eq34, AMGT-eq35, AMGT-eq36, AMGT-task-limit, GG-eq25",
    assumptions=(
        SMOOTH,
        SGD,
        UNBIASED,
        SECOND_MOMENT,
        Assumption("step", r"$\eta_t = c/t$", lambda run, k: step_is(run, run.eta[0] / times(run.f))),
    ),
    constants=("L", "f_star", "G2"),
    needs=("w", "f", "grad_norm"),
    sides=_logarithmic,
    rate=Rate(r"SGD, $\eta_t = c/t$", "smooth, bounded second moment", r"$O(1/\log T)$"),
)
