"""The items on saddles and landscapes: the way down, the time it takes, and what a network can reach."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from coursekit.grading.draws import normal, numbers, symmetric, uniform
from coursekit.grading.exercise import Case, Item, Mutant, Tolerance


def _spectrum(generator: Generator, *ends: float) -> Tensor:
    """Numbers near ``ends``, moved by less than 0.2: those of a distance of 1 stay 0.6 apart."""
    return numbers(*ends) + 0.4 * torch.rand(len(ends), generator=generator, dtype=torch.float64) - 0.2


def _points_public() -> Iterator[Case]:
    bowl = numbers([2.0, 0.5], [0.5, 1.0])
    saddle = numbers([1.0, 2.0], [2.0, -1.0])
    steep = numbers([4.0, 1.0, 0.0], [1.0, -2.0, 0.5], [0.0, 0.5, 1.0])
    yield Case("a strict saddle", (saddle, numbers(0.1, 0.3)))
    yield Case("a strict saddle", (saddle, numbers(0.1, -0.3)))
    yield Case("a strict saddle", (steep, numbers(-0.2, 0.1, 0.4)))
    yield Case("all curvatures negative", (-bowl, numbers(1.0, 1.0)))
    yield Case("no negative curvature", (bowl, numbers(0.3, -0.2)))


def _points_hidden(generator: Generator) -> Iterator[Case]:
    def case(part: str, *spectrum: float) -> Case:
        """The gradient has a component of 0.3 to 1 along the wanted direction, of either sign."""
        H = symmetric(generator, _spectrum(generator, *spectrum))
        u = torch.linalg.eigh(H)[1][:, 0]
        g = normal(generator, len(u))
        along = uniform(generator, 0.3, 1.0) * (1 if uniform(generator, -1.0, 1.0) > 0 else -1)
        return Case(part, (H, g + (along - g @ u) * u))

    for spectrum in ((-1.0, 2.0), (-2.0, 0.5, 3.0, 5.0), (-1.0, 0.0, 1.0, 2.0, 4.0), (-0.5, 0.5, 8.0)):
        yield case("a strict saddle", *spectrum)
    yield case("all curvatures negative", -4.0, -2.0, -1.0)
    yield case("no negative curvature", 0.5, 1.5, 2.5)


ESCAPE_DIRECTION = Item(
    id="escape_direction",
    title="The way down from a saddle",
    points=3,
    difficulty=2,
    minutes=12,
    public=_points_public,
    hidden=_points_hidden,
    # The lowest eigenvalue is 0.6 or more away from the next, so a backward error of 1e-15 |H| turns its
    # eigenvector by 1e-14: numpy's general eigensolver agrees to that.
    tolerance=Tolerance(rtol=1e-9, atol=1e-10),
    mutants=(
        Mutant(
            "    elif g @ u > 0:\n        u = -u\n",
            "",
            "An eigenvector has two signs, and eigh returns either. Choose the one along which f falls at first.",
        ),
        Mutant("g @ u > 0", "g @ u < 0", "The direction points uphill: f should fall along it at first."),
        Mutant(
            "Q[:, 0]", "Q[0]", "This is a row of the matrix that eigh returns. The eigenvectors are its columns."
        ),
        Mutant(
            "Q[:, 0]",
            "Q[:, -1]",
            "This is the direction of the largest curvature: eigh sorts from the lowest up.",
        ),
        Mutant(
            "lam, Q = torch.linalg.eigh(H)",
            "lam, Q = torch.linalg.eigh(H)\n    i = lam.abs().argmax()\n    lam, Q = lam[i:], Q[:, i:]",
            "Sorted by absolute value: the steepest direction may curve upwards. Take the lowest eigenvalue.",
        ),
        Mutant(
            "u = torch.zeros_like(g)",
            "u = -g / g.norm()",
            "Where no curvature is negative there is nothing to escape by: return the zero vector there.",
        ),
        Mutant(
            "    if lam[0] >= 0:\n        u = torch.zeros_like(g)\n    elif",
            "    if",
            "The lowest curvature was taken for a way down even where it is positive. "
            "Return the zero vector there.",
        ),
        Mutant(
            "return lam[0], u", "return lam[0].abs(), u", "The curvature lost its sign: return the eigenvalue."
        ),
        Mutant("return lam[0], u", "return lam[0], lam[0] * u", "The direction is not of length 1."),
        Mutant(
            "return lam[0], u",
            "return lam[0], -g / g.norm()",
            "This is the negative gradient. Near a saddle it may lead to the saddle itself.",
        ),
        Mutant("return lam[0], u", "return u, lam[0]", "The two have changed places: the eigenvalue comes first."),
    ),
)


def constants(generator: Generator) -> dict[str, str]:
    """The cohort's number of directions of negative curvature; not 1, so that leaving it out shows."""
    return {"k": ("2", "3", "4", "5")[int(uniform(generator, 0, 4))]}


def _still_public() -> Iterator[Case]:
    yield Case("near a saddle", (1, 0.5, 1.0, 0.5, 0.25))
    yield Case("near a saddle", (10, 0.1, 1.0, 0.1, 0.05))
    yield Case("near a saddle", (30, 0.1, 2.0, 0.01, 0.5))
    yield Case("a flat direction", (16, 0.1, 0.0, 0.5, 0.25))
    yield Case("no step yet", (0, 0.1, 1.0, 0.1, 0.1))


def _still_hidden(generator: Generator) -> Iterator[Case]:
    def case(part: str, T: int, gamma: float) -> Case:
        """r is between a half and three halves of the spread, so that neither outcome is near certain."""
        eta, sigma = uniform(generator, 0.05, 0.3), uniform(generator, 0.05, 0.5)
        growth = (1 + eta * gamma) ** 2
        spread = eta * sigma * sum(growth**k for k in range(max(T, 1))) ** 0.5
        return Case(part, (T, eta, gamma, sigma, uniform(generator, 0.5, 1.5) * spread))

    for T in (1, 4, 25, 60):
        yield case("near a saddle", T, uniform(generator, 0.3, 2.0))
    yield case("a flat direction", 20, 0.0)
    yield case("no step yet", 0, 1.0)


STILL_NEAR = Item(
    id="still_near",
    title="Still near the saddle?",
    points=3,
    difficulty=2,
    minutes=15,
    public=_still_public,
    hidden=_still_hidden,
    # A sum of at most 60 positive terms, good to 1e-14. The geometric series in closed form loses two digits to
    # (1 + eta gamma)^2 - 1 > 0.03; erf is well conditioned where it is asked for.
    tolerance=Tolerance(rtol=1e-9),
    mutants=(
        Mutant(
            "(1 + eta * gamma) ** 2",
            "(1 + eta * gamma)",
            "The variance is multiplied by the square of the factor of y.",
        ),
        Mutant(
            "(1 + eta * gamma) ** 2",
            "(1 - eta * gamma) ** 2",
            "This is a direction that curves upwards. The saddle pushes away: the factor exceeds 1.",
        ),
        Mutant("(eta * sigma) ** 2", "sigma**2", "The noise sits in the gradient, so it enters times eta."),
        Mutant(
            "(eta * sigma) ** 2", "eta * sigma**2", "The variance of eta sigma xi is eta^2 sigma^2: square both."
        ),
        Mutant("(eta * sigma) ** 2", "eta * sigma", "Deviations do not add up, variances do."),
        Mutant(
            "math.sqrt(2 * variance)",
            "math.sqrt(variance)",
            "The 2 under the root of the error function is missing.",
        ),
        Mutant(
            "math.sqrt(2 * variance)", "(2 * variance)", "r was divided by the variance, not by the deviation."
        ),
        Mutant(
            "math.erf", "math.erfc", "This is the probability of having left. The item asks for still being near."
        ),
        Mutant(
            "math.erf(r / math.sqrt(2 * variance)) ** {{k}}",
            "((1 + math.erf(r / math.sqrt(2 * variance))) / 2) ** {{k}}",
            "This uses P(y < r), with one end. Near the saddle means |y| < r, with two.",
        ),
        Mutant(
            "variance)) ** {{k}}",
            "variance))",
            "This is one direction. The saddle has {{k}}, and all have to be near.",
        ),
        Mutant(
            "math.erf(r / math.sqrt(2 * variance)) ** {{k}}",
            "1 - (1 - math.erf(r / math.sqrt(2 * variance))) ** {{k}}",
            "This is the probability that at least one of the {{k}} is near. All of them have to be.",
        ),
        Mutant("range(T)", "range(T - 1)", "One step is missing."),
        Mutant("range(T)", "range(T + 1)", "One step too many."),
        Mutant(
            "    if variance == 0:\n        return 1.0\n",
            "",
            "Before the first step y is 0 for certain, and its deviation divides by zero: treat this on its own.",
        ),
        Mutant(
            "for _ in range(T):\n        variance = (1 + eta * gamma) ** 2 * variance + (eta * sigma) ** 2",
            "a = (1 + eta * gamma) ** 2\n    variance = (eta * sigma) ** 2 * (a**T - 1) / (a - 1)",
            "The closed form of the geometric series divides 0 by 0 on a flat direction, gamma = 0.",
        ),
    ),
)


def _targets_public() -> Iterator[Case]:
    M = numbers([3.0, 1.0, 0.0], [1.0, -2.0, 0.5], [0.0, 0.5, 1.0])
    yield Case("too few of a sign", (M, numbers(1.0, -1.0)))
    yield Case("too few of a sign", (-M, numbers(2.0, 0.5, -1.0)))
    yield Case("too few of a sign", (M, numbers(-1.0, -0.5, -3.0, 0.5)))
    yield Case("all of one sign", (M, numbers(1.0, 2.0, 0.5, 1.0, 3.0)))
    yield Case("all of one sign", (M, numbers(-1.0)))
    yield Case("enough of each", (M, numbers(1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 1.0)))
    yield Case("units that are off", (M, numbers(0.0, 1.0, 0.0, 0.0)))


def _targets_hidden(generator: Generator) -> Iterator[Case]:
    M = symmetric(generator, _spectrum(generator, -3.0, -2.0, -1.0, 1.0, 2.0, 4.0))

    def case(part: str, positive: int, negative: int, off: int = 0) -> Case:
        signs = numbers(*[1.0] * positive, *[-1.0] * negative, *[0.0] * off)
        sizes = 0.5 + torch.rand(len(signs), generator=generator, dtype=torch.float64)
        return Case(part, (M, (signs * sizes)[torch.randperm(len(signs), generator=generator)]))

    for positive, negative in ((1, 2), (2, 1), (5, 2), (2, 7)):
        yield case("too few of a sign", positive, negative)
    yield case("all of one sign", 8, 0)
    yield case("all of one sign", 0, 2)
    yield case("enough of each", 6, 6)
    yield case("units that are off", 2, 1, 5)


BEST_REACHABLE = Item(
    id="best_reachable",
    title="What a quadratic network can reach",
    points=4,
    difficulty=3,
    minutes=20,
    public=_targets_public,
    hidden=_targets_hidden,
    # Eigenvalues 0.6 or more apart: the kept part is known to 1e-14, and its sum over other eigenvectors agrees.
    tolerance=Tolerance(rtol=1e-9, atol=1e-10),
    mutants=(
        Mutant(
            "up[: max(d - p, 0)] = 0",
            "up[: d - p] = 0",
            "With more positive units than dimensions a slice went wrong: up[:-2] is all but the last two.",
        ),
        Mutant(
            "up, down = lam.clamp_min(0), lam.clamp_max(0)\n    up[: max(d - p, 0)] = 0\n    down[n:] = 0",
            "up, down = lam.clone(), torch.zeros_like(lam)\n"
            "    up[lam.abs().argsort(descending=True)[p + n :]] = 0",
            "The largest eigenvalues were kept whatever their sign. A unit with v_j > 0 adds v_j w w^T, "
            "and that makes no negative eigenvalue.",
        ),
        Mutant("(v > 0)", "(v >= 0)", "A unit with v_j = 0 adds nothing: it is not a positive one."),
        Mutant("(v < 0)", "(v <= 0)", "A unit with v_j = 0 adds nothing: it is not a negative one."),
        Mutant(
            "int((v > 0).sum()), int((v < 0).sum())",
            "int((v < 0).sum()), int((v > 0).sum())",
            "The signs have changed places: positive units make positive eigenvalues.",
        ),
        Mutant(
            "(up + down)",
            "up",
            "Only the positive part is there. Units with v_j < 0 make the negative eigenvalues.",
        ),
        Mutant(
            "return Q * (up + down) @ Q.T",
            "return M.clone()",
            "This is M itself: right if there are enough units of each sign, and only then.",
        ),
        Mutant(
            "down[n:] = 0",
            "down[: max(d - n, 0)] = 0",
            "Of the negative eigenvalues those nearest to zero were kept. The most negative ones matter most.",
        ),
        Mutant(
            "up[: max(d - p, 0)] = 0",
            "up[p:] = 0",
            "eigh sorts from the lowest up: the p largest eigenvalues stand at the end.",
        ),
        Mutant(
            "Q * (up + down) @ Q.T",
            "Q.T * (up + down) @ Q",
            "The eigenvectors are the columns of Q: the matrix is Q diag(lam) Q^T.",
        ),
        Mutant(
            "return Q * (up + down) @ Q.T",
            "return (lam - up - down).norm()",
            "This is the distance to M. Return the matrix itself.",
        ),
    ),
)

ITEMS = (ESCAPE_DIRECTION, STILL_NEAR, BEST_REACHABLE)
