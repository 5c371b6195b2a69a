"""The graded items of "The Polyak-Łojasiewicz inequality"."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from coursekit.grading.exercise import Case, Item, Mutant, Tolerance


def _t(*numbers: float) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float64)


def _random(generator: torch.Generator, *shape: int) -> Tensor:
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def _ratios_public() -> Iterator[Case]:
    yield Case("least value 0", (_t(8.0, 2.0, 0.5), _t(4.0, 1.0, 1.0), 0.0))
    yield Case("least value 0", (_t(1.0, 0.5, 0.25), _t(3.0, 2.0, 1.0), 0.0))
    yield Case("any least value", (_t(5.0, 4.0, 3.5), _t(2.0, 0.5, 0.75), 3.0))
    yield Case("any least value", (_t(1.0, -1.0, -1.5), _t(2.0, 1.5, 0.25), -2.0))
    yield Case("a run that arrives", (_t(4.0, 1.0, 0.0, 0.0), _t(4.0, 1.0, 0.0, 0.0), 0.0))


def _ratios_hidden(generator: torch.Generator) -> Iterator[Case]:
    for part, length, f_star, arrived in (
        ("least value 0", 6, 0.0, 0),
        ("least value 0", 40, 0.0, 0),
        ("any least value", 8, 1.75, 0),
        ("any least value", 30, -4.25, 0),
        ("a run that arrives", 12, 0.5, 4),
    ):
        # Powers of 1/4 times eighths: the gaps f - f_star come out without rounding.
        gap = torch.arange(length, 0, -1, dtype=torch.float64) / 8
        norm = 0.1 + _random(generator, length).abs()
        if arrived:
            gap[-arrived:], norm[-arrived:] = 0, 0
        yield Case(part, (f_star + gap, norm, f_star))


PL_CONSTANT = Item(
    id="pl_constant",
    title="The PL constant of a run",
    points=3,
    difficulty=1,
    minutes=10,
    public=_ratios_public,
    hidden=_ratios_hidden,
    # A square, a difference and a quotient, on gaps that are exact: a few units of the last place.
    tolerance=Tolerance(rtol=1e-12),
    mutants=(
        Mutant("grad_norm**2 / 2", "grad_norm**2", "The half is missing: the inequality has ½‖∇f‖² on its left."),
        Mutant("grad_norm**2 / 2", "grad_norm / 2", "The gradient norm enters squared."),
        Mutant(
            "/ gap)[gap > 0]",
            "/ f)[f > 0]",
            "PL compares with the gap f - f*, not with f itself.",
        ),
        Mutant(
            ".min()",
            ".max()",
            "This mu holds at one point only. PL asks the same mu of every point: take the smallest ratio.",
        ),
        Mutant(".min()", ".mean()", "An average ratio is not enough: PL must hold at the worst point too."),
        Mutant(
            "[gap > 0]",
            "",
            "At a minimizer both sides are 0 and every mu will do; 0/0 is not a number. Leave such points out.",
        ),
        Mutant(
            "gap = f - f_star",
            "gap = f - f.min()",
            "f* is the least value of the function, not the lowest value that this run has seen.",
        ),
        Mutant(".min()", "[-1]", "This is the ratio at the last point only."),
    ),
)


def _data_public() -> Iterator[Case]:
    yield Case("more parameters than rows", (torch.tensor([[3.0, 0.0, 4.0]], dtype=torch.float64),))
    wide = torch.tensor([[2.0, 0.0, 0.0, 1.0], [0.0, 1.0, 1.0, 0.0]], dtype=torch.float64)
    yield Case("more parameters than rows", (wide,))
    yield Case("more rows than parameters", (wide.T.contiguous(),))
    yield Case("a row twice", (torch.cat([wide, wide[:1]]),))
    yield Case("scale", (100 * wide,))


def _data_hidden(generator: torch.Generator) -> Iterator[Case]:
    yield Case("more parameters than rows", (_random(generator, 4, 9),))
    yield Case("more parameters than rows", (_random(generator, 6, 20),))
    yield Case("more rows than parameters", (_random(generator, 12, 3),))
    X = _random(generator, 4, 8)
    yield Case("a row twice", (torch.cat([X, X[1:3]]),))
    yield Case("scale", (1e-3 * _random(generator, 3, 7),))


LEAST_SQUARES_PL = Item(
    id="least_squares_pl",
    title="L and mu of least squares",
    points=4,
    difficulty=2,
    minutes=15,
    public=_data_public,
    hidden=_data_hidden,
    # Singular values are known to 1e-16 of the largest one, and the squares of those kept differ by at most 1e4
    # here; through the eigenvalues of X^T X half of the digits of a small one may go.
    tolerance=Tolerance(rtol=1e-8),
    mutants=(
        Mutant(
            "s[s > 1e-10 * s[0]]",
            "s",
            "This takes a zero for the smallest eigenvalue. Flat directions do not count: "
            "mu is the smallest eigenvalue that is not zero, up to rounding.",
        ),
        Mutant(
            "lam = s**2 / len(X)",
            "lam = s**2",
            "The objective is a mean over the n rows: its Hessian is X^T X / n.",
        ),
        Mutant(
            "lam = s**2 / len(X)",
            "lam = s / len(X)",
            "These are singular values of X. The eigenvalues of X^T X are their squares.",
        ),
        Mutant(
            "lam = s**2 / len(X)",
            "lam = s**2 / X.shape[1]",
            "Divide by the number of examples, the rows of X, not by the number of parameters.",
        ),
        Mutant(
            "lam = s**2 / len(X)",
            "lam = 2 * s**2 / len(X)",
            "Twice too large: the objective has a factor 1/2, which cancels the 2 of the derivative.",
        ),
        Mutant("return lam[0], lam[-1]", "return lam[-1], lam[0]", "L and mu have changed places."),
        Mutant("return lam[0], lam[-1]", "return lam[-1]", "Return both numbers, (L, mu)."),
    ),
)

ITEMS = (PL_CONSTANT, LEAST_SQUARES_PL)
