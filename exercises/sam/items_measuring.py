"""The items on measuring sharpness: Lanczos, the trace from random signs, and what rescaling does to both."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from coursekit.grading.draws import normal, numbers, symmetric, uniform
from coursekit.grading.exercise import Calls, Case, Item, Mutant, Objective, Tolerance

BOWL = Objective("Quadratic", {"eigenvalues": numbers(1.0, 3.0, 10.0, -2.0, 0.5)})
LOGISTIC = Objective(
    "LogisticRegression",
    {
        "X": numbers([1.0, 2.0, 0.0], [0.0, -1.0, 1.0], [3.0, 1.0, -1.0], [1.0, 1.0, 1.0]),
        "y": numbers(1.0, -1.0, -1.0, 1.0),
        "ridge": 0.1,
    },
)


def constants(generator: Generator) -> dict[str, str]:
    """The cohort's level of confidence, in percent, and its two-sided quantile of the normal distribution."""
    level, z = (("90", "1.645"), ("95", "1.960"), ("99", "2.576"))[int(uniform(generator, 0, 3))]
    return {"level": level, "z": z}


def _wave(w: Tensor, A: Tensor) -> Tensor:
    """A function whose Hessian has both signs and changes from place to place."""
    return torch.cos(A @ w).sum() + (w**4).sum() / 10


def _wavy(generator: Generator, d: int) -> Objective:
    return Objective(_wave, {"A": normal(generator, 2 * d, d)}, dim=d)


def _starts_public() -> Iterator[Case]:
    start = numbers(1.0, 1.0, 2.0, 1.0, -1.0)
    yield Case("two products", (BOWL, torch.zeros(5, dtype=torch.float64), start, 2))
    yield Case("more products", (BOWL, torch.ones(5, dtype=torch.float64), start, 4))
    yield Case("more products", (LOGISTIC, numbers(0.5, -1.0, 0.0), numbers(0.0, 2.0, 1.0), 3))


def _starts_hidden(generator: Generator) -> Iterator[Case]:
    def case(part: str, d: int, m: int) -> Case:
        return Case(part, (_wavy(generator, d), normal(generator, d), 3 * normal(generator, d), m))

    yield case("two products", 6, 2)
    yield case("more products", 8, 4)
    yield case("more products", 15, 6)


LANCZOS = Item(
    id="lanczos",
    title="The Hessian in a few products",
    points=5,
    difficulty=3,
    minutes=25,
    public=_starts_public,
    hidden=_starts_hidden,
    # In so few steps no eigenvalue has converged and the vectors stay orthogonal to 1e-13, with and without
    # orthogonalizing them again; the two ways differ by at most 1e-12, the mutants by more than 1e-3.
    tolerance=Tolerance(rtol=1e-8, atol=1e-9),
    budget=Calls(),
    mutants=(
        Mutant(
            "q = v / v.norm()",
            "q = v",
            "The first vector must have length 1: scale v before the first product.",
        ),
        Mutant(
            "u = f.hvp(w, q) - b * before",
            "u = f.hvp(w, q)",
            "Two products agree, the third does not: is the part along the vector before the last one left in u?",
        ),
        Mutant(
            "u = u - a * q",
            "u = u / 1",
            "What is left after the product must lose its part along q, a times q, before it is measured.",
        ),
        Mutant(
            "before, q = q, u / b",
            "before, q = q, u",
            "The new vector must have length 1: divide what is left by its length.",
        ),
        Mutant("b = u.norm()", "b = u @ u", "This is the square of the length. beta is the length itself."),
        Mutant(
            "a = q @ u",
            "a = u.norm()",
            "alpha is the curvature along q, q^T H q: it can be negative, and is not the length of H q.",
        ),
        Mutant(
            "torch.stack(beta[:-1])",
            "torch.stack(beta)",
            "One beta too many: m diagonal entries have m - 1 neighbors.",
        ),
        Mutant(
            "return torch.stack(alpha), torch.stack(beta[:-1])",
            "T = torch.diag(torch.stack(alpha))\n"
            "    off = torch.diag(torch.stack(beta[:-1]), 1)\n    return T + off + off.T",
            "This is the matrix T. Return the pair (alpha, beta) of its diagonals.",
        ),
        Mutant(
            "a = q @ u",
            "a = q @ f.hvp(w, q)",
            "The numbers are right, but every product was computed twice. Products are what this costs: keep H q.",
        ),
    ),
)

SIGNS = numbers([1.0, 1.0, -1.0], [1.0, -1.0, -1.0], [-1.0, 1.0, -1.0], [1.0, 1.0, 1.0])


def _probes_public() -> Iterator[Case]:
    w = numbers(0.5, -1.0, 0.0)
    yield Case("the estimate and its margin", (LOGISTIC, w, SIGNS))
    yield Case("the estimate and its margin", (LOGISTIC, 3 * w, SIGNS[1:]))
    yield Case("a diagonal Hessian", (Objective("Quadratic", {"eigenvalues": numbers(1.0, -3.0, 7.0)}), w, SIGNS))


def _probes_hidden(generator: Generator) -> Iterator[Case]:
    def signs(k: int, d: int) -> Tensor:
        return normal(generator, k, d).sign()

    for k, d in ((2, 4), (9, 6)):
        yield Case("the estimate and its margin", (_wavy(generator, d), normal(generator, d), _mixed(signs(k, d))))
    flat = Objective("Quadratic", {"eigenvalues": normal(generator, 5)})
    yield Case("a diagonal Hessian", (flat, normal(generator, 5), signs(3, 5)))


def _mixed(Z: Tensor) -> Tensor:
    """The probes with the first made different from the second, up to its sign, so that there is a spread."""
    Z[0] = Z[1] * torch.tensor([-1.0] + [1.0] * (Z.shape[1] - 1), dtype=Z.dtype)
    return Z


TRACE_INTERVAL = Item(
    id="trace_interval",
    title="The trace, with a margin",
    points=3,
    difficulty=2,
    minutes=12,
    public=_probes_public,
    hidden=_probes_hidden,
    # Sums of a few products of order 1 to 100. The margin of equal samples is 0 but for rounding errors of 1e-14.
    tolerance=Tolerance(rtol=1e-9, atol=1e-9),
    budget=Calls(),
    mutants=(
        Mutant(
            "/ len(Z) ** 0.5",
            "",
            "This is the spread of a single sample. The mean of k of them spreads by the root of k less.",
        ),
        Mutant(
            "samples.std()",
            "samples.std(correction=0)",
            "The spread was divided by k. The mean was estimated from the same k samples: divide by k - 1.",
        ),
        Mutant("samples.std()", "samples.var()", "This is a variance. The margin is in the units of the trace."),
        Mutant(
            "{{z}} * samples",
            "samples",
            "This is the standard error. The margin of a {{level}} % interval is {{z}} times it.",
        ),
        Mutant(
            "z @ f.hvp(w, z)",
            "z @ f.hvp(w, z) / len(z)",
            "Divided by the dimension this is the mean eigenvalue. The trace is their sum.",
        ),
        Mutant(
            "z @ f.hvp(w, z)",
            "f.hvp(w, z).norm()",
            "The length of H z says nothing of the trace: take z^T H z.",
        ),
        Mutant(
            "samples = torch.stack([z @ f.hvp(w, z) for z in Z])",
            "samples = torch.stack([e @ f.hvp(w, e) for e in torch.eye(len(w), dtype=w.dtype)]) * len(w)",
            "The products were taken along the coordinates, not along the probes. In a million dimensions "
            "nobody can do that.",
        ),
        Mutant(
            "return samples.mean(), {{z}} * samples.std() / len(Z) ** 0.5",
            "m, r = samples.mean(), {{z}} * samples.std() / len(Z) ** 0.5\n    return m - r, m + r",
            "These are the ends of the interval. Return the estimate and the margin.",
        ),
        Mutant(
            "return samples.mean(), {{z}} * samples.std() / len(Z) ** 0.5",
            "return (sum(z @ f.hvp(w, z) for z in Z) / len(Z), {{z}} * samples.std() / len(Z) ** 0.5)",
            "The numbers are right, but every product was asked for twice. Keep the samples.",
        ),
    ),
)


def _layers_public() -> Iterator[Case]:
    H = numbers([4.0, 1.0, 2.0], [1.0, 3.0, 0.0], [2.0, 0.0, 5.0])
    yield Case("one layer up, one down", (H, 2, 1.0))
    yield Case("one layer up, one down", (H, 2, 2.0))
    yield Case("one layer up, one down", (H, 1, 0.5))
    yield Case("negative curvature", (-10 * H + torch.eye(3, dtype=H.dtype), 2, 3.0))


def _layers_hidden(generator: Generator) -> Iterator[Case]:
    for part, d, n, c in (
        ("one layer up, one down", 4, 1, uniform(generator, 2, 5)),
        ("one layer up, one down", 7, 5, uniform(generator, 0.1, 0.5)),
    ):
        yield Case(part, (symmetric(generator, 1 + normal(generator, d).abs()), n, c))
    lam = torch.cat([-5 - normal(generator, 2).abs(), normal(generator, 3)])
    yield Case("negative curvature", (symmetric(generator, lam), 2, uniform(generator, 1.5, 3)))


RESCALED = Item(
    id="rescaled_sharpness",
    title="As sharp as you like",
    points=4,
    difficulty=3,
    minutes=20,
    public=_layers_public,
    hidden=_layers_hidden,
    # Eigenvalues are right to 1e-16 of the largest in size; the scaling spreads these by c^4 at most, some 1e4.
    tolerance=Tolerance(rtol=1e-9, atol=1e-10),
    mutants=(
        Mutant(
            "D[:n], D[n:] = 1 / c, c",
            "D[:n], D[n:] = c, 1 / c",
            "The wrong way round: where weights are c times larger, the loss changes c times more slowly.",
        ),
        Mutant(
            "D[:, None] * H * D",
            "H",
            "This is the sharpness at the old point. The function is the same, its curvature is not.",
        ),
        Mutant(
            "D[:, None] * H * D",
            "D[:, None] * H",
            "A second derivative scales twice, once for each of its coordinates: from the left and the right.",
        ),
        Mutant(
            "D[:, None] * H * D",
            "torch.block_diag(H[:n, :n] / c**2, H[n:, n:] * c**2)",
            "The mixed derivatives between the layers were dropped. They stay as they are: 1/c times c.",
        ),
        Mutant(
            "D[:n], D[n:] = 1 / c, c",
            "D[:-n], D[-n:] = 1 / c, c",
            "The layers were exchanged: the first n coordinates belong to the first layer.",
        ),
        Mutant(
            "D[:n], D[n:] = 1 / c, c",
            "D[:n], D[n:] = 1 / c**2, c**2",
            "One c too many: a first derivative scales by 1/c, so a second one by 1/c squared.",
        ),
        Mutant(
            "torch.linalg.eigvalsh(H)[-1]",
            "torch.linalg.eigvalsh(H).abs().max()",
            "This is the largest absolute eigenvalue. Sharpness asks for the largest one, with its sign.",
        ),
        Mutant(
            "torch.linalg.eigvalsh(H)[-1]",
            "torch.linalg.eigvalsh(H)[0]",
            "This is the smallest eigenvalue: eigvalsh sorts upwards.",
        ),
        Mutant(
            "torch.linalg.eigvalsh(H)[-1], H.trace()",
            "H.trace(), torch.linalg.eigvalsh(H)[-1]",
            "The two have changed places: first the largest eigenvalue, then the trace.",
        ),
    ),
)

ITEMS = (LANCZOS, TRACE_INTERVAL, RESCALED)
