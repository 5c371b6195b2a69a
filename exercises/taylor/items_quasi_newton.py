"""The graded items on quasi-Newton methods: BFGS with its matrix, and L-BFGS without one."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from coursekit.grading.draws import normal, numbers, symmetric, uniform
from coursekit.grading.exercise import Case, Item, Mutant, Tolerance


def _updates_public() -> Iterator[Case]:
    eye, B = torch.eye(2, dtype=torch.float64), numbers([2.0, 0.5], [0.5, 1.0])
    yield Case("from the identity", (eye, numbers(1.0, -0.5), numbers(2.0, 1.0)))
    yield Case("from another matrix", (B, numbers(1.0, -0.5), numbers(2.0, 1.0)))
    yield Case("from another matrix", (3 * B, numbers(0.25, 1.0), numbers(-1.0, 0.5)))
    yield Case("no positive curvature", (B, numbers(1.0, 1.0), numbers(-2.0, 1.0)))


def _updates_hidden(generator: Generator) -> Iterator[Case]:
    for part, dim in (("from the identity", 3), ("from another matrix", 3), ("from another matrix", 7)):
        B, A = (symmetric(generator, 0.5 + normal(generator, dim).abs()) for _ in range(2))
        s = normal(generator, dim)
        yield Case(part, (torch.eye(dim, dtype=torch.float64) if part == "from the identity" else B, s, A @ s))
    s = normal(generator, 4)
    yield Case("no positive curvature", (symmetric(generator, 0.5 + normal(generator, 4).abs()), s, -s))


BFGS_UPDATE = Item(
    id="bfgs_update",
    title="BFGS: learn the inverse Hessian",
    points=4,
    difficulty=2,
    minutes=10,
    public=_updates_public,
    hidden=_updates_hidden,
    # y^T s is at least half of |s|^2 where it is positive: products of order 1 to 100, good to 1e-13.
    tolerance=Tolerance(rtol=1e-9, atol=1e-9),
    mutants=(
        Mutant(
            "torch.outer(y, s)",
            "torch.outer(s, y)",
            "The two factors have changed places: I - rho s y^T stands on the left of B.",
        ),
        Mutant(" + rho * torch.outer(s, s)", "", "The last term is missing: + rho s s^T."),
        Mutant(
            "rho * torch.outer(s, s)",
            "rho * torch.outer(y, y)",
            "The last term is rho s s^T. With y y^T this belongs to the Hessian, not to its inverse.",
        ),
        Mutant("rho = 1 / (y @ s)", "rho = 1 / (s @ s)", "rho is 1 over y^T s, not over s^T s."),
        Mutant("rho = 1 / (y @ s)", "rho = y @ s", "rho is 1 over y^T s."),
        Mutant(
            "    if y @ s <= 0:\n        return B\n",
            "",
            "Where y^T s <= 0 the update would make B indefinite: return B unchanged.",
        ),
        Mutant(
            "V.T @ B @ V +",
            "B +",
            "Only the last term was added. B itself must be multiplied from both sides.",
        ),
        Mutant(
            "if y @ s <= 0:\n        return B\n    rho = 1 / (y @ s)",
            "s, y = y, s\n    if y @ s <= 0:\n        return B\n    rho = 1 / (y @ s)",
            "s and y have changed places: this estimates the Hessian, BFGS its inverse.",
        ),
    ),
)


def _pairs(generator: Generator, m: int, dim: int) -> tuple[Tensor, Tensor]:
    """Steps, and what a quadratic answers to them."""
    S = normal(generator, m, dim)
    return S, S @ symmetric(generator, 0.5 + 3 * normal(generator, dim).abs())


def _directions_public() -> Iterator[Case]:
    g, A = numbers(1.0, -2.0, 0.5), numbers([2.0, 0.5, 0.0], [0.5, 1.0, 0.25], [0.0, 0.25, 4.0])
    S = numbers([1.0, 0.0, -1.0], [0.5, 1.0, 0.0], [0.0, -0.25, 1.0])
    yield Case("no pair", (g, S[:0], S[:0]))
    yield Case("one pair", (g, S[:1], S[:1] @ A))
    yield Case("more pairs", (g, S[:2], S[:2] @ A))
    yield Case("more pairs", (g, S, S @ A))


def _directions_hidden(generator: Generator) -> Iterator[Case]:
    yield Case("no pair", (normal(generator, 4), *_pairs(generator, 0, 4)))
    yield Case("one pair", (normal(generator, 5), *_pairs(generator, 1, 5)))
    for m, dim in ((3, 6), (5, 20)):
        scale = uniform(generator, 0.1, 1)
        yield Case("more pairs", (scale * normal(generator, dim), *_pairs(generator, m, dim)))


LBFGS_DIRECTION = Item(
    id="lbfgs_direction",
    title="L-BFGS: the same without a matrix",
    points=6,
    difficulty=3,
    minutes=20,
    public=_directions_public,
    hidden=_directions_hidden,
    # Two dozen products of numbers of order 1 to 10; each division by y^T s > |s|^2 / 2 is harmless.
    tolerance=Tolerance(rtol=1e-8, atol=1e-9),
    mutants=(
        Mutant("return -z", "return z", "This is +B g, uphill. The direction is -z."),
        Mutant(
            "gamma = (S[-1] @ Y[-1]) / (Y[-1] @ Y[-1]) if m else 1.0",
            "gamma = 1.0",
            "The start of the second loop is not scaled: z = gamma q with gamma = s^T y / y^T y.",
        ),
        Mutant(
            "(S[-1] @ Y[-1]) / (Y[-1] @ Y[-1])",
            "(S[0] @ Y[0]) / (Y[0] @ Y[0])",
            "gamma was taken from the oldest pair. The newest one is the last row.",
        ),
        Mutant(
            "(S[-1] @ Y[-1]) / (Y[-1] @ Y[-1])",
            "(Y[-1] @ Y[-1]) / (S[-1] @ Y[-1])",
            "gamma is upside down: it estimates the inverse curvature, s^T y / y^T y.",
        ),
        Mutant(
            "for i in reversed(range(m))",
            "for i in range(m)",
            "The first loop runs from the newest pair to the oldest.",
        ),
        Mutant(
            "    for i in range(m):\n        beta",
            "    for i in reversed(range(m)):\n        beta",
            "The second loop runs from the oldest pair to the newest.",
        ),
        Mutant("(alpha[i] - beta) * S[i]", "(alpha[i] + beta) * S[i]", "In the second loop beta is subtracted."),
        Mutant(
            "(alpha[i] - beta) * S[i]", "alpha[i] * S[i]", "The second loop corrects z: alpha_i minus rho y^T z."
        ),
        Mutant("q - alpha[i] * Y[i]", "q - alpha[i] * S[i]", "In the first loop q loses alpha_i y_i, not s_i."),
        Mutant("(Y[i] @ z)", "(S[i] @ z)", "In the second loop the product is y_i^T z, not s_i^T z."),
    ),
)

ITEMS = (BFGS_UPDATE, LBFGS_DIRECTION)
