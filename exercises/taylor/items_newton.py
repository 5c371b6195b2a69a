"""The graded items on line search and Newton's method: counted questions, bad Hessians, no Hessian."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from coursekit.grading.draws import normal, numbers, symmetric, uniform
from coursekit.grading.exercise import Calls, Case, Item, Mutant, Objective, Tolerance


def constants(generator: Generator) -> dict[str, str]:
    """Armijo's share of the slope, for this cohort."""
    return {"c": ("0.1", "0.15", "0.2", "0.25")[int(torch.randint(4, (), generator=generator))]}


def _trap(w: float) -> tuple[Objective, Tensor, Tensor]:
    """HalvingTrap just outside 1, with d = -gradient: the full step falls, but hardly."""
    return Objective("HalvingTrap"), numbers(w), numbers(-(3 * w + 1) / 2)


def _bowl(lam: Tensor, w: Tensor, d: Tensor) -> tuple[Objective, Tensor, Tensor]:
    return Objective("Quadratic", {"eigenvalues": lam}), w, d


def _searches_public() -> Iterator[Case]:
    yield Case("the first step fits", _bowl(numbers(0.5, 1.0), numbers(1.0, -2.0), numbers(-0.5, 2.0)))
    yield Case("the first step fits", _bowl(numbers(1.0, 30.0), numbers(1.0, 0.0), numbers(-0.25, 0.0)))
    yield Case("one halving", _bowl(numbers(2.125), numbers(1.0), numbers(-2.125)))  # the full step rises a little
    yield Case("many halvings", _bowl(numbers(1.0, 50.0), numbers(1.0, -2.0), numbers(-1.0, 100.0)))
    yield Case("many halvings", (Objective("Rosenbrock"), numbers(-1.2, 1.0), numbers(215.6, 88.0)))
    yield Case("another direction", _bowl(numbers(4.0, 1.0), numbers(1.0, 1.0), numbers(-3.0, 1.0)))
    yield Case("another direction", (Objective("Rosenbrock"), numbers(-1.2, 1.0), numbers(4.0, -1.0)))
    yield Case("hardly any decrease", _trap(1.125))


def _quartic(w: Tensor, a: float) -> Tensor:
    return (a * w**4 + w * w).sum()


def _searches_hidden(generator: Generator) -> Iterator[Case]:
    w = normal(generator, 3)
    lam = numbers(*(uniform(generator, 0.3, 1.1) for _ in range(3)))
    yield Case("the first step fits", _bowl(lam, w, -lam * w))
    lam = numbers(uniform(generator, 2.05, 2.15))
    yield Case("one halving", _bowl(lam, numbers(1.0), -lam))
    for top in (20.0, 300.0):
        lam = numbers(1.0, uniform(generator, top, 2 * top), 3.0)
        w = normal(generator, 3) + 1
        yield Case("many halvings", _bowl(lam, w, -lam * w))
    a, w = uniform(generator, 1, 3), 1 + normal(generator, 2).abs()
    yield Case("many halvings", (Objective(_quartic, {"a": a}, dim=2), w, -(4 * a * w**3 + 2 * w)))
    lam, w = numbers(uniform(generator, 3, 5), 1.0), numbers(uniform(generator, 0.8, 1.2), 1.0)
    yield Case("another direction", _bowl(lam, w, numbers(-3.0, 1.0)))
    yield Case("another direction", (Objective(_quartic, {"a": a}, dim=2), 1 + w, numbers(-9.0, 2.0)))
    yield Case("hardly any decrease", _trap(uniform(generator, 1.02, 1.2)))


ARMIJO = Item(
    id="armijo",
    title="A line search that cannot be fooled",
    points=5,
    difficulty=2,
    minutes=15,
    public=_searches_public,
    hidden=_searches_hidden,
    # A power of 1/2, exact. Rounding could move it only where a trial meets the condition to 1e-15.
    tolerance=Tolerance(rtol=0.0),
    budget=Calls(),
    mutants=(
        Mutant(
            " + {{c}} * eta * slope",
            "",
            "Any decrease is accepted, and that can be fooled: ask for {{c}} eta g^T d of it.",
        ),
        Mutant(
            "{{c}} * eta * slope",
            "{{c}} * slope",
            "The share of the decrease must shrink with the step: the eta on the right side is missing.",
        ),
        Mutant(
            "f_w + {{c}} * eta * slope",
            "f_w - {{c}} * eta * slope",
            "The slope g^T d is negative already: with a minus this condition even lets f rise.",
        ),
        Mutant(
            "f_w, slope = f(w), f.grad(w) @ d",
            "g = f.grad(w)\n    f_w, slope = f(w), -g @ g",
            "The slope along d is g^T d. It is -g^T g only for d = -g.",
        ),
        Mutant(
            "{{c}} * eta", "eta", "The factor {{c}} is missing: the full slope is more than a curved f can give."
        ),
        Mutant("eta = 1.0", "eta = 0.5", "The first step to try is 1."),
        Mutant("return eta", "return eta / 2", "One halving too many: return the step that passed."),
        Mutant("return eta", "return w + eta * d", "This is the new point. Return the step size eta, a number."),
        Mutant(
            "> f_w",
            "> f(w)",
            "The step is right, but f(w) was asked for at every trial. It does not change: ask once.",
        ),
        Mutant(
            "* eta * slope:",
            "* eta * (f.grad(w) @ d):",
            "The step is right, but the gradient was asked for at every trial. It does not change: ask once.",
        ),
    ),
)


def _hessians_public() -> Iterator[Case]:
    g, tilted = numbers(1.0, -2.0), numbers([3.0, 1.0], [1.0, 2.0])
    saddle = numbers([1.0, 2.0], [2.0, 1.0])  # eigenvalues 3 and -1
    valley = numbers([1.0, 1.0], [1.0, 1.0])  # eigenvalues 2 and 0
    yield Case("positive definite", (g, tilted, 0.01))
    yield Case("negative curvature", (g, saddle, 0.01))
    yield Case("negative curvature", (g, -tilted, 0.1))
    yield Case("flat directions", (g, valley, 0.25))
    yield Case("flat directions", (g, saddle, 2.0))


def _hessians_hidden(generator: Generator) -> Iterator[Case]:
    for part, eigenvalues, delta in (
        ("positive definite", (0.5, 1.0, 4.0), 0.01),
        ("negative curvature", (-2.0, 0.7, 3.0, -0.5), 0.02),
        ("negative curvature", (-4.0, -1.0, 2.0), 0.1),
        ("flat directions", (1e-9, 0.3, 2.0), 0.1),
        ("flat directions", (-0.05, 1.5, -3.0, 0.02), 0.2),
    ):
        lam = numbers(*eigenvalues) * uniform(generator, 0.9, 1.1)
        yield Case(part, (normal(generator, len(lam)), symmetric(generator, lam), delta))


SAFE_NEWTON = Item(
    id="safe_newton",
    title="Newton where the Hessian misbehaves",
    points=4,
    difficulty=2,
    minutes=12,
    public=_hessians_public,
    hidden=_hessians_hidden,
    # Eigenvalues and eigenvectors are good to about 1e-15 over the gap between them, 0.05 at least where it
    # matters; dividing by 0.01 makes 1e-12 of it.
    tolerance=Tolerance(rtol=1e-8, atol=1e-9),
    mutants=(
        Mutant(
            "lam.abs().clamp", "lam.clamp", "A negative curvature became delta, a huge step: take |lambda| first."
        ),
        Mutant(
            "    lam = lam.abs().clamp(min=delta)\n",
            "",
            "This is the pure Newton direction: it climbs along negative curvature and blows up where it is flat.",
        ),
        Mutant(".clamp(min=delta)", "", "Flat directions give huge steps: no |lambda| below delta."),
        Mutant(
            "lam.abs().clamp(min=delta)", "lam.abs() + delta", "delta is a floor, not a shift: take the maximum."
        ),
        Mutant("return -Q", "return Q", "This goes uphill: the direction has a minus."),
        Mutant("(Q.T @ g) / lam", "(Q @ g) / lam", "eigh returns eigenvectors as columns: coordinates are Q^T g."),
        Mutant("(Q.T @ g) / lam", "(Q.T @ g) * lam", "This multiplies by the curvatures: Newton divides by them."),
        Mutant(
            "return -Q @ ((Q.T @ g) / lam)",
            "return -(Q.T @ g) / lam",
            "Still in eigen-coordinates: turn back with Q.",
        ),
    ),
)


def _solves_public() -> Iterator[Case]:
    one = Objective("Quadratic", {"eigenvalues": numbers(1.0, 4.0, 9.0)})
    moved = Objective(
        "Quadratic", {"eigenvalues": numbers(1.0, 2.0, 3.0, 5.0), "w_star": numbers(1.0, 0.0, -1.0, 2.0)}
    )
    X = numbers([1.0, 0.5, -1.0], [0.0, 2.0, 1.0], [-1.0, 1.0, 0.5], [2.0, -1.0, 0.25])
    logistic = Objective("LogisticRegression", {"X": X, "y": numbers(1.0, -1.0, 1.0, -1.0), "ridge": 0.1})
    yield Case("one iteration", (one, numbers(1.0, 1.0, 1.0), 1))
    yield Case("more iterations", (one, numbers(1.0, -1.0, 0.5), 2))
    yield Case("more iterations", (moved, numbers(0.0, 0.0, 0.0, 0.0), 3))
    yield Case("logistic regression", (logistic, numbers(0.5, -0.5, 0.25), 2))


def _solves_hidden(generator: Generator) -> Iterator[Case]:
    for part, dim, steps in (("one iteration", 4, 1), ("more iterations", 5, 2), ("more iterations", 8, 4)):
        lam = torch.linspace(1, uniform(generator, 5, 20), dim, dtype=torch.float64)
        quadratic = Objective("Quadratic", {"eigenvalues": lam, "w_star": normal(generator, dim)})
        yield Case(part, (quadratic, normal(generator, dim), steps))
    X, y = normal(generator, 12, 4), normal(generator, 12).sign()
    logistic = Objective("LogisticRegression", {"X": X, "y": y, "ridge": uniform(generator, 0.1, 0.3)})
    yield Case("logistic regression", (logistic, normal(generator, 4), 3))


NEWTON_CG = Item(
    id="newton_cg",
    title="Newton without the Hessian",
    points=6,
    difficulty=3,
    minutes=20,
    public=_solves_public,
    hidden=_solves_hidden,
    # A few iterations at condition numbers up to 20 raise rounding to about 1e-13.
    tolerance=Tolerance(rtol=1e-8, atol=1e-9),
    budget=Calls(),
    mutants=(
        Mutant("r = -f.grad(w)", "r = f.grad(w)", "The first residual of H d = -g is -g: this solves H d = g."),
        Mutant(
            "(r @ r) / (p @ Hp)",
            "(r @ r) / (p @ p)",
            "The step along p ignores the curvature: divide by p^T H p.",
        ),
        Mutant(
            "p, r = r_next + beta * p, r_next",
            "p, r = r_next, r_next",
            "Without beta p this is steepest descent: the directions are not conjugate.",
        ),
        Mutant(
            "(r_next @ r_next) / (r @ r)",
            "(r @ r) / (r_next @ r_next)",
            "beta is upside down: the new residual goes on top.",
        ),
        Mutant("r - alpha * Hp", "r + alpha * Hp", "The residual falls by alpha H p: subtract it."),
        Mutant("return w + d", "return d", "This is the step. Return the new point w + d."),
        Mutant(
            "(p @ Hp)",
            "(p @ f.hvp(w, p))",
            "The point is right, but two Hessian products were made in each round. One is enough: keep H p.",
        ),
        Mutant(
            "r_next = r - alpha * Hp",
            "r_next = -f.grad(w) - f.hvp(w, d)",
            "The residual was computed anew in each round, by a gradient and a product. Update it by alpha H p.",
        ),
        Mutant("range(steps)", "range(steps + 1)", "One round too many: do exactly `steps` of them."),
    ),
)

ITEMS = (ARMIJO, SAFE_NEWTON, NEWTON_CG)
