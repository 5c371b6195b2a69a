"""The items on AdaGrad, Adam and AdamW: what is remembered, what is divided by what, and what decays."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Generator

from coursekit.grading.draws import normal, numbers, uniform
from coursekit.grading.exercise import Case, Item, Mutant, Tolerance


def _adagrad_public() -> Iterator[Case]:
    yield Case("first step, s = 0", (numbers(1.0, 2.0), numbers(0.0, 0.0), numbers(0.5, -4.0), 0.1, 1e-8))
    yield Case("later steps", (numbers(1.0, 2.0), numbers(9.0, 0.25), numbers(4.0, -1.0), 0.5, 1e-8))
    yield Case("tiny gradients", (numbers(1.0, 2.0), numbers(0.0, 1e-12), numbers(1e-6, -1e-6), 0.1, 1e-6))
    yield Case("a coordinate at rest", (numbers(3.0, 1.0), numbers(0.0, 4.0), numbers(0.0, 1.5), 0.2, 1e-10))


def _adagrad_hidden(generator: Generator) -> Iterator[Case]:
    def case(part: str, shape: tuple[int, ...], past: float, scale: float, eps: float) -> Case:
        w, s, g = (normal(generator, *shape) for _ in range(3))
        return Case(part, (w, past * s * s, scale * g, uniform(generator, 0.05, 0.9), eps))

    yield case("first step, s = 0", (3,), 0.0, 1.0, 1e-8)
    for shape in ((1,), (20,), (3, 4)):
        yield case("later steps", shape, 5.0, 1.0, 1e-8)
    for scale in (1e-3, 1e-5):
        yield case("tiny gradients", (6,), scale**2, scale, scale)
    w, s, g, eta, eps = case("", (5,), 2.0, 1.0, 1e-10).arguments
    s[1] = g[1] = g[2] = 0.0
    yield Case("a coordinate at rest", (w, s, g, eta, eps))


ADAGRAD_STEP = Item(
    id="adagrad_step",
    title="One step of AdaGrad",
    points=2,
    difficulty=1,
    minutes=8,
    public=_adagrad_public,
    hidden=_adagrad_hidden,
    # One root, one quotient and a few products in float64 on numbers of order 1: g/(sqrt(s) + eps) and
    # g * (sqrt(s) + eps)**-1 differ by 2e-16. The smallest effect of a mutant, of where eps stands, is 1e-2.
    tolerance=Tolerance(rtol=1e-12, atol=1e-12),
    mutants=(
        Mutant("s = s + g * g", "s = s + g", "s has to sum the squares of the gradients, not the gradients."),
        Mutant(
            "s = s + g * g",
            "s = s + (g * g).sum()",
            "All coordinates share one number here: that is AdaGrad-Norm. "
            "The diagonal version keeps a sum for each coordinate.",
        ),
        Mutant(
            "s = s + g * g",
            "s = g * g",
            "Right in the first step only: the past was thrown away, and what is left is a sign step.",
        ),
        Mutant(
            "s = s + g * g\n    return w - eta * g / (s.sqrt() + eps), s",
            "new = s + g * g\n    return w - eta * g / (s.sqrt() + eps), new",
            "The step was made with the old sum. The present gradient belongs to it: renew s first.",
        ),
        Mutant("(s.sqrt() + eps)", "(s + eps)", "The step is divided by the root of s, not by s."),
        Mutant(
            "(s.sqrt() + eps)",
            "(s + eps).sqrt()",
            "It differs where gradients are tiny: eps stands outside the root here.",
        ),
        Mutant("w - eta * g", "w + eta * g", "The step goes uphill: subtract it."),
        Mutant(
            "+ eps), s",
            "+ eps), s.sqrt()",
            "The point is right. Hand on s itself: the next step adds to the sum, not to its root.",
        ),
        Mutant("+ eps), s", "+ eps)", "Return both, the new point and the new sum."),
        Mutant(
            "s = s + g * g",
            "s += g * g",
            "The numbers are right, but s was changed in place (by += or add_). Build a new tensor.",
        ),
    ),
)


def _adam_public() -> Iterator[Case]:
    w, m, v, g = numbers(1.0, 2.0), numbers(0.3, -0.2), numbers(0.09, 0.36), numbers(0.5, -4.0)
    yield Case("t = 1", (w, 0 * m, 0 * v, g, 1, 0.1, 0.9, 0.99, 1e-8))
    yield Case("t = 2", (w, m, v, g, 2, 0.1, 0.9, 0.99, 1e-8))
    yield Case("later", (w, m, v, -g, 40, 0.01, 0.8, 0.95, 1e-8))
    yield Case("tiny gradients", (w, 0 * m, 0 * v, 1e-6 * g, 1, 0.1, 0.9, 0.999, 1e-6))


def _adam_hidden(generator: Generator) -> Iterator[Case]:
    def case(part: str, shape: tuple[int, ...], t: int, scale: float = 1.0, eps: float = 1e-8) -> Case:
        w, m, v, g = (normal(generator, *shape) for _ in range(4))
        past = 0.0 if t == 1 else scale
        beta1, beta2 = uniform(generator, 0.7, 0.95), uniform(generator, 0.96, 0.999)
        eta = uniform(generator, 0.05, 0.5)
        return Case(part, (w, 0.3 * past * m, 0.2 * past**2 * v * v, scale * g, t, eta, beta1, beta2, eps))

    yield case("t = 1", (4,), 1)
    yield case("t = 1", (2, 3), 1)
    yield case("t = 2", (5,), 2)
    yield case("later", (3,), 7)
    yield case("later", (30,), 50)
    yield case("tiny gradients", (4,), 1, 1e-6, 1e-6)
    yield case("tiny gradients", (4,), 3, 1e-4, 1e-4)


ADAM_STEP = Item(
    id="adam_step",
    title="One step of Adam",
    points=3,
    difficulty=2,
    minutes=12,
    public=_adam_public,
    hidden=_adam_hidden,
    # At most ten operations in float64. 1 - beta2**t loses up to three digits at t = 1, but the same ones in every
    # program; torch.optim.Adam, which orders them otherwise, differs by 1e-15. Where eps stands matters by 1e-2.
    tolerance=Tolerance(rtol=1e-11, atol=1e-12),
    mutants=(
        Mutant(
            "m_hat = m / (1 - beta1**t)\n    v_hat = v / (1 - beta2**t)",
            "m_hat, v_hat = m, v",
            "Both averages start at zero and are too small at first: the bias correction is missing.",
        ),
        Mutant(
            "v / (1 - beta2**t)",
            "v",
            "m is corrected for its start at zero, v is not: it needs its own.",
        ),
        Mutant(
            "m / (1 - beta1**t)",
            "m",
            "v is corrected for its start at zero, m is not: it needs its own.",
        ),
        Mutant(
            "m_hat = m / (1 - beta1**t)\n    v_hat = v / (1 - beta2**t)",
            "m_hat = m / (1 - beta1)\n    v_hat = v / (1 - beta2)",
            "Matches at t = 1, not at t = 2: the bias correction has to fade as t grows.",
        ),
        Mutant(
            "m_hat = m / (1 - beta1**t)\n    v_hat = v / (1 - beta2**t)",
            "m_hat = m / (1 - beta1 ** (t - 1))\n    v_hat = v / (1 - beta2 ** (t - 1))",
            "The exponent of the bias correction is one too small: after step t the averages hold t gradients. "
            "At t = 1 this divides by zero.",
        ),
        Mutant(
            "(v_hat.sqrt() + eps)",
            "(v_hat + eps).sqrt()",
            "It differs where gradients are tiny: eps stands outside the root here.",
        ),
        Mutant(
            "+ eps), m, v",
            "+ eps), m_hat, v_hat",
            "The point is right. Hand on the averages without their correction, or it is applied twice.",
        ),
        Mutant(
            "m = beta1 * m + (1 - beta1) * g",
            "m = beta1 * m + g",
            "m is a sum here. An average gives the new gradient the weight 1 - beta1.",
        ),
        Mutant("(1 - beta2) * g * g", "(1 - beta2) * g", "v averages the squares of the gradients."),
        Mutant(
            "(1 - beta2) * g * g",
            "(1 - beta2) * (g * g).sum()",
            "All coordinates share one v here. Each needs its own: that is what makes Adam adaptive.",
        ),
        Mutant(
            "m = beta1 * m + (1 - beta1) * g\n    v = beta2 * v + (1 - beta2) * g * g",
            "m = beta2 * m + (1 - beta2) * g\n    v = beta1 * v + (1 - beta1) * g * g",
            "beta1 and beta2 have changed places: beta1 is for m.",
        ),
        Mutant(
            "m = beta1 * m + (1 - beta1) * g",
            "m *= beta1\n    m += (1 - beta1) * g",
            "The numbers are right, but m was changed in place (by *=, +=, lerp_, ...). Build a new tensor.",
        ),
    ),
)


def _decays_public() -> Iterator[Case]:
    w, g = numbers(1.0, -2.0, 0.5), numbers(0.5, 3.0, -0.25)
    yield Case("small weights", (w, g, 0.1, 0.25, 0.125))
    yield Case("large weights", (100 * w, g, 0.1, 1e-8, 0.0625))
    yield Case("no gradient", (numbers(4.0, -1.0), numbers(0.0, 0.0), 0.25, 0.5, 0.5))
    yield Case("no decay", (w, g, 0.1, 1e-8, 0.0))


def _decays_hidden(generator: Generator) -> Iterator[Case]:
    def case(part: str, size: float, slope: float, eps: float, wd: float) -> Case:
        w, g = normal(generator, 2, 6)
        return Case(part, (size * w, slope * g, uniform(generator, 0.05, 0.5), eps, wd))

    for eps in (0.1, 0.3):
        yield case("small weights", 1.0, 1.0, eps, uniform(generator, 0.1, 0.5))
    yield case("large weights", 100.0, 1.0, 1e-8, uniform(generator, 0.05, 0.2))
    yield case("no gradient", 1.0, 0.0, 0.2, uniform(generator, 0.1, 0.5))
    yield case("no decay", 1.0, 1.0, 1e-8, 0.0)


FIRST_STEPS = Item(
    id="first_steps",
    title="Two kinds of weight decay",
    points=3,
    difficulty=2,
    minutes=12,
    public=_decays_public,
    hidden=_decays_hidden,
    # A quotient and a few products: torch.optim's Adam and AdamW differ by 1e-14 of weights of order 100.
    tolerance=Tolerance(rtol=1e-11, atol=1e-12),
    mutants=(
        Mutant(
            "return coupled, decoupled",
            "return decoupled, coupled",
            "The two have changed places: the penalty comes first.",
        ),
        Mutant(
            "(penalized.abs() + eps)",
            "(g.abs() + eps)",
            "The denominator forgot the penalty: Adam squares whatever gradient it is handed, penalty included.",
        ),
        Mutant(
            "penalized = g + wd * w",
            "penalized = g + 2 * wd * w",
            "The gradient of wd/2 |w|^2 is wd w, without the 2.",
        ),
        Mutant("penalized = g + wd * w", "penalized = g - wd * w", "This penalty makes weights grow."),
        Mutant(
            "w - eta * (g / (g.abs() + eps) + wd * w)",
            "w - eta * g / (g.abs() + eps) - wd * w",
            "The decay of AdamW is multiplied by eta as well; so a schedule fades both.",
        ),
        Mutant(
            "w - eta * (g / (g.abs() + eps) + wd * w)",
            "(1 - eta * wd) * (w - eta * g / (g.abs() + eps))",
            "AdamW shrinks the old point, w. Here the point after the step was shrunk.",
        ),
        Mutant(
            "w - eta * (g / (g.abs() + eps) + wd * w)",
            "w - eta * (penalized / (penalized.abs() + eps) + wd * w)",
            "The second point decays twice: AdamW leaves the gradient as it is.",
        ),
        Mutant(
            "penalized / (penalized.abs() + eps)",
            "(g / (g.abs() + eps) + wd * w)",
            "Both are AdamW's step. A penalty goes through the gradient, and with it through the division.",
        ),
        Mutant(
            "w - eta * (g / (g.abs() + eps) + wd * w)",
            "coupled",
            "Both are the step with the penalty. AdamW adds the decay beside the division, not inside.",
        ),
    ),
)

ITEMS = (ADAGRAD_STEP, ADAM_STEP, FIRST_STEPS)
