"""The items on the stochastic gradient: its variance, its weights, and an epoch of it."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Generator

from coursekit.grading.draws import normal, numbers, uniform
from coursekit.grading.exercise import Case, Item, Mutant, Tolerance

GRADIENTS = numbers([3.0, 0.0], [-1.0, 2.0], [1.0, 1.0], [5.0, -3.0])


def _batches_public() -> Iterator[Case]:
    yield Case("one example", (GRADIENTS, 1, True))
    yield Case("with replacement", (GRADIENTS, 2, True))
    yield Case("without replacement", (GRADIENTS, 2, False))
    yield Case("without replacement", (numbers([1.0], [4.0], [-2.0], [0.5], [7.0]), 3, False))
    yield Case("the whole data set", (GRADIENTS, 4, False))


def _batches_hidden(generator: Generator) -> Iterator[Case]:
    yield Case("one example", (normal(generator, 5, 3), 1, bool(uniform(generator, 0, 2) // 1)))
    for n, b in ((4, 3), (6, 2)):
        yield Case("with replacement", (1 + normal(generator, n, 2), b, True))
        yield Case("without replacement", (1 + normal(generator, n, 2), b, False))
    yield Case("the whole data set", (normal(generator, 5, 4), 5, False))


BATCH_VARIANCE = Item(
    id="batch_variance",
    title="The variance of a mini-batch, batch by batch",
    points=3,
    difficulty=2,
    minutes=12,
    public=_batches_public,
    hidden=_batches_hidden,
    # Sums of at most 64 squares of order 1: the list of all batches and the formula differ by 1e-15. The variance
    # of the whole data set is zero but for the squares of rounding errors, hence the absolute part.
    tolerance=Tolerance(rtol=1e-10, atol=1e-12),
    mutants=(
        Mutant(
            "itertools.product(range(n), repeat=b)",
            "itertools.combinations_with_replacement(range(n), b)",
            "Each multiset was counted once, but {1, 2} can be drawn in two orders and {1, 1} in one only. "
            "The b draws, in their order, are equally likely.",
        ),
        Mutant(
            "itertools.combinations(range(n), b)",
            "itertools.product(range(n), repeat=b)",
            "Right with replacement. Without it no example comes twice: at b = n nothing is left to chance.",
        ),
        Mutant(
            "itertools.product(range(n), repeat=b)",
            "itertools.combinations(range(n), b)",
            "Right without replacement. With it an example may come twice.",
        ),
        Mutant(
            "return (g - G.mean(0)).square().sum(-1).mean()",
            "v = G.var(0, correction=0).sum() / b\n    return v if replacement else v * (n - b) / n",
            "Without replacement the factor of the variance is (n - b)/(n - 1), not (n - b)/n.",
        ),
        Mutant(
            ".square().sum(-1).mean()",
            ".square().mean()",
            "This is the mean over the coordinates. The variance of a vector is E||g - mean||^2: their sum.",
        ),
        Mutant(
            "(g - G.mean(0))",
            "g",
            "This is the second moment E||g||^2. The variance measures from the full gradient.",
        ),
        Mutant(
            ".square().sum(-1).mean()",
            ".norm(dim=-1).mean()",
            "This is the mean distance from the full gradient. The variance is the mean of its square.",
        ),
        Mutant(".mean(0) for", ".sum(0) for", "A batch's gradient is the mean over its b examples, not the sum."),
        Mutant(
            "return (g - G.mean(0)).square().sum(-1).mean()",
            "return G.var(0).sum() / b",
            "torch.var divides by n - 1. The n examples are all there is, so the variance of a draw divides by n; "
            "and batches without replacement vary less.",
        ),
    ),
)


def _draws_public() -> Iterator[Case]:
    g = numbers([2.0, -1.0], [0.5, 4.0], [-3.0, 1.0])
    yield Case("one draw", (g[:1], numbers(0.1), 5))
    yield Case("several draws", (g, numbers(0.5, 0.125, 0.05), 8))
    yield Case("several draws", (g[[1, 1]], numbers(0.3, 0.3), 4))
    yield Case("equal probabilities", (g, numbers(0.25, 0.25, 0.25), 4))


def _draws_hidden(generator: Generator) -> Iterator[Case]:
    for part, b, n in (("one draw", 1, 6), ("several draws", 4, 30), ("several draws", 20, 9)):
        p = (0.1 + torch.rand(n, generator=generator, dtype=torch.float64)) / n
        p /= p.sum()
        drawn = torch.multinomial(p, b, replacement=True, generator=generator)
        yield Case(part, (normal(generator, n, 3)[drawn], p[drawn], n))
    yield Case("equal probabilities", (normal(generator, 5, 2), torch.full((5,), 1 / 7, dtype=torch.float64), 7))


WEIGHTED_GRADIENT = Item(
    id="weighted_gradient",
    title="Unequal chances, honest gradient",
    points=2,
    difficulty=2,
    minutes=10,
    public=_draws_public,
    hidden=_draws_hidden,
    # A mean of at most 20 quotients in float64: any order of operations agrees to about 1e-15 of their size.
    tolerance=Tolerance(rtol=1e-11, atol=1e-11),
    mutants=(
        Mutant(
            "g / (n * p)[:, None]",
            "g",
            "The draws were averaged as they came: what is drawn often counts too much. Right for p = 1/n only.",
        ),
        Mutant("(n * p)", "p", "This is an estimate of the sum of all gradients. f is their mean."),
        Mutant(
            "(n * p)",
            "(len(g) * p)",
            "n is the number of examples there are, not the number of draws; of those the mean is taken already.",
        ),
        Mutant("g / (n * p)", "g * (n * p)", "Upside down: what is drawn often must count less, not more."),
        Mutant(".mean(0)", ".sum(0)", "Every draw is an estimate by itself: take their mean, not their sum."),
        Mutant(
            "(g / (n * p)[:, None]).mean(0)",
            "(g / p[:, None]).sum(0) / (1 / p).sum()",
            "The weights were divided by their own sum. That sum is random too, so the quotient is biased: "
            "with one draw it is that draw, unweighted.",
        ),
        Mutant(
            "g / (n * p)[:, None]",
            "g / (n * p).sqrt()[:, None]",
            "Half a correction. Ask for which weight c_i the sum of p_i c_i g_i is the mean of the gradients.",
        ),
    ),
)


def _epochs_public() -> Iterator[Case]:
    X = numbers([1.0, 0.0], [1.0, 1.0], [0.5, -1.0], [2.0, 1.0], [-1.0, 0.5])
    y = numbers(1.0, 0.0, 2.0, -1.0, 0.5)
    order = torch.tensor([3, 0, 4, 1, 2])
    yield Case("one batch", (numbers(1.0, -1.0), X, y, order, 5, 0.5))
    yield Case("size divides n", (numbers(0.0, 0.5), X[:4], y[:4], torch.tensor([2, 0, 3, 1]), 2, 0.25))
    yield Case("a shorter last batch", (numbers(1.0, -1.0), X, y, order, 2, 0.5))
    yield Case("a shorter last batch", (numbers(0.0, 2.0), X, y, order, 3, 0.1))


def _epochs_hidden(generator: Generator) -> Iterator[Case]:
    for part, n, size in (
        ("one batch", 6, 6),
        ("size divides n", 12, 3),
        ("size divides n", 8, 1),
        ("a shorter last batch", 10, 4),
        ("a shorter last batch", 7, 5),
    ):
        order = torch.randperm(n, generator=generator)
        X, y, w = normal(generator, n, 3), normal(generator, n), normal(generator, 3)
        yield Case(part, (w, X, y, order, size, uniform(generator, 0.05, 0.3)))


ONE_EPOCH = Item(
    id="one_epoch",
    title="One epoch, reshuffled",
    points=3,
    difficulty=2,
    minutes=12,
    public=_epochs_public,
    hidden=_epochs_hidden,
    # At most eight steps with factors of order 1: another order of the sums moves the end by some 1e-15.
    tolerance=Tolerance(rtol=1e-10, atol=1e-10),
    mutants=(
        Mutant(
            "/ len(batch)",
            "/ size",
            "The last batch may be shorter: its gradient is the mean over the examples that it has.",
        ),
        Mutant(
            "order.split(size)",
            "order[: len(order) // size * size].split(size)",
            "The last batch was left out where it is shorter. An epoch uses every example once.",
        ),
        Mutant(
            "order.split(size)",
            "torch.arange(len(X)).split(size)",
            "The examples were taken in the order of the data: `order` says which comes when.",
        ),
        Mutant(
            "/ len(batch)", "/ len(X)", "A batch's gradient is the mean over its own examples, not over all n."
        ),
        Mutant(" / len(batch)", "", "A batch's gradient is the mean over its examples, not their sum."),
        Mutant(
            "for batch in order.split(size):\n        r = X[batch] @ w - y[batch]",
            "w_0 = w\n    for batch in order.split(size):\n        r = X[batch] @ w_0 - y[batch]",
            "All gradients were taken at the start of the epoch. Each batch sees the w that the last one left.",
        ),
        Mutant("w = w - eta", "w = w + eta", "This goes uphill: subtract the gradient."),
        Mutant(
            "- y[batch]",
            "- y[: len(batch)]",
            "The targets do not belong to the examples: take the same indices of X and of y.",
        ),
        Mutant(
            "w = w - eta",
            "w -= eta",
            "The numbers are right, but w was changed in place (by -=, sub_, ...). Build a new tensor.",
        ),
    ),
)

ITEMS = (BATCH_VARIANCE, WEIGHTED_GRADIENT, ONE_EPOCH)
