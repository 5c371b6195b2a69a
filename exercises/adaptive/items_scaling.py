"""The items on scaling: a number for each coordinate, and what Muon does to a whole matrix."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from coursekit.grading.draws import normal, numbers, symmetric, uniform
from coursekit.grading.exercise import Case, Item, Mutant, Tolerance

TILTED = numbers([4.0, 3.0], [3.0, 9.0])
COUPLED = numbers([20.0, 1.0, 2.0], [1.0, 3.0, -0.5], [2.0, -0.5, 1.0])


def _kappa_public() -> Iterator[Case]:
    yield Case("no scaling", (TILTED, numbers(1.0, 1.0)))
    yield Case("one over the diagonal", (TILTED, 1 / TILTED.diagonal()))
    yield Case("one over the diagonal", (COUPLED, 1 / COUPLED.diagonal()))
    yield Case("any scaling", (COUPLED, numbers(2.0, 0.1, 5.0)))


def _kappa_hidden(generator: Generator) -> Iterator[Case]:
    def matrix(d: int) -> Tensor:
        """Positive definite, with a condition number near 100, in a basis that is not the coordinates'."""
        return symmetric(generator, 0.1 + 10 * torch.rand(d, generator=generator, dtype=torch.float64))

    yield Case("no scaling", (matrix(3), torch.ones(3, dtype=torch.float64)))
    for d in (2, 6):
        A = matrix(d)
        yield Case("one over the diagonal", (A, 1 / A.diagonal()))
    for d in (3, 8):
        p = 0.05 + 3 * torch.rand(d, generator=generator, dtype=torch.float64)
        yield Case("any scaling", (matrix(d), p))


SCALED_KAPPA = Item(
    id="scaled_kappa",
    title="The condition number after scaling",
    points=3,
    difficulty=2,
    minutes=12,
    public=_kappa_public,
    hidden=_kappa_hidden,
    # The smallest eigenvalue is known to 1e-16 times the largest: 1e-12 for kappa up to 1e4. The eigenvalues of
    # P A from the unsymmetric solver agree with those of P^(1/2) A P^(1/2) to 1e-12; mutants are off by 1e-2.
    tolerance=Tolerance(rtol=1e-8),
    mutants=(
        Mutant("p.sqrt()", "p", "p stands on both sides of A, so it enters by its root on each."),
        Mutant("p.sqrt()", "1 / p.sqrt()", "Upside down: p holds step sizes, large where the curvature is small."),
        Mutant(
            "r[:, None] * A * r",
            "p[:, None] * A",
            "P A is not symmetric, and eigvalsh reads one triangle of it only. "
            "Use the symmetric matrix with the same eigenvalues.",
        ),
        Mutant(
            "r[:, None] * A * r",
            "r[:, None] * A",
            "Only the rows were scaled. The columns are too: the matrix stays symmetric.",
        ),
        Mutant("r[:, None] * A * r", "A", "This is the condition number of A itself: the scaling is missing."),
        Mutant(
            "r[:, None] * A * r",
            "r * A * r",
            "r * A * r scales the columns twice and the rows not at all: r[:, None] scales rows.",
        ),
        Mutant("lam[-1] / lam[0]", "lam[0] / lam[-1]", "Upside down: the condition number is at least 1."),
        Mutant("lam[-1] / lam[0]", "lam[-1]", "This is the largest curvature. Divide it by the smallest."),
        Mutant(
            "lam[-1] / lam[0]",
            "(lam[-1] - lam[0]) / (lam[-1] + lam[0])",
            "This is the factor per step at the best step size, (kappa - 1)/(kappa + 1). Return kappa.",
        ),
        Mutant(
            "return lam[-1] / lam[0]",
            "return torch.linalg.cond(p[:, None] * A)",
            "These are singular values of P A. What gradient descent feels are its eigenvalues.",
        ),
    ),
)


def _rounds_public() -> Iterator[Case]:
    yield Case("few rounds", (TILTED, 1))
    yield Case("few rounds", (numbers([3.0, -1.0], [0.5, 2.0]), 2))
    yield Case("no round", (TILTED, 0))
    yield Case("wide and tall", (numbers([1.0, 2.0, -1.0], [0.0, 1.0, 3.0]), 3))
    yield Case("wide and tall", (numbers([1.0, 0.0], [2.0, 1.0], [-1.0, 3.0], [0.5, 0.5]), 1))
    yield Case("until it settles", (1e-3 * TILTED, 30))


def _rounds_hidden(generator: Generator) -> Iterator[Case]:
    for d, rounds in ((2, 1), (6, 3)):
        yield Case("few rounds", (normal(generator, d, d), rounds))
    yield Case("no round", (normal(generator, 3, 3), 0))
    for shape, rounds in (((3, 8), 2), ((10, 4), 4)):
        yield Case("wide and tall", (normal(generator, *shape), rounds))
    # Singular values between 1/2 and 3/2 of a scale that may be anything, so that 30 rounds are enough.
    U, V = (torch.linalg.qr(normal(generator, 5, 5))[0] for _ in range(2))
    sizes = 0.5 + torch.rand(5, generator=generator, dtype=torch.float64)
    yield Case("until it settles", (10 ** uniform(generator, -4, 4) * U * sizes @ V.T, 30))


ORTHOGONALIZE = Item(
    id="orthogonalize",
    title="All singular values to one",
    points=3,
    difficulty=2,
    minutes=12,
    public=_rounds_public,
    hidden=_rounds_hidden,
    # The iteration acts on each singular value alone, and at 1 its derivative is 0: errors fade. The same
    # polynomial on torch's SVD agrees to 1e-14; mutants are off by 1e-3 and more.
    tolerance=Tolerance(rtol=1e-9, atol=1e-11),
    mutants=(
        Mutant(
            "X = G / G.norm()",
            "X = G",
            "The start is not scaled: singular values above sqrt(3) run away.",
        ),
        Mutant(
            "X = G / G.norm()",
            "X = G / torch.linalg.matrix_norm(G, 2)",
            "Scaled by the largest singular value. The item asks for the Frobenius norm, which needs no SVD.",
        ),
        Mutant(
            "X = G / G.norm()",
            "X = G / G.abs().max()",
            "Scaled by the largest entry: singular values may still exceed sqrt(3).",
        ),
        Mutant(
            "X = G / G.norm()",
            "X = G / G.norm(dim=1, keepdim=True)",
            "Each row was scaled by its own norm. One number for the whole matrix keeps its singular vectors.",
        ),
        Mutant(
            "X @ X.T @ X",
            "X**3",
            "X**3 cubes the entries. The singular values are cubed by the matrix product X X^T X.",
        ),
        Mutant("1.5 * X - 0.5 * X", "0.5 * X - 1.5 * X", "3/2 and 1/2 have changed places."),
        Mutant("1.5 * X - 0.5 * X", "1.5 * X + 0.5 * X", "With a plus the singular values only grow."),
        Mutant("range(rounds)", "range(rounds - 1)", "One round is missing."),
        Mutant("range(rounds)", "range(rounds + 1)", "One round too many."),
        Mutant(
            "return X",
            "return X * G.norm()",
            "The old size was given back at the end. Muon wants the directions without it.",
        ),
        Mutant(
            "return X",
            "U, _, Vh = torch.linalg.svd(G, full_matrices=False)\n    return U @ Vh",
            "This is the limit, from an SVD. The item asks for the matrix after `rounds` rounds of products.",
        ),
    ),
)

ITEMS = (SCALED_KAPPA, ORTHOGONALIZE)
