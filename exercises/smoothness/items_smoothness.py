"""The graded item of the section on smoothness: L from a formula."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from coursekit.grading.draws import normal, uniform
from coursekit.grading.exercise import Case, Item, Mutant, Tolerance


def _data_public() -> Iterator[Case]:
    X = torch.tensor([[1.0, 2.0], [0.0, -1.0], [3.0, 1.0]], dtype=torch.float64)
    yield Case("no ridge", (X, 0.0))
    yield Case("no ridge", (torch.cat([X, 2 * X, -X]), 0.0))
    yield Case("with a ridge", (X, 0.5))
    yield Case("more columns than rows", (X.T.contiguous(), 0.1))


def _data_hidden(generator: torch.Generator) -> Iterator[Case]:
    for n, d in ((20, 3), (50, 6)):
        yield Case("no ridge", (normal(generator, n, d) * uniform(generator, 1, 3), 0.0))
        yield Case("with a ridge", (normal(generator, n, d), uniform(generator, 0.2, 1)))
    yield Case("more columns than rows", (normal(generator, 4, 9), uniform(generator, 0.2, 1)))


LOGISTIC_L = Item(
    id="logistic_L",
    title="L of logistic regression",
    points=3,
    difficulty=2,
    minutes=10,
    public=_data_public,
    hidden=_data_hidden,
    # The largest eigenvalue is known to 1e-15 of itself, whichever way it is computed; mutants miss by 1e-2.
    tolerance=Tolerance(rtol=1e-9),
    mutants=(
        Mutant(
            "/ (4 * n)",
            "/ n",
            "This is L of least squares. The logistic loss curves by at most 1/4 in its margin.",
        ),
        Mutant("/ (4 * n)", "/ 4", "This is L of the sum of the losses. f is their mean: divide by n."),
        Mutant("+ ridge", "", "The ridge is missing: (ridge/2) ||w||^2 adds ridge to every curvature."),
        Mutant(
            "+ ridge",
            "+ ridge / 2",
            "The ridge term is (ridge/2) ||w||^2, and its curvature is ridge, not half of it.",
        ),
        Mutant(
            "/ (4 * n) + ridge",
            "/ n / 4 + ridge / 4",
            "The ridge was divided by 4 as well: only the losses carry the 1/4.",
        ),
        Mutant(
            "lam[-1]", "lam[0]", "This is the smallest curvature. eigvalsh sorts upwards: L needs the last one."
        ),
        Mutant(
            "lam[-1]",
            "lam.sum()",
            "The trace is an upper bound, the sum of all curvatures. L is the largest of them.",
        ),
        Mutant(
            "lam[-1]",
            "lam[-1].sqrt()",
            "This is a singular value of X. Curvatures are their squares, eigenvalues of X^T X.",
        ),
        Mutant("n = len(X)", "n = X.shape[1]", "n is the number of examples, the rows of X, not of columns."),
    ),
)

ITEMS = (LOGISTIC_L,)
