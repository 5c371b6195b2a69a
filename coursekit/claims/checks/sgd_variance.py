"""Claims about the gradient of a mini-batch at one point: its mean and its variance, by enumeration."""

from __future__ import annotations

from itertools import permutations, product
from typing import Self

import torch
from torch import Tensor

from ...descend import descend
from ...oracles import MiniBatch, Oracle, Wrapper
from ...problems import FiniteSum, LeastSquares, LogisticRegression
from ...rules import gradient_descent
from ...theory.noise import example_variance
from ..check import Measured, check


class Drawn(Wrapper):
    """Mini-batches that are given: step t takes the mean over ``batches[t]``, indices of shape (runs, b)."""

    t = 0

    def __init__(self, problem: FiniteSum, batches: Tensor) -> None:
        super().__init__(problem)
        self.whole, self.batches = problem, batches

    def fresh(self) -> Self:
        again = super().fresh()
        again.t = 0
        return again

    def value_and_grad(self, w: Tensor) -> tuple[Tensor, Tensor]:
        batch = self.batches[min(self.t, len(self.batches) - 1)]  # descend looks once more after the last step
        self.t += 1
        return Oracle(self.whole.on(batch), self.calls).value_and_grad(w)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def logistic(n: int, d: int = 3, seed: int = 0) -> LogisticRegression:
    """Logistic regression on n random points."""
    X, y = normal(n, d, seed=seed), normal(n, seed=seed + 1).sign()
    return LogisticRegression(X, y)


def tuples(n: int, b: int) -> Tensor:
    """All n^b equally likely draws of b out of n with replacement, (n^b, b)."""
    return torch.tensor(list(product(range(n), repeat=b)))


def subsets(n: int, b: int) -> Tensor:
    """All equally likely draws without replacement, one row each."""
    return torch.combinations(torch.arange(n), b)


def orders(n: int) -> Tensor:
    """All n! orders of n examples, one row each."""
    return torch.tensor(list(permutations(range(n))))


def errors(f: FiniteSum, w: Tensor, batches: Tensor) -> Tensor:
    """Gradient of every mini-batch at w less the full one, (batches, dim)."""
    return f.on(batches).grad(w.expand(len(batches), f.dim)) - f.grad(w)


def mean_square(e: Tensor) -> float:
    """E‖e‖² over equally likely rows."""
    return float(e.square().sum(-1).mean())


def variance(f: FiniteSum, w: Tensor) -> float:
    """σ² = (1/n) Σ ‖∇f_i - ∇f‖² at w."""
    return float(example_variance(Oracle(f), w))


@check("GG-eq21-22")
def a_mean_of_gradients() -> Measured:
    f, w = logistic(7), normal(3, seed=5)
    G, g = f.per_example_grads(w), f.grad(w)
    error = float((G.mean(0) - g).norm() / g.norm())
    return Measured(
        error < 1e-12,
        numbers={
            r"$\frac1n\sum\nabla f_i$ less $\nabla f$, relative, $n = 7$": error,
            r"$\|\sum\nabla f_i\|$ over $\|\nabla f\|$": float(G.sum(0).norm() / g.norm()),
        },
    )


@check("GG-eq23")
def one_fresh_example_each_step() -> Measured:
    f, eta = logistic(6), 0.5
    paths = tuples(6, 2)  # which example in the first step, which in the second
    run = descend(
        Drawn(f, paths.T[..., None]), gradient_descent, normal(3, seed=5).expand(36, 3), 2, record=("w",), eta=eta
    )
    w = run.w.reshape(3, 6, 6, 3)
    before = w[:2, :, 0]  # w_0 and, by first example, w_1
    expected = before - eta * f.grad(before)
    first, second = w[1].mean((0, 1)) - expected[0, 0], w[2].mean(1) - expected[1]
    worst = max(float(first.abs().max()), float(second.abs().max()))
    alone = float((w[2] - expected[1][:, None]).norm(dim=-1).max())
    return Measured(
        worst < 1e-12 < alone,
        numbers={
            "mean of $w^{(k+1)}$ given $w^{(k)}$ less the step of gradient descent, 36 paths": worst,
            "the same for a single path, at most": alone,
        },
    )


@check("GG-eq32")
def the_mean_over_a_batch() -> Measured:
    f, w, eta = logistic(6), normal(3, seed=5), 0.5
    away = {}
    for b in (1, 2, 3, 5, 6):
        for name, batches in (("with", tuples(6, b)), ("without", subsets(6, b))):
            run = descend(
                Drawn(f, batches[None]), gradient_descent, w.expand(len(batches), 3), 1, record=("w",), eta=eta
            )
            away[b, name] = float((run.w[1].mean(0) - (w - eta * f.grad(w))).abs().max())
    return Measured(
        max(away.values()) < 1e-12,
        numbers={
            r"mean next point less that of gradient descent, $b = 1, 2, 3, 5, 6$ of $n = 6$": max(away.values()),
            "spread of the next point at $b = 2$": eta * mean_square(errors(f, w, subsets(6, 2))) ** 0.5,
        },
    )


@check("TDL-4.2-unbiased")
def uniform_sampling_is_unbiased() -> Measured:
    f, w = logistic(6), normal(3, seed=5)
    with_, without = (float(errors(f, w, batches).mean(0).norm()) for batches in (tuples(6, 2), subsets(6, 2)))
    # Example i with probability i/21: not uniform, hence biased.
    weights = torch.arange(1.0, 7.0, dtype=torch.float64) / 21
    uneven = float((weights @ f.per_example_grads(w) - f.grad(w)).norm())
    # The second batch of a reshuffled epoch: unbiased over all orders, not once the first batch is known.
    order = orders(6)
    second = errors(f, w, order[:, 2:4])
    known = (order[:, :2] == torch.tensor([0, 1])).all(1)
    return Measured(
        max(with_, without, float(second.mean(0).norm())) < 1e-12
        and min(uneven, float(second[known].mean(0).norm())) > 0.01,
        numbers={
            r"norm of the bias, $n = 6$, $B = 2$, with replacement": with_,
            "without replacement": without,
            "example $i$ drawn with probability $i/21$": uneven,
            "second batch of an epoch, the first being known": float(second[known].mean(0).norm()),
        },
    )


@check("TDL-4.2-sgd")
def three_ways_to_sample() -> Measured:
    f, w = logistic(6), normal(3, seed=5)
    one = {name: mean_square(errors(f, w, b)) for name, b in (("with", tuples(6, 2)), ("without", subsets(6, 2)))}
    order = orders(6)
    epoch = mean_square(sum((errors(f, w, order[:, i : i + 2]) for i in (0, 2, 4)), torch.zeros(3)))
    return Measured(
        as_printed=abs(one["with"] - one["without"]) < 1e-9 and abs(epoch - 3 * one["with"]) < 1e-9,
        numbers={
            r"$\mathbb E\|e\|^2$ of one batch, with replacement": one["with"],
            "without replacement": one["without"],
            r"$\mathbb E\|\sum e\|^2$ of three independent batches": 3 * one["with"],
            "of the three of a reshuffled epoch": epoch,
        },
    )


@check("KH-2.1-var")
def a_bound_on_the_variance() -> Measured:
    f, w = logistic(6), 10 * normal(200, 3, seed=5)
    bias = max(float(errors(f, x, subsets(6, 2)).mean(0).norm()) for x in w[:20])
    # Gradients of logistic regression are at most ‖x_i‖ long, hence σ² = mean ‖x_i‖² works everywhere.
    worst, sigma2 = max(variance(f, x) for x in w), mean_square(f.p.X)
    squares = LeastSquares(f.p.X, f.p.y)
    far = [variance(squares, x * normal(3, seed=5)) for x in (1e3, 1e4)]
    return Measured(
        bias < 1e-12 and worst <= sigma2,
        numbers={
            "largest variance at 200 points, logistic regression": worst,
            r"$\sigma^2$ from its bounded gradients": sigma2,
            "least squares: growth of the variance from distance 1000 to 10000": far[1] / far[0],
        },
    )


@check("PL-3-model")
def unbiased_given_the_iterate() -> Measured:
    f, sigma2 = logistic(6), mean_square(logistic(6).p.X) / 2
    run = descend(
        MiniBatch(f, 2, replacement=True), gradient_descent, normal(3, seed=5), 40, record=("w",), eta=0.5
    )
    e = [errors(f, w, tuples(6, 2)) for w in run.w]
    bias, spread = max(float(x.mean(0).norm()) for x in e), [mean_square(x) for x in e]
    return Measured(
        bias < 1e-12 and max(spread) <= sigma2,
        numbers={
            "largest bias given the iterate, 41 iterates": bias,
            "largest variance given the iterate": max(spread),
            "its mean over the run, what the formula without the condition bounds": sum(spread) / len(spread),
            r"$\sigma^2$": sigma2,
        },
    )


@check("GG-eq36")
def the_divisor_without_replacement() -> Measured:
    n, f, w = 5, logistic(5), normal(3, seed=5)
    sigma2 = variance(f, w)
    measured = [mean_square(errors(f, w, subsets(n, b))) for b in range(1, n)]
    printed = [(1 - b / n) / b for b in range(1, n)]
    ratio = [p * sigma2 / m for p, m in zip(printed, measured, strict=True)]
    repaired = [p * sigma2 * n / (n - 1) / m for p, m in zip(printed, measured, strict=True)]
    return Measured(
        # One σ² in (36) and (37): that of (37) has the divisor n.
        as_printed=max(abs(r - 1) for r in ratio) < 1e-9,
        as_repaired=max(abs(r - 1) for r in repaired) < 1e-9 and mean_square(errors(f, w, subsets(n, n))) < 1e-24,
        numbers={
            r"exact $\mathbb E\|e\|^2$ over (36) with divisor $n$, $n = 5$": 1 / ratio[0],
            r"with divisor $n - 1$, $b = 1$ to $4$: largest deviation from 1": max(abs(r - 1) for r in repaired),
        },
    )


@check("GG-eq37")
def with_replacement() -> Measured:
    f, w = logistic(5), normal(3, seed=5)
    ratio = [mean_square(errors(f, w, tuples(5, b))) * b / variance(f, w) for b in range(1, 7)]
    return Measured(
        max(abs(r - 1) for r in ratio) < 1e-9,
        numbers={
            r"$b\,\mathbb E\|e\|^2/\sigma^2$ by enumeration, $n = 5$, $b = 3$": ratio[2],
            "largest deviation from 1, $b = 1$ to $6$": max(abs(r - 1) for r in ratio),
        },
    )


@check("TDL-P4.6.3a")
def the_variance_falls_like_one_over_B() -> Measured:
    w, with_, without = normal(3, seed=5), [], []
    for n, b in ((4, 2), (5, 3), (6, 2), (7, 4), (8, 5)):
        f = logistic(n, seed=n)
        with_.append(mean_square(errors(f, w, tuples(n, b))) * b / variance(f, w))
        without.append(mean_square(errors(f, w, subsets(n, b))) * b / variance(f, w))
    return Measured(
        max(abs(r - 1) for r in with_) < 1e-9 and max(without) <= 1,
        numbers={
            r"$B\gamma_B^2/\gamma_1^2$, independent draws, five pairs $(n, B)$: largest deviation from 1": max(
                abs(r - 1) for r in with_
            ),
            "without replacement: largest": max(without),
            "smallest": min(without),
        },
    )
