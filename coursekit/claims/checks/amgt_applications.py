"""Claims of AMGT's two applications: what constant-step gradient descent does on them."""

from __future__ import annotations

import torch
from torch import Tensor

from ...descend import Trajectory, descend
from ...problems import Application
from ...rules import gradient_descent
from ..check import Measured, check
from .quadratics import factors, modes, worst_factor

ONE, TWO = Application(1), Application(2)


def run(problem: Application, x: float, y: float, eta: float, steps: int) -> Trajectory:
    """Gradient descent from (x, y), with points and values."""
    start = torch.tensor([x, y], dtype=torch.float64)
    return descend(problem, gradient_descent, start, steps, record=("w", "f"), eta=eta)


def matrix(*rows: list[float]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64)


def printed_hessian(problem: Application, printed: Tensor, repaired: Tensor, determinant: float) -> Measured:
    """Is the printed matrix the Hessian, with the printed determinant? Is it with the sign repaired?"""
    H = problem.hessian(torch.zeros(2, dtype=torch.float64))

    def right(M: Tensor) -> bool:
        return bool((M - H).abs().max() < 1e-12) and abs(float(torch.linalg.det(M)) - determinant) < 1e-9

    return Measured(
        right(printed),
        right(repaired),
        numbers={
            "determinant of the printed matrix": float(torch.linalg.det(printed)),
            "of the Hessian": float(torch.linalg.det(H)),
        },
    )


@check("AMGT-App1")
def first_application() -> Measured:
    lam, _ = modes(ONE)
    f, g = ONE.value_and_grad(torch.zeros(2, dtype=torch.float64))
    return Measured(
        float(f) == 2 and float(g.norm()) == 0 and bool((lam - torch.tensor([2.0, 6.0])).abs().max() < 1e-12),
        numbers={"$f(0, 0)$": float(f), "smaller eigenvalue": float(lam[0]), "larger eigenvalue": float(lam[1])},
    )


@check("AMGT-App1-hessian")
def first_hessian() -> Measured:
    return printed_hessian(ONE, matrix([4, 2], [-2, 4]), matrix([4, -2], [-2, 4]), 12)


@check("AMGT-App1-regimes")
def faster_between_a_sixth_and_a_third() -> Measured:
    at_sixth = worst_factor(ONE, 1 / 6)
    inside = max(worst_factor(ONE, eta) for eta in (0.2, 0.25, 0.28, 0.3, 0.33))
    return Measured(
        inside < at_sixth,
        numbers={
            r"worst factor at $\eta = 1/6$": at_sixth,
            r"at $\eta = 0.3$": worst_factor(ONE, 0.3),
            r"at $\eta = 0.25$, the best": worst_factor(ONE, 0.25),
        },
    )


@check("AMGT-T1")
def table_one() -> Measured:
    steps = (0.01, 0.1, 0.3, 0.4, 1.0)
    generic = {eta: worst_factor(ONE, eta) for eta in steps}
    own = {eta: float(w.w[1].norm() / w.w[0].norm()) for eta in steps for w in [run(ONE, 1, 1, eta, 1)]}
    fastest = [all(table[0.3] < table[eta] - 1e-9 for eta in steps if eta != 0.3) for table in (generic, own)]
    return Measured(
        any(fastest),
        numbers={
            r"worst factor at $\eta = 0.1$": generic[0.1],
            r"at $\eta = 0.3$": generic[0.3],
            r"from the paper's start $(1,1)$: at $0.3$": own[0.3],
            r"at $0.4$": own[0.4],
        },
    )


@check("AMGT-App1-starts")
def from_one_one() -> Measured:
    half, one = run(ONE, 1, 1, 0.5, 1), run(ONE, 1, 1, 1.0, 100)
    return Measured(
        float(half.w[1, 0]) < 0 and float(one.f[-1]) > 1e3,
        numbers={
            r"$x$ after one step of $\eta = 0.5$": float(half.w[1, 0]),
            r"$f$ after 100 steps of $\eta = 1$": float(one.f[-1]),
        },
    )


@check("AMGT-App1-limit")
def faster_near_the_bound() -> Measured:
    near, best, lucky = worst_factor(ONE, 0.33), worst_factor(ONE, 0.25), run(ONE, 1, 1, 0.4, 20)
    return Measured(
        near < best,
        numbers={
            r"worst factor at $\eta = 0.33$": near,
            r"at $\eta = 0.25$": best,
            r"above the bound, $\eta = 0.4$ from $(1,1)$: $f - 2$ after 20 steps": float(lucky.f[-1]) - 2,
        },
    )


@check("AMGT-App2")
def second_application() -> Measured:
    lam, _ = modes(TWO)
    around = torch.randn(1000, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    lowest = float(TWO.value(around).min())
    return Measured(
        float(lam[0]) > 0 and float(TWO.value(torch.zeros(2, dtype=torch.float64))) == 2 and lowest > 2,
        numbers={"smaller eigenvalue": float(lam[0]), "lowest of 1000 random values, less 2": lowest - 2},
    )


@check("AMGT-App2-hessian")
def second_hessian() -> Measured:
    return printed_hessian(TWO, matrix([2, 2], [-2, 4]), matrix([2, -2], [-2, 4]), 4)


@check("AMGT-App2-eigs")
def second_eigenvalues() -> Measured:
    lam, _ = modes(TWO)
    return Measured(
        bool((lam - torch.tensor([1.17, 4.83])).abs().max() < 0.01),
        numbers={"smaller eigenvalue": float(lam[0]), "larger eigenvalue": float(lam[1])},
    )


@check("AMGT-App2-range")
def the_recommended_range() -> Measured:
    end = run(TWO, 2, 2, 0.4, 200).w[-1]
    return Measured(
        float(end.norm()) < 1,
        numbers={
            r"$\|(x,y)\|$ after 200 steps of $0.40$ from $(2,2)$": float(end.norm()),
            "worst factor there": worst_factor(TWO, 0.4),
            r"limit $2/L$": 2 / float(TWO.L or 1),
        },
    )


@check("AMGT-App2-small")
def a_small_step_is_slow() -> Measured:
    def until(eta: float, steps: int) -> int:
        small = run(TWO, 2, 2, eta, steps).w.norm(dim=-1) < 1e-6
        return int(small.nonzero()[0])

    slow, fast = until(0.001, 20_000), until(1 / 3, 100)
    return Measured(slow > 1000, numbers={"steps to $10^{-6}$ with $0.001$": slow, "with $1/3$": fast})


@check("AMGT-App2-large")
def divergence_begins_long_before_one() -> Measured:
    limit = 2 / float(TWO.L or 1)
    return Measured(
        as_printed=worst_factor(TWO, 0.99) < 1,
        as_repaired=worst_factor(TWO, limit - 1e-3) < 1 < worst_factor(TWO, limit + 1e-3),
        numbers={r"limit $2/L$": limit, r"worst factor at $0.99$": worst_factor(TWO, 0.99)},
    )


@check("AMGT-App2-opt")
def the_optimal_step_overshoots() -> Measured:
    lam, _ = modes(TWO)
    best = 2 / float(lam.sum())
    signs = factors(TWO, best)
    grid = torch.arange(1, 380, dtype=torch.float64) / 1000
    return Measured(
        as_printed=bool((signs > 0).all()),
        as_repaired=worst_factor(TWO, best) <= float(factors(TWO, grid).abs().amax(-1).min()) + 1e-12,
        numbers={
            "factor of the flat mode at the optimal step": float(signs[0]),
            "of the stiff mode": float(signs[1]),
            r"without overshooting, at $1/L$, the worst": worst_factor(TWO, 1 / float(lam[1])),
        },
    )
