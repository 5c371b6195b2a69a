"""The graded items of the section on momentum: the step in its velocity form, and what it does to one mode."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from coursekit.grading.draws import normal, numbers, uniform
from coursekit.grading.exercise import Case, Item, Mutant, Tolerance


def _steps_public() -> Iterator[Case]:
    yield Case("first step, v = 0", (numbers(1.0, 2.0), numbers(0.0, 0.0), numbers(1.0, -1.0), 0.5, 0.9))
    yield Case("later steps", (numbers(1.0, 2.0), numbers(3.0, -1.0), numbers(1.0, -1.0), 0.5, 0.9))
    yield Case("later steps", (*numbers([3.0, -1.0, 0.25], [0.5, 4.0, -2.0], [-1.0, 0.3, 2.0]), 0.1, 0.5))
    yield Case("no momentum", (numbers(2.0, 5.0), numbers(7.0, -3.0), numbers(-3.0, 1.0), 0.25, 0.0))


def _steps_hidden(generator: torch.Generator) -> Iterator[Case]:
    def case(part: str, d: int, v: float, beta: float) -> Case:
        w, velocity, g = normal(generator, 3, d)
        return Case(part, (w, v * velocity, g, uniform(generator, 0.01, 0.9), beta))

    for d in (1, 5):
        yield case("first step, v = 0", d, 0.0, uniform(generator, 0.3, 0.95))
    for d in (1, 3, 50):
        yield case("later steps", d, 1.0, uniform(generator, 0.3, 0.95))
    yield case("no momentum", 4, 1.0, 0.0)


MOMENTUM_STEP = Item(
    id="momentum_step",
    title="One step of heavy ball",
    points=2,
    difficulty=1,
    minutes=8,
    public=_steps_public,
    hidden=_steps_hidden,
    # Two products and two sums in float64, on numbers of order 1: orders of operations differ by some 1e-16.
    tolerance=Tolerance(rtol=1e-12, atol=1e-12),
    mutants=(
        Mutant(
            "return w - eta * v, v",
            "return w + eta * v, v",
            "The step goes uphill: v sums gradients, so subtract it.",
        ),
        Mutant(
            "v = beta * v + g",
            "v = beta * v + (1 - beta) * g",
            "This is an average of gradients. Heavy ball takes their sum: the new one enters with weight 1.",
        ),
        Mutant(
            "v = beta * v + g",
            "v = beta * (v + g)",
            "The new gradient was multiplied by beta as well; only the old velocity is.",
        ),
        Mutant(
            "return w - eta * v, v",
            "return w - eta * (g + beta * v), v",
            "This is Nesterov's step: it goes along g + beta v. Heavy ball goes along v itself.",
        ),
        Mutant(
            "v = beta * v + g\n    return w - eta * v, v",
            "new = beta * v + g\n    return w - eta * v, new",
            "The step was made with the old velocity. Renew v first, then move.",
        ),
        Mutant(
            "v = beta * v + g\n    return w - eta * v, v",
            "v = beta * v + eta * g\n    return w - v, v",
            "The point is right while v = 0, but this velocity holds eta already. "
            "Here eta belongs to the step: v = beta v + g.",
        ),
        Mutant("return w - eta * v, v", "return w - eta * v", "Return both, the new point and the new velocity."),
        Mutant("return w - eta * v, v", "return v, w - eta * v", "w and v have changed places: return (w, v)."),
        Mutant(
            "v = beta * v + g",
            "v *= beta\n    v += g",
            "The numbers are right, but v was changed in place (by *=, +=, mul_, ...). Build a new tensor.",
        ),
    ),
)


def _modes_public() -> Iterator[Case]:
    yield Case("no momentum", (0.25, 0.0))
    yield Case("real roots", (0.001, 0.9))
    yield Case("real roots", (0.125, 0.25))
    yield Case("complex roots", (1.0, 0.9))
    yield Case("complex roots", (2.5, 0.5))
    yield Case("beyond the wall", (3.5, 0.5))
    yield Case("beyond the wall", (4.25, 0.9))


def _modes_hidden(generator: torch.Generator) -> Iterator[Case]:
    def between(low: float, high: float) -> float:
        # Away from double roots, where half the digits of any formula are lost.
        return low + (high - low) * uniform(generator, 0.1, 0.9)

    yield Case("no momentum", (between(0.0, 1.0), 0.0))
    for _ in range(3):
        beta = uniform(generator, 0.2, 0.9)
        inner, outer, wall = (1 - beta**0.5) ** 2, (1 + beta**0.5) ** 2, 2 * (1 + beta)
        yield Case("real roots", (between(0.0, inner), beta))
        yield Case("complex roots", (between(inner, outer), beta))
        yield Case("beyond the wall", (between(wall, wall + 2), beta))


MODE_RATE = Item(
    id="mode_rate",
    title="How fast does a mode decay?",
    points=3,
    difficulty=2,
    minutes=15,
    public=_modes_public,
    hidden=_modes_hidden,
    # Away from double roots every formula for the roots agrees to about 1e-14 (numpy.roots included); the
    # nearest mutant is off by more than 1e-4.
    tolerance=Tolerance(rtol=1e-10),
    mutants=(
        Mutant(
            "return (abs(s) + D**0.5) / 2",
            "return (s + D**0.5) / 2",
            "Beyond the complex region both roots are negative: the larger modulus is (|s| + sqrt(D))/2.",
        ),
        Mutant(
            "return (abs(s) + D**0.5) / 2",
            "return (abs(s) - D**0.5) / 2",
            "This is the smaller root. The larger one decides how fast the mode decays.",
        ),
        Mutant(
            "return beta**0.5",
            "return abs(s) / 2",
            "Of complex roots this is the real part. Their modulus is the root of their product: sqrt(beta).",
        ),
        Mutant(
            "return beta**0.5",
            "return beta",
            "The product of the two roots is beta, and complex roots have equal moduli: each is sqrt(beta).",
        ),
        Mutant(
            "return (abs(s) + D**0.5) / 2",
            "return max(beta**0.5, abs(1 - eta_lambda))",
            "For real roots |1 - eta lambda| is gradient descent's factor: it is right at beta = 0 only.",
        ),
        Mutant(
            "s = 1 + beta - eta_lambda",
            "s = (1 + beta) * (1 - eta_lambda)",
            "This is Nesterov's sum of the roots. Heavy ball's is 1 + beta - eta lambda.",
        ),
        Mutant(
            "s = 1 + beta - eta_lambda",
            "s = 1 - eta_lambda",
            "The sum of the roots lacks beta: w(t) appears in the difference w(t) - w(t-1) as well.",
        ),
        Mutant(
            "D = s * s - 4 * beta",
            "D = s * s + 4 * beta",
            "The sign of the product of the roots is wrong: the discriminant is s^2 - 4 beta.",
        ),
    ),
)

ITEMS = (MOMENTUM_STEP, MODE_RATE)
