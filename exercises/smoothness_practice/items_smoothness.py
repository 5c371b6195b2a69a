"""More practice with smoothness: the parabola above f, and L from a run."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from coursekit.grading.draws import normal, numbers, uniform
from coursekit.grading.exercise import Case, Item, Mutant, Tolerance


def _parabolas_public() -> Iterator[Case]:
    yield Case("one dimension", (2.0, numbers(-1.0), 3.0, numbers(1.0), numbers(1.5)))
    yield Case("more dimensions", (0.5, numbers(1.0, -2.0), 4.0, numbers(1.0, 1.0), numbers(0.0, 3.0)))
    yield Case(
        "more dimensions", (-1.0, numbers(0.3, 0.0, 2.0), 0.5, numbers(2.0, -1.0, 0.0), numbers(1.0, 1.0, 1.0))
    )
    yield Case("at w itself", (7.0, numbers(1.0, -2.0), 4.0, numbers(1.0, 1.0), numbers(1.0, 1.0)))


def _parabolas_hidden(generator: torch.Generator) -> Iterator[Case]:
    for part, d in (("one dimension", 1), ("more dimensions", 2), ("more dimensions", 7)):
        g, w, v = normal(generator, 3, d)
        yield Case(part, (uniform(generator, -2, 2), g, uniform(generator, 0.5, 5), w, v))
    g, w = normal(generator, 2, 3)
    yield Case("at w itself", (uniform(generator, 1, 2), g, 2.0, w, w.clone()))


UPPER_BOUND = Item(
    id="upper_bound",
    title="The parabola above f",
    points=2,
    difficulty=1,
    minutes=5,
    public=_parabolas_public,
    hidden=_parabolas_hidden,
    # A few products and sums in float64, on numbers of order 1 to 100: any order of operations agrees to 1e-13.
    tolerance=Tolerance(rtol=1e-11, atol=1e-11),
    mutants=(
        Mutant(
            "L / 2 * (u @ u)",
            "L * (u @ u)",
            "The curvature term is L/2 times the squared distance: a half is missing.",
        ),
        Mutant("L / 2 * (u @ u)", "L / 2 * u.norm()", "The distance enters squared: ||v - w||^2."),
        Mutant(
            "+ L / 2 * (u @ u)",
            "- L / 2 * (u @ u)",
            "This is the lower parabola, below f. The upper one adds L/2 ||v - w||^2.",
        ),
        Mutant(
            "u = v - w",
            "u = w - v",
            "The slope term has the wrong sign: the step goes from w to v, so it is v - w.",
        ),
        Mutant(
            "g @ u",
            "g @ v",
            "The slope term is the gradient times the step v - w, not times v: at v = w it must vanish.",
        ),
        Mutant("f_w + g @ u", "g @ u", "The parabola touches f at w, so it starts from the value f_w."),
        Mutant(
            "g @ u",
            "g.norm() * u.norm()",
            "This is the largest that g^T (v - w) can be. The parabola has the product itself.",
        ),
    ),
)


def _path(generator: torch.Generator, T: int, d: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Points of a random walk, and the gradients there of a quadratic with curvatures of both signs."""
    w = normal(generator, T + 1, d).cumsum(0)
    A = normal(generator, d, d)
    return w, w @ (A + A.T) + normal(generator, d)


def _paths_public() -> Iterator[Case]:
    yield Case(
        "one step",
        (
            torch.stack([numbers(0.0, 0.0), numbers(3.0, 4.0)]),
            torch.stack([numbers(1.0, 1.0), numbers(-5.0, 9.0)]),
        ),
    )
    w = numbers([4.0, 0.0], [2.0, 1.0], [-1.0, 1.5], [-1.0, 0.5])
    yield Case("more steps", (w, w * numbers(1.0, 10.0) + numbers(2.0, -1.0)))
    yield Case("more steps", (w, w * numbers(-6.0, 1.0)))
    yield Case("short steps", (1e-3 * w, 1e-3 * w * numbers(-6.0, 1.0)))


def _paths_hidden(generator: torch.Generator) -> Iterator[Case]:
    yield Case("one step", _path(generator, 1, 3))
    for T, d in ((4, 2), (10, 5), (30, 3)):
        yield Case("more steps", _path(generator, T, d))
    w, g = _path(generator, 6, 4)
    yield Case("short steps", (1e-4 * w, 1e-4 * g))


SECANT_L = Item(
    id="secant_L",
    title="A smoothness estimate for free",
    points=3,
    difficulty=2,
    minutes=10,
    public=_paths_public,
    hidden=_paths_hidden,
    # Differences of points of order 1 to 10 with steps of order 1 lose at most two digits: 1e-13, against mutants
    # that are off by 1e-2. Relative only: the answer has the units of curvature.
    tolerance=Tolerance(rtol=1e-9),
    mutants=(
        Mutant(
            "(dg / dw).max()", "(dg / dw).mean()", "L bounds every quotient, so take the largest, not the mean."
        ),
        Mutant(
            "(dg / dw).max()", "(dg / dw).min()", "L bounds every quotient, so take the largest, not the smallest."
        ),
        Mutant(
            "(dg / dw).max()", "(dw / dg).max()", "Upside down: change of the gradient over change of the point."
        ),
        Mutant(
            "(dg / dw).max()",
            "dg.max() / dw.max()",
            "The longest step need not have the largest change: form the quotient of each step first.",
        ),
        Mutant("(dg / dw).max()", "(dg / dw)[0]", "Only the first step was looked at."),
        Mutant("(dg / dw).max()", "(dg / dw)[-1]", "Only the last step was looked at."),
        Mutant(
            "(dg / dw).max()",
            "dg.max()",
            "This is the change of the gradient. Divide it by the length of the step.",
        ),
        Mutant(
            "(dg / dw).max()", "(dg / dw).square().max()", "The quotient was squared: L is in units of curvature."
        ),
        Mutant(
            "dg = g.diff(dim=0).norm(dim=-1)",
            "dg = g.norm(dim=-1).diff(dim=0).abs()",
            "The change of the gradient's length is not the length of its change: a gradient may turn.",
        ),
    ),
)

ITEMS = (UPPER_BOUND, SECANT_L)
