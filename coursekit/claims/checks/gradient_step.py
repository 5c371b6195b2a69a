"""Claims about one step of gradient descent: where it comes from, its sign, its length, and its loss."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ...descend import descend
from ...methods.projections import ball
from ...problems import (
    DoubleWell,
    HalvingTrap,
    Huber,
    LeastSquares,
    PLSine,
    Problem,
    PseudoHuber,
    Quadratic,
    Softplus,
)
from ...rules import gradient_descent
from ...theory import certify, descent_lemma, dual_exponent, steepest_step
from ..check import Measured, check
from .counterexamples import f64, vector
from .sam import ball_maximum
from .sgd_variance import normal
from .taylor import small_network


class Absolute(Problem):
    """|w|, continuous; autograd takes 0 for the derivative at 0."""

    dim = 1

    def __init__(self) -> None:
        self.p = SimpleNamespace()

    @staticmethod
    def formula(w: Any, p: Any) -> Any:
        return w[..., 0].abs()


class Linear(Problem):
    """gᵀw: what is left of f when only the first-order model is kept."""

    def __init__(self, g: Tensor) -> None:
        self.p, self.dim = SimpleNamespace(g=g), g.shape[-1]

    @staticmethod
    def formula(w: Any, p: Any) -> Any:
        return (p.g * w).sum(-1)


def one_sided(f: Problem, w: Tensor) -> Tensor:
    """Slopes of f to the left and to the right of w along the first axis."""
    h = 1e-7 * torch.eye(f.dim, dtype=f64)[0]
    return torch.stack([(f.value(w) - f.value(w - h)) / 1e-7, (f.value(w + h) - f.value(w)) / 1e-7])


@check("TDL-GD")
def a_continuous_function_without_a_gradient() -> Measured:
    kink = one_sided(Absolute(), vector(0.0)).tolist()
    smooth = [one_sided(f, normal(20, f.dim)) for f in (DoubleWell(), PLSine(), HalvingTrap(), Huber())]
    gap = max(float((left - right).abs().max()) for left, right in smooth)
    run = descend(Absolute(), gradient_descent, vector(0.25), 1000, eta=0.1)
    return Measured(
        as_printed=abs(kink[0] - kink[1]) < 1e-3,
        as_repaired=gap < 1e-3,  # of differentiable functions, two slopes differ by no more than 1e-7 times f''
        numbers={
            r"slope of $|w|$ to the left of 0": kink[0],
            "to the right": kink[1],
            r"$|w|$ after 1000 steps from $0.25$ with $\eta=0.1$": float(run.f[-1]),
            "largest difference of the two slopes, four differentiable functions": gap,
        },
    )


@check("AMGT-eq4")
def the_update_is_that_of_sgd_in_torch() -> Measured:
    f = small_network()
    w = f.start.clone().requires_grad_(True)
    peer = torch.optim.SGD([w], lr=0.3)
    path = [f.start]
    for _ in range(50):
        peer.zero_grad()
        f.value(w).backward()
        peer.step()
        path.append(w.detach().clone())
    run = descend(f, gradient_descent, f.start, 50, record=("w", "f"), eta=0.3)
    error = float((run.w - torch.stack(path)).abs().max())
    return Measured(
        as_printed=error < 1e-13,
        numbers={
            "largest difference to torch's SGD, 50 steps on a network": error,
            "loss before": float(run.f[0]),
            "loss after": float(run.f[-1]),
        },
    )


@check("GG-eq3")
def one_over_L_minimizes_the_upper_bound() -> Measured:
    problems = [PLSine(), HalvingTrap(), Huber(), PseudoHuber(), Softplus(), Quadratic(vector(0.1, 1.0, 7.0))]
    beaten, certificates = -math.inf, []
    for f in problems:
        assert f.L is not None
        L, w = float(f.L), 3 * normal(50, 1, f.dim)
        g = f.grad(w)

        def bound(step: Tensor, g: Tensor = g, L: float = L) -> Tensor:
            """The quadratic upper bound, less f(w)."""
            return (g * step).sum(-1) + L / 2 * (step * step).sum(-1)

        others = -g / L + normal(1000, f.dim, seed=1) * (g / L).norm(dim=-1, keepdim=True)
        beaten = max(beaten, float((bound(-g / L) - bound(others)).max()))
        run = descend(f, gradient_descent, w[:, 0], 1, eta=1 / L)
        certificates.append(certify(descent_lemma, run))
    f = PseudoHuber()
    w = vector(3.0)
    local = float(f.hessian(w))
    overshoot = descend(f, gradient_descent, w, 1, eta=1 / local).f
    return Measured(
        as_printed=beaten <= 1e-12 and all(certificates),
        numbers={
            "of 6 functions with known $L$, on how many the step decreases $f$ as promised": sum(
                map(bool, certificates)
            ),
            r"most by which one of 1000 other steps beats it in the bound": beaten,
            r"rise of $(1+w^2)^{1/2}$ from $w=3$ with $f''(3)$ in place of $L$": float(
                overshoot[1] - overshoot[0]
            ),
        },
    )


@check("GG-eq4")
def down_with_minus_up_with_plus() -> Measured:
    right, total = 0, 0
    for f in (small_network(), DoubleWell(), PLSine(), Quadratic(vector(-1.0, 2.0))):
        w = normal(100, f.dim)
        here, g = f.value_and_grad(w)
        step = 1e-6 * g / g.norm(dim=-1, keepdim=True)
        right += int(((f.value(w - step) < here) & (f.value(w + step) > here)).sum())
        total += len(w)
    hill = Quadratic(vector(-1.0, -3.0))
    start = vector(1.0, 1.0)
    ascent = descend(Quadratic(vector(1.0, 3.0)), gradient_descent, start, 100, record=("w",), eta=0.2).w[-1]
    w = start
    for _ in range(100):
        w = w + 0.2 * hill.grad(w)
    return Measured(
        as_printed=right == total and float((w - ascent).norm()) < 1e-15,
        numbers={
            f"of {total} random points, where $-$ decreases and $+$ increases $f$": right,
            r"distance to the top of $-(x^2+3y^2)/2$ after 100 steps up": float(w.norm()),
        },
    )


@check("TDL-4.1.1-steepest")
def steepest_in_the_norm_chosen() -> Measured:
    g, cloud = normal(100, 6), normal(20_000, 6, seed=1)
    beaten, promised = -math.inf, 0.0
    for p in (1.0, 2.0, math.inf):
        best = (g * steepest_step(g, p)).sum(-1)
        feasible = cloud / cloud.norm(p, dim=-1, keepdim=True)
        beaten = max(beaten, float((best - (g @ feasible.T).amin(-1)).max()))
        promised = max(promised, float((best + g.norm(dual_exponent(p), dim=-1)).abs().max()))
    f, w = DoubleWell(), normal(20, 2)
    down = -f.grad(w)

    def turned(radius: float) -> float:
        """The largest angle, in radians, between -∇f and the step to the lowest point of a small disk."""
        step = ball_maximum(lambda v: -f.value(v), w, radius)
        across = step[..., 0] * down[..., 1] - step[..., 1] * down[..., 0]
        return float(torch.atan2(across.abs(), (step * down).sum(-1)).max())

    large, small = turned(1e-3), turned(1e-4)
    return Measured(
        as_printed=beaten < 1e-12 and promised < 1e-12 and abs(large / small - 10) < 1,
        numbers={
            r"most by which one of 20000 steps beats the formula ($p=1,2,\infty$; 100 gradients)": beaten,
            r"angle of $-\nabla f$ to the lowest point at distance $10^{-3}$, 20 points, at most": large,
            r"at distance $10^{-4}$": small,
            "one gradient's cosine to its sign, the steepest direction in the maximum norm": float(
                F.cosine_similarity(g[0], g[0].sign(), dim=0)
            ),
        },
    )


@check("TDL-P4.1.1")
def the_constrained_minimum_of_a_linear_function() -> Measured:
    radius, g = 0.1, normal(100, 6) * torch.logspace(-3, 3, 100, dtype=f64)[:, None]
    eta = 10 / g.norm(dim=-1)
    start = 0.01 * normal(100, 6, seed=1)
    found = descend(Linear(g), gradient_descent, start, 200, record=("w",), eta=eta, project=ball(radius)).w[-1]
    alpha = radius / g.norm(dim=-1, keepdim=True)
    error = float((found + alpha * g).abs().max())
    return Measured(
        as_printed=error < 1e-12 and float(alpha.min()) > 0,
        numbers={
            r"largest distance of projected gradient descent to $-\epsilon g/\|g\|$, 100 gradients": error,
            r"the least $\alpha$ among them, positive": float(alpha.min()),
        },
    )


@check("TDL-eq4.2")
def the_radius_decides_the_method() -> Measured:
    f, start, eta = Quadratic(vector(1.0, 10.0)), vector(1.0, 1.0), 0.1
    gradient = descend(f, gradient_descent, start, 500, record=("w",), eta=eta).w[-1]
    ends = {}
    for name in ("fixed", "shrinking"):
        w = start
        for _ in range(500):
            g = f.grad(w)
            w = w + steepest_step(g, 2.0, 0.05 if name == "fixed" else eta * g.norm())
        ends[name] = float(w.norm())
    return Measured(
        as_printed=abs(ends["fixed"] - ends["shrinking"]) < 1e-3,
        numbers={
            r"$\|w\|$ after 500 steps with the fixed radius $\epsilon=0.05$": ends["fixed"],
            r"with $\epsilon_t=\eta\|\nabla f(w_t)\|$": ends["shrinking"],
            "of gradient descent": float(gradient.norm()),
        },
    )


@check("AMGT-eq5")
def mean_squared_error_without_the_half() -> Measured:
    X, y, w = normal(30, 4), normal(30, seed=1), normal(4, seed=2).requires_grad_(True)
    printed = (y - X @ w).square().sum() / len(y)
    (g,) = torch.autograd.grad(printed, w, retain_graph=True)
    half = LeastSquares(X, y).grad(w.detach())
    error = float((printed - F.mse_loss(X @ w, y)).detach().abs())
    return Measured(
        as_printed=error < 1e-14,
        numbers={
            "difference to torch's mean squared error": error,
            r"its gradient over that of half the mean square": float(g.norm() / half.norm()),
        },
    )


@check("AMGT-eq6")
def two_classes_only() -> Measured:
    def printed(y: Tensor, p: Tensor) -> Tensor:
        return -(y * p.log() + (1 - y) * (1 - p).log()).mean()

    logits = normal(40, 3)
    labels = torch.arange(40) % 3
    three = printed(labels.to(f64), logits.softmax(-1).gather(-1, labels[:, None])[:, 0])
    multiclass = F.cross_entropy(logits, labels)
    a, two = logits[:, 0], (labels > 0).to(f64)
    error = float((printed(two, a.sigmoid()) - F.binary_cross_entropy_with_logits(a, two)).abs())
    grid = torch.linspace(-20, 20, 4001, dtype=f64, requires_grad=True)
    (slope,) = torch.autograd.grad(F.softplus(grid).sum(), grid, create_graph=True)
    (curvature,) = torch.autograd.grad(slope.sum(), grid)
    return Measured(
        as_printed=float((three - multiclass).abs()) < 1e-9,
        as_repaired=error < 1e-14 and float(curvature.max()) <= 0.25,
        numbers={
            "(6) with labels 0, 1, 2 and the probability of the right class": float(three),
            "the cross-entropy of three classes": float(multiclass),
            "two classes: difference to torch's": error,
            "largest second derivative in the logit": float(curvature.max()),
        },
    )
