"""The graded items of the descent lemma: inputs, tolerances, and the mistakes that students make.

The reference is the solution cell of master.md; a mutant is that cell with one piece of text replaced.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch

from coursekit.grading.draws import normal, numbers, symmetric
from coursekit.grading.exercise import Case, Item, Mutant, Tolerance


def _steps_public() -> Iterator[Case]:
    yield Case("vectors", (numbers(1.0, 2.0), numbers(1.0, -1.0), 0.5))
    yield Case("vectors", (numbers(3.0, -1.0, 0.25), numbers(0.5, 4.0, -2.0), 0.1))
    yield Case(
        "other shapes", (numbers(1, 2, 3, 4, 5, 6).reshape(2, 3), numbers(6, 5, 4, 3, 2, 1).reshape(2, 3), 0.25)
    )
    yield Case("other shapes", (numbers(2.0).reshape(()), numbers(-3.0).reshape(()), 2.0))


def _steps_hidden(generator: torch.Generator) -> Iterator[Case]:
    def eta() -> float:
        return float(0.01 + torch.rand((), generator=generator, dtype=torch.float64))

    for d in (1, 2, 7, 100):
        yield Case("vectors", (normal(generator, d), normal(generator, d), eta()))
    for shape in ((), (3, 4), (2, 1, 5)):
        yield Case("other shapes", (normal(generator, *shape), normal(generator, *shape), eta()))


GD_STEP = Item(
    id="gd_step",
    title="One step of gradient descent",
    points=2,
    difficulty=1,
    minutes=5,
    public=_steps_public,
    hidden=_steps_hidden,
    # One product and one difference in float64, on numbers of order 1: any order of operations agrees to
    # about 2e-16; 1e-12 leaves room for w - (eta * g) against w + (-eta) * g under cancellation.
    tolerance=Tolerance(rtol=1e-12, atol=1e-12),
    mutants=(
        Mutant(
            "w - eta * g", "w + eta * g", "This goes up the slope: the gradient points uphill, so subtract it."
        ),
        Mutant("w - eta * g", "w - g", "The step has the length of g: the step size eta is missing."),
        Mutant("w - eta * g", "-eta * g", "This is the change of w. Return the new point: w plus that change."),
        Mutant(
            "w - eta * g",
            "w - eta * g / g.norm()",
            "The gradient was scaled to length 1. Plain gradient descent keeps its length.",
        ),
        Mutant("w - eta * g", "g - eta * w", "w and g have changed places."),
        Mutant(
            "return w - eta * g",
            "w -= eta * g\n    return w",
            "The new point is right, but w was changed in place (by -=, sub_ or w[...] = ...). "
            "Build a new tensor: the caller may still need the old point.",
        ),
    ),
)


def _smoothness_public() -> Iterator[Case]:
    tilted = torch.tensor([[2.0, 1.0], [1.0, 3.0]], dtype=torch.float64)
    indefinite = torch.tensor([[1.0, 2.0, 0.0], [2.0, -5.0, 1.0], [0.0, 1.0, 2.0]], dtype=torch.float64)
    yield Case("few steps", (tilted, numbers(1.0, 0.0), 2))
    yield Case("few steps", (tilted, numbers(3.0, -4.0), 0))
    yield Case("eigenvalues of both signs", (indefinite, numbers(1.0, 1.0, 1.0), 3))
    yield Case("eigenvalues of both signs", (indefinite, numbers(1.0, 1.0, 1.0), 40))
    yield Case("many steps", (1000 * tilted, numbers(1.0, 2.0), 200))


def _smoothness_hidden(generator: torch.Generator) -> Iterator[Case]:
    for d, steps in ((2, 0), (5, 1), (8, 3)):
        spread = 0.5 + torch.rand(d, generator=generator, dtype=torch.float64)
        yield Case("few steps", (symmetric(generator, spread), 3 * normal(generator, d), steps))
    for d, steps in ((4, 2), (10, 60)):
        rest = torch.rand(d - 1, generator=generator, dtype=torch.float64) - 0.5
        top = -1.0 - torch.rand(1, generator=generator, dtype=torch.float64)
        yield Case(
            "eigenvalues of both signs",
            (symmetric(generator, torch.cat([top, rest])), normal(generator, d), steps),
        )
    spread = 500 + 1000 * torch.rand(6, generator=generator, dtype=torch.float64)
    yield Case("many steps", (symmetric(generator, spread), normal(generator, 6), 300))


ESTIMATE_L = Item(
    id="estimate_L",
    title="Estimate L and choose the step",
    points=4,
    difficulty=2,
    minutes=20,
    public=_smoothness_public,
    hidden=_smoothness_hidden,
    # Power iteration damps what rounding adds: a correct program with other operations (einsum, sums of squares)
    # differed by at most 1.4e-14 over 1,800 hidden cases. 1e-9 is far above that, and far below what any mutant
    # does. Relative only, since the scales of H vary.
    tolerance=Tolerance(rtol=1e-9),
    mutants=(
        Mutant(
            "(v @ H @ v).abs()",
            "v @ H @ v",
            "The sign of v^T H v is kept. L is the largest absolute eigenvalue: take |v^T H v|.",
        ),
        Mutant(
            "v = u / u.norm()",
            "v = u",
            "v grows with every product, because it is not scaled to length 1 in each round; "
            "after many rounds it overflows.",
        ),
        Mutant("1 / L", "2 / L", "eta = 2/L is where the promise of decrease ends. It is best at eta = 1/L."),
        Mutant("range(steps)", "range(steps - 1)", "One round is missing: do exactly `steps` products with H."),
        Mutant("range(steps)", "range(steps + 1)", "One round too many: do exactly `steps` products with H."),
        Mutant(
            "(v @ H @ v).abs()",
            "(H @ v) @ (H @ v)",
            "This is an eigenvalue of H^T H, the square of the one you want. Use |v^T H v|.",
        ),
        Mutant(
            "(v @ H @ v).abs()",
            "(H @ v).norm()",
            "|Hv| also tends to L, but from other values: the item asks for |v^T H v|.",
        ),
        Mutant(
            "(v @ H @ v).abs()",
            "torch.linalg.eigvalsh(H).abs().max()",
            "This is the exact largest |eigenvalue|. The item asks for the estimate after `steps` products; "
            "that one also works when H is too large to store.",
        ),
        Mutant(
            "(v @ H @ v).abs()",
            "torch.linalg.eigvalsh(H).max()",
            "This is the largest eigenvalue with its sign. L is the largest absolute one, estimated after `steps` "
            "products with H.",
        ),
        Mutant(
            "v = v / v.norm()",
            "v = v.clone()",
            "The start vector is not scaled to length 1: with steps = 0 the answer depends on its length.",
        ),
        Mutant(
            "v = v / v.norm()",
            "v /= v.norm()",
            "The numbers are right, but v was changed in place (by /=, div_ or v[...] = ...). Build a new tensor.",
        ),
        Mutant("return L, 1 / L", "return 1 / L, L", "L and eta have changed places: return (L, eta)."),
        Mutant("return L, 1 / L", "return L", "Return both numbers, (L, eta)."),
    ),
)

ITEMS = (GD_STEP, ESTIMATE_L)
