"""Which direction is the steepest depends on how the length of a step is measured."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .theorem import Assumption, Constants, Points, Sides, Theorem


def dual_exponent(p: float) -> float:
    """q with 1/p + 1/q = 1: the exponent of the norm that measures gradients where p measures steps."""
    return math.inf if p == 1 else 1.0 if p == math.inf else p / (p - 1)


def steepest_step(g: Tensor, p: float, length: float | Tensor = 1.0) -> Tensor:
    """The minimizer of gᵀs over ‖s‖_p ≤ length, shape (..., dim); zero where g is zero.

    s_i = -length sign(g_i) (|g_i| / ‖g‖_q)^(q-1); for p = 1 the whole step goes along one largest |g_i|.
    Raises ValueError unless 1 ≤ p ≤ ∞.
    """
    if not p >= 1:
        raise ValueError(f"p must lie in [1, inf], got {p!r}")
    length = torch.as_tensor(length, dtype=g.dtype, device=g.device)[..., None]
    size = g.abs()
    largest = size.amax(-1, keepdim=True)
    if p == 1:
        first = torch.nn.functional.one_hot(size.argmax(-1), g.shape[-1]).to(g)
        return -length * g.sign() * first
    q = dual_exponent(p)
    share = size / largest.where(largest > 0, 1.0)  # before the power, which could overflow
    return -length * g.sign() * (share / share.norm(q, dim=-1, keepdim=True).clamp_min(1)) ** (q - 1)


def _dual_norm(points: Points, k: Constants) -> Sides:
    p, step, g = float(k["p"]), points.v - points.w, points.problem.grad(points.w)
    length, dual = step.norm(p, dim=-1), g.norm(dual_exponent(p), dim=-1)
    best = g * steepest_step(g, p, length)
    slope = g * step
    # Two inequalities: no step of this length falls faster than the bound, and the formula's step reaches it.
    return Sides(
        left=torch.stack([-slope.sum(-1), length * dual], -1),
        right=torch.stack([length * dual, -best.sum(-1)], -1),
        scale=(length * dual + slope.abs().sum(-1))[..., None],
    )


steepest_direction = Theorem(
    id="steepest-direction",
    kind="theorem",
    title="Steepest direction in a p-norm",
    chapter=1,
    statement=r"""
Let $g = \nabla f(w) \ne 0$, $1 \le p \le \infty$ and $\frac1p + \frac1q = 1$. Every step $s$ with
$\|s\|_p \le \epsilon$ has

$$
g^\top s \;\ge\; -\epsilon\,\|g\|_q ,
\qquad\text{with equality for}\qquad
s_i = -\epsilon\,\operatorname{sign}(g_i)\,\Bigl(\frac{|g_i|}{\|g\|_q}\Bigr)^{q-1} .
$$

For $p=2$ that is $-\epsilon\,g/\|g\|$, gradient descent; for $p=\infty$ it is
$-\epsilon\operatorname{sign}(g)$, sign descent. For $p=1$, the limit $q\to\infty$, the whole step goes along
one coordinate with the largest $|g_i|$.
""",
    source="TDL-4.1.1-steepest, TDL-P4.1.1",
    assumptions=(Assumption("norm", r"$1 \le p \le \infty$", lambda points, k: k["p"] >= 1),),
    constants=("p",),
    needs=("w", "v"),
    sides=_dual_norm,
)
