"""The inner maximum of SAM: linearized, in every norm; how far off that is; what ASAM does not notice."""

from __future__ import annotations

import torch
from torch import Tensor

from ..methods import asam, sam
from .path import at_most, rounding
from .steepest import dual_exponent
from .theorem import Assumption, Constants, Points, Sides, Theorem

# Masks of more coordinates than this are not enumerated.
MOST = 12


def _maximizer(points: Points, k: Constants) -> Sides:
    p, step, g = float(k["p"]), points.v - points.w, points.problem.grad(points.w)
    rho = step.norm(p, dim=-1)
    epsilon = sam(points.problem, rho, p).epsilon(points.w, g)
    dual = rho * g.norm(dual_exponent(p), dim=-1)
    # Three inequalities: no step in the ball rises faster than the bound, ε does reach it, and ε is in the ball.
    return Sides(
        left=torch.stack([(g * step).sum(-1), dual, epsilon.norm(p, dim=-1)], -1),
        right=torch.stack([dual, (g * epsilon).sum(-1), rho], -1),
        scale=torch.stack([dual, dual, rho], -1) * points.problem.dim,
    )


def _first_order(points: Points, k: Constants) -> Sides:
    f, g = points.problem.value_and_grad(points.w)
    rho = (points.v - points.w).norm(dim=-1)
    up = points.problem.value(points.w + sam(points.problem, rho).epsilon(points.w, g))
    there, linear = points.problem.value(points.v), f + rho * g.norm(dim=-1)
    curved = (k["L"] / 2 * rho**2)[..., None].expand(*rho.shape, 2)
    size = f.abs() + up.abs() + there.abs() + rho * g.norm(dim=-1)
    return Sides(left=torch.stack([there - linear, linear - up], -1), right=curved, scale=size[..., None] + curved)


def _masked(points: Points, k: Constants) -> Sides:
    beta, g = k["beta"], points.problem.grad(points.w)
    epsilon = sam(points.problem, (points.v - points.w).norm(dim=-1)).epsilon(points.w, g)
    m = torch.cartesian_prod(*[torch.arange(2.0)] * points.problem.dim).reshape(-1, points.problem.dim).to(g)
    chance = (beta**m * (1 - beta) ** (1 - m)).prod(-1)
    masked = m * epsilon[..., None, :] / beta
    error2 = (masked - epsilon[..., None, :]).square().sum(-1)
    left = torch.cat([(chance[:, None] * masked).sum(-2), (chance * error2).sum(-1, keepdim=True)], -1)
    right = torch.cat([epsilon, (1 - beta) / beta * epsilon.square().sum(-1, keepdim=True)], -1)
    size = torch.cat([epsilon.abs(), epsilon.square().sum(-1, keepdim=True)], -1) / beta
    return Sides(left=left, right=right, scale=size, equal=True)


def _invariant(points: Points, k: Constants) -> Sides:
    f, A, w = points.problem, k["A"].to(points.w), points.w
    oracle = asam(f, k["rho"], float(k["p"]), floor=0.0)
    (f_w, g_w), (f_Aw, g_Aw) = f.value_and_grad(w), f.value_and_grad(A * w)
    here, there = oracle.epsilon(w, g_w), oracle.epsilon(A * w, g_Aw)
    up, Aup = f.value(w + here), f.value(A * w + there)
    left, right = torch.cat([there, (Aup - f_Aw)[..., None]], -1), torch.cat([A * here, (up - f_w)[..., None]], -1)
    lost = A.amax() / A.amin() * (A * w).norm(dim=-1, keepdim=True)
    size = torch.cat(
        [lost.expand_as(here), (up.abs() + f_w.abs() + Aup.abs())[..., None] * A.amax() / A.amin()], -1
    )
    return Sides(left=left, right=right, scale=size, equal=True)


def _same_function(points: Points, k: Constants) -> bool:
    A = k["A"].to(points.w)
    if not bool((A > 0).all()):
        return False
    both = torch.cat([points.w, points.v])
    f, scaled = points.problem.value(both), points.problem.value(A * both)
    return at_most((scaled - f).abs(), 1e3 * rounding(f) * float(f.abs().max()))


NORM = Assumption("norm", r"$1 \le p \le \infty$", lambda points, k: k["p"] >= 1)


def _nonzero(points: Points, k: Constants) -> bool:
    g: Tensor = points.problem.grad(points.w)
    return bool((points.w != 0).all()) and bool((g.norm(dim=-1) > 0).all())


sam_maximizer = Theorem(
    id="sam-maximizer",
    kind="theorem",
    title="The linearized inner maximum of SAM",
    chapter=5,
    statement=r"""
Let $g = \nabla f(w)\ne0$, $1\le p\le\infty$ and $\frac1p+\frac1q = 1$. Then

$$
\max_{\|\epsilon\|_p\le\rho} g^\top\epsilon = \rho\,\|g\|_q ,
\qquad\text{attained at}\qquad
\epsilon_i = \rho\,\operatorname{sign}(g_i)\,\frac{|g_i|^{q-1}}{\|g\|_q^{\,q-1}} .
$$

For $p=2$ that is $\rho\,g/\|g\|$, for $p=\infty$ it is $\rho\operatorname{sign}(g)$. For $p=1$ the formula is
read as its limit $q\to\infty$: the coordinates with the largest $|g_i|$ share $\rho$.
""",
    source="GG-eq52, GG-eq53",
    assumptions=(
        NORM,
        Assumption(
            "gradient",
            r"$\nabla f(w) \ne 0$",
            lambda points, k: bool((points.problem.grad(points.w).norm(dim=-1) > 0).all()),
        ),
    ),
    constants=("p",),
    needs=("w", "v"),
    sides=_maximizer,
)

sam_first_order = Theorem(
    id="sam-first-order",
    kind="theorem",
    title="How far the linearized maximum is from the true one",
    chapter=5,
    statement=r"""
Let $f$ be $L$-smooth, $g = \nabla f(w)\ne0$ and $\hat\epsilon = \rho\,g/\|g\|$. Then

$$
f(w)+\rho\,\|g\|-\frac L2\rho^2 \;\le\; f(w+\hat\epsilon) \;\le\; \max_{\|\epsilon\|\le\rho} f(w+\epsilon)
\;\le\; f(w)+\rho\,\|g\|+\frac L2\rho^2 ,
$$

so SAM's point misses the maximum by at most $L\rho^2$. Where $\rho\|g\|$ is small beside that, near a minimum, the
linear model says little. Parabolas attain both ends.
""",
    source="GG-eq49, GG-eq51, GG-eq54",
    assumptions=(
        Assumption("smoothness", r"the gradient of $f$ is $L$-Lipschitz, $L > 0$", lambda points, k: k["L"] > 0),
    ),
    constants=("L",),
    needs=("w", "v"),
    sides=_first_order,
)

swp_unbiased = Theorem(
    id="swp-unbiased",
    kind="lemma",
    title="ESAM's masked perturbation is unbiased",
    chapter=5,
    statement=r"""
Let $\epsilon\in\mathbb R^d$ and $m_i\sim\operatorname{Bernoulli}(\beta)$ be independent, $0<\beta\le1$. Then

$$
\mathbb E\,\frac{m\odot\epsilon}\beta = \epsilon ,
\qquad
\mathbb E\,\Bigl\|\frac{m\odot\epsilon}\beta-\epsilon\Bigr\|^2 = \frac{1-\beta}\beta\,\|\epsilon\|^2 .
$$

That holds for the perturbation. The gradient there, $\nabla f(w+m\odot\epsilon/\beta)$, is in general no unbiased
estimate of $\nabla f(w+\epsilon)$; for a quadratic it is.
""",
    source="GG-eq55",
    assumptions=(
        Assumption("share", r"$0 < \beta \le 1$", lambda points, k: 0 < k["beta"] <= 1),
        Assumption(
            "dimension", rf"$d \le {MOST}$, for the enumeration", lambda points, k: points.problem.dim <= MOST
        ),
    ),
    constants=("beta",),
    needs=("w", "v"),
    sides=_masked,
)

asam_invariance = Theorem(
    id="asam-invariance",
    kind="theorem",
    title="ASAM does not notice a rescaling that the function does not notice",
    chapter=5,
    statement=r"""
Let $A$ be diagonal and positive with $f(Aw) = f(w)$ for all $w$, let $T_w = \operatorname{diag}|w|$, all
$w_i\ne0$, and $\epsilon_w = \arg\max\{\nabla f(w)^\top\epsilon : \|T_w^{-1}\epsilon\|_p\le\rho\}$. Then

$$
\epsilon_{Aw} = A\,\epsilon_w ,
\qquad
f(Aw+\epsilon_{Aw})-f(Aw) = f(w+\epsilon_w)-f(w) ,
\qquad
\max_{\|T_{Aw}^{-1}\epsilon\|_p\le\rho} f(Aw+\epsilon) = \max_{\|T_w^{-1}\epsilon\|_p\le\rho} f(w+\epsilon) .
$$

With SAM's ball, $T_w = I$, neither holds. The rescaling of a unit of a ReLU network is such an $A$.
""",
    source="GG-ASAM-proof, GG-eq57, GG-eq58, GG-ASAM-ineq",
    assumptions=(
        Assumption(
            "rescaling", r"$A$ is positive, and $f(Aw) = f(w)$ (checked at the given points)", _same_function
        ),
        Assumption("no zeros", r"$w_i \ne 0$ for all $i$, and $\nabla f(w) \ne 0$", _nonzero),
        NORM,
    ),
    constants=("A", "rho", "p"),
    needs=("w", "v"),
    sides=_invariant,
)
