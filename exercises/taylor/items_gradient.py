"""The graded items of the first half of chapter 1: backpropagation, the linear model, steepest directions."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from coursekit.grading.draws import normal, numbers, uniform
from coursekit.grading.exercise import Calls, Case, Item, Mutant, Objective, Tolerance


def _layer(generator: Generator, n: int, i: int, o: int) -> tuple[Tensor, ...]:
    return (
        normal(generator, n, i),
        normal(generator, o, i) / i**0.5,
        normal(generator, o) / 2,
        normal(generator, n, o),
    )


def _layers_public() -> Iterator[Case]:
    X, W = numbers([1.0, -0.5, 0.25], [0.5, 1.0, -1.0]), numbers([0.5, 0.25, -1.0], [1.0, -0.5, 0.5])
    b, G = numbers(0.1, -0.2), numbers([1.0, -2.0], [0.5, 3.0])
    yield Case("one example", (X[:1], W, b, G[:1]))
    yield Case("several examples", (X, W, b, G))
    yield Case("several examples", (torch.cat([X, -X, X.flip(0)]), W, b, torch.cat([G, G.flip(1), 2 * G])))


def _layers_hidden(generator: Generator) -> Iterator[Case]:
    yield Case("one example", _layer(generator, 1, 5, 3))
    for n, i, o in ((4, 3, 2), (10, 6, 7)):
        yield Case("several examples", _layer(generator, n, i, o))


DENSE_BACKWARD = Item(
    id="dense_backward",
    title="One dense layer, backwards",
    points=4,
    difficulty=2,
    minutes=15,
    public=_layers_public,
    hidden=_layers_hidden,
    # Sums of at most ten products of numbers of order 1: autograd agrees to 1e-15.
    tolerance=Tolerance(rtol=1e-10, atol=1e-10),
    mutants=(
        Mutant("D = G * (1 - A**2)", "D = G", "The derivative of tanh is missing: D = G * (1 - A**2)."),
        Mutant("1 - A**2", "1 - A", "The derivative of tanh is 1 - tanh**2, not 1 - tanh."),
        Mutant(
            "1 - A**2",
            "A * (1 - A)",
            "A (1 - A) is the derivative of the logistic function. That of tanh is 1 - A**2.",
        ),
        Mutant(
            "return D @ W, D.T @ X, D.sum(0)",
            "return D @ W, D.T @ X / len(X), D.mean(0)",
            "These are means over the examples. G holds the derivatives of f itself: sum over the rows.",
        ),
        Mutant(
            "return D @ W, D.T @ X, D.sum(0)",
            "return D @ W, X.T @ D, D.sum(0)",
            "The gradient for W has the wrong shape: it is D^T X, shaped like W.",
        ),
        Mutant(
            "D.sum(0)", "D", "b is added to every row, so its gradient is the sum over the rows, of shape (o,)."
        ),
        Mutant(
            "return D @ W, D.T @ X",
            "return G @ W, D.T @ X",
            "The gradient for X has to pass through tanh as well: it is D W, not G W.",
        ),
        Mutant(
            "X @ W.T + b",
            "X @ W.T",
            "The derivative of tanh is taken at X W^T without the bias b.",
        ),
    ),
)


def _curves_public() -> Iterator[Case]:
    quadratic = Objective("Quadratic", {"eigenvalues": numbers(1.0, 10.0)})
    yield Case("quadratics: exactly 2", (quadratic, numbers(1.0, -1.0), numbers(1.0, 0.5), 0.1))
    yield Case("about 2", (Objective("Rosenbrock"), numbers(-1.2, 1.0), numbers(1.0, 2.0), 0.01))
    yield Case("about 2", (Objective("PLSine"), numbers(0.5), numbers(-1.0), 0.05))
    # At the origin the gradient and the Hessian vanish: the remainder is of third order.
    yield Case("higher orders", (Objective("MonkeySaddle"), numbers(0.0, 0.0), numbers(1.0, 0.25), 0.1))


def _exponential(w: Tensor, a: float) -> Tensor:
    return (a * w).exp().sum()


def _curves_hidden(generator: Generator) -> Iterator[Case]:
    eigenvalues = 1 + 5 * normal(generator, 4).abs()
    quadratic = Objective("Quadratic", {"eigenvalues": eigenvalues})
    yield Case("quadratics: exactly 2", (quadratic, normal(generator, 4), normal(generator, 4), 0.1))
    rosenbrock = Objective("Rosenbrock", {"b": uniform(generator, 5, 50)})
    yield Case("about 2", (rosenbrock, normal(generator, 2), normal(generator, 2), 0.02))
    curve = Objective(_exponential, {"a": uniform(generator, 0.5, 1)}, dim=3)
    yield Case("about 2", (curve, normal(generator, 3), normal(generator, 3), 0.1))
    direction = numbers(uniform(generator, 0.8, 1.2), uniform(generator, 0.2, 0.3))
    yield Case("higher orders", (Objective("MonkeySaddle"), numbers(0.0, 0.0), direction, 0.1))


REMAINDER_ORDER = Item(
    id="remainder_order",
    title="How good is the linear model?",
    points=3,
    difficulty=1,
    minutes=10,
    public=_curves_public,
    hidden=_curves_hidden,
    # The remainder is a difference of values of order 1 to 100 and is itself at least 1e-5: it keeps nine digits,
    # and the logarithm loses none. The mutants are off by a tenth and more.
    tolerance=Tolerance(rtol=1e-6),
    budget=Calls(),
    mutants=(
        Mutant(
            " - h * slope", "", "This is the error of the constant model, of order 1: subtract h g^T d as well."
        ),
        Mutant(
            "- h * slope",
            "+ h * slope",
            "The linear model is f(w) + h g^T d: subtract both terms.",
        ),
        Mutant("math.log2(", "math.log(", "h is halved, so the logarithm must have base 2."),
        Mutant("r(h) / r(h / 2)", "r(h / 2) / r(h)", "Upside down: the larger remainder, at h, comes first."),
        Mutant(
            "r(h) / r(h / 2)",
            "r(h) / r(h / 10)",
            "The second remainder is taken at h/2: its base is the 2 of the logarithm.",
        ),
        Mutant(
            "- h * slope",
            "- slope",
            "The model's slope is g^T d, times h.",
        ),
        Mutant(
            "f(w + h * d) - f_w - h * slope",
            "f(w + h * d) - f(w) - h * slope",
            "The number is right, but f(w) was asked for twice. It does not change: ask once.",
        ),
        Mutant(
            "f_w - h * slope",
            "f_w - h * (f.grad(w) @ d)",
            "The number is right, but the gradient at w was asked for again. It does not change: ask once.",
        ),
    ),
)


def _slopes_public() -> Iterator[Case]:
    for part, p in (("p = 1", 1.0), ("p = 2", 2.0), ("p = inf", math.inf)):
        yield Case(part, (numbers(3.0, -4.0), p))
        yield Case(part, (numbers(0.5, 2.0, -1.0, 0.25), p))


def _slopes_hidden(generator: Generator) -> Iterator[Case]:
    for part, p in (("p = 1", 1.0), ("p = 2", 2.0), ("p = inf", math.inf)):
        for sign, d in ((1, 3), (-1, 20)):  # the largest entry once with each sign
            g = normal(generator, d)
            g[d // 2] = sign * (1 + g.abs().max())
            yield Case(part, (g, p))


STEEPEST = Item(
    id="steepest",
    title="Which way is steepest?",
    points=4,
    difficulty=2,
    minutes=10,
    public=_slopes_public,
    hidden=_slopes_hidden,
    # Signs are exact; a division by the norm is good to 1e-16.
    tolerance=Tolerance(rtol=1e-12),
    mutants=(
        Mutant("d[i] = -g[i].sign()", "d[i] = g[i].sign()", "For p = 1 this goes uphill: take minus the sign."),
        Mutant("return -g.sign()", "return g.sign()", "For p = inf this goes uphill: take minus the sign."),
        Mutant(
            "return -g / g.norm()", "return -g", "For p = 2 the direction must have length 1: divide by the norm."
        ),
        Mutant("d[i] = -g[i].sign()", "d[i] = -g[i]", "For p = 1 the one entry must be 1 or -1, for |d|_1 = 1."),
        Mutant(
            "g.abs().argmax()",
            "g.argmax()",
            "For p = 1 the entry with the largest *absolute* value counts, whatever its sign.",
        ),
        Mutant(
            "return -g.sign()",
            "return -g / g.abs().max()",
            "For p = inf every entry may be as large as 1, and all of them should be: take the signs.",
        ),
        Mutant(
            "if p == 1:",
            "if p == math.inf:",
            "p = 1 and p = inf have changed places: the 1-norm moves one coordinate, the inf-norm all.",
        ),
        Mutant(
            "return -g / g.norm()",
            "return -g / g.abs().sum()",
            "For p = 2 divide by the Euclidean norm, not by the sum of absolute values.",
        ),
    ),
)

ITEMS = (DENSE_BACKWARD, REMAINDER_ORDER, STEEPEST)
