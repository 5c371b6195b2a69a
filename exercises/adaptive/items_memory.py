"""The items on what a method remembers: Adam's bad case and its repair, Lion, and the averages of AMGT."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Generator

from coursekit.grading.draws import normal, numbers, uniform
from coursekit.grading.exercise import Case, Item, Mutant, Tolerance


def _online_public() -> Iterator[Case]:
    slopes = [4.0, -1.0, -1.0] * 3
    yield Case("Adam", (slopes, 0.0, 0.5, 1 / 17, False))
    yield Case("Adam", ([1.0, 1.0, 1.0, -2.0], 0.9, 0.75, 0.9, False))
    yield Case("AMSGrad", (slopes, 0.0, 0.5, 1 / 17, True))
    yield Case("AMSGrad", ([0.5, 3.0, -1.0, -1.0, -1.0, -4.0], 0.25, 0.125, 0.8, True))
    yield Case("at the wall", ([-1.0, -3.0, 2.0], 1.0, 0.75, 0.5, False))


def _online_hidden(generator: Generator) -> Iterator[Case]:
    def case(part: str, rounds: int, eta: float, amsgrad: bool) -> Case:
        C = uniform(generator, 3.0, 6.0)
        shift = int(uniform(generator, 0.0, 3.0))
        slopes = ([C, -1.0, -1.0] * (rounds + 1))[shift : shift + 3 * rounds]
        return Case(part, (slopes, uniform(generator, -0.5, 0.5), eta, 1 / (1 + C * C), amsgrad))

    def drawn(part: str, T: int, eta: float, amsgrad: bool) -> Case:
        slopes: list[float] = (normal(generator, T) + 0.5).tolist()
        return Case(part, (slopes, uniform(generator, -0.5, 0.5), eta, uniform(generator, 0.7, 0.95), amsgrad))

    for part, amsgrad in (("Adam", False), ("AMSGrad", True)):
        yield case(part, 20, 0.5, amsgrad)
        yield drawn(part, 20, 0.2, amsgrad)
    C = uniform(generator, 1.0, 3.0)
    yield Case("at the wall", ([C, C / 2, -C, -C / 3, 2 * C, -C], -0.95, 0.6, 0.6, False))


ONLINE = Item(
    id="online",
    title="Where Adam goes wrong",
    points=4,
    difficulty=3,
    minutes=18,
    public=_online_public,
    hidden=_online_hidden,
    # A sum of at most 60 steps of order 0.1, each good to 1e-16, and a projection that enlarges no difference:
    # torch.optim.Adam with its correction undone agrees to 1e-14.
    tolerance=Tolerance(rtol=1e-10, atol=1e-11),
    mutants=(
        Mutant(
            "max(v_max, v) if amsgrad else v",
            "v",
            "This is Adam in every case. With amsgrad, divide by the root of the largest v so far.",
        ),
        Mutant(
            "max(v_max, v) if amsgrad else v",
            "max(v_max, v)",
            "This is AMSGrad in every case. Adam divides by the root of the present v.",
        ),
        Mutant(
            "v_max = max(v_max, v) if amsgrad else v",
            "v = v_max = max(v_max, v) if amsgrad else v",
            "The maximum was fed back into the average. Keep two numbers: the average, and the largest so far.",
        ),
        Mutant("eta / math.sqrt(t)", "eta", "The step size is eta/sqrt(t): here it never falls."),
        Mutant("eta / math.sqrt(t)", "eta / t", "The step size falls as 1/t here; it should fall as 1/sqrt(t)."),
        Mutant("start=1", "start=0", "Steps are counted from t = 1: eta/sqrt(0) is no step size."),
        Mutant(
            "w = min(max(w, -1.0), 1.0)", "w = float(w)", "The points leave [-1, 1]: project each of them back."
        ),
        Mutant(
            "w = min(max(w, -1.0), 1.0)\n        points.append(w)",
            "points.append(min(max(w, -1.0), 1.0))",
            "Only what is returned was projected. The next step has to start from the projected point.",
        ),
        Mutant(
            "beta2 * v + (1 - beta2) * c * c",
            "beta2 * v + c * c",
            "v is a sum here. An average gives the new square the weight 1 - beta2.",
        ),
        Mutant(
            "* c / math.sqrt(v_max)",
            "* c / math.sqrt(v_max / (1 - beta2**t))",
            "This has Adam's bias correction. The counterexample is stated without it.",
        ),
        Mutant("return points", "return points[1:]", "The start is missing: return all T + 1 points."),
        Mutant("return points", "return points[:-1]", "The last point is missing: return all T + 1 points."),
    ),
)


def _lion_public() -> Iterator[Case]:
    w = numbers(1.0, 2.0, -1.0)
    yield Case("first step, m = 0", (w, 0 * w, numbers(0.5, -4.0, 2.0), 0.125, 0.9, 0.99, 0.0))
    yield Case("later steps", (w, numbers(1.0, -0.25, 0.5), numbers(-20.0, 0.5, -1.0), 0.25, 0.9, 0.99, 0.0))
    yield Case("with decay", (w, numbers(0.25, 0.5, -1.0), numbers(4.0, -3.0, 0.5), 0.25, 0.5, 0.75, 0.5))
    yield Case("with decay", (10 * w, numbers(-0.5, 1.0, 2.0), numbers(1.0, -30.0, 3.0), 0.5, 0.9, 0.99, 0.5))
    yield Case("an exact zero", (w, numbers(0.0, 1.0, 0.0), numbers(0.0, -1.0, 2.0), 0.25, 0.5, 0.75, 0.25))


def _lion_hidden(generator: Generator) -> Iterator[Case]:
    def case(part: str, shape: tuple[int, ...], past: float, wd: float) -> Case:
        w, m, g = (normal(generator, *shape) for _ in range(3))
        beta1, beta2 = uniform(generator, 0.85, 0.92), uniform(generator, 0.97, 0.995)
        # With gradients some twenty times the average, the two betas often give two signs.
        return Case(part, (w, past * m, 20 * g, uniform(generator, 0.05, 0.5), beta1, beta2, wd))

    yield case("first step, m = 0", (6,), 0.0, 0.0)
    yield case("later steps", (40,), 1.0, 0.0)
    yield case("later steps", (4, 10), 1.0, 0.0)
    yield case("with decay", (40,), 1.0, uniform(generator, 0.2, 2.0))
    w, m, g, *rest = case("", (10,), 1.0, 0.5).arguments
    m[:3] = g[:3] = 0.0
    yield Case("an exact zero", (w, m, g, *rest))


LION_STEP = Item(
    id="lion_step",
    title="One step of Lion",
    points=2,
    difficulty=1,
    minutes=8,
    public=_lion_public,
    hidden=_lion_hidden,
    # Signs of numbers that are not near zero, or are zero exactly; then products and sums good to 1e-16.
    tolerance=Tolerance(rtol=1e-12, atol=1e-12),
    mutants=(
        Mutant(
            "c = beta1 * m + (1 - beta1) * g",
            "c = beta2 * m + (1 - beta2) * g",
            "The direction is the sign of a mixture by beta1; beta2 is for the memory m.",
        ),
        Mutant(
            "beta2 * m + (1 - beta2) * g",
            "c",
            "The mixture by beta1 was stored. The memory m is renewed with beta2.",
        ),
        Mutant(
            "c = beta1 * m + (1 - beta1) * g",
            "c = g",
            "This is sign descent: the direction has to mix in the memory m.",
        ),
        Mutant(
            "c = beta1 * m + (1 - beta1) * g",
            "c = m",
            "The direction is that of the memory alone: mix in the new gradient.",
        ),
        Mutant("c.sign()", "c", "Without the sign this is momentum: in Lion all coordinates move equally far."),
        Mutant(
            "c.sign()",
            "torch.where(c >= 0, 1.0, -1.0)",
            "Zero has no direction: where the mixture is exactly 0, its sign is 0.",
        ),
        Mutant("(c.sign() + wd * w)", "c.sign()", "The weight decay is missing."),
        Mutant(
            "(c.sign() + wd * w)",
            "(c + wd * w).sign()",
            "The decay went through the sign and lost its size. Lion adds it beside the sign.",
        ),
        Mutant(
            "w - eta * (c.sign() + wd * w)",
            "w - eta * c.sign() - wd * w",
            "The decay is multiplied by eta as well.",
        ),
        Mutant("w - eta", "w + eta", "The step goes uphill: subtract it."),
        Mutant(
            "w = w - eta * (c.sign() + wd * w)",
            "w -= eta * (c.sign() + wd * w)",
            "The numbers are right, but w was changed in place (by -= or sub_). Build a new tensor.",
        ),
    ),
)


def constants(generator: Generator) -> dict[str, str]:
    """The cohort's window, shorter than the runs below."""
    return {"W": str(int(uniform(generator, 3, 7)))}


def _amgt_public() -> Iterator[Case]:
    same = numbers(2.0, -1.0).expand(5, 2).contiguous()
    first = ([1.0, 2.0], [3.0, -1.0], [-2.0, 0.5], [0.5, 1.5])
    varied = numbers(*first, [4.0, 0.0], [1.0, -3.0], [0.0, 2.5], [-1.0, 1.0])
    yield Case("a constant gradient", (same, 0.9, 1.0))
    yield Case("one gradient", (varied[:1], 0.75, 2.0))
    yield Case("gradients that vary", (varied, 0.9, 0.5))
    yield Case("gradients that vary", (varied[:, :1], 0.5, 2.0))
    yield Case("no forgetting", (varied, 0.9, 0.0))


def _amgt_hidden(generator: Generator) -> Iterator[Case]:
    def case(part: str, T: int, d: int, gamma: float) -> Case:
        g = normal(generator, T, d) + normal(generator, d)
        return Case(part, (g, uniform(generator, 0.7, 0.95), gamma))

    constant = normal(generator, 3).expand(12, 3).contiguous()
    yield Case("a constant gradient", (constant, uniform(generator, 0.7, 0.95), 1.0))
    yield case("one gradient", 1, 4, 1.0)
    for T, d in ((8, 3), (30, 5), (12, 1)):
        yield case("gradients that vary", T, d, uniform(generator, 0.2, 2.0))
    yield case("no forgetting", 10, 2, 0.0)


AMGT_AVERAGES = Item(
    id="amgt_averages",
    title="An average that knows when to forget",
    points=4,
    difficulty=3,
    minutes=20,
    public=_amgt_public,
    hidden=_amgt_hidden,
    # Averages of at most 30 gradients of order 1. The explicit weights, and a variance as mean of squares less
    # square of mean, differ by 1e-14; the nearest mutant by 1e-3.
    tolerance=Tolerance(rtol=1e-9, atol=1e-11),
    mutants=(
        Mutant(
            "q = keep * q + 1 - keep",
            "q = 1 - beta ** (t + 1)",
            "Right while the gradients do not vary. 1 - beta^t is the collected weight if every factor is beta.",
        ),
        Mutant(
            "q = keep * q + 1 - keep",
            "q = 1 - keep ** (t + 1)",
            "The factor changes from step to step, so no power of the last one is the collected weight.",
        ),
        Mutant("m / q", "m", "m starts at zero and is too small at first: divide by the weight it has collected."),
        Mutant(
            "recent.var(dim=0, correction=0)",
            "((recent - recent.mean(0)).square().sum(0) / (len(recent) - 1))",
            "The variance of one gradient came out as NaN: this one divides by n - 1. Here it is the mean square.",
        ),
        Mutant(
            "recent.var(dim=0, correction=0).mean()",
            "recent.var(dim=0, correction=0).sum()",
            "The variances were added over the coordinates. The item takes their mean.",
        ),
        Mutant(
            "recent.var(dim=0, correction=0).mean()",
            "recent.var(dim=0, correction=0)",
            "Each coordinate has its own factor here. The item takes the mean variance, and one factor for all.",
        ),
        Mutant(
            "recent.var(dim=0, correction=0).mean()",
            "recent.var(correction=0)",
            "The coordinates were thrown together. Take the variance over time, coordinate by coordinate, "
            "then the mean.",
        ),
        Mutant(
            "recent.var(dim=0, correction=0)",
            "recent.std(dim=0, correction=0)",
            "This is the standard deviation. The factor contains the variance.",
        ),
        Mutant(
            "m = keep * m + (1 - keep) * g[t]",
            "m = beta * m + (1 - beta) * lam * g[t]",
            "The factor shrinks the new gradient here. In this reading it shortens the memory: beta becomes "
            "beta lambda, in both places.",
        ),
        Mutant(
            "m = keep * m + (1 - keep) * g[t]",
            "m = keep * m + (1 - beta) * g[t]",
            "The weights of an average add up to 1: if beta lambda of the old is kept, the rest goes to the new.",
        ),
        Mutant(
            "g[max(0, t + 1 - {{W}}) : t + 1]",
            "g[max(0, t - {{W}}) : t + 1]",
            "The window is one gradient too long: the present one counts among the {{W}}.",
        ),
        Mutant(
            "g[max(0, t + 1 - {{W}}) : t + 1]",
            "g[: t + 1]",
            "The variance is taken over the whole past. Only the last {{W}} gradients count.",
        ),
        Mutant(
            "torch.stack(averages)",
            "averages[-1]",
            "This is the last average. Return them all, a row for each.",
        ),
    ),
)

ITEMS = (ONLINE, LION_STEP, AMGT_AVERAGES)
