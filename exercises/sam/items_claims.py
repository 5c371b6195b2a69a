"""The items on cost and on evidence: ESAM's choice of examples, and the difference of two means."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Generator

from coursekit.grading.draws import normal, numbers, uniform
from coursekit.grading.exercise import Case, Item, Mutant, Tolerance


def _losses_public() -> Iterator[Case]:
    before, after = numbers(1.25, 2.0, 0.125, 1.0, 0.75), numbers(1.5625, 3.0, 0.5, 0.125, 1.5)
    G = numbers([1.0, 0.0], [0.0, 2.0], [-1.0, 1.0], [4.0, 4.0], [3.0, -1.0])
    yield Case("one example", (before, after, G, 1))
    yield Case("some examples", (before, after, G, 2))
    yield Case("some examples", (before, after, G, 3))
    yield Case("all examples", (before, after, G, 5))


def _losses_hidden(generator: Generator) -> Iterator[Case]:
    # The largest rise, the largest quotient, the largest losses and the largest fall: each another example.
    before, after = numbers(4.0, 0.1, 20.0, 5.0), numbers(6.0, 0.5, 20.1, 2.0)
    for part, n, k in (
        ("one example", 6, 1),
        ("some examples", 9, 4),
        ("some examples", 20, 5),
        ("all examples", 5, 5),
    ):
        others = 1 + normal(generator, n - 4).abs()
        risen = others * (1 + torch.rand(n - 4, generator=generator, dtype=torch.float64) / 10)
        order = torch.randperm(n, generator=generator)
        losses = (torch.cat(pair)[order] for pair in ((before, others), (after, risen)))
        yield Case(part, (*losses, normal(generator, n, 3), k))


SELECTED_GRADIENT = Item(
    id="selected_gradient",
    title="Only where it got worse",
    points=2,
    difficulty=1,
    minutes=8,
    public=_losses_public,
    hidden=_losses_hidden,
    # A mean of at most 20 rows in float64; two rises are never so close that rounding could exchange them.
    tolerance=Tolerance(rtol=1e-11, atol=1e-12),
    mutants=(
        Mutant(
            "(after - before).topk(k)",
            "after.topk(k)",
            "Chosen by the loss at w + epsilon. A hard example may not have become harder: choose by the rise.",
        ),
        Mutant(
            "(after - before).topk(k)",
            "before.topk(k)",
            "Chosen by the loss at w. What counts is how much it rises on the way to w + epsilon.",
        ),
        Mutant("(after - before)", "(before - after)", "These are the losses that rose least, or fell."),
        Mutant(
            "(after - before)",
            "(after - before).abs()",
            "A loss that falls is no sign of sharpness: rank the rises with their sign.",
        ),
        Mutant(
            "(after - before)",
            "(after / before)",
            "Ranked by the quotient of the losses: small losses win. ESAM takes the difference.",
        ),
        Mutant(
            "G[chosen].mean(0)",
            "G[chosen].sum(0)",
            "This is the sum. The step of a smaller batch must not depend on how many were chosen: take the mean.",
        ),
        Mutant(
            "G[chosen].mean(0)",
            "G[chosen].sum(0) / len(G)",
            "Divided by all n examples, the step shrinks with k. Take the mean over the k chosen ones.",
        ),
        Mutant("G[chosen]", "G", "This is the mean over all examples: nothing is saved."),
    ),
)


def _samples_public() -> Iterator[Case]:
    a, b = numbers(3.0, 2.0, 4.0, 3.0), numbers(1.0, 2.5, 4.0, 0.0)
    yield Case("groups of one size", (a, b))
    yield Case("groups of two sizes", (a, numbers(1.0, 2.0)))
    yield Case("groups of two sizes", (numbers(0.5, 0.75, 0.25), torch.cat([a, b])))
    yield Case("equal spreads", (a, a - 2))


def _samples_hidden(generator: Generator) -> Iterator[Case]:
    def group(k: int) -> torch.Tensor:
        return uniform(generator, -1, 1) + uniform(generator, 0.2, 3) * normal(generator, k)

    yield Case("groups of one size", (group(10), group(10)))
    for m, n in ((5, 12), (30, 3)):
        yield Case("groups of two sizes", (group(m), group(n)))
    a = group(6)
    yield Case("equal spreads", (a, a.flip(0) + 1))


DIFFERENCE = Item(
    id="difference",
    title="Is that a difference?",
    points=3,
    difficulty=2,
    minutes=12,
    public=_samples_public,
    hidden=_samples_hidden,
    # Means and variances of at most 30 numbers of order 1, in float64: 1e-14 between all ways to write them.
    tolerance=Tolerance(rtol=1e-9, atol=1e-11),
    mutants=(
        Mutant("a.mean() - b.mean()", "b.mean() - a.mean()", "The sign: the difference is mean(a) - mean(b)."),
        Mutant(
            "v_a, v_b = a.var() / len(a), b.var() / len(b)",
            "v_a, v_b = a.var(), b.var()",
            "These are the variances of single runs. The mean of n runs has the variance s^2/n.",
        ),
        Mutant(
            "v_a, v_b = a.var() / len(a), b.var() / len(b)",
            "v_a, v_b = a.var(correction=0) / len(a), b.var(correction=0) / len(b)",
            "s^2 divides by n - 1, as torch.var does by default.",
        ),
        Mutant("(v_a + v_b).sqrt()", "v_a + v_b", "This is a variance. The standard error is its root."),
        Mutant(
            "(v_a + v_b).sqrt()",
            "v_a.sqrt() + v_b.sqrt()",
            "Independent errors add up in squares: the root of the sum, not the sum of the roots.",
        ),
        Mutant(
            "(v_a + v_b) ** 2 / (v_a**2 / (len(a) - 1) + v_b**2 / (len(b) - 1))",
            "v_a * 0 + len(a) + len(b) - 2",
            "These degrees of freedom assume that both groups spread alike. Here they need not.",
        ),
        Mutant(
            "v_a**2 / (len(a) - 1) + v_b**2 / (len(b) - 1)",
            "v_a**2 / len(a) + v_b**2 / len(b)",
            "In the degrees of freedom each square is divided by its n - 1.",
        ),
        Mutant(
            "v_a, v_b = a.var() / len(a), b.var() / len(b)",
            "s2 = (a.var() * (len(a) - 1) + b.var() * (len(b) - 1)) / (len(a) + len(b) - 2)\n"
            "    v_a, v_b = s2 / len(a), s2 / len(b)",
            "One pooled variance for both groups. They may spread differently: keep s_a and s_b apart.",
        ),
        Mutant(
            "return a.mean() - b.mean(), (v_a + v_b).sqrt(), freedom",
            "return a.mean() - b.mean(), (v_a + v_b).sqrt()",
            "Return three numbers: the difference, its standard error and the degrees of freedom.",
        ),
    ),
)

ITEMS = (SELECTED_GRADIENT, DIFFERENCE)
