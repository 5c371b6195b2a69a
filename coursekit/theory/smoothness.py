"""What an L-Lipschitz gradient says about a function, in other words."""

from __future__ import annotations

import torch

from .path import SMOOTH, above_tangents, at_most, chosen
from .theorem import Assumption, Constants, Points, Sides, Theorem

# An equivalence is about any L > 0: whether the given one is a Lipschitz constant is what a certificate finds out.
GIVEN = Assumption("constant", "$L > 0$", SMOOTH.met)
CONVEX = Assumption(
    "convexity",
    r"$f$ is convex (checked at the given points)",
    lambda points, k: above_tangents(points.problem, _all(points)),
)


def _all(points: Points) -> torch.Tensor:
    return torch.cat([chosen(points.w), chosen(points.v)])


def _upper(points: Points, k: Constants) -> Sides:
    f, g = points.problem.value_and_grad(points.w)
    step, new = points.v - points.w, points.problem.value(points.v)
    slope, curved = g * step, k["L"] / 2 * (step * step).sum(-1)
    return Sides(
        left=new - f - slope.sum(-1),
        right=curved,
        scale=new.abs() + f.abs() + slope.abs().sum(-1) + curved,
    )


def _equivalent(points: Points, k: Constants) -> Sides:
    f, g = points.problem.value_and_grad(points.w)
    new, there = points.problem.value_and_grad(points.v)
    step, L = points.v - points.w, k["L"]
    r2, slope, Hs = (step * step).sum(-1), g * step, points.problem.hvp(points.w, step)
    size = new.abs() + f.abs() + slope.abs().sum(-1)
    return Sides(
        left=torch.stack(
            [(there - g).norm(dim=-1), (new - f - slope.sum(-1)).abs(), (step * Hs).sum(-1).abs()], -1
        ),
        right=torch.stack([L * r2.sqrt(), L / 2 * r2, L * r2], -1),
        scale=torch.stack([there.norm(dim=-1) + g.norm(dim=-1), size, (step * Hs).abs().sum(-1)], -1),
    )


def _convex(points: Points, k: Constants) -> Sides:
    f, g = points.problem.value_and_grad(points.w)
    new, there = points.problem.value_and_grad(points.v)
    step, change, L = points.v - points.w, there - g, k["L"]
    c2, slope, along = (change * change).sum(-1), g * step, change * step
    size = new.abs() + f.abs() + slope.abs().sum(-1)
    rounding = (there.norm(dim=-1) + g.norm(dim=-1)) * change.norm(dim=-1) / L
    return Sides(
        left=torch.stack([c2 / (2 * L), c2 / L], -1),
        right=torch.stack([new - f - slope.sum(-1), along.sum(-1)], -1),
        scale=torch.stack([size + rounding, along.abs().sum(-1) + 2 * rounding], -1),
        lower=True,
    )


def _gap(points: Points, k: Constants) -> Sides:
    f, g = points.problem.value_and_grad(points.w)
    return Sides(
        left=(g * g).sum(-1), right=2 * k["L"] * (f - k["f_star"]), scale=2 * k["L"] * (f.abs() + abs(k["f_star"]))
    )


def _growth(points: Points, k: Constants) -> Sides:
    f, g = points.problem.value_and_grad(points.w)
    gap, g2 = f - k["f_star"], (g * g).sum(-1)
    r2 = (points.w - k["w_star"].to(g)).square().sum(-1)
    return Sides(
        left=torch.stack([k["mu"] * gap, k["mu"] / 2 * r2], -1),
        right=torch.stack([g2 / 2, gap], -1),
        scale=torch.stack([g2 + k["mu"] * (f.abs() + abs(k["f_star"])), f.abs() + abs(k["f_star"])], -1),
        lower=True,
    )


quadratic_upper_bound = Theorem(
    id="quadratic-upper-bound",
    kind="lemma",
    title="Quadratic upper bound",
    chapter=2,
    statement=r"""
Let the gradient of $f$ be $L$-Lipschitz. Then for all $w$ and $v$

$$
\begin{aligned}
f(v) \;\le\; f(w) &+ \nabla f(w)^\top (v-w) \\
&+ \frac L2\,\|v-w\|^2 .
\end{aligned}
$$

The parabola on the right touches $f$ at $w$ and stays above it. On a segment from $w$ along which $f$ curves by
$L$ throughout, it is $f$. The converse fails: $-w^4$ satisfies the inequality even with 0 in place of $L$, since
it limits how $f$ curves up, not how it curves down.
""",
    source="TDL-eq4.9, TDL-P4.1.3, KH-2.1-smooth",
    assumptions=(SMOOTH,),
    constants=("L",),
    needs=("w", "v"),
    sides=_upper,
)

smoothness_equivalences = Theorem(
    id="smoothness-equivalences",
    kind="theorem",
    title="Smoothness, three ways to say it",
    chapter=2,
    statement=r"""
Let $f$ be twice differentiable on $\mathbb R^d$. The following are equivalent, with the same $L$, where they
hold for all $w$, $v$ and $u$:

1. $\|\nabla f(v) - \nabla f(w)\| \le L\,\|v-w\|$;
2. $\bigl|f(v) - f(w) - \nabla f(w)^\top (v-w)\bigr|$ $\le \frac L2\,\|v-w\|^2$;
3. $|u^\top \nabla^2 f(w)\,u| \le L\,\|u\|^2$: the eigenvalues of the Hessian lie in $[-L, L]$.

The first two are equivalent for every differentiable $f$.
""",
    source="TDL-D4.1.2, KH-2.1-smooth",
    assumptions=(GIVEN,),
    constants=("L",),
    needs=("w", "v"),
    sides=_equivalent,
)

cocoercivity = Theorem(
    id="cocoercivity",
    kind="theorem",
    title="What smoothness adds to convexity",
    chapter=2,
    statement=r"""
Let $f$ be convex and differentiable on $\mathbb R^d$. The gradient of $f$ is $L$-Lipschitz if and only if *1*
holds for all $w$ and $v$, and also if and only if *2* does:

1. $f(v) \ge f(w) + \nabla f(w)^\top (v-w)$ $+ \frac1{2L}\,\|\nabla f(v)-\nabla f(w)\|^2$;
2. $\bigl(\nabla f(v)-\nabla f(w)\bigr)^\top (v-w)$ $\ge \frac1L\,\|\nabla f(v)-\nabla f(w)\|^2$
   (co-coercivity).
""",
    source="KH-2.1-smooth",
    assumptions=(GIVEN, CONVEX),
    constants=("L",),
    needs=("w", "v"),
    sides=_convex,
)

gradient_below_gap = Theorem(
    id="gradient-below-gap",
    kind="lemma",
    title="A smooth function has a small gradient where it is low",
    chapter=2,
    statement=r"""
Let $f$ be $L$-smooth on $\mathbb R^d$, with infimum $f^\star > -\infty$. Then
$\|\nabla f(w)\|^2 \le 2L\,(f(w) - f^\star)$. So a function that is also $\mu$-PL,
$\|\nabla f(w)\|^2 \ge 2\mu\,(f(w)-f^\star)$, and not constant, has $\mu \le L$.
""",
    source="PL-mu-le-L",
    assumptions=(SMOOTH,),
    constants=("L", "f_star"),
    needs=("w", "v"),
    sides=_gap,
)

strong_convexity_implies = Theorem(
    id="strong-convexity-implies",
    kind="lemma",
    title="Strong convexity implies PL and quadratic growth",
    chapter=2,
    statement=r"""
Let $f$ be $\mu$-strongly convex with minimizer $w^\star$. Then for all $w$

$$
\begin{aligned}
\tfrac12\,\|\nabla f(w)\|^2 &\ge \mu\,\bigl(f(w)-f^\star\bigr) , \\
f(w)-f^\star &\ge \tfrac\mu2\,\|w-w^\star\|^2 .
\end{aligned}
$$

The first is the Polyak-Łojasiewicz inequality, which asks for neither convexity nor a single minimizer.
""",
    source="PL-def, GG-2.2-grad",
    assumptions=(
        Assumption(
            "strong convexity",
            r"$f$ is $\mu$-strongly convex, $\mu > 0$ (checked at the given points)",
            lambda points, k: not at_most(k["mu"], 0) and above_tangents(points.problem, _all(points), k["mu"]),
        ),
    ),
    constants=("mu", "f_star", "w_star"),
    needs=("w", "v"),
    sides=_growth,
)
