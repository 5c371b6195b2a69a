"""Claims about Newton's method and about curvature seen through gradients."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from ...curvature import eigenpairs
from ...curvature.operator import Operator
from ...descend import descend
from ...methods import bfgs, lbfgs, minimize, newton
from ...methods.quasi_newton import BFGS, LBFGS
from ...oracles import Oracle
from ...problems import DoubleWell, LeastSquares, Problem, Quadratic
from ...rules import gradient_descent
from ...stopping import gradient_below
from ..check import Measured, check
from .counterexamples import eigenvalues, f64, vector
from .quadratics import random_spd
from .sgd_variance import normal
from .taylor import small_network

SADDLE = Quadratic(vector(1.0, -1.0))  # ½(x² - y²)


class SaddleBetweenWells(Problem):
    """f(x, y) = x²/2 - y²/2 + y⁴/4: minima at (0, ±1), a saddle between them."""

    dim = 2

    def __init__(self) -> None:
        self.p = SimpleNamespace()

    @staticmethod
    def formula(w: Any, p: Any) -> Any:
        x, y = w[..., 0], w[..., 1]
        return x**2 / 2 - y**2 / 2 + y**4 / 4


def quadratic(A: Tensor) -> Quadratic:
    lam, Q = torch.linalg.eigh(A)
    return Quadratic(lam, basis=Q)


def newton_step(f: Problem, w: Tensor) -> Tensor:
    return minimize(f, newton(), w, 1, stop=None).w[1] - w


@check("TDL-eq4.3-4.7")
def a_stationary_point_of_the_model() -> Measured:
    w = vector(2.0, 1.0)
    landed = w + newton_step(SADDLE, w)
    errors = []
    for seed in range(20):
        start = normal(5, seed=seed)
        errors.append(float((start + newton_step(quadratic(random_spd(5, seed)), start)).norm()))
    flat = minimize(Quadratic(vector(1.0, 0.0)), newton(), vector(2.0, 1.0), 1, stop=None)
    return Measured(
        as_printed=float(SADDLE.value(landed + vector(0.0, 1e-3))) >= float(SADDLE.value(landed)),
        as_repaired=max(errors) < 1e-12,
        numbers={
            r"distance to the saddle of $(x^2-y^2)/2$ after one step from $(2,1)$": float(landed.norm()),
            "largest distance to the minimizer after one step, 20 positive definite quadratics": max(errors),
            r"steps that (4.5) allows on $x^2/2$ in the plane, where $H$ is singular": flat.T,
        },
    )


@check("TDL-newton-preconditions")
def across_the_valley_or_along_it() -> Measured:
    def cosines(f: Problem, w: Tensor) -> tuple[float, float]:
        """Of -∇f and of the Newton step to the direction of the minimizer, 0."""
        return (
            float(F.cosine_similarity(-f.grad(w), -w, dim=0)),
            float(F.cosine_similarity(newton_step(f, w), -w, dim=0)),
        )

    valley = cosines(Quadratic(vector(1.0, 1000.0)), vector(1.0, 0.01))
    turned = [cosines(quadratic(random_spd(5, seed)), normal(5, seed=seed)) for seed in range(20)]
    return Measured(
        as_printed=valley[0] < 0.2 and valley[1] > 1 - 1e-12 and all(new > 1 - 1e-12 > old for old, new in turned),
        numbers={
            r"$\mathrm{diag}(1, 1000)$ at $(1, 0.01)$: cosine of $-\nabla f$ to the minimum": valley[0],
            "of the Newton step": valley[1],
            "20 random quadratics in 5 dimensions: the median for $-\\nabla f$": float(
                vector(*[old for old, _ in turned]).median()
            ),
        },
    )


@check("TDL-newton-cost")
def what_a_newton_step_costs() -> Measured:
    d = 20
    work = []
    for n in (20, 200):
        f = LeastSquares(normal(n, d), normal(n, seed=1))
        oracle, w = Oracle(f), normal(d, seed=2)
        with FlopCounterMode(display=False) as counter:
            oracle.hessian(w)
        work.append(counter.get_total_flops() / d**2)
    products = oracle.calls.hvps
    H, g = random_spd(300, 0), normal(300)
    solved = torch.cholesky_solve(g[:, None], torch.linalg.cholesky(H))[:, 0]
    inverted = torch.linalg.inv(H) @ g
    residuals = [float((H @ p - g).norm()) for p in (solved, inverted)]
    return Measured(
        as_printed=work[1] < 2 * work[0],  # O(d²) to form, however many examples
        as_repaired=products == d and residuals[0] <= residuals[1],
        numbers={
            r"work to form the Hessian of least squares over $d^2$, $n=20$ examples": work[0],
            "$n=200$ examples": work[1],
            "Hessian-vector products that it took at $d=20$": products,
            "residual of a Cholesky solve over that of the inverse, $d=300$": residuals[0] / residuals[1],
        },
    )


@check("TDL-newton-nondescent")
def uphill_where_the_hessian_is_indefinite() -> Measured:
    w = vector(0.5, 1.0)
    slope = float(SADDLE.grad(w) @ newton_step(SADDLE, w))
    definite = [
        float(f.grad(w) @ newton_step(f, w))
        for f, w in ((quadratic(random_spd(5, seed)), normal(5, seed=seed)) for seed in range(20))
    ]
    return Measured(
        as_printed=slope > 0 and max(definite) < 0,
        numbers={
            r"slope $g \cdot s$ of the Newton step for $(x^2-y^2)/2$ at $(1/2, 1)$": slope,
            "its largest value on 20 positive definite quadratics": max(definite),
        },
    )


@check("TDL-bfgs")
def what_bfgs_and_l_bfgs_keep() -> Measured:
    d, updates, m = 50, 12, 5
    kept = {}
    for name, method in (("bfgs", bfgs()), ("l-bfgs", lbfgs(m))):
        f = quadratic(random_spd(d, 0))
        run, direction = minimize(f, method, normal(d), updates, stop=None), method.direction()
        for s, y in zip(run.w.diff(dim=0), f.grad(run.w).diff(dim=0), strict=True):
            direction.learn(s, y)
        if isinstance(direction, BFGS):
            kept[name] = int((direction.B != 0).sum())
        elif isinstance(direction, LBFGS):
            kept[name] = sum(s.numel() + y.numel() for s, y, _ in direction.pairs)
        assert run.oracle.calls.hvps == 0  # neither ever computes the Hessian
    return Measured(
        as_printed=kept["bfgs"] < d**2,
        as_repaired=kept["l-bfgs"] == 2 * m * d < d**2,
        numbers={
            "numbers other than 0 that BFGS keeps after 12 updates, $d=50$": kept["bfgs"],
            "$d^2$": d**2,
            "numbers that L-BFGS keeps with $m=5$ pairs": kept["l-bfgs"],
        },
    )


@check("KH-4.4-blind")
def a_sequence_of_gradients_sees_curvature() -> Measured:
    f = small_network()
    w = f.start

    def product(v: Tensor) -> Tensor:
        """H v from two gradients and nothing else."""
        return (f.grad(w + 1e-5 * v) - f.grad(w - 1e-5 * v)) / 2e-5

    found = float(eigenpairs(Operator(product, w), which="largest", tol=1e-6).values[0])
    exact = float(eigenvalues(f, w)[-1])
    g = vector(1.0)
    same = [Quadratic(vector(h), w_star=-g / h) for h in (1.0, 100.0)]
    alike = float((same[0].grad(vector(0.0)) - same[1].grad(vector(0.0))).abs())
    return Measured(
        as_printed=abs(found / exact - 1) > 1e-3,
        as_repaired=alike < 1e-12,
        numbers={
            r"$\lambda_{\max}$ of a network's loss, from gradients only": found,
            "from the Hessian": exact,
            "difference of the gradients at 0 of two parabolas of curvature 1 and 100": alike,
        },
    )


@check("KH-4.4")
def more_direct_but_not_global() -> Measured:
    well = DoubleWell(tilt=0.1)
    end = minimize(well, bfgs(), vector(1.0, 0.0))
    assert well.f_star is not None
    starts = torch.from_numpy(np.random.default_rng(0).uniform(-0.5, 0.5, (200, 2)))
    f = SaddleBetweenWells()
    w = starts
    for _ in range(30):
        w = w - torch.linalg.solve(f.hessian(w), f.grad(w))
    saddles = int((w.norm(dim=-1) < 1e-6).sum())
    minima = vector(0.0, 1.0)
    reached = sum(float((minimize(f, bfgs(), s).w[-1].abs() - minima).norm()) < 1e-6 for s in starts)
    bowl = Quadratic(torch.logspace(-3, 0, 20, dtype=f64))
    few = minimize(bowl, bfgs(), torch.ones(20, dtype=f64), 200)
    many = descend(bowl, gradient_descent, torch.ones(20, dtype=f64), 2000, stop=gradient_below(1e-8), eta=1.0)
    return Measured(
        as_printed=abs(float(end.f[-1]) - float(well.f_star)) < 1e-6 and saddles == 0,
        as_repaired=few.converged and float(many.grad_norm[-1]) > 1e-8 and reached == 200,
        numbers={
            r"$f$ where BFGS from 1 stops on $x^4/4-x^2/2+x/10$": float(end.f[-1]),
            "its global minimum": float(well.f_star),
            "of 200 starts near a saddle, how many undamped Newton takes to it": saddles,
            r"BFGS to $\|g\|<10^{-8}$ at $\kappa=1000$, where 2000 steps of GD do not do": few.T,
        },
    )
