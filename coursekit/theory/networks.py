"""Two networks of one hidden layer: no bad minima with quadratic activation, linear convergence when wide."""

from __future__ import annotations

import torch
from torch import Tensor

from ..problems import QuadraticNetwork, ReLUNetwork
from .path import DESCENT, at_most, chosen, eta, rounding, times
from .theorem import Assumption, Constants, Evidence, Rate, Sides, Theorem


def _residual_matrix(f: QuadraticNetwork, w: Tensor) -> Tensor:
    """A = (1/n) Σ r_i x_i x_iᵀ with r = y - outputs, shape (..., dim) -> (..., d, d): minus the gradient in M."""
    r = f.p.y - f.outputs(w)
    return torch.einsum("...n,ni,nj->...ij", r, f.p.X, f.p.X) / f.n


def negative_curvature(f: QuadraticNetwork, w: Tensor) -> tuple[Tensor, Tensor]:
    """A direction U (dim,) at the point w (dim,), and -2 |α| Σ a_j²/|v_j|, its curvature if w is critical.

    α, u: the eigenpair of A with the largest |α|; a: Σ a_j w_j = 0 over the units with v_j α > 0;
    U_j = (a_j/v_j) u.
    """
    A, v = _residual_matrix(f, w), f.v
    lam, Q = torch.linalg.eigh(A)
    i = lam.abs().argmax()
    alpha, u = lam[i], Q[:, i]
    P = v * alpha > 0
    W = w.reshape(len(v), -1)
    a = torch.linalg.svd(W[P].T).Vh[-1]
    U = torch.zeros_like(W)
    U[P] = (a / v[P])[:, None] * u
    return U.reshape(-1), -2 * alpha.abs() * (a**2 / v[P].abs()).sum()


def _landscape(points: Evidence, k: Constants) -> Sides:
    f, w = points.problem, points.w.reshape(-1, points.problem.dim)
    found = [negative_curvature(f, x) for x in w]
    U, formula = torch.stack([U for U, _ in found]), torch.stack([c for _, c in found])
    curvature = (U * f.hvp(w, U)).sum(-1)
    X, A = f.p.X, _residual_matrix(f, w)
    products = (X[:, :, None] * X[:, None, :]).reshape(f.n, -1)
    best = (torch.linalg.pinv(products) @ f.p.y).reshape(X.shape[1], -1)
    W = w.reshape(len(w), len(f.v), -1)
    M = torch.einsum("j,pja,pjb->pab", f.v, W, W)
    far = A.flatten(1).norm(dim=-1) * (M - best).flatten(1).norm(dim=-1)
    value = f.value(w)
    # The points are critical to rounding only: the formula is asked for to a millionth, and not where A is a
    # millionth of what it could be. There the second inequality says all: f is convex in M.
    scale = products.square().sum(-1).mean() * (U.square().sum(-1) * f.v.abs().amax())
    zero = A.flatten(1).norm(dim=-1) <= 1e-6 * products.norm(dim=-1).mean() * f.p.y.abs().amax()
    return Sides(
        left=torch.stack([curvature.where(~zero, 0.0), value - k["f_star"]], -1),
        right=torch.stack([(formula * (1 - 1e-6)).where(~zero, 0.0), far], -1),
        scale=torch.stack([scale * value.sqrt() + formula.abs(), value + k["f_star"] + far], -1),
    )


def _signs(points: Evidence, k: Constants) -> bool:
    f = points.problem
    if not isinstance(f, QuadraticNetwork):
        return False
    d = f.p.X.shape[1]
    return int((f.v > 0).sum()) >= d and int((f.v < 0).sum()) >= d


def _critical(points: Evidence, k: Constants) -> bool:
    f = points.problem
    g = f.grad(points.w)
    size = (f.p.X.norm(dim=1) ** 2).max() * f.v.abs().max() * f.p.y.abs().max() * (1 + points.w.norm(dim=-1))
    return bool((g.norm(dim=-1) <= 1e-8 * size).all())


def _linear(run: Evidence, k: Constants) -> Sides:
    f, t, lam = run.f, times(run.f), k["lam"] / run.problem.n
    right = (1 - eta(run) * lam) ** t * f[0]
    moved = (run.w[1:] - run.w[0]).norm(dim=-1)
    furthest = (8 * f[0] / lam).sqrt().expand_as(moved)
    return Sides(
        left=torch.stack([f[1:], moved], -1),
        right=torch.stack([right, furthest], -1),
        scale=torch.stack([f[1:] + t * right, moved + run.w[0].norm()], -1),
    )


def _decreases(run: Evidence, k: Constants) -> bool:
    owed = eta(run) / 2 * run.grad_norm[:-1] ** 2
    return bool((run.f[:-1] - run.f[1:] - owed >= -rounding(run.f) * (run.f[:-1] + owed)).all())


def _gram(run: Evidence, k: Constants) -> bool:
    points = chosen(run.w).reshape(-1, run.problem.dim)
    least = torch.stack([torch.linalg.eigvalsh(run.problem.gram(w))[0] for w in points])
    return k["lam"] > 0 and at_most(k["lam"], least.amin())


quadratic_activation = Theorem(
    id="quadratic-activation",
    kind="theorem",
    title="Quadratic activation has no spurious minima",
    chapter=6,
    statement=r"""
Let $f(W) = \frac1{2n}\sum_i\bigl(y_i-\sum_j v_j(w_j^\top x_i)^2\bigr)^2$ with $w_j, x_i\in\mathbb R^d$, at least
$d$ positive and $d$ negative $v_j$. At a critical point let $r_i$ be the residuals, $A = \frac1n\sum_i
r_ix_ix_i^\top$, and $M = \sum_j v_jw_jw_j^\top$. Then $f(W)-f^\star\le\|A\|_F\,\|M-M^\star\|_F$, so $A=0$ means
a global minimum. If $A\ne0$, take an eigenpair $Au = \alpha u$, $\|u\| = 1$, $\alpha\ne0$, the units $P = \{j :
v_j\alpha>0\}$, and $a\ne0$ with $\sum_{j\in P}a_jw_j = 0$, which exists. With $U_j = \frac{a_j}{v_j}u$ for $j\in
P$ and $U_j = 0$ else

$$
\nabla^2f(W)[U,U] \;=\; -2\,|\alpha|\sum_{j\in P}\frac{a_j^2}{|v_j|} \;<\; 0 .
$$

So every local minimum is global, and every other critical point is a strict saddle. With all $v_j>0$ that fails.
""",
    source="GG-P4, GG-P4-1, GG-P4-2, GG-P4-necessity",
    assumptions=(
        Assumption("signs", r"$f$ is this loss, with at least $d$ positive and $d$ negative $v_j$", _signs),
        Assumption("critical point", r"$\nabla f = 0$, to rounding", _critical),
    ),
    constants=("f_star",),
    needs=("w",),
    sides=_landscape,
)

wide_networks = Theorem(
    id="wide-networks",
    kind="theorem",
    title="A wide ReLU network converges linearly (empirical certificate)",
    chapter=6,
    statement=r"""
Let $f(w) = \frac1{2n}\|h(w)-y\|^2$ with the outputs $h$ of a ReLU network on $n$ inputs, $J$ their Jacobian and
$H(w) = J J^\top$. Suppose that along a run of gradient descent with constant $\eta$ every step decreases $f$ by at
least $\frac\eta2\|\nabla f(w_t)\|^2$, and $\lambda_{\min}(H(w_t))\ge\lambda>0$. Then for every $T$

$$
f(w_T) \;\le\; \Bigl(1-\frac{\eta\lambda}n\Bigr)^T f(w_0) ,
\qquad
\|w_T-w_0\| \;\le\; \sqrt{\frac{8\,n\,f(w_0)}\lambda} .
$$

*Empirical*: the certificate measures both suppositions on the run. That they hold with high probability from a
random start, with $\lambda = \frac12\lambda_{\min}(H^\infty)$ and the Gram matrix $H^\infty$ of infinite width,
is proved for widths of the order $n^6/(\lambda_{\min}(H^\infty)^4\delta^3)$ (Du, Zhai, Póczos and Singh 2019), far
more than is seen to be needed.
""",
    source="GG-P5; Du, Zhai, Póczos and Singh 2019",
    assumptions=(
        Assumption(
            "network",
            "$f$ is the loss of a ReLU network of one trained hidden layer",
            lambda run, k: isinstance(run.problem, ReLUNetwork),
        ),
        DESCENT,
        Assumption(
            "decrease", r"each step decreases $f$ by at least $\eta \|\nabla f(w_t)\|^2/2$ (measured)", _decreases
        ),
        Assumption(
            "Gram matrix", r"$\lambda_{\min}(H(w_t)) \ge \lambda > 0$ (checked at points of the run)", _gram
        ),
    ),
    constants=("lam",),
    needs=("w", "f", "grad_norm"),
    sides=_linear,
    rate=Rate(
        "GD, wide ReLU network",
        r"$\lambda_{\min}(H)\ge\lambda$ along the run",
        r"$(1-\frac{\eta\lambda}n)^T f(w_0)$",
    ),
)
