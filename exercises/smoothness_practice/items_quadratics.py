"""More practice with "Quadratics and the condition number"."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from coursekit.grading.draws import symmetric, uniform
from coursekit.grading.exercise import Case, Item, Mutant, Tolerance

TILTED = torch.tensor([[4.0, -2.0], [-2.0, 4.0]], dtype=torch.float64)
COUPLED = torch.tensor([[2.0, -1.0, 0.0], [-1.0, 2.0, -1.0], [0.0, -1.0, 2.0]], dtype=torch.float64)


def _steps_public() -> Iterator[Case]:
    yield Case("the step", (TILTED,))
    yield Case("the step", (COUPLED,))
    yield Case("scale", (1000 * COUPLED,))
    yield Case("one curvature", (3 * torch.eye(2, dtype=torch.float64),))


def _steps_hidden(generator: torch.Generator) -> Iterator[Case]:
    for part, d, kappa, scale in (
        ("the step", 2, 3.0, 0.5),
        ("the step", 5, 40.0, 0.5),
        ("the step", 9, 500.0, 0.5),
        ("scale", 4, 10.0, 5e-5),
    ):
        yield Case(part, (scale * symmetric(generator, torch.linspace(1, kappa, d, dtype=torch.float64)),))
    yield Case("one curvature", (uniform(generator, 1, 2) * torch.eye(4, dtype=torch.float64),))


BEST_STEP = Item(
    id="best_step",
    title="The best fixed step",
    points=3,
    difficulty=1,
    minutes=10,
    public=_steps_public,
    hidden=_steps_hidden,
    # Eigenvalues are known to about 1e-16 times the largest one: with kappa up to 500, 1e-12 of the smallest. A
    # factor that should be 0 is a difference of such numbers, hence the absolute part.
    tolerance=Tolerance(rtol=1e-9, atol=1e-12),
    mutants=(
        Mutant("2 / (L + mu)", "1 / L", "1/L is the safe step. The best one knows the smallest curvature too."),
        Mutant("2 / (L + mu)", "2 / L", "At 2/L the steepest mode never shrinks: its factor is -1."),
        Mutant(
            "2 / (L + mu)",
            "1 / (L + mu)",
            "Half the best step. Ask that the two extreme factors have the same size: 1 - eta mu = -(1 - eta L).",
        ),
        Mutant(
            "2 / (L + mu)",
            "2 * len(A) / A.trace()",
            "The mean eigenvalue is not the middle of the extreme ones, except in two dimensions.",
        ),
        Mutant(
            "(L - mu) / (L + mu)",
            "1 - mu / L",
            "This is the factor of the step 1/L. At the best step it is (kappa - 1)/(kappa + 1).",
        ),
        Mutant(
            "(L - mu) / (L + mu)",
            "(mu - L) / (L + mu)",
            "This is the factor of the steepest mode, with its sign. The rate is its absolute value.",
        ),
        Mutant(
            "return eta, rho",
            "return rho, eta",
            "eta and rho have changed places: return (eta, rho).",
        ),
        Mutant("return eta, rho", "return eta", "Return both numbers, (eta, rho)."),
    ),
)

ITEMS = (BEST_STEP,)
