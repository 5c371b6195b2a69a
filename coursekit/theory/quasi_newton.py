"""BFGS: what it learns, and when it is done."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from ..methods import exact
from ..methods.quasi_newton import BFGS
from .quadratics import QUADRATIC
from .theorem import Assumption, Constants, Evidence, Sides, Theorem


def _is_bfgs(run: Evidence, k: Constants) -> bool:
    return isinstance(run.method.direction(), BFGS)


def _learned(run: Evidence) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Step, change of gradient and B after each step: the run's own method learns anew from its path."""
    direction, g = run.method.direction(), run.problem.grad(run.w)
    for s, y in zip(run.w.diff(dim=0), g.diff(dim=0), strict=True):
        direction.learn(s, y)
        yield s, y, direction.B


def _curves_up(run: Evidence, k: Constants) -> bool:
    s, y = run.w.diff(dim=0), run.problem.grad(run.w).diff(dim=0)
    cosine = (s * y).sum(-1) / (s.norm(dim=-1) * y.norm(dim=-1))
    return bool((cosine > max(run.method.direction().least_cosine, 0)).all())


def _secant(run: Evidence, k: Constants) -> Sides:
    s, y, B = (torch.stack(parts) for parts in zip(*_learned(run), strict=True))
    scale = torch.linalg.matrix_norm(B) * y.norm(dim=-1)
    return Sides(left=(B @ y[..., None])[..., 0], right=s, scale=scale[:, None].expand_as(s), equal=True)


def _terminates(run: Evidence, k: Constants) -> Sides:
    lam = torch.linalg.eigvalsh(run.problem.hessian(run.w[0]))
    left = run.grad_norm[min(run.problem.dim, run.T) :]
    # Directions that should be conjugate lose digits, up to twice as many as the condition number has.
    scale = run.problem.dim * (lam[-1] / lam[0]) ** 2 * (run.grad_norm[0] + lam[-1] * run.w[0].norm())
    return Sides(left=left, right=torch.zeros_like(left), scale=scale.expand_as(left), equal=True)


bfgs_secant = Theorem(
    id="bfgs-secant",
    kind="theorem",
    title="BFGS explains its last step",
    chapter=1,
    statement=r"""
Let $s_t = w_{t+1}-w_t$, $y_t = \nabla f(w_{t+1})-\nabla f(w_t)$ with $s_t^\top y_t > 0$,
$\rho_t = 1/s_t^\top y_t$ and

$$
B_{t+1} = (I-\rho_t s_t y_t^\top)\,B_t\,(I-\rho_t y_t s_t^\top) + \rho_t s_t s_t^\top .
$$

Then $B_{t+1}\,y_t = s_t$, the equation that the inverse Hessian of a quadratic satisfies, and $B_{t+1}$ is
symmetric positive definite if $B_t$ is.
""",
    source="TDL-bfgs",
    assumptions=(
        Assumption("method", "BFGS", _is_bfgs),
        Assumption("curvature", "$s_t^T y_t > 0$ at every step: no pair was skipped", _curves_up),
    ),
    constants=(),
    needs=("method", "w"),
    sides=_secant,
)

bfgs_terminates = Theorem(
    id="bfgs-terminates",
    kind="theorem",
    title="BFGS on a quadratic is done in d steps",
    chapter=1,
    statement=r"""
Let $f$ be a quadratic on $\mathbb R^d$ with a positive definite Hessian. BFGS with exact line search, begun
with a multiple of the identity, reaches the minimizer in at most $d$ steps: $\nabla f(w_t) = 0$ for some
$t\le d$, the number of distinct eigenvalues of the Hessian being enough.
""",
    source="TDL-bfgs",
    assumptions=(
        Assumption("method", "BFGS", _is_bfgs),
        QUADRATIC,
        Assumption(
            "minimizer",
            "the Hessian is positive definite",
            lambda run, k: bool(torch.linalg.eigvalsh(run.problem.hessian(run.w[0]))[0] > 0),
        ),
        Assumption(
            "exact line search",
            "each step minimizes $f$ along its direction",
            lambda run, k: run.method.search is exact,
        ),
        Assumption(
            "length",
            "the run has $d$ steps, or ended at its stopping criterion",
            lambda run, k: run.problem.dim <= run.T or run.converged,
        ),
    ),
    constants=(),
    needs=("method", "w", "grad_norm"),
    sides=_terminates,
)
