"""More practice with "The Polyak-Łojasiewicz inequality"."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from coursekit.grading.draws import normal
from coursekit.grading.exercise import Case, Item, Mutant, Tolerance


def _data_public() -> Iterator[Case]:
    yield Case("more parameters than rows", (torch.tensor([[3.0, 0.0, 4.0]], dtype=torch.float64),))
    wide = torch.tensor([[2.0, 0.0, 0.0, 1.0], [0.0, 1.0, 1.0, 0.0]], dtype=torch.float64)
    yield Case("more parameters than rows", (wide,))
    yield Case("more rows than parameters", (wide.T.contiguous(),))
    yield Case("a row twice", (torch.cat([wide, wide[:1]]),))
    yield Case("scale", (100 * wide,))


def _data_hidden(generator: torch.Generator) -> Iterator[Case]:
    yield Case("more parameters than rows", (normal(generator, 4, 9),))
    yield Case("more parameters than rows", (normal(generator, 6, 20),))
    yield Case("more rows than parameters", (normal(generator, 12, 3),))
    X = normal(generator, 4, 8)
    yield Case("a row twice", (torch.cat([X, X[1:3]]),))
    yield Case("scale", (1e-3 * normal(generator, 3, 7),))


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

ITEMS = (LEAST_SQUARES_PL,)
