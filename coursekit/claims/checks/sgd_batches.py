"""Claims about dividing the data into mini-batches: epochs, unions, scale, and what a fixed division does."""

from __future__ import annotations

import torch
from torch import Tensor

from ...descend import descend
from ...oracles import Epochs, MiniBatch
from ...problems import LeastSquares
from ...rules import gradient_descent
from ..check import Measured, check
from .descent_lemma import point
from .sgd_variance import Drawn, errors, logistic, mean_square, normal, orders, variance


def one_dimensional(curvatures: Tensor, minimizers: Tensor) -> LeastSquares:
    """The mean of f_i(w) = ½h_i(w - a_i)²."""
    root = curvatures.sqrt()
    return LeastSquares(root[:, None], root * minimizers)


def epoch(n: int, b: int, batches: int) -> list[Tensor]:
    """The first mini-batches of a shuffled pass over n examples."""
    oracle = Epochs(logistic(n), b)
    return [oracle.indices(torch.zeros(3)) for _ in range(batches)]


@check("GG-5-epoch")
def an_epoch_uses_every_example() -> Measured:
    used = len(set(torch.cat(epoch(10, 3, 10 // 3)).tolist()))
    divides = len(set(torch.cat(epoch(10, 5, 10 // 5)).tolist()))
    f, start = logistic(10), normal(3, seed=5)

    def summed(eta: float) -> float:
        """Norm of the sum of the errors over one epoch of five batches."""
        run = descend(Epochs(f, 2), gradient_descent, start, 5, record=("w", "g"), eta=lambda t: eta)
        return float((run.g - f.grad(run.w))[:5].sum(0).norm())

    still, moving = summed(0.0), [summed(eta) for eta in (0.1, 0.01)]
    return Measured(
        as_printed=used == 10,
        as_repaired=divides == 10 and still < 1e-12 and abs(moving[0] / moving[1] / 10 - 1) < 0.2,
        numbers={
            "examples used by 3 batches of 3, of 10": used,
            "$b = 2$: sum of the errors of an epoch at one $w$": still,
            r"along the iterates, $\eta = 0.1$": moving[0],
            r"$\eta = 0.01$": moving[1],
        },
    )


@check("GG-eq30")
def the_union_of_the_batches() -> Measured:
    floor, ceil = epoch(10, 3, 3), epoch(10, 3, 4)
    f, w = logistic(10), normal(3, seed=5)
    bias = torch.stack([errors(f, w, batch[None])[0] for batch in ceil]).mean(0)
    parts = [epoch(10, b, -(-10 // b)) for b in range(1, 11)]
    return Measured(
        as_printed=len(set(torch.cat(floor).tolist())) == 10,
        as_repaired=all(sorted(torch.cat(batches).tolist()) == list(range(10)) for batches in parts),
        numbers={
            r"$n = 10$, $b = 3$: examples in the union of $\lfloor n/b\rfloor$ batches": len(
                set(torch.cat(floor).tolist())
            ),
            r"of $\lceil n/b\rceil$ batches": len(set(torch.cat(ceil).tolist())),
            "weight of the last example in the mean over these, in units of $1/n$": 10 / len(ceil) / len(ceil[-1]),
            "norm of the bias that this makes": float(bias.norm()),
        },
    )


@check("GG-eq32-scale")
def dropping_one_over_b() -> Measured:
    a = normal(8, seed=3)
    f, w, eta = one_dimensional(torch.ones(8, dtype=torch.float64), a), point(5.0), 0.5
    G = f.per_example_grads(w).sum(0)
    mean = descend(MiniBatch(f, 8), gradient_descent, w, 1, record=("w",), eta=eta).w[1]

    def factor(new: Tensor) -> float:
        return float((new - a.mean()) / (w - a.mean()))

    return Measured(
        as_printed=abs(factor(w - eta * G)) < 1,
        as_repaired=abs(factor(w - eta / 8 * G) - factor(mean)) < 1e-12,
        numbers={
            r"factor of one step, $\eta = 0.5$, $L = 1$, $b = 8$, with $\frac1b$": factor(mean),
            r"without $\frac1b$": factor(w - eta * G),
            r"without, and $\eta/b$": factor(w - eta / 8 * G),
        },
    )


@check("GG-P3")
def sum_or_mean() -> Measured:
    f, w = logistic(5), normal(3, seed=5)
    G = f.per_example_grads(w)
    batch = f.on(torch.arange(5)).grad(w)  # b = n: (36) promises e = 0
    as_sum, as_mean = float((batch - G.sum(0)).norm()), float((batch - G.mean(0)).norm())
    return Measured(
        as_printed=as_sum < 1e-12,
        as_repaired=as_mean < 1e-12,
        numbers={
            r"$\|e\|$ of the whole data as one batch, $f = \sum f_i$": as_sum,
            r"$f = \frac1n\sum f_i$": as_mean,
            r"$\|\nabla f\|$": float(f.grad(w).norm()),
        },
    )


@check("GG-5-partition")
def one_division_for_the_whole_run() -> Measured:
    f = one_dimensional(point(0.2, 0.5, 1.0, 2.0), point(-1.0, -0.2, 0.3, 0.9))
    division = orders(4)
    batches = torch.stack([division[:, :2], division[:, 2:]]).repeat(2, 1, 1)
    start = torch.ones(len(division), 1, dtype=torch.float64)
    run = descend(Drawn(f, batches), gradient_descent, start, 3, record=("w", "g"), eta=0.5)
    e = (run.g - f.grad(run.w))[..., 0]
    sigma2 = torch.tensor([[variance(f, w) for w in at] for at in run.w], dtype=torch.float64).mean(1) * 4 / 3
    share = e.square().mean(1) / ((1 - 2 / 4) * sigma2 / 2)
    still = torch.stack([errors(f, point(0.4), batches[k])[:, 0] for k in (0, 1)])
    formula = mean_square(still[0][:, None]) / (variance(f, point(0.4)) * 4 / 3 / 4)
    bias = e.mean(1)
    return Measured(
        as_printed=float(bias.abs().max()) < 1e-12,
        as_repaired=float(still.mean(1).abs().max()) < 1e-12 and abs(formula - 1) < 1e-9,
        numbers={
            r"$\mathbb E e_0$ over all divisions, $n = 4$, $b = 2$": float(bias[0]),
            r"$\mathbb E e_1$": float(bias[1]),
            r"$\mathbb E e_3$": float(bias[3]),
            r"largest deviation of $\mathbb E e_t^2$ from (36)": float((share - 1).abs().max()),
        },
    )
