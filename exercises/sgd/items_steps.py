"""The items on step sizes: what noise leaves of a quadratic, and what a step like 1/t does at first."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Generator

from coursekit.grading.draws import normal, numbers, uniform
from coursekit.grading.exercise import Case, Item, Mutant, Tolerance


def _runs_public() -> Iterator[Case]:
    lam, sigma2, w_0 = numbers(1.0, 4.0), numbers(0.5, 2.0), numbers(3.0, -1.0)
    yield Case("no noise", (lam, numbers(0.0, 0.0), w_0, 0.25, 3))
    yield Case("some steps", (lam, sigma2, w_0, 0.25, 2))
    yield Case("some steps", (numbers(0.5, 1.0, 3.0), numbers(1.0, 0.0, 0.25), numbers(1.0, 2.0, 0.0), 0.1, 5))
    yield Case("the floor", (lam, sigma2, w_0, 0.125, 250))
    yield Case("too long a step", (lam, sigma2, w_0, 0.75, 4))


def _runs_hidden(generator: Generator) -> Iterator[Case]:
    def case(part: str, d: int, noise: float, eta_L: float, T: int) -> Case:
        lam, sigma2 = 0.5 + torch.rand(2, d, generator=generator, dtype=torch.float64)
        return Case(part, (lam, noise * sigma2, normal(generator, d), eta_L / float(lam.max()), T))

    yield case("no noise", 3, 0.0, uniform(generator, 0.2, 0.8), 5)
    for d, T in ((1, 3), (4, 8)):
        yield case("some steps", d, 1.0, uniform(generator, 0.1, 0.6), T)
    yield case("the floor", 5, 1.0, uniform(generator, 0.2, 0.8), 300)
    yield case("too long a step", 3, 1.0, uniform(generator, 2.1, 2.4), 6)


EXPECTED_LOSS = Item(
    id="expected_loss",
    title="The noise floor, exactly",
    points=4,
    difficulty=3,
    minutes=20,
    public=_runs_public,
    hidden=_runs_hidden,
    # Up to 300 steps that contract, or 6 that do not: recursion and closed form differ by 1e-14 of the answer.
    tolerance=Tolerance(rtol=1e-9),
    mutants=(
        Mutant("+ eta**2 * sigma2", "", "This is gradient descent. Every step adds the variance of its noise."),
        Mutant(
            "eta**2 * sigma2",
            "eta * sigma2",
            "The noise is multiplied by eta, so its variance by eta squared.",
        ),
        Mutant(
            "(1 - eta * lam) ** 2 * m",
            "(1 - eta * lam) * m",
            "w is multiplied by 1 - eta lambda, so w squared by the square of it.",
        ),
        Mutant(
            "(1 - eta * lam) ** 2 * m + eta**2 * sigma2",
            "(1 - eta * lam) ** 2 * (m + eta**2 * sigma2)",
            "The noise of a step was shrunk by the same step. Only what was there before shrinks.",
        ),
        Mutant("/ 2", "", "f has a half in front: f(w) = (1/2) sum of lambda_i w_i^2."),
        Mutant("(lam * m).sum()", "m.sum()", "This is half the squared distance. f weighs w_i^2 by lambda_i."),
        Mutant("(lam * m).sum()", "(lam * m).mean()", "f sums over the coordinates; this is their mean."),
        Mutant(
            "return (lam * m).sum() / 2",
            "return (eta * sigma2 / (2 - eta * lam)).sum() / 2",
            "This is the floor itself, where the run ends up if it is long and eta below 2/L. "
            "After T steps something of the start is left.",
        ),
        Mutant(
            "return (lam * m).sum() / 2",
            "mu, L, f_0 = lam.min(), lam.max(), (lam * w_0**2).sum() / 2\n"
            "    return (1 - eta * mu) ** T * f_0 + eta * L * sigma2.sum() / (2 * mu)",
            "This is the theorem's upper bound. On this quadratic the expectation can be had exactly, "
            "coordinate by coordinate.",
        ),
        Mutant("m = w_0**2", "m = 0 * w_0", "The run starts at w_0, whose square is known: it is not zero."),
        Mutant("range(T)", "range(T + 1)", "One step too many: w_T is reached after T steps."),
    ),
)


def constants(generator: Generator) -> dict[str, str]:
    """The cohort's c in the step c/(mu (t + kappa)); not 1, so that leaving it out shows."""
    return {"c": ("1.5", "2", "2.5", "3")[int(uniform(generator, 0, 4))]}


def _modes_public() -> Iterator[Case]:
    yield Case("no step is too long", (1.3, 1.0, 3.0, 10))
    yield Case("grows, then shrinks", (3.7, 1.0, 0.0, 8))
    for kappa in (9.0, 10.0):  # in one of them the largest product is positive, in the other negative
        yield Case("grows, then shrinks", (12.65, 0.5, kappa, 100))
    yield Case("stopped on the way up", (100.3, 1.0, 0.0, 21))


def _modes_hidden(generator: Generator) -> Iterator[Case]:
    mu = uniform(generator, 0.5, 2.0)
    yield Case("no step is too long", (mu * uniform(generator, 1.2, 2.2), mu, 3.0, 12))
    for _ in range(2):
        ratio = 20 + 10 * uniform(generator, 0.0, 1.0)
        kappa = uniform(generator, 0.5, 4.0)
        yield Case("grows, then shrinks", (mu * ratio, mu, kappa, 200))
    yield Case("grows, then shrinks", (mu * uniform(generator, 15.2, 15.8), mu, 0.0, 60))
    yield Case("stopped on the way up", (mu * uniform(generator, 80.2, 80.8), mu, 0.0, 15))


GROWTH = Item(
    id="growth",
    title="What 1/t does at first",
    points=3,
    difficulty=2,
    minutes=12,
    public=_modes_public,
    hidden=_modes_hidden,
    # Up to 200 factors; a sum of logarithms, raised again, differs by 1e-13. Factors close to zero, of which few
    # digits are right, come when the largest value has passed.
    tolerance=Tolerance(rtol=1e-9),
    mutants=(
        Mutant(
            "range(1, T + 1)",
            "range(T)",
            "The steps count from t = 1. From t = 0 the first one is {{c}}/(mu kappa), and infinite at kappa = 0.",
        ),
        Mutant(
            "range(1, T + 1)",
            "range(1, T)",
            "One step is missing: t runs from 1 to T, T included.",
        ),
        Mutant(
            "largest = max(largest, factor)",
            "largest = factor",
            "This is what is left after T steps. On the way there the mode was larger.",
        ),
        Mutant(
            "factor *= abs(1 - {{c}} * lam / (mu * (t + kappa)))",
            "factor = abs(1 - {{c}} * lam / (mu * (t + kappa)))",
            "This is the largest factor of a single step. The steps multiply.",
        ),
        Mutant(
            "factor, largest = 1.0, 1.0",
            "factor, largest = 1.0, 0.0",
            "At t = 0 nothing has happened yet and the factor is 1: the largest one is never less than that.",
        ),
        Mutant(
            "abs(1 - {{c}} * lam / (mu * (t + kappa)))",
            "(1 - {{c}} * lam / (mu * (t + kappa)))",
            "The sign was kept. A mode that has changed sides is as large as its absolute value.",
        ),
        Mutant("{{c}} * lam", "lam", "The constant in the step is missing: it is {{c}}/(mu (t + kappa))."),
        Mutant("(t + kappa)", "t", "The shift kappa is missing: the step is {{c}}/(mu (t + kappa))."),
        Mutant(
            "mu * (t + kappa)",
            "mu * t + kappa",
            "The shift is on the wrong side of mu: the step is {{c}}/(mu (t + kappa)), not {{c}}/(mu t + kappa).",
        ),
        Mutant("lam / (mu", "1 / (mu", "The gradient of this mode is lambda w: the factor is 1 - eta lambda."),
    ),
)

ITEMS = (EXPECTED_LOSS, GROWTH)
