"""The items on reading a run: where the edge of stability was reached, and what a certificate may say."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Generator

from coursekit.grading.draws import normal, numbers, uniform
from coursekit.grading.exercise import Case, Item, Mutant, Tolerance


def _runs_public() -> Iterator[Case]:
    rising = numbers(1.0, 3.0, 5.0, 4.5, 3.5, 4.5)
    f = numbers(9.0, 10.0, 5.0, 6.0, 4.0, 4.5)
    yield Case("gradient descent", (rising, f, 0.5, 0.0))
    yield Case("gradient descent", (rising, f, 0.4, 0.0))
    yield Case(
        "momentum", (numbers(1.0, 4.0, 5.0, 7.0, 5.5, 6.5, 3.0), numbers(9, 7, 6, 6.5, 5, 5.5, 4), 0.5, 0.5)
    )
    yield Case("momentum", (numbers(3.0, 30.0, 38.0, 39.0, 37.0), numbers(4, 2, 1, 3, 2), 0.1, 0.9))
    yield Case("on the dot", (numbers(1.0, 4.0, 5.0, 3.0), numbers(3.0, 1.0, 2.0, 1.5), 0.5, 0.0))
    yield Case("never", (rising, f, 0.25, 0.25))
    yield Case("at the last point", (numbers(1.0, 2.0, 5.0), numbers(3.0, 4.0, 1.0), 0.5, 0.0))


def _runs_hidden(generator: Generator) -> Iterator[Case]:
    def case(part: str, T: int, beta: float, at: int) -> Case:
        """Sharpness creeps up to the edge at step ``at``, then hovers; the loss falls, later with many rises."""
        eta = uniform(generator, 0.05, 0.5)
        edge = (2 + 2 * beta) / eta
        t = torch.arange(T, dtype=torch.float64)
        below = edge * (0.3 + 0.65 * t / max(at, 1))
        hovering = edge * (1 + 0.05 * normal(generator, T))
        sharpness = torch.where(t < at, below, hovering)
        if at < T:
            sharpness[at] = 1.04 * edge
        f = torch.exp(-3 * t / T) + torch.where(t < at, 0.02, 0.2) * normal(generator, T)
        return Case(part, (sharpness, f, eta, beta))

    for T, at in ((30, 10), (200, 77)):
        yield case("gradient descent", T, 0.0, at)
        yield case("momentum", T, uniform(generator, 0.3, 0.9), at)
    yield case("never", 20, 0.5, 20)
    yield case("at the last point", 12, 0.0, 11)
    sharpness, f, _, _ = case("", 16, 0.0, 16).arguments
    sharpness[4] = 16.0  # the edge of eta = 1/8, and an exact number
    yield Case("on the dot", (sharpness.clamp(max=16.0), f, 0.125, 0.0))


EDGE_REACHED = Item(
    id="edge_reached",
    title="When was the edge reached?",
    points=3,
    difficulty=2,
    minutes=12,
    public=_runs_public,
    hidden=_runs_hidden,
    # A count, and a quotient of two counts: torch divides integers in float32, which is right to 6e-8, and the
    # smallest step of a share is 1/200. Where the edge is reached on the dot, all numbers are powers of two.
    tolerance=Tolerance(rtol=1e-6),
    mutants=(
        Mutant(
            "(2 + 2 * beta) / eta",
            "2 / eta",
            "This is the edge of gradient descent. Momentum moves it out, to (2 + 2 beta)/eta.",
        ),
        Mutant(
            "(2 + 2 * beta) / eta",
            "2 * (1 - beta) / eta",
            "Momentum moves the edge out, not in: it is (2 + 2 beta)/eta.",
        ),
        Mutant(
            "(2 + 2 * beta) / eta",
            "2 / (eta * (1 - beta))",
            "The edge grows by the factor 1 + beta, not 1/(1 - beta).",
        ),
        Mutant("sharpness >= edge", "sharpness > edge", "A sharpness exactly at the edge has reached it."),
        Mutant("reached[0]", "reached[-1]", "This is the last time. The item asks for the first."),
        Mutant(
            "reached = (sharpness >= edge).nonzero()",
            "reached = sharpness.argmax().reshape(1)",
            "The sharpness is largest there, but it may have reached the edge sooner, or not at all.",
        ),
        Mutant(
            "    if len(reached) == 0:\n        return -1, 0.0\n",
            "",
            "A run that never reaches the edge has no first time: return (-1, 0.0).",
        ),
        Mutant("f[first:]", "f", "The share was taken over all steps. Count from `first` on."),
        Mutant("f[first:]", "f[first + 1 :]", "The step from `first` to the next point counts too."),
        Mutant(".diff() > 0", ".diff() < 0", "These are the steps on which the loss falls."),
        Mutant(
            "int(rises.sum()) / len(rises)", "float(rises.sum())", "This is a number of steps. Return a share."
        ),
        Mutant(
            "int(rises.sum()) / len(rises) if len(rises) else 0.0",
            "int(rises.sum()) / len(rises)",
            "No step follows the last point: return the share 0.0 there, not 0/0.",
        ),
        Mutant(
            "int(rises.sum()) / len(rises) if len(rises) else 0.0",
            "float(rises.double().mean())",
            "No step follows the last point: return the share 0.0 there, not the mean of nothing.",
        ),
    ),
)


def _records_public() -> Iterator[Case]:
    met = [("smooth", True), ("step at most 1/L", True)]
    bound = numbers(4.0, 2.0, 1.0, 0.5)
    yield Case("holds", (numbers(1.0, 1.5, 0.25, 0.25), bound, met))
    yield Case("holds", (numbers(3.0, 1.0, 0.5, 0.25), bound, []))
    yield Case("attained", (numbers(1.0, 2.0, 0.75, 0.125), bound, met))
    yield Case("violated", (numbers(1.0, 2.5, 0.5, 4.0), bound, met))
    yield Case("violated", (numbers(1.0, 1.0, 0.5, 0.75), bound, met))
    yield Case("refused", (numbers(1.0, 0.5, 0.5, 0.25), bound, [*met, ("convex", False), ("PL", False)]))
    yield Case("refused", (numbers(1.0, 9.0, 0.5, 0.25), bound, [("convex", False), *met]))
    yield Case("not a number", (numbers(1.0, 0.5, math.nan, math.nan), bound, met))


def _records_hidden(generator: Generator) -> Iterator[Case]:
    names = ("smooth", "convex", "step at most 1/L", "unbiased")

    def case(part: str, T: int, share: float, failing: tuple[int, ...] = ()) -> Case:
        """Everywhere between 0.2 and ``share`` times the bound, and the largest share somewhere in the middle."""
        bound = 1 / torch.arange(1, T + 1, dtype=torch.float64) ** uniform(generator, 0.5, 1.5)
        ratio = 0.2 + 0.6 * torch.rand(T, generator=generator, dtype=torch.float64)
        ratio[T // 2] = share
        return Case(part, (ratio * bound, bound, [(name, i not in failing) for i, name in enumerate(names)]))

    for T in (1, 5, 40):
        yield case("holds", T, uniform(generator, 0.85, 0.99))
    measured, bound, met = case("", 9, 0.5).arguments
    measured[6] = bound[6]
    yield Case("attained", (measured, bound, met))
    for T in (8, 30):
        measured, bound, met = case("", T, uniform(generator, 1.01, 1.5)).arguments
        measured[-2] = 3 * bound[-2]
        yield Case("violated", (measured, bound, met))
    yield case("refused", 6, 0.9, (1, 3))
    yield case("refused", 6, 2.0, (2,))
    measured, bound, met = case("", 10, 0.9).arguments
    measured[4:] = math.nan
    yield Case("not a number", (measured, bound, met))


READ_CERTIFICATE = Item(
    id="read_certificate",
    title="What may a certificate say?",
    points=3,
    difficulty=2,
    minutes=12,
    public=_records_public,
    hidden=_records_hidden,
    # One quotient; an attained bound is equal to the last bit.
    tolerance=Tolerance(rtol=1e-12),
    mutants=(
        Mutant(
            "~(measured <= bound)",
            "(measured > bound)",
            "A NaN exceeds nothing, and is not at most the bound either: where it stands nothing holds.",
        ),
        Mutant("measured <= bound", "measured < bound", "An attained bound holds: at most, not less than."),
        Mutant("bad[0]", "bad[-1]", "This is the last step that fails. Name the first one."),
        Mutant(
            "bad[0]",
            "(measured / bound).argmax()",
            "This is the step that fails by most. Name the first one.",
        ),
        Mutant(
            '    for name, met in assumptions:\n        if not met:\n            return "refused", name\n',
            "",
            "The assumptions were not read. Outside them the theorem promises nothing, whatever was measured.",
        ),
        Mutant(
            "for name, met in assumptions",
            "for name, met in reversed(assumptions)",
            "Several assumptions fail. Name the first in the list.",
        ),
        Mutant(
            'return "refused", name',
            'return "violated", 0',
            "A theorem whose assumptions fail is not violated: it is refused.",
        ),
        Mutant(
            "(measured / bound).max()",
            "(measured / bound).min()",
            "This is where the bound is loosest. Tightness is the largest share of it that was used.",
        ),
        Mutant(
            "(measured / bound).max()",
            "(measured / bound).mean()",
            "This is the mean share. Tightness is the largest share of the bound that was used.",
        ),
        Mutant(
            "(measured / bound).max()",
            "(measured / bound)[-1]",
            "This is the share at the last step. Tightness is the largest of all.",
        ),
        Mutant(
            "(measured / bound).max()",
            "(bound / measured).max()",
            "Upside down: of a bound that holds, the share is at most 1.",
        ),
        Mutant(
            "(measured / bound).max()",
            "(bound - measured).min()",
            "This is the smallest slack. Tightness is a quotient, without units.",
        ),
        Mutant(
            "float((measured",
            "((measured",
            "The tightness is to be a number: float(...) of a tensor without axes.",
        ),
    ),
)

ITEMS = (EDGE_REACHED, READ_CERTIFICATE)
