"""The graded items of "Quadratics and the condition number"."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from coursekit.grading.exercise import Case, Item, Mutant, Tolerance


def _t(*numbers: float) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float64)


def _spd(generator: torch.Generator, d: int, kappa: float) -> Tensor:
    """A symmetric matrix with eigenvalues from 1/2 to kappa/2 in a random basis, symmetric to the last bit."""
    Q, _ = torch.linalg.qr(torch.randn(d, d, generator=generator, dtype=torch.float64))
    A = Q * (torch.linspace(1, kappa, d, dtype=torch.float64) / 2) @ Q.T
    return (A + A.T) / 2


TILTED = torch.tensor([[4.0, -2.0], [-2.0, 4.0]], dtype=torch.float64)
COUPLED = torch.tensor([[2.0, -1.0, 0.0], [-1.0, 2.0, -1.0], [0.0, -1.0, 2.0]], dtype=torch.float64)


def _runs_public() -> Iterator[Case]:
    yield Case("minimum at the origin", (TILTED, _t(0.0, 0.0), _t(1.0, 0.5), 0.1, 3))
    yield Case("minimum at the origin", (COUPLED, _t(0.0, 0.0, 0.0), _t(1.0, -2.0, 0.5), 0.55, 4))
    yield Case("any minimum", (TILTED, _t(2.0, -1.0), _t(0.0, 0.25), 0.3, 5))
    yield Case("any minimum", (COUPLED, _t(1.0, 2.0, 3.0), _t(-1.0, 0.0, 1.0), 0.1, 0))
    yield Case("many steps", (COUPLED, _t(1.0, 2.0, 3.0), _t(-1.0, 0.0, 1.0), 1e-9, 1_000_000_000))


def _runs_hidden(generator: torch.Generator) -> Iterator[Case]:
    def vector(d: int) -> Tensor:
        return torch.randn(d, generator=generator, dtype=torch.float64)

    for part, d, eta_L, t in (
        ("minimum at the origin", 3, 0.7, 2),
        ("minimum at the origin", 5, 1.6, 5),
        ("any minimum", 4, 1.8, 3),
        ("any minimum", 8, 2.2, 6),
        ("many steps", 6, 1e-9, 2_000_000_000),
    ):
        center = torch.zeros(d, dtype=torch.float64) if part == "minimum at the origin" else vector(d)
        yield Case(part, (_spd(generator, d, 5.0), center, vector(d), eta_L / 2.5, t))


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


def _steps_public() -> Iterator[Case]:
    yield Case("the step", (TILTED,))
    yield Case("the step", (COUPLED,))
    yield Case("scale", (1000 * COUPLED,))
    yield Case("one curvature", (3 * torch.eye(2, dtype=torch.float64),))


def _steps_hidden(generator: torch.Generator) -> Iterator[Case]:
    for d, kappa in ((2, 3.0), (5, 40.0), (9, 500.0)):
        yield Case("the step", (_spd(generator, d, kappa),))
    yield Case("scale", (1e-4 * _spd(generator, 4, 10.0),))
    yield Case(
        "one curvature", (float(1 + torch.rand((), generator=generator)) * torch.eye(4, dtype=torch.float64),)
    )


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

ITEMS = (AFTER_STEPS, BEST_STEP)
