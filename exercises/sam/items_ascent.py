"""The items on the step up: for every norm, in one step of SAM, and in ASAM's ball."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from coursekit.grading.draws import normal, numbers, uniform
from coursekit.grading.exercise import Calls, Case, Item, Mutant, Objective, Tolerance


def _balls_public() -> Iterator[Case]:
    g = numbers(3.0, -4.0, 0.5, 0.0)
    yield Case("p = 1", (g, 0.5, 1))
    yield Case("p = 2", (g, 0.5, 2))
    yield Case("p = inf", (g, 0.5, math.inf))
    yield Case("zero gradient", (torch.zeros_like(g), 0.5, 2))


def _balls_hidden(generator: Generator) -> Iterator[Case]:
    for part, p in (("p = 1", 1), ("p = 2", 2), ("p = inf", math.inf)):
        for d in (2, 7):
            g = normal(generator, d)
            g[int(uniform(generator, 0, d))] = -g.abs().max() - uniform(generator, 0.5, 5)
            yield Case(part, (g, uniform(generator, 0.01, 0.5), p))
    for p in (1, 2, math.inf):
        yield Case("zero gradient", (torch.zeros(3, dtype=torch.float64), 0.1, p))


ASCENT = Item(
    id="ascent",
    title="The worst neighbor, in three norms",
    points=4,
    difficulty=2,
    minutes=12,
    public=_balls_public,
    hidden=_balls_hidden,
    # One norm, one quotient and one product in float64: other orders of operations differ by some 1e-16.
    tolerance=Tolerance(rtol=1e-12, atol=1e-15),
    mutants=(
        Mutant(
            "g / g.norm()",
            "g",
            "For p = 2 the gradient was not scaled to length 1: epsilon must end at the distance rho.",
        ),
        Mutant("g / g.norm()", "g / g.norm() ** 2", "For p = 2 divide by the norm itself, not by its square."),
        Mutant(
            "if not g.any():\n        return torch.zeros_like(g)\n    ",
            "",
            "Where the gradient is zero, 0/0 is NaN: return zeros.",
        ),
        Mutant(
            "epsilon[i] = rho * g[i].sign()",
            "epsilon[i] = rho",
            "For p = 1 the sign is lost: go down along a coordinate whose derivative is negative.",
        ),
        Mutant(
            "epsilon[i] = rho * g[i].sign()",
            "epsilon[i] = rho * g[i]",
            "For p = 1 the step has the length rho in its one coordinate, however large the derivative is.",
        ),
        Mutant(
            "g.abs().argmax()",
            "g.argmax()",
            "For p = 1 this is the largest entry by sign. A large negative derivative is as good, backwards.",
        ),
        Mutant(
            "if p == 1:\n        i = g.abs().argmax()\n        epsilon = torch.zeros_like(g)\n"
            "        epsilon[i] = rho * g[i].sign()\n        return epsilon\n    return rho * g.sign()",
            "if p == math.inf:\n        i = g.abs().argmax()\n        epsilon = torch.zeros_like(g)\n"
            "        epsilon[i] = rho * g[i].sign()\n        return epsilon\n    return rho * g.sign()",
            "The cases p = 1 and p = inf are exchanged. p is the norm of the ball: in the box, p = inf, every "
            "coordinate may use all of rho.",
        ),
        Mutant(
            "return rho * g.sign()",
            "return rho * g / g.abs().max()",
            "For p = inf only one coordinate has reached the wall of the box. Each may go to +rho or -rho.",
        ),
        Mutant(
            "i = g.abs().argmax()\n        epsilon = torch.zeros_like(g)\n"
            "        epsilon[i] = rho * g[i].sign()\n        return epsilon",
            "return rho * g / g.abs().sum()",
            "For p = 1 this point has the right norm but does not rise most: put all of rho where |g| is largest.",
        ),
        Mutant(
            "return rho * g.sign()",
            "return rho * g.sign() / len(g) ** 0.5",
            "For p = inf this has Euclidean length rho. The ball is a box: each coordinate may reach rho.",
        ),
    ),
)


def _hidden_network(w: Tensor, X: Tensor, y: Tensor) -> Tensor:
    """The mean squared error of two tanh units whose outputs are added: a loss without a formula for its steps."""
    return (torch.tanh(X @ w.reshape(2, -1).T).sum(-1) - y).square().mean() / 2


def network(generator: Generator, n: int, d: int) -> Objective:
    """A small network on random data, of 2 d weights."""
    return Objective(_hidden_network, {"X": normal(generator, n, d), "y": normal(generator, n)}, dim=2 * d)


BOWL = Objective("Quadratic", {"eigenvalues": numbers(1.0, 10.0), "w_star": numbers(1.0, -1.0)})


def _steps_public() -> Iterator[Case]:
    yield Case("a quadratic", (BOWL, numbers(2.0, 0.0), 0.1, 0.05))
    yield Case("a quadratic", (BOWL, numbers(1.0, -0.99), 0.5, 0.1))
    yield Case("a curved valley", (Objective("Rosenbrock"), numbers(-0.5, 0.75), 0.25, 0.01))
    yield Case("at a stationary point", (BOWL, numbers(1.0, -1.0), 0.1, 0.05))


def _steps_hidden(generator: Generator) -> Iterator[Case]:
    def rho_eta() -> tuple[float, float]:
        return uniform(generator, 0.1, 0.5), uniform(generator, 0.02, 0.2)

    for d in (2, 5):
        lam, w_star, w = 0.5 + normal(generator, d).abs(), normal(generator, d), normal(generator, d)
        yield Case("a quadratic", (Objective("Quadratic", {"eigenvalues": lam, "w_star": w_star}), w, *rho_eta()))
    valley = Objective("Rosenbrock", {"b": uniform(generator, 5, 20)})
    yield Case("a curved valley", (valley, normal(generator, 2), *rho_eta()))
    yield Case("a network", (network(generator, 12, 3), normal(generator, 6), *rho_eta()))
    yield Case(
        "at a stationary point",
        (Objective("Quadratic", {"eigenvalues": lam, "w_star": w_star}), w_star.clone(), *rho_eta()),
    )


SAM_STEP = Item(
    id="sam_step",
    title="One step of SAM",
    points=4,
    difficulty=2,
    minutes=15,
    public=_steps_public,
    hidden=_steps_hidden,
    # Two gradients of order 1 to 100 in float64 and a handful of operations: 1e-14 at most.
    tolerance=Tolerance(rtol=1e-10, atol=1e-12),
    # Two gradients, however they are come by: f(w) and backward() ask for the two values as well.
    budget=Calls(values=2),
    mutants=(
        Mutant(
            "return w - eta * f.grad(w + epsilon)",
            "return w + epsilon - eta * f.grad(w + epsilon)",
            "The step starts from w + epsilon. Take the gradient there, but come back: w - eta times it.",
        ),
        Mutant(
            "f.grad(w + epsilon)",
            "f.grad(w)",
            "This is gradient descent: the gradient that counts is the one at w + epsilon.",
        ),
        Mutant(
            "f.grad(w + epsilon)",
            "f.grad(w - epsilon)",
            "The gradient was taken downhill of w. SAM looks at the worst neighbor, uphill.",
        ),
        Mutant(
            "rho * g / g.norm()",
            "rho * g",
            "epsilon has not the length rho: scale the gradient to length 1 first.",
        ),
        Mutant(
            "f.grad(w + epsilon)",
            "(f.grad(w + epsilon) + g) / 2",
            "This is the mean of both gradients. The first one is needed for epsilon only.",
        ),
        Mutant(
            " if g.any() else g",
            "",
            "At a stationary point 0/0 is NaN. There epsilon is zero, and the point stays where it is.",
        ),
        Mutant(
            "rho * g / g.norm()",
            "rho * f.grad(w) / f.grad(w).norm()",
            "The point is right, but the gradient at w was asked for again and again. "
            "Keep it: a step of SAM costs two gradients.",
        ),
        Mutant(
            "f.grad(w + epsilon)",
            "f.grad(w + eta * epsilon)",
            "The way up has the length rho. eta belongs to the way down only.",
        ),
    ),
)


def _scaled_public() -> Iterator[Case]:
    w, g = numbers(2.0, -0.5, 0.1), numbers(1.0, -3.0, 2.0)
    yield Case("no floor", (w, g, 0.5, 0.0))
    yield Case("no floor", (10 * w, g / 10, 0.5, 0.0))
    yield Case("with a floor", (w, g, 0.2, 0.25))
    yield Case("a weight that is zero", (numbers(0.0, 1.0, -2.0), g, 0.5, 0.01))


def _scaled_hidden(generator: Generator) -> Iterator[Case]:
    def case(part: str, d: int, floor: float) -> Case:
        w, g = normal(generator, 2, d)
        w[0] = 0.0 if part == "a weight that is zero" else -0.5 - w[0].abs()
        return Case(part, (w, g, uniform(generator, 0.1, 1), floor))

    for d in (2, 6):
        yield case("no floor", d, 0.0)
        yield case("with a floor", d, uniform(generator, 0.05, 0.3))
    yield case("a weight that is zero", 4, 0.01)


ASAM_ASCENT = Item(
    id="asam_ascent",
    title="A ball that scales with the weights",
    points=3,
    difficulty=3,
    minutes=12,
    public=_scaled_public,
    hidden=_scaled_hidden,
    # Products, one norm and one quotient in float64 on numbers of order 1: 1e-15.
    tolerance=Tolerance(rtol=1e-11, atol=1e-13),
    mutants=(
        Mutant(
            "T * u",
            "u",
            "This is u, in the scaled coordinates. Come back with epsilon = T u.",
        ),
        Mutant(
            "rho * T * g / (T * g).norm()",
            "rho * T * g / g.norm()",
            "u has not the length rho: divide T g by its own norm, not by that of g.",
        ),
        Mutant(
            "rho * T * g / (T * g).norm()",
            "rho * g / g.norm()",
            "The gradient with respect to u is T g, not g: f depends on u through w + T u.",
        ),
        Mutant("w.abs() + floor", "w.abs()", "The floor is missing: a weight that is zero would never move."),
        Mutant(
            "w.abs() + floor",
            "w + floor",
            "T is |w| + floor. Added to w itself, the floor makes a negative weight smaller, not larger.",
        ),
        Mutant(
            "return T * u",
            "return rho * g / g.norm()",
            "This is plain SAM: its ball does not know how large the weights are.",
        ),
        Mutant(
            "rho * T * g / (T * g).norm()",
            "rho * g / T / (g / T).norm()",
            "T is upside down: with epsilon = T u the chain rule multiplies g by T.",
        ),
        Mutant("rho * T * g", "-rho * T * g", "This goes downhill. The worst neighbor is uphill, along +g."),
    ),
)

ITEMS = (ASCENT, SAM_STEP, ASAM_ASCENT)
