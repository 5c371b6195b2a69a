"""Gradient descent on quadratics: each eigendirection is on its own."""

from __future__ import annotations

import torch
from torch import Tensor

from .path import DESCENT, chosen, eta, rounding, times
from .theorem import Assumption, Constants, Evidence, Rate, Sides, Theorem


def is_quadratic(run: Evidence, k: Constants) -> bool:
    """Does the Hessian at the start account for every change of the gradient along the (first) run?"""
    path = run.w.reshape(len(run.w), -1, run.problem.dim)[:, 0]
    points = chosen(path[path.isfinite().all(-1)])
    g, moved = run.problem.grad(points), points - points[0]
    expected = moved @ run.problem.hessian(points[0])
    size = g.abs().amax(-1, keepdim=True) + g[0].abs().amax() + expected.abs().amax(-1, keepdim=True)
    return bool(((g - g[0] - expected).abs() <= 100 * rounding(g) * size).all())


def modes(run: Evidence, k: Constants) -> tuple[Tensor, Tensor]:
    """Eigenvalues of the Hessian, ascending, and the coordinates of w_t - w* in its eigenvectors."""
    center = k["w_star"].to(run.w)
    lam, Q = torch.linalg.eigh(run.problem.hessian(center))
    return lam, (run.w - center) @ Q


def _by_mode(run: Evidence, k: Constants) -> Sides:
    lam, u = modes(run, k)
    t, factor = times(u), 1 - eta(run)[..., None] * lam
    right = factor**t * u[0]
    # Rotating into the eigenvectors lets the rounding of the largest mode into all of them.
    largest = t * factor.abs().amax(-1, keepdim=True).clamp_min(1) ** t * u[0].norm(dim=-1, keepdim=True)
    return Sides(left=u[1:], right=right, scale=(largest + k["w_star"].norm()).expand_as(right), equal=True)


def _no_faster(run: Evidence, k: Constants) -> Sides:
    lam, u = modes(run, k)
    ends = u[..., [0, -1]].abs()
    rho, t = (lam[-1] - lam[0]) / (lam[-1] + lam[0]), times(ends[..., 0])
    start = ends[0].amin(-1)
    slowest = ends[1:].amax(-1)
    scale = t * (rho ** (t - 1) * start + slowest) + k["w_star"].norm()
    return Sides(left=rho**t * start, right=slowest, scale=scale, lower=True)


QUADRATIC = Assumption(
    "quadratic", "the Hessian of $f$ is the same everywhere (checked at the points of the run)", is_quadratic
)

gd_by_mode = Theorem(
    id="gd-by-mode",
    kind="theorem",
    title="Gradient descent on a quadratic, mode by mode",
    chapter=2,
    statement=r"""
Let $f(w) = f^\star + \frac12 (w-w^\star)^\top A\,(w-w^\star)$ with $A$ symmetric, eigenvalues $\lambda_i$ and
orthonormal eigenvectors $q_i$, and $w_{t+1} = w_t - \eta\,\nabla f(w_t)$. Then
$u_i(t) = q_i^\top (w_t - w^\star)$ obeys

$$
u_i(t) = (1-\eta\lambda_i)^t\,u_i(0) .
$$

A mode with $\lambda_i > 0$ decays if and only if $0<\eta<2/\lambda_i$, changes sign at each step if
$\eta\lambda_i > 1$, and is done in one step if $\eta\lambda_i = 1$. One with $\lambda_i=0$ stays where it is.
""",
    source="TDL-eq-quadratic, TDL-4.4-stability, TDL-4.4-oscillate",
    assumptions=(QUADRATIC, DESCENT),
    constants=("w_star",),
    needs=("w",),
    sides=_by_mode,
)

optimal_fixed_step = Theorem(
    id="optimal-fixed-step",
    kind="theorem",
    title="No fixed step has a better worst case than 2/(L + μ)",
    chapter=2,
    statement=r"""
Let $f$ be a quadratic whose Hessian has extreme eigenvalues $0<\mu\le L$, $\kappa = L/\mu$, and run gradient
descent with a fixed $\eta$, whatever it is. The coordinates $u_\mu$, $u_L$ of $w_t - w^\star$ in their
eigenvectors obey

$$
\begin{aligned}
&\max\bigl(|u_\mu(t)|,\,|u_L(t)|\bigr) \\
&\quad\ge \Bigl(\frac{\kappa-1}{\kappa+1}\Bigr)^t\,\min\bigl(|u_\mu(0)|,\,|u_L(0)|\bigr) ,
\end{aligned}
$$

with equality at $\eta = 2/(L+\mu)$ if both start at the same size. With {prf:ref}`gd-strongly-convex`: the best
fixed step is $2/(L+\mu)$, and its factor is $(\kappa-1)/(\kappa+1)$, where $1/L$ has $1-1/\kappa$.
""",
    source="TDL-4.4-rate, AMGT-App2-opt",
    assumptions=(
        QUADRATIC,
        Assumption(
            "minimizer",
            r"the smallest eigenvalue is positive",
            lambda run, k: bool(modes(run, k)[0][0] > 0),
        ),
        DESCENT,
    ),
    constants=("w_star",),
    needs=("w",),
    sides=_no_faster,
    rate=Rate("GD, any fixed step", "quadratic, worst start", r"at least $(\frac{\kappa-1}{\kappa+1})^TR/\sqrt2$"),
)
