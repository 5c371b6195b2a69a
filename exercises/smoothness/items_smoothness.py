"""The graded items of the section on smoothness: the parabola above f, and L from a formula and from a run."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from coursekit.grading.exercise import Case, Item, Mutant, Tolerance


def _t(*numbers: float) -> torch.Tensor:
    return torch.tensor(numbers, dtype=torch.float64)


def _random(generator: torch.Generator, *shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def _uniform(generator: torch.Generator, low: float, high: float) -> float:
    return float(low + (high - low) * torch.rand((), generator=generator, dtype=torch.float64))


def _parabolas_public() -> Iterator[Case]:
    yield Case("one dimension", (2.0, _t(-1.0), 3.0, _t(1.0), _t(1.5)))
    yield Case("more dimensions", (0.5, _t(1.0, -2.0), 4.0, _t(1.0, 1.0), _t(0.0, 3.0)))
    yield Case("more dimensions", (-1.0, _t(0.3, 0.0, 2.0), 0.5, _t(2.0, -1.0, 0.0), _t(1.0, 1.0, 1.0)))
    yield Case("at w itself", (7.0, _t(1.0, -2.0), 4.0, _t(1.0, 1.0), _t(1.0, 1.0)))


def _parabolas_hidden(generator: torch.Generator) -> Iterator[Case]:
    for part, d in (("one dimension", 1), ("more dimensions", 2), ("more dimensions", 7)):
        g, w, v = _random(generator, 3, d)
        yield Case(part, (_uniform(generator, -2, 2), g, _uniform(generator, 0.5, 5), w, v))
    g, w = _random(generator, 2, 3)
    yield Case("at w itself", (_uniform(generator, 1, 2), g, 2.0, w, w.clone()))


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


def _data_public() -> Iterator[Case]:
    X = torch.tensor([[1.0, 2.0], [0.0, -1.0], [3.0, 1.0]], dtype=torch.float64)
    yield Case("no ridge", (X, 0.0))
    yield Case("no ridge", (torch.cat([X, 2 * X, -X]), 0.0))
    yield Case("with a ridge", (X, 0.5))
    yield Case("more columns than rows", (X.T.contiguous(), 0.1))


def _data_hidden(generator: torch.Generator) -> Iterator[Case]:
    for n, d in ((20, 3), (50, 6)):
        yield Case("no ridge", (_random(generator, n, d) * _uniform(generator, 1, 3), 0.0))
        yield Case("with a ridge", (_random(generator, n, d), _uniform(generator, 0.2, 1)))
    yield Case("more columns than rows", (_random(generator, 4, 9), _uniform(generator, 0.2, 1)))


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


def _path(generator: torch.Generator, T: int, d: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Points of a random walk, and the gradients there of a quadratic with curvatures of both signs."""
    w = _random(generator, T + 1, d).cumsum(0)
    A = _random(generator, d, d)
    return w, w @ (A + A.T) + _random(generator, d)


def _paths_public() -> Iterator[Case]:
    yield Case("one step", (torch.stack([_t(0.0, 0.0), _t(3.0, 4.0)]), torch.stack([_t(1.0, 1.0), _t(-5.0, 9.0)])))
    w = torch.tensor([[4.0, 0.0], [2.0, 1.0], [-1.0, 1.5], [-1.0, 0.5]], dtype=torch.float64)
    yield Case("more steps", (w, w * _t(1.0, 10.0) + _t(2.0, -1.0)))
    yield Case("more steps", (w, w * _t(-6.0, 1.0)))
    yield Case("short steps", (1e-3 * w, 1e-3 * w * _t(-6.0, 1.0)))


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
            "The change of the gradient's length is not the length of its change: a gradient may turn..",
        ),
    ),
)

ITEMS = (UPPER_BOUND, LOGISTIC_L, SECANT_L)
