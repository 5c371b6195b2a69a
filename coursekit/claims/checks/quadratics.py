"""Claims about gradient descent on quadratics."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ...descend import descend
from ...problems import Problem, Quadratic
from ...rules import gradient_descent
from ..check import Measured, check


def random_spd(d: int, seed: int) -> Tensor:
    """A symmetric positive definite matrix with eigenvalues from 0.1 to 10 in a random basis."""
    generator = torch.Generator().manual_seed(seed)
    Q, _ = torch.linalg.qr(torch.randn(d, d, generator=generator, dtype=torch.float64))
    A = Q * torch.logspace(-1, 1, d, dtype=torch.float64) @ Q.T
    return (A + A.T) / 2


def modes(problem: Problem) -> tuple[Tensor, Tensor]:
    """Eigenvalues of the Hessian at the origin, and unit eigenvectors as rows."""
    lam, Q = torch.linalg.eigh(problem.hessian(torch.zeros(problem.dim, dtype=torch.float64)))
    return lam, Q.T


def factors(problem: Problem, eta: float | Tensor) -> Tensor:
    """What one step of each size does to each eigenvector, measured, (..., dim): negative for a sign change."""
    _, Q = modes(problem)
    steps = torch.as_tensor(eta, dtype=torch.float64)[..., None]
    after = descend(problem, gradient_descent, Q, 1, record=("w",), eta=steps).w[1]
    return (after * Q).sum(-1)


def worst_factor(problem: Problem, eta: float) -> float:
    """The largest |factor|: the rate of gradient descent from the worst start."""
    return float(factors(problem, eta).abs().max())


@check("TDL-eq-quadratic")
def modes_decouple() -> Measured:
    lam, Q = torch.linalg.eigh(random_spd(5, seed=0))
    f = Quadratic(lam, basis=Q)
    start = torch.randn(5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    run = descend(f, gradient_descent, start, 400, record=("w",), eta=0.15)
    by_mode = (1 - 0.15 * lam) ** torch.arange(401)[:, None] * (start @ Q)
    error = float((run.w @ Q - by_mode).abs().max())
    return Measured(error < 1e-12, numbers={"largest deviation from $(1-\\eta\\lambda_i)^t$ in 400 steps": error})


@check("TDL-4.4-stability")
def flat_directions_do_not_prevent_convergence() -> Measured:
    f = Quadratic(torch.tensor([0.0, 0.5, 1.0, 2.0, 4.0], dtype=torch.float64))
    start = torch.ones(5, dtype=torch.float64)
    below, above = (descend(f, gradient_descent, start, 500, record=("w",), eta=eta).w[-1] for eta in (0.49, 0.51))
    projection = torch.tensor([1.0, 0, 0, 0, 0], dtype=torch.float64)
    distance = float((below - projection).norm())
    return Measured(
        as_printed=distance > 1e-6,  # "needs |1 - eta lambda| < 1 for all i": the null space has factor 1
        as_repaired=distance < 1e-6 and float(above.norm()) > 1e3,
        numbers={
            r"$\eta = 0.49$: distance to the projection on the null space": distance,
            r"$\eta = 0.51$: $\|w\|$ after 500 steps": float(above.norm()),
        },
    )


@check("TDL-4.4-rate")
def the_best_fixed_step_is_not_one_over_L() -> Measured:
    f = Quadratic(torch.tensor([1.0, 10.0], dtype=torch.float64))
    grid = torch.arange(1, 2000, dtype=torch.float64) / 10_000
    best = float(grid[factors(f, grid).abs().amax(-1).argmin()])
    return Measured(
        as_printed=worst_factor(f, best) > 0.9 - 1e-6,
        as_repaired=math.isclose(worst_factor(f, 0.1), 0.9) and abs(best - 2 / 11) < 1e-4,
        numbers={
            r"factor at $1/L$, $\kappa = 10$": worst_factor(f, 0.1),
            "best factor on a grid": worst_factor(f, best),
            r"its step, in units of $1/L$": 10 * best,
        },
    )


@check("TDL-4.4.1-precond")
def one_step_with_a_rate_per_eigendirection() -> Measured:
    A = random_spd(6, seed=2)
    lam, Q = torch.linalg.eigh(A)
    w = torch.randn(6, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    g = A @ w
    by_mode = w - Q @ ((Q.T @ g) / lam)
    difference = float((by_mode - (w - torch.linalg.solve(A, g))).norm())
    return Measured(
        difference < 1e-12 and float(by_mode.norm()) < 1e-12,
        numbers={
            "difference of the two steps": difference,
            "distance to the minimizer after one": float(by_mode.norm()),
        },
    )
