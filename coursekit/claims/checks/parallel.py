"""Claims about what SGD costs, counted in gradients of single examples, and about what can run side by side."""

from __future__ import annotations

import torch
from torch import Tensor

from ...descend import descend
from ...distributed import LocalSteps
from ...oracles import MiniBatch, Oracle
from ...problems import LeastSquares, Softplus
from ...rules import gradient_descent
from ...stopping import gradient_below
from ..check import Measured, check
from .descent_lemma import gd, point
from .sgd_floor import interval
from .sgd_variance import normal, variance


def regression(n: int, seed: int = 0) -> LeastSquares:
    """Least squares on n random points in five dimensions, with noise of variance 1 in the targets."""
    X = normal(n, 5, seed=seed)
    return LeastSquares(X, X.sum(1) + normal(n, seed=seed + 1))


def minimizer(f: LeastSquares) -> Tensor:
    return torch.linalg.lstsq(f.p.X, f.p.y).solution


@check("GG-4.2-cost")
def n_times_cheaper() -> Measured:
    n, runs, most = 1000, 200, 20_000
    f, w = regression(n), torch.zeros(5, dtype=torch.float64)
    full, one, some = (
        descend(oracle, gradient_descent, w, 10, record=("w",), eta=0.1).calls.examples
        for oracle in (Oracle(f), MiniBatch(f, 1), MiniBatch(f, 20))
    )
    # One example a step: the step in which the last of the n is seen for the first time.
    drawn = torch.randint(n, (runs, most), generator=torch.Generator().manual_seed(0))
    steps = torch.arange(1, most + 1).expand(runs, most)
    first = torch.full((runs, n), most + 1).scatter_reduce(1, drawn, steps, "amin")
    seen, error = interval(first.amax(1).double())
    harmonic = n * float((1 / torch.arange(1, n + 1, dtype=torch.float64)).sum())
    return Measured(
        full == n * one and some == 20 * one and abs(seen - harmonic) < 4 * error,
        numbers={
            "gradients of single examples, a step of gradient descent over one of SGD, $n = 1000$": full / one,
            "$b = 20$": full / some,
            "draws until every example was seen, mean of 200 runs": seen,
            "$nH_n$": harmonic,
        },
    )


@check("KH-2.3-oracle")
def calls_to_a_named_accuracy() -> Measured:
    f, w = regression(50), torch.zeros(5, dtype=torch.float64)
    calls = descend(MiniBatch(f, 4), gradient_descent, w, 10, record=("w",), eta=0.1).calls
    # Gradients to ‖∇L‖² ≤ ε and to ‖∇L‖ ≤ ε differ.
    to = {
        accuracy: gd(Softplus(), point(0.0), 2000, 1.0, stop=gradient_below(accuracy)).stopped + 1
        for accuracy in (0.1, 0.01)
    }
    return Measured(
        calls.gradients == 11 and calls.examples == 44 and int(to[0.01]) > 2 * int(to[0.1]),
        numbers={
            "stochastic gradients at $\\theta_0$ to $\\theta_{10}$": calls.gradients,
            "of single examples, batches of 4": calls.examples,
            r"softplus, $\epsilon = 0.01$: calls to $\|\nabla L\|^2\leq\epsilon$": int(to[0.1]),
            r"to $\|\nabla L\|\leq\epsilon$": int(to[0.01]),
        },
    )


def cost_to(f: LeastSquares, epsilon: float) -> tuple[int, int]:
    """Gradients of single examples until ‖∇L‖² ≤ ε: gradient descent at 1/L, and SGD in the mean of 100 runs.

    The step of SGD is ε over L times the variance of its gradient at the minimum, which leaves half of ε.
    """
    start = torch.zeros(f.dim, dtype=torch.float64)
    L, sigma2 = float(f.L or 0.0), variance(f, minimizer(f))
    full = gd(f, start, 100, 1.0, record=("grad_norm",))
    eta = epsilon / (L * sigma2)
    one = MiniBatch(f, 1, replacement=True)
    noisy = descend(
        one, gradient_descent, start.expand(100, 5), 1500, record=("grad_norm",), record_every=20, eta=eta
    )

    def reached(norm: Tensor) -> int:
        return int((norm.square().mean(-1) <= epsilon).nonzero()[0])

    return f.n * (reached(full.grad_norm[:, None]) + 1), 20 * reached(noisy.grad_norm) + 1


@check("KH-3.1-oracle")
def the_order_depends_on_n() -> Measured:
    small, large = cost_to(regression(20), 0.05), cost_to(regression(2000), 0.05)
    return Measured(
        as_printed=small[0] < small[1] and large[0] < large[1],
        as_repaired=small[0] < small[1] and large[0] > large[1],
        numbers={
            r"$n = 20$: single-example gradients of gradient descent to $\|\nabla L\|^2\leq0.05$": small[0],
            "of SGD": small[1],
            "$n = 2000$: of gradient descent": large[0],
            "of SGD, $n = 2000$": large[1],
        },
    )


@check("GG-5-parallel")
def inside_a_batch_or_across_batches() -> Measured:
    f, eta = regression(64), 0.1
    clients = list(torch.arange(64).split(16))
    w = normal(5, seed=7)

    def servers(steps: int, rounds: int) -> Tensor:
        """Four servers, each with 16 examples, take so many steps alone and then average, so many times."""
        oracle = LocalSteps(f, clients, steps=steps, eta=eta)
        return descend(oracle, gradient_descent, w, rounds, record=("w",), eta=eta).w[-1]

    inside = float((servers(1, 1) - (w - eta * f.grad(w))).norm())
    across = float((servers(20, 40) - minimizer(f)).norm())
    one_machine = float((descend(f, gradient_descent, w, 800, record=("w",), eta=eta).w[-1] - minimizer(f)).norm())
    return Measured(
        as_printed=inside < 1e-12 and across < 1e-6,
        numbers={
            "gradient of one batch from four servers: difference from one machine": inside,
            "servers with own batches, averaged each 20 steps: distance to the minimizer in the end": across,
            "as many steps on one machine": one_machine,
        },
    )
