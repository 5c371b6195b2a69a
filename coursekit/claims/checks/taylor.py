"""Claims about the Taylor expansion: its remainder, the symmetry and the number of its coefficients."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise, product
from typing import Any

import torch
from torch import Tensor

from ...problems import DoubleWell, Network, Problem, Rosenbrock, tanh_network
from ..check import Measured, check
from .counterexamples import f64, vector
from .sgd_variance import normal


def small_network() -> Network:
    return tanh_network(normal(20, 3), normal(20, 2, seed=1), hidden=(6,), seed=0)


def smooth_problems() -> list[tuple[Problem, Tensor]]:
    """Three functions with all derivatives, each with a few points."""
    net = small_network()
    return [
        (net, net.start + 0.3 * normal(5, net.dim, seed=2)),
        (Rosenbrock(), normal(5, 2, seed=3)),
        (DoubleWell(), normal(5, 2, seed=4)),
    ]


@check("TDL-eq4.1")
def each_term_gains_an_order() -> Measured:
    steps = torch.logspace(-2, -3, 6, dtype=f64)
    slopes: dict[int, list[float]] = {0: [], 1: [], 2: []}
    for f, points in smooth_problems():
        for w, v in zip(points, normal(len(points), f.dim, seed=5), strict=True):
            v = v / v.norm()
            at, g = f.value_and_grad(w)
            terms = [at.expand(6), steps * (g @ v), steps**2 * (v @ f.hvp(w, v)) / 2]
            for order in slopes:
                left = (f.value(w + steps[:, None] * v) - sum(terms[: order + 1])).abs()
                slopes[order].append(float((left[0] / left[-1]).log10()))
    medians = {order: float(vector(*s).median()) for order, s in slopes.items()}
    return Measured(
        # The next term bends the line a little; a direction without that term would make a slope larger.
        as_printed=all(
            min(s) > order + 0.8 and abs(medians[order] - order - 1) < 0.1 for order, s in slopes.items()
        ),
        numbers={f"slope of the remainder in log-log, order {order}": m for order, m in medians.items()},
    )


@check("TDL-hessian-symmetry")
def mixed_derivatives_agree() -> Measured:
    asymmetry = 0.0
    for f, points in smooth_problems():
        H = f.hessian(points)
        asymmetry = max(asymmetry, float((H - H.mT).abs().max() / H.abs().max()))

    def slope(axis: int, h: float) -> float:
        """Of the partial derivative along the other axis of xy(x² - y²)/(x² + y²), from 0 along this one."""
        w = (h * torch.eye(2, dtype=f64)[axis]).requires_grad_(True)
        x, y = w
        (g,) = torch.autograd.grad(x * y * (x * x - y * y) / (x * x + y * y), w)
        return float(g[1 - axis]) / h

    return Measured(
        as_printed=asymmetry < 1e-13,
        numbers={
            "largest relative asymmetry of 15 Hessians of three smooth functions": asymmetry,
            r"of $xy(x^2-y^2)/(x^2+y^2)$, not twice differentiable at 0: $f_{xy}(0)$": slope(1, 1e-6),
            r"$f_{yx}(0)$": slope(0, 1e-6),
        },
    )


@check("TDL-fn3")
def entries_of_the_derivative_tensors() -> Measured:
    a = vector(2.0, 3.0, 5.0, 7.0)  # primes: products are equal only if their factors are

    def f(w: Tensor) -> Tensor:
        return (a @ w).exp()

    entries, distinct = {}, {}
    derivative: Callable[[Tensor], Tensor] = f
    for k in range(1, 5):
        derivative = torch.func.jacrev(derivative)
        tensor = derivative(torch.zeros(4, dtype=f64))
        entries[k], distinct[k] = tensor.numel(), len(tensor.round().unique())
    return Measured(
        as_printed=all(entries[k] == 4**k and distinct[k] == math.comb(4 + k - 1, k) for k in entries),
        numbers={"entries for $d=4$, $k=3$": entries[3], "of these distinct": distinct[3]},
    )


Clause = tuple[tuple[int, bool], ...]


def random_clauses(variables: int, clauses: int, seed: int) -> list[Clause]:
    draw = torch.Generator().manual_seed(seed)
    return [
        tuple(
            (int(i), bool(torch.randint(2, (), generator=draw)))
            for i in torch.randperm(variables, generator=draw)[:3]
        )
        for _ in range(clauses)
    ]


def false_literals(x: Any, clause: Clause) -> list[Any]:
    """ℓ for each literal: 0 where it is true, 1 where it is false."""
    return [1 - x[i] if positive else x[i] for i, positive in clause]


def printed_polynomial(x: Any, clauses: list[Clause]) -> Any:
    """Σ (ℓ₁ℓ₂ℓ₃)² + Σ x²(1-x)²: zero exactly at satisfying assignments."""
    return sum(math.prod(false_literals(x, c)) ** 2 for c in clauses) + sum(v * v * (1 - v) ** 2 for v in x)


def quartic_polynomial(x: Any, clauses: list[Clause]) -> Any:
    """The same with one more variable z = ℓ₁ℓ₂ per clause, after the others."""
    n = len(x) - len(clauses)
    total = sum(v * v * (1 - v) ** 2 for v in x[:n])
    for z, clause in zip(x[n:], clauses, strict=True):
        one, two, three = false_literals(x, clause)
        total += (z - one * two) ** 2 + (z * three) ** 2
    return total


def degree(values: list[int]) -> int:
    """Of a polynomial in one variable, from its values at 0, 1, 2, ...: exact, in whole numbers."""
    order = -1
    while any(values):
        values, order = [b - a for a, b in pairwise(values)], order + 1
    return order


@check("TDL-fn2")
def a_zero_is_a_satisfying_assignment() -> Measured:
    n = 5
    corners = torch.tensor(list(product((0.0, 1.0), repeat=n)), dtype=f64)
    around = corners.repeat(100, 1) + 0.2 * normal(3200, n)
    satisfiable, right = 0, 0
    for seed in range(40):
        clauses = random_clauses(n, 15 + 35 * (seed % 2), seed)
        solved = any(all(any(bool(x[i]) == sign for i, sign in c) for c in clauses) for x in corners)
        lowest = float(printed_polynomial(corners.T, clauses).min())
        lowest_around = float(printed_polynomial(around.T, clauses).min())
        satisfiable += solved
        right += (lowest == 0) == solved and lowest_around > 0
    clauses = random_clauses(n, 15, 0)
    line = [range(2 + i, 11 * (1 + i), 1 + i)[:9] for i in range(n + len(clauses))]  # x = start + t·step, t = 0..8
    printed = degree([printed_polynomial([x[t] for x in line[:n]], clauses) for t in range(9)])
    single = max(
        degree([printed_polynomial([t if i == j else 3 for i in range(n)], clauses) for t in range(9)])
        for j in range(n)
    )
    quartic = degree([quartic_polynomial([x[t] for x in line], clauses) for t in range(9)])
    return Measured(
        as_printed=right == 40 and 10 <= satisfiable <= 30 and (single, printed) == (4, 6),
        numbers={
            "of 40 instances of 3SAT, satisfiable": satisfiable,
            "how many the polynomial decides rightly": right,
            "its degree in one variable, 4, and in all": printed,
            "with one more variable per clause, in all": quartic,
        },
    )
