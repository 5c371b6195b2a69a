"""How far a function is from its Taylor model."""

from __future__ import annotations

import torch

from .theorem import Assumption, Constants, Points, Sides, Theorem


def _first_order(points: Points, k: Constants) -> Sides:
    step = points.v - points.w
    f, g = points.problem.value_and_grad(points.w)
    new, slope = points.problem.value(points.v), (g * step).sum(-1)
    return Sides(
        left=(new - f - slope).abs(),
        right=k["L"] / 2 * (step * step).sum(-1),
        scale=new.abs() + f.abs() + (g * step).abs().sum(-1),
    )


def _second_order(points: Points, k: Constants) -> Sides:
    step = points.v - points.w
    f, g = points.problem.value_and_grad(points.w)
    curved = step * points.problem.hvp(points.w, step) / 2
    new, model = points.problem.value(points.v), f + (g * step).sum(-1) + curved.sum(-1)
    return Sides(
        left=(new - model).abs(),
        right=k["rho"] / 6 * step.norm(dim=-1) ** 3,
        scale=new.abs() + f.abs() + (g * step).abs().sum(-1) + curved.abs().sum(-1),
    )


first_order_remainder = Theorem(
    id="taylor-first-order",
    kind="theorem",
    title="Remainder of the first-order model",
    chapter=1,
    statement=r"""
Let $f$ be differentiable, with an $L$-Lipschitz gradient on the segment from $w$ to $v$. Then

$$
\bigl|\,f(v) - f(w) - \nabla f(w)^\top (v-w)\,\bigr| \;\le\; \frac{L}{2}\,\|v-w\|^2 .
$$

Parabolas of curvature $L$ and $-L$ attain it.
""",
    source="TDL-eq4.1, TDL-fn4",
    assumptions=(
        Assumption(
            "Lipschitz gradient",
            "the gradient changes by at most $L$ times the distance on the segment",
            lambda points, k: bool((torch.as_tensor(k["L"]) >= 0).all()),
        ),
    ),
    constants=("L",),
    needs=("w", "v"),
    sides=_first_order,
)

second_order_remainder = Theorem(
    id="taylor-second-order",
    kind="theorem",
    title="Remainder of the second-order model",
    chapter=1,
    statement=r"""
Let $f$ be twice differentiable, with a $\rho$-Lipschitz Hessian on the segment from $w$ to $v$:
$\|\nabla^2 f(a) - \nabla^2 f(b)\|_2 \le \rho\,\|a-b\|$. Then

$$
\Bigl|\,f(v) - f(w) - \nabla f(w)^\top (v-w) - \tfrac12 (v-w)^\top \nabla^2 f(w)\,(v-w)\,\Bigr|
\;\le\; \frac{\rho}{6}\,\|v-w\|^3 .
$$

Cubics, whose third derivative is constant, attain it. For quadratics $\rho = 0$: the model is exact.
""",
    source="TDL-eq4.1",
    assumptions=(
        Assumption(
            "Lipschitz Hessian",
            r"the Hessian changes by at most $\rho$ times the distance on the segment",
            lambda points, k: bool((torch.as_tensor(k["rho"]) >= 0).all()),
        ),
    ),
    constants=("rho",),
    needs=("w", "v"),
    sides=_second_order,
)
