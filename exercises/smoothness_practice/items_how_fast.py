"""More practice with "How fast?"."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from coursekit.grading.draws import numbers
from coursekit.grading.exercise import Case, Item, Mutant, Tolerance

# The smallest by Euclidean norm, by largest coordinate and by sum, and the largest: each another row.
NORMS = numbers([3.0, -3.0, 0.5], [2.0, 2.0, 2.0], [0.0, 0.0, 3.0], [-4.0, 1.0, 1.0], [1.0, 2.5, 2.0])
POINTS = torch.arange(18, dtype=torch.float64).reshape(6, 3)


def _returned_public() -> Iterator[Case]:
    yield Case(
        "smallest in the middle", (numbers([1.0, 0.0], [2.0, 1.0], [3.0, 1.0]), numbers([1.0, 1.0], [0.5, 0.0]))
    )
    yield Case("smallest in the middle", (POINTS, NORMS))
    yield Case("smallest at the end", (POINTS[:3], numbers([4.0, 0.0, 0.0], [0.0, 0.1, 0.0])))
    yield Case("one step", (POINTS[:2], numbers([1.0, 2.0, 3.0])))


def _returned_hidden(generator: torch.Generator) -> Iterator[Case]:
    for part, T, d in (
        ("smallest in the middle", 6, 4),
        ("smallest in the middle", 40, 9),
        ("smallest at the end", 7, 3),
        ("one step", 1, 5),
    ):
        w = torch.randn(T + 1, d, generator=generator, dtype=torch.float64)
        g = torch.randn(T, d, generator=generator, dtype=torch.float64)
        # One coordinate is as large as the largest of the rest, the others vanish: small in the 2-norm only.
        place = T - 1 if part == "smallest at the end" else T // 2
        g[place] = 0.0
        g[place, 1] = g[torch.arange(T) != place].norm(dim=-1).min() * 0.95 if T > 1 else 1.0
        yield Case(part, (w, g))


RETURNED = Item(
    id="returned_iterate",
    title="Which iterate to return",
    points=2,
    difficulty=1,
    minutes=8,
    public=_returned_public,
    hidden=_returned_hidden,
    # The answer is one of the given rows, to the last bit.
    tolerance=Tolerance(rtol=0.0, atol=0.0),
    mutants=(
        Mutant(
            "g.norm(dim=-1).argmin()",
            "g.norm(dim=-1).argmax()",
            "This is the iterate with the largest gradient. The theorem speaks of the smallest.",
        ),
        Mutant(
            "g.norm(dim=-1).argmin()",
            "-1",
            "This is the last iterate. Without convexity the theorem says nothing about it.",
        ),
        Mutant(
            "g.norm(dim=-1).argmin()",
            "len(g) - 1",
            "This is the last iterate with a known gradient. It need not have the smallest one.",
        ),
        Mutant(
            "g.norm(dim=-1).argmin()",
            "g.abs().amax(-1).argmin()",
            "Smallest in the largest coordinate. The theorem's norm is the Euclidean one.",
        ),
        Mutant(
            "g.norm(dim=-1).argmin()",
            "g.sum(-1).argmin()",
            "The sum of the coordinates is no size: large gradients can cancel in it, or be negative.",
        ),
        Mutant(
            "g.norm(dim=-1).argmin()",
            "g.norm(dim=-1).argmin() + 1",
            "One too far: row t of g is the gradient at row t of w.",
        ),
        Mutant("return w[tau]", "return g[tau]", "This is the smallest gradient. Return the point where it is."),
    ),
)

ITEMS = (RETURNED,)
