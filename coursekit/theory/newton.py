"""Newton's method: what it does near a minimum, and what it does not notice."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ..methods import damped_newton, minimize, newton
from ..problems.problem import Problem
from .path import at_most, chosen
from .theorem import Assumption, Constants, Evidence, Rate, Sides, Theorem


def _errors(run: Evidence, k: Constants) -> Tensor:
    return (run.w - k["w_star"].to(run.w)).norm(dim=-1)


def _quadratic_rate(run: Evidence, k: Constants) -> Sides:
    error, mu, rho = _errors(run, k), k["mu"], k["rho"]
    H = run.problem.hessian(k["w_star"].to(run.w))
    # Solving H p = -g loses as many digits as the condition number has, and g has lost some already.
    scale = torch.linalg.matrix_norm(H, 2) / mu * (k["w_star"].norm() + error[:-1]) + run.grad_norm[0] / mu
    return Sides(left=error[1:], right=rho * error[:-1] ** 2 / (2 * (mu - rho * error[:-1])), scale=scale)


class _Mapped(Problem):
    """f(A u + b) as a function of u."""

    def __init__(self, inner: Problem, A: Tensor, b: Tensor) -> None:
        self.inner, self.A, self.b, self.dim = inner, A, b, inner.dim

    def value(self, w: Tensor) -> Tensor:
        return self.inner.value(w @ self.A.T + self.b)


def _commutes(run: Evidence, k: Constants) -> Sides:
    A, b = k["A"].to(run.w), torch.as_tensor(k["b"]).to(run.w)
    start = torch.linalg.solve(A, run.w[0] - b)
    mapped = minimize(_Mapped(run.problem, A, b), run.method, start, run.T, stop=None)
    back = mapped.w @ A.T + b
    left = torch.full_like(run.w[1:], torch.nan)  # a run that ended early does not agree
    left[: mapped.T] = back[1:]
    # The points lose as many digits as A has, the steps as many as the Hessian of f(A u + b): eight at most.
    H = run.problem.hessian(chosen(run.w))
    lost = (torch.linalg.cond(A) ** 2 * torch.linalg.cond(H).amax()).clamp(max=1e8)
    size = lost * (run.w.norm(dim=-1).amax() + b.norm())
    return Sides(left=left, right=run.w[1:], scale=size.expand_as(left), equal=True)


def _uses(*methods: Callable[[], object]) -> Callable[[Evidence, Constants], bool]:
    return lambda run, k: run.method in [method() for method in methods]


newton_quadratic_rate = Theorem(
    id="newton-quadratic-rate",
    kind="theorem",
    title="Newton's method near a minimum",
    chapter=1,
    statement=r"""
Let $w^\star$ be a stationary point of $f$ with $\nabla^2 f(w^\star) \succeq \mu I$, $\mu>0$, and let the
Hessian be $\rho$-Lipschitz on the ball around $w^\star$ that contains $w_0$. If
$\|w_0-w^\star\| \le \mu/(2\rho)$, Newton's method stays in the ball, and for every $t$

$$
\|w_{t+1}-w^\star\| \;\le\; \frac{\rho\,\|w_t-w^\star\|^2}{2\,\bigl(\mu-\rho\,\|w_t-w^\star\|\bigr)}
\;\le\; \frac\rho\mu\,\|w_t-w^\star\|^2 .
$$

So $e_t = \frac\rho\mu\|w_t-w^\star\|$ obeys $e_{t+1}\le e_t^2$, with $e_0\le\frac12$: the number of correct
digits doubles. In one dimension $\frac\mu2x^2-\frac\rho6|x|^3$ attains the first inequality.
""",
    source="TDL-newton-quadratic-rate, TDL-eq4.3-4.7",
    assumptions=(
        Assumption(
            "curvature at the minimum",
            r"$\nabla^2 f(w^\star) \succeq \mu I$ with $\mu > 0$",
            lambda run, k: (
                k["mu"] > 0
                and at_most(k["mu"], torch.linalg.eigvalsh(run.problem.hessian(k["w_star"].to(run.w)))[0])
            ),
        ),
        Assumption("method", "pure Newton: full steps", _uses(newton)),
        Assumption(
            "start",
            r"$\|w_0-w^\star\| \le \mu/(2\rho)$",
            lambda run, k: at_most(_errors(run, k)[0], k["mu"] / (2 * k["rho"])),
        ),
    ),
    constants=("mu", "rho", "w_star"),
    needs=("method", "w", "grad_norm"),
    sides=_quadratic_rate,
    rate=Rate("Newton", "near a minimum", r"$e_{t+1}\le e_t^2,\ e=\frac\rho\mu\Vert w-w^\star\Vert$"),
)

affine_invariance = Theorem(
    id="newton-affine-invariance",
    kind="theorem",
    title="Newton's method does not notice a change of coordinates",
    chapter=1,
    statement=r"""
Let $A$ be invertible, $b$ a vector and $\tilde f(u) = f(Au+b)$. If Newton's method takes
$w_0 \mapsto w_1 \mapsto \dots$ on $f$, and $u_0 = A^{-1}(w_0-b)$, then on $\tilde f$ it takes
$u_0 \mapsto u_1 \mapsto \dots$ with

$$
A\,u_t + b = w_t \quad\text{for every } t .
$$

The same holds with Armijo's line search, whose test reads only $f$ and the slope. Gradient descent has it for
orthogonal $A$ only.
""",
    source="TDL-newton-preconditions, TDL-4.4.1-precond",
    assumptions=(
        Assumption("method", "Newton, in full steps or with Armijo's line search", _uses(newton, damped_newton)),
        Assumption(
            "invertible",
            "$A$ is invertible",
            lambda run, k: bool(torch.linalg.cond(k["A"]) * torch.finfo(run.w.dtype).eps < 1e-4),
        ),
    ),
    constants=("A", "b"),
    needs=("method", "w"),
    sides=_commutes,
)
