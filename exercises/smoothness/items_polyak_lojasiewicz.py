"""The graded item of "The Polyak-Łojasiewicz inequality"."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from coursekit.grading.draws import normal, numbers
from coursekit.grading.exercise import Case, Item, Mutant, Tolerance


def _ratios_public() -> Iterator[Case]:
    yield Case("least value 0", (numbers(8.0, 2.0, 0.5), numbers(4.0, 1.0, 1.0), 0.0))
    yield Case("least value 0", (numbers(1.0, 0.5, 0.25), numbers(3.0, 2.0, 1.0), 0.0))
    yield Case("any least value", (numbers(5.0, 4.0, 3.5), numbers(2.0, 0.5, 0.75), 3.0))
    yield Case("any least value", (numbers(1.0, -1.0, -1.5), numbers(2.0, 1.5, 0.25), -2.0))
    yield Case("a run that arrives", (numbers(4.0, 1.0, 0.0, 0.0), numbers(4.0, 1.0, 0.0, 0.0), 0.0))


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
        norm = 0.1 + normal(generator, length).abs()
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

ITEMS = (PL_CONSTANT,)
