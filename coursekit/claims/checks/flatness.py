"""Claims about flat and sharp minima, and about measures of sharpness that a change of scale cannot move."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from ...curvature import eigenpairs, hessian_of, sharpness, trace
from ...descend import descend
from ...problems import DeepLinear, Quadratic
from ...rules import gradient_descent
from ..check import Measured, check
from .counterexamples import eigenvalues, f64, vector
from .sam import ball_maximum
from .sgd_variance import normal

Value = Callable[[Tensor], Tensor]

RHO = 0.1
A = vector(10.0, 0.1)  # a diagonal scaling matrix


def toy(w: Tensor) -> Tensor:
    """(w₁w₂ - 2)², which A leaves as it is."""
    return 2 * DeepLinear(y=2.0).value(w)


def bowl(w: Tensor) -> Tensor:
    """x² + 3y², which A changes."""
    return Quadratic(vector(2.0, 6.0)).value(w)


def sharp(value: Value, w: Tensor, T: Tensor | float = 1.0) -> float:
    """The largest rise within ‖ε/T‖₂ ≤ ρ."""
    return float(value(w + ball_maximum(value, w, RHO, T)) - value(w))


@check("GG-7-any-local-min")
def minima_too_sharp_for_the_step() -> Measured:
    def end(curvature: float, eta: float) -> float:
        """|w| after 200 steps from 10⁻⁶ beside a minimum of this curvature."""
        run = descend(Quadratic(vector(curvature)), gradient_descent, vector(1e-6), 200, record=("w",), eta=eta)
        return float(run.w[-1].abs())

    curvatures = (1.0, 25.0)
    return Measured(
        as_printed=all(end(h, 0.1) < 1e-6 for h in curvatures),
        as_repaired=all(end(h, 1.9 / h) < 1e-6 for h in curvatures),
        numbers={
            r"$|w|$ after 200 steps from $10^{-6}$, curvature 25, $\eta=0.1$": end(25.0, 0.1),
            r"with $\eta=1.9/25$": end(25.0, 1.9 / 25),
        },
    )


@check("KH-3.4-width")
def three_widths_two_orders() -> Measured:
    ball, ridge = Quadratic(torch.full((10,), 3.0, dtype=f64)), Quadratic(vector(5.0, *[0.5] * 9))
    origin = torch.zeros(10, dtype=f64)

    def widths(f: Quadratic) -> list[float]:
        H = hessian_of(f, origin)
        rise = sharpness(f, origin, RHO, steps=20, seed=0)
        return [float(eigenpairs(H).values[0]), float(trace(H).value), float(rise)]

    both = list(zip(widths(ball), widths(ridge), strict=True))
    return Measured(
        as_printed=len({a < b for a, b in both}) == 1,  # do all readings call the same minimum the wider one?
        numbers={
            r"$\lambda_{\max}$ of two minima: ten curvatures of 3": both[0][0],
            "one of 5 and nine of 0.5": both[0][1],
            "their traces: the first": both[1][0],
            "the second": both[1][1],
        },
    )


@check("KH-4.2-input")
def sharpness_is_not_the_slope_in_the_input() -> Measured:
    f, c = DeepLinear(2), vector(1.0, 2.0, 5.0, 10.0)
    w = torch.stack([c, 1 / c], -1)
    traces = eigenvalues(f, w).sum(-1)
    x = torch.ones(4, dtype=f64, requires_grad=True)
    (slopes,) = torch.autograd.grad((w.prod(-1) * x).sum(), x)
    # The repair: with balanced layers the slope is what the trace says.
    slope = vector(0.5, 1.0, 2.0, 4.0)
    balanced = [float(eigenvalues(DeepLinear(2, float(y)), y.sqrt().expand(2)).sum()) for y in slope]
    return Measured(
        as_printed=bool((slopes.diff() > 0).all()),
        as_repaired=float((vector(*balanced) - 2 * slope).abs().max()) < 1e-12,
        numbers={
            r"Hessian trace of $h(x)=abx$ at $(1, 1)$": float(traces[0]),
            "at $(10, 0.1)$": float(traces[-1]),
            "largest change of the slope in $x$ between them": float(slopes.max() - slopes.min()),
        },
    )


@check("GG-ASAM-ineq")
def rescaling_and_the_ball() -> Measured:
    w, mirror = vector(2.0, 1.0), vector(0.5, 2.0)

    def highest(value: Value, w: Tensor, rho: float) -> float:
        return float(value(w + ball_maximum(value, w, rho)))

    without_ball = abs(highest(bowl, A * w, 0.0) - highest(bowl, w, 0.0))
    mirrored = abs(highest(toy, mirror * w, RHO) - highest(toy, w, RHO))
    plain, scaled = sharp(toy, w), sharp(toy, A * w)
    return Measured(
        # As displayed it should be the ball's doing (none without a ball) and hold for every rescaling.
        as_printed=without_ball < 1e-9 and mirrored > 1e-9,
        as_repaired=float((toy(A * normal(100, 2)) - toy(normal(100, 2))).abs().max()) < 1e-9
        and scaled > 10 * plain,
        numbers={
            r"sharpness of $(w_1w_2-2)^2$ at $(2,1)$, $\rho=0.1$": plain,
            "of the same function at $(20, 0.1)$": scaled,
            r"difference of the displayed maxima for $x^2+3y^2$ at $\rho=0$": without_ball,
            r"for $(w_1w_2-2)^2$, $A=\mathrm{diag}(\frac12, 2)$, $\rho=0.1$": mirrored,
        },
    )


@check("GG-eq57")
def which_matrices_a_normalizer_can_absorb() -> Measured:
    def error(T: Tensor, T_of_Aw: Tensor, A: Tensor) -> float:
        """Of T_{Aw}⁻¹ A T_w = I."""
        return float((A * T / T_of_Aw[:, None] - torch.eye(len(T), dtype=f64)).abs().max())

    diagonal, w = normal(100, 5), normal(100, 5, seed=1)
    signed = max(error(v, a * v, torch.diag(a)) for a, v in zip(diagonal, w, strict=True))
    zero, ones = vector(1.0, 0.0), vector(1.0, 1.0)
    at_zero = error(zero, A * zero, torch.diag(A))
    # This A is invertible and A w = w, so (57) reads T⁻¹ A = T⁻¹: no T at all can do that.
    full = torch.tensor([[2.0, -1.0], [0.0, 1.0]], dtype=f64)
    fixed = error(ones, full @ ones, full)
    return Measured(
        as_printed=math.isfinite(at_zero) and fixed < 1e-12,
        as_repaired=signed < 1e-12 and torch.equal(full @ ones, ones),
        numbers={
            "largest relative error of (57) for $T_w=$ diag$(w)$, 100 diagonal $A$": signed,
            r"for $A$ with the rows (2, -1) and (0, 1), at $w=(1,1)$": fixed,
        },
    )


@check("GG-eq58")
def adaptive_sharpness_is_invariant() -> Measured:
    points = [vector(2.0, 0.5), vector(2.0, 1.0), vector(-1.5, 0.7), vector(0.3, 4.0)]
    scales = [A, vector(0.01, 100.0), vector(-3.0, -1 / 3)]
    values = [[sharp(toy, v, v.abs()) for v in (w, *(a * w for a in scales))] for w in points]
    worst = max(max(row) / min(row) - 1 for row in values)
    return Measured(
        as_printed=worst < 1e-9,
        numbers={
            r"adaptive sharpness of $(w_1w_2-2)^2$ at $(2, 0.5)$, $\rho=0.1$": values[0][0],
            "at $(20, 0.05)$": values[0][1],
            "at the minimum $(2, 1)$": values[1][0],
            "largest relative change, 4 points, 3 rescalings": worst,
        },
    )


@check("GG-ASAM-proof")
def the_loss_must_not_change_either() -> Measured:
    w = vector(2.0, 0.5)
    printed = [sharp(bowl, v, v.abs()) for v in (w, A * w)]
    repaired = [sharp(toy, v, v.abs()) for v in (w, A * w)]
    return Measured(
        as_printed=abs(printed[0] / printed[1] - 1) < 1e-9,
        as_repaired=abs(repaired[0] / repaired[1] - 1) < 1e-9,
        numbers={
            r"adaptive sharpness of $x^2+3y^2$ at $(2, 0.5)$": printed[0],
            "at $(20, 0.05)$": printed[1],
            r"of $(w_1w_2-2)^2$, which $A$ does not change, at both": repaired[0],
        },
    )
