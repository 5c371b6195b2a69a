"""The graded item of "How fast?"."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch

from coursekit.grading.exercise import Case, Item, Mutant, Tolerance


def _counts_public() -> Iterator[Case]:
    yield Case("the count", (1.0, 1.0, 0.1))
    yield Case("the count", (8.0, 0.5, 0.03))
    yield Case("the count", (2.0, 3.0, 1.5))
    yield Case("already there", (1.0, 0.01, 1.0))


def _counts_hidden(generator: torch.Generator) -> Iterator[Case]:
    def between(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=generator, dtype=torch.float64))

    for T in (3, 20, 150, 4000):  # half a step away from a whole number
        L, gap = between(0.5, 20.0), between(0.1, 5.0)
        yield Case("the count", (L, gap, math.sqrt(4 * L * gap / (3 * (T - 0.5) + 2))))
    yield Case("already there", (1.0, between(0.01, 0.1), between(1.0, 2.0)))


COUNT = Item(
    id="steps_needed",
    title="How many steps are enough?",
    points=3,
    difficulty=2,
    minutes=10,
    public=_counts_public,
    hidden=_counts_hidden,
    # Whole numbers, and no quotient is near one: rounding cannot move the answer.
    tolerance=Tolerance(rtol=0.0, atol=0.0),
    mutants=(
        Mutant(
            "4 * L * gap / epsilon**2",
            "4 * L * gap / epsilon",
            "The theorem bounds the square of the gradient: put epsilon**2 on the left side.",
        ),
        Mutant(
            "(4 * L * gap / epsilon**2 - 2) / 3",
            "2 * L * gap / epsilon**2",
            "This is enough, but it is the loose constant, from the mean of the squares.",
        ),
        Mutant(
            "(4 * L * gap / epsilon**2 - 2) / 3",
            "4 * L * gap / epsilon**2 / 3",
            "The 2 of 3T + 2 is lost: solve 4 L gap / (3T + 2) <= epsilon**2 for T.",
        ),
        Mutant("math.ceil", "math.floor", "One step too few: the smallest whole T is the quotient rounded up."),
        Mutant(
            "(4 * L * gap / epsilon**2 - 2) / 3",
            "math.log(L * gap / epsilon**2)",
            "This would be a linear rate. Without more than smoothness the count grows like 1/epsilon**2.",
        ),
        Mutant("max(1, T)", "T", "The theorem holds for T >= 1: where no step is needed, return 1."),
        Mutant("4 * L * gap", "4 * gap / L", "A larger L needs more steps, not fewer."),
    ),
)

ITEMS = (COUNT,)
