"""The graded item of "Quadratics and the condition number"."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from coursekit.grading.draws import normal, numbers, symmetric
from coursekit.grading.exercise import Case, Item, Mutant, Tolerance

TILTED = torch.tensor([[4.0, -2.0], [-2.0, 4.0]], dtype=torch.float64)
COUPLED = torch.tensor([[2.0, -1.0, 0.0], [-1.0, 2.0, -1.0], [0.0, -1.0, 2.0]], dtype=torch.float64)


def _runs_public() -> Iterator[Case]:
    yield Case("minimum at the origin", (TILTED, numbers(0.0, 0.0), numbers(1.0, 0.5), 0.1, 3))
    yield Case("minimum at the origin", (COUPLED, numbers(0.0, 0.0, 0.0), numbers(1.0, -2.0, 0.5), 0.55, 4))
    yield Case("any minimum", (TILTED, numbers(2.0, -1.0), numbers(0.0, 0.25), 0.3, 5))
    yield Case("any minimum", (COUPLED, numbers(1.0, 2.0, 3.0), numbers(-1.0, 0.0, 1.0), 0.1, 0))
    yield Case("many steps", (COUPLED, numbers(1.0, 2.0, 3.0), numbers(-1.0, 0.0, 1.0), 1e-9, 1_000_000_000))


def _runs_hidden(generator: torch.Generator) -> Iterator[Case]:
    for part, d, eta_L, t in (
        ("minimum at the origin", 3, 0.7, 2),
        ("minimum at the origin", 5, 1.6, 5),
        ("any minimum", 4, 1.8, 3),
        ("any minimum", 8, 2.2, 6),
        ("many steps", 6, 1e-9, 2_000_000_000),
    ):
        A = symmetric(generator, torch.linspace(0.5, 2.5, d, dtype=torch.float64))
        w_star, w_0 = normal(generator, 2, d)
        yield Case(part, (A, 0 * w_star if part == "minimum at the origin" else w_star, w_0, eta_L / 2.5, t))


AFTER_STEPS = Item(
    id="after_steps",
    title="A run without running it",
    points=4,
    difficulty=2,
    minutes=15,
    public=_runs_public,
    hidden=_runs_hidden,
    # A loop and the eigenvectors differ by a few rounding errors for short runs. A billion steps raise the
    # relative error of 1 - eta lambda, 1e-16, to 1e-7; the mutants are off by 1e-2 and more.
    tolerance=Tolerance(rtol=1e-6, atol=1e-6),
    mutants=(
        Mutant("1 - eta * lam", "1 + eta * lam", "These modes all grow: the factor of a mode is 1 - eta lambda."),
        Mutant(
            "(1 - eta * lam) ** t",
            "(1 - eta * lam) * t",
            "Each step multiplies again: t steps are the t-th power of the factor, not t times it.",
        ),
        Mutant(
            "Q.T @ (w_0 - w_star)",
            "Q @ (w_0 - w_star)",
            "eigh returns eigenvectors as columns: the coordinates in them are Q^T (w_0 - w*).",
        ),
        Mutant(
            "Q.T @ (w_0 - w_star)",
            "Q.T @ w_0",
            "The law holds for the distance from the minimizer: subtract w_star before you turn.",
        ),
        Mutant(
            "w_star + Q @ u",
            "Q @ u",
            "This is w_t - w*. Add w_star to come back to the old origin.",
        ),
        Mutant("w_star + Q @ u", "w_star + u", "Still in eigen-coordinates: turn back with Q."),
        Mutant(
            "(1 - eta * lam) ** t",
            "torch.exp(-eta * lam * t)",
            "This is the gradient flow, the limit of small steps. A step multiplies by 1 - eta lambda exactly.",
        ),
        Mutant(
            "(1 - eta * lam) ** t",
            "(1 - eta * lam).abs() ** t",
            "The sign of the factor is lost: a steep mode changes side at every step.",
        ),
    ),
)

ITEMS = (AFTER_STEPS,)
