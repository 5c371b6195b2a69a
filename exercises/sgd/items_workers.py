"""The items on many workers: how large a batch pays, and what may be left out of a message."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Generator

from coursekit.grading.draws import normal, numbers, uniform
from coursekit.grading.exercise import Case, Item, Mutant, Tolerance


def _norms_public() -> Iterator[Case]:
    yield Case("both are seen", (3.0, 1.5, 4, 16))
    yield Case("both are seen", (10.25, 2.5, 1, 64))
    yield Case("both are seen", (1.1, 1.0, 2, 8))
    yield Case("the gradient drowns", (5.0, 0.25, 2, 32))
    yield Case("no noise is seen", (1.0, 1.25, 4, 16))


def _norms_hidden(generator: Generator) -> Iterator[Case]:
    def case(part: str, grad2: float, sigma2: float, b: int, times: int) -> Case:
        return Case(part, (grad2 + sigma2 / b, grad2 + sigma2 / (times * b), b, times * b))

    for b, times in ((1, 8), (4, 2), (10, 100)):
        yield case("both are seen", uniform(generator, 0.5, 2), uniform(generator, 1, 50), b, times)
    yield case("the gradient drowns", -uniform(generator, 0.01, 0.05), uniform(generator, 5, 20), 2, 16)
    yield case("no noise is seen", uniform(generator, 1, 2), -uniform(generator, 0.1, 0.5), 4, 8)


CRITICAL_BATCH = Item(
    id="critical_batch",
    title="How large a batch is worth its price?",
    points=3,
    difficulty=2,
    minutes=12,
    public=_norms_public,
    hidden=_norms_hidden,
    # Two unknowns from two equations; with 1/b and 1/(2b) cancellation costs one digit of sixteen.
    tolerance=Tolerance(rtol=1e-9),
    mutants=(
        Mutant(
            "return max(sigma2, 0.0) / grad2",
            "return grad2 / max(sigma2, 1e-300)",
            "Upside down: noise over gradient. The noisier the gradients, the larger a batch pays.",
        ),
        Mutant(
            "grad2 = m_1 - sigma2 / b_1",
            "grad2 = m_2",
            "The larger batch still has noise in it: take sigma2/b_2 off its squared norm.",
        ),
        Mutant(
            "(m_1 - m_2) / (1 / b_1 - 1 / b_2)",
            "(m_1 - m_2) / (b_2 - b_1)",
            "The variance falls like 1/b: divide the difference by 1/b_1 - 1/b_2.",
        ),
        Mutant(
            "(m_1 - m_2) / (1 / b_1 - 1 / b_2)",
            "b_1 * m_1",
            "b times the squared norm counts the gradient itself as noise: a second moment is no variance.",
        ),
        Mutant(
            "(m_1 - m_2) / (1 / b_1 - 1 / b_2)",
            "m_1 - m_2",
            "This is a difference of two variances. Which sigma2 makes sigma2/b_1 - sigma2/b_2 of it?",
        ),
        Mutant(
            "if grad2 <= 0:\n        return math.inf\n    ",
            "",
            "Where the estimate of the squared gradient is not positive, no batch is too large: return math.inf.",
        ),
        Mutant(
            "return math.inf",
            "return 0.0",
            "A gradient that drowns in noise asks for the largest batch there is, not for the smallest.",
        ),
        Mutant(
            "max(sigma2, 0.0)",
            "sigma2",
            "An estimate of a variance may come out negative; a batch may not: return 0 then.",
        ),
        Mutant(
            "max(sigma2, 0.0) / grad2",
            "(max(sigma2, 0.0) / grad2) ** 0.5",
            "This is a quotient of lengths. Batches count squares: the variance over b is what averages.",
        ),
    ),
)


def _messages_public() -> Iterator[Case]:
    g = numbers(-1.0, 0.25, 0.5, 3.0, 0.0)
    yield Case("two levels", (g, 1, numbers(0.5, 0.25, 0.75, 0.125, 0.125)))
    yield Case("more levels", (g, 4, numbers(0.5, 0.125, 0.625, 0.25, 0.875)))
    yield Case("more levels", (numbers(2.0, 7.0, 3.0, 4.5), 3, numbers(0.25, 0.5, 0.5, 0.625)))
    yield Case("all entries equal", (numbers(-2.0, -2.0, -2.0), 2, numbers(0.1, 0.5, 0.9)))


def _messages_hidden(generator: Generator) -> Iterator[Case]:
    for part, d, levels in (("two levels", 9, 1), ("more levels", 20, 3), ("more levels", 40, 15)):
        g = normal(generator, d) + uniform(generator, 1, 3)
        yield Case(part, (g, levels, 1 - torch.rand(d, generator=generator, dtype=torch.float64)))
    u = 1 - torch.rand(4, generator=generator, dtype=torch.float64)
    yield Case("all entries equal", (torch.full((4,), uniform(generator, 1, 2), dtype=torch.float64), 5, u))


QUANTIZE = Item(
    id="quantize",
    title="Fewer bits, the same mean",
    points=3,
    difficulty=2,
    minutes=15,
    public=_messages_public,
    hidden=_messages_hidden,
    # Some products in float64. Rounding can move an entry by a whole level only where u lies within 1e-15 of its
    # share; the largest entry, whose share is 0 or almost 1, ends at its own value either way.
    tolerance=Tolerance(rtol=1e-10, atol=1e-10),
    mutants=(
        Mutant(
            "up = u < place - down",
            "up = place - down >= 0.5",
            "This rounds to the nearest level. An entry at 0.2 then always becomes 0: the mean is lost.",
        ),
        Mutant("up = u < place - down", "up = 0", "This always rounds down, so the mean is too small."),
        Mutant(
            "u < place - down",
            "u > place - down",
            "The chances are exchanged: an entry just above a level must rarely go up.",
        ),
        Mutant(
            "u < place - down",
            "u >= 1 - (place - down)",
            "Unbiased too, but with the other end of u: go up where u_i is less than the share.",
        ),
        Mutant(
            "u < place - down",
            "u < 0.5",
            "Up or down by a fair coin. The chance must be the share of the way to the next level.",
        ),
        Mutant(
            "low + width * (down + up)",
            "width * (down + up)",
            "The levels start at the smallest entry, not at 0: add it again.",
        ),
        Mutant(
            "low + width * (down + up)",
            "down + up",
            "These are the numbers of the levels, what is sent. Return what the receiver makes of them.",
        ),
        Mutant(
            "if width == 0:",
            "if width < 0:",
            "Where all entries are equal the width is 0 and 0/0 is NaN: return them as they are.",
        ),
        Mutant(
            "/ levels",
            "/ (levels + 1)",
            "`levels` steps lead from the smallest entry to the largest; there are levels + 1 grid points.",
        ),
    ),
)


def _steps_public() -> Iterator[Case]:
    w, e, g = numbers(1.0, 2.0, -1.0, 0.5), numbers(0.5, -2.0, 0.125, 0.5), numbers(1.0, 0.5, -4.0, 3.0)
    yield Case("nothing left over yet", (w, torch.zeros_like(e), g, 0.5, 1))
    yield Case("with a remainder", (w, e, g, 0.5, 1))
    yield Case("with a remainder", (w, e, g, 0.25, 2))
    yield Case("all is sent", (w, e, g, 0.5, 4))


def _steps_hidden(generator: Generator) -> Iterator[Case]:
    for part, d, k, left in (
        ("nothing left over yet", 6, 2, 0.0),
        ("with a remainder", 5, 1, 1.0),
        ("with a remainder", 30, 7, 1.0),
        ("all is sent", 4, 4, 1.0),
    ):
        w, e, g = normal(generator, 3, d)
        yield Case(part, (w, left * e, g, uniform(generator, 0.2, 0.8), k))


FEEDBACK_STEP = Item(
    id="feedback_step",
    title="Send the largest, remember the rest",
    points=3,
    difficulty=2,
    minutes=15,
    public=_steps_public,
    hidden=_steps_hidden,
    # A product and three sums in float64 of numbers of order 1; what is chosen differs by far more than rounding.
    tolerance=Tolerance(rtol=1e-12, atol=1e-12),
    mutants=(
        Mutant(
            "p = e + eta * g",
            "p = eta * g",
            "The remainder was never used. What was left out before must be added first.",
        ),
        Mutant("p = e + eta * g", "p = eta * (e + g)", "e holds eta already: it is what was left of a step."),
        Mutant("p.abs()", "p", "The largest by sign were chosen. Large and negative is large, too."),
        Mutant(
            "p.abs()",
            "g.abs()",
            "Chosen by the gradient alone. An entry that was left out often has grown in p: choose by p.",
        ),
        Mutant(".topk(k)", ".topk(k, largest=False)", "The smallest entries were sent. Send the largest."),
        Mutant(
            "return w - sent, p - sent",
            "return w - sent, eta * g - sent",
            "The old remainder is lost: the new one is what is left of p, not of eta g.",
        ),
        Mutant("return w - sent, p - sent", "return w - sent, p", "What was sent must leave the remainder."),
        Mutant(
            "return w - sent, p - sent",
            "return w - eta * sent, p - sent",
            "eta was used twice: p holds the step already.",
        ),
        Mutant(
            "return w - sent, p - sent",
            "return w - p, p - sent",
            "This is the full step. Only what was sent reaches w.",
        ),
        Mutant(
            "return w - sent, p - sent",
            "return w - sent * len(p) / k, p - sent",
            "The factor d/k makes k random entries unbiased. The largest ones are sent as they are; "
            "the remainder makes up for the rest.",
        ),
        Mutant("return w - sent, p - sent", "return p - sent, w - sent", "Return (w, e), the new point first."),
        Mutant(
            "p = e + eta * g",
            "e += eta * g\n    p = e",
            "The numbers are right, but e was changed in place (by +=, add_, ...). Build a new tensor.",
        ),
    ),
)

ITEMS = (CRITICAL_BATCH, QUANTIZE, FEEDBACK_STEP)
