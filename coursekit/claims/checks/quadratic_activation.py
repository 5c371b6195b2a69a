"""Claims about GG's Proposition 4: one hidden layer with quadratic activation has no bad minima."""

from __future__ import annotations

from functools import cache

import torch
from torch import Generator, Tensor

from ...descend import descend
from ...problems import DeepLinear, Problem, QuadraticNetwork
from ...rules import heavy_ball
from ...theory import Points, certify, quadratic_activation
from ..check import Measured, check
from .counterexamples import f64

D, K = 4, 8  # the smallest width that the proposition allows, k = 2d
FULL = D * (D + 1) // 2  # how many numbers a symmetric matrix M has
MIXED = torch.tensor([1.0, -1.0], dtype=f64).repeat(K // 2)


def sets(count: int, n: int, d: int = D, seed: int = 0) -> tuple[Tensor, Tensor]:
    """``count`` sets of n random unit inputs and normal targets, one below the other: (count·n, d), (count·n,)."""
    draw = Generator().manual_seed(seed)
    X = torch.randn(count * n, d, generator=draw, dtype=f64)
    return X / X.norm(dim=1, keepdim=True), torch.randn(count * n, generator=draw, dtype=f64)


def networks(count: int, n: int, v: Tensor = MIXED) -> list[QuadraticNetwork]:
    """One network for each of these sets."""
    X, y = sets(count, n)
    return [QuadraticNetwork(*pair, v) for pair in zip(X.split(n), y.split(n), strict=True)]


def best(count: int, n: int) -> Tensor:
    """The least possible loss on each set, by least squares in M, shape (count,)."""
    return torch.tensor([float(f.f_star or 0) for f in networks(count, n)], dtype=f64)


def trained(f: QuadraticNetwork, start: Tensor, steps: int = 1200) -> Tensor:
    """Where heavy ball ends from each start."""
    run = descend(f, heavy_ball, start, steps, record=("w",), record_every=steps, eta=0.03, beta=0.9)
    return run.w[-1]


def losses(count: int, n: int, runs: int, steps: int = 1200) -> Tensor:
    """The loss in which training from random starts ends on each set, shape (count, runs), all in one batch."""
    X, y = sets(count, n)
    f = QuadraticNetwork(X, y, MIXED).on(torch.arange(count * n).reshape(count, 1, n).expand(count, runs, n))
    start = torch.randn(count, runs, f.dim, generator=Generator().manual_seed(1), dtype=f64)
    return f.value(trained(f, start, steps))


def lowest(f: Problem, w: Tensor) -> Tensor:
    """The lowest eigenvalue of the Hessian at each point."""
    return torch.linalg.eigvalsh(f.hessian(w))[..., 0]


@cache
def saddles(random_v: bool) -> tuple[QuadraticNetwork, Tensor]:
    """A network on 30 points and critical points of it that are not global minima.

    A unit that starts at zero stays there: training 1 to 4 units alone ends in a critical point of all.
    """
    draw = Generator().manual_seed(2)
    size = 0.2 + 1.8 * torch.rand(K, generator=draw, dtype=f64) if random_v else 1.0
    X, y = sets(1, 30)
    f = QuadraticNetwork(X, y, MIXED * size)
    units = torch.rand(40, K, generator=draw).argsort(-1) <= torch.arange(40)[:, None] % 4
    start = torch.randn(40, K, D, generator=draw, dtype=f64) * units[..., None]
    w = trained(f, start.reshape(40, -1), steps=3000)
    assert f.f_star is not None
    stationary = f.grad(w).norm(dim=-1) < 1e-9
    return f, w[stationary & (f.value(w) > float(f.f_star) + 1e-3)]


def every_minimum_is_global() -> tuple[float, float]:
    """The largest loss beyond the best one in which 40 runs end, on 8 points and on 30."""
    gaps = [(losses(1, n, 40) - best(1, n)[:, None]).max() for n in (FULL - 2, 30)]
    return float(gaps[0]), float(gaps[1])


@check("GG-P4-1")
def no_spurious_minimum() -> Measured:
    few, many = every_minimum_is_global()
    # The likeliest traps: starts beside the saddles.
    f, w = saddles(random_v=True)
    push = 1e-3 * torch.randn(w.shape, generator=Generator().manual_seed(3), dtype=f64)
    assert f.f_star is not None
    left = float(f.value(trained(f, w + push, steps=3000)).max()) - float(f.f_star)
    return Measured(
        as_printed=max(few, many, left) < 1e-10,
        numbers={
            f"$d=4$, $k=8$, $n={FULL - 2}$: largest final loss of 40 runs": few,
            "$n=30$: best loss, by least squares in $M$": float(best(1, 30)),
            "largest final loss of 40 runs beyond it": many,
            f"the same of {len(w)} runs that start beside saddles, random $v$": left,
        },
    )


@check("GG-P4-2")
def every_saddle_is_strict() -> Measured:
    held, low, count = [], [], 0
    for f, w in (saddles(random_v=False), saddles(random_v=True)):
        held.append(bool(certify(quadratic_activation, Points(f, w, w))))
        low.append(float(lowest(f, w).max()))
        count += len(w)
    return Measured(
        as_printed=all(held) and max(low) < -1e-2 and count >= 47,
        numbers={
            "saddles found": count,
            r"largest $\lambda_{\min}$ of the Hessian at them, $v_j=\pm1$": low[0],
            "with random $v$": low[1],
        },
    )


def zero_loss() -> tuple[bool, bool, dict[str, float]]:
    """Item 3 as printed and as repaired: is the best loss zero?"""
    X, y = sets(1, 5)
    X[1], y[0], y[1] = X[0], 1.0, -1.0
    conflict = float(QuadraticNetwork(X, y, MIXED).f_star or 0)
    most = {n: float(best(20, n).max()) for n in (1, D, FULL)}
    least = {n: float(best(20, n).min()) for n in (FULL + 1, D * D)}
    numbers = {
        f"largest best loss over 20 random sets, $n={FULL}$": most[FULL],
        f"smallest, $n={FULL + 1}$": least[FULL + 1],
        f"smallest, $n=d^2={D * D}$": least[D * D],
        "$n=5$, two equal inputs with the targets 1 and -1": conflict,
    }
    return conflict < 1e-12, max(most.values()) < 1e-12 and min(least.values()) > 1e-6, numbers


@check("GG-P4-3")
def the_best_loss_is_zero_for_generic_data() -> Measured:
    # Equal inputs with different targets defeat every constant c.
    return Measured(*zero_loss())


@check("GG-P4")
def benign_landscape() -> Measured:
    printed, repaired, _ = zero_loss()
    few, many = every_minimum_is_global()
    # Why: W reaches every symmetric M, and the loss is convex in M.
    draw = Generator().manual_seed(4)
    M = torch.randn(100, D, D, generator=draw, dtype=f64)
    M = M + M.mT
    lam, Q = torch.linalg.eigh(M)
    rows = Q.mT * lam.abs().sqrt()[..., None]  # √|λ_i| q_i for the units of the sign of λ_i, zero for the others
    W = torch.stack([rows * (lam > 0)[..., None], rows * (lam < 0)[..., None]], 2).reshape(100, K, D)
    reached = float((W.mT @ (MIXED[:, None] * W) - M).abs().max())
    return Measured(
        as_printed=printed,
        as_repaired=repaired and max(few, many) < 1e-10 and reached < 1e-12,
        numbers={
            "100 random symmetric $M$: largest error of $W^\\top\\mathrm{diag}(v)W$": reached,
            "largest final loss of 80 runs beyond the best": max(few, many),
            f"smallest best loss over 20 random sets of {FULL + 1} points": float(best(20, FULL + 1).min()),
        },
    )


@check("GG-P4-3-gloss")
def every_local_solution_fits_the_data() -> Measured:
    fitted, beyond = losses(5, FULL - 2, 10, 2500), losses(5, FULL + 1, 10)
    return Measured(
        as_printed=float(beyond.min()) < 1e-9,
        as_repaired=float(fitted.max()) < 1e-9,
        numbers={
            f"largest final loss, 50 runs on five sets of {FULL - 2} points": float(fitted.max()),
            f"smallest final loss on five sets of {FULL + 1} points": float(beyond.min()),
            "on the set that is hardest to fit": float(beyond.amin(1).max()),
        },
    )


def single_unit() -> tuple[Tensor, Tensor]:
    """k = 1: the loss in which 20 runs end on each of 60 sets, and whether that is a strict local minimum."""
    X, y = sets(60, 8)
    one = torch.ones(1, dtype=f64)
    f = QuadraticNetwork(X, y, one).on(torch.arange(480).reshape(60, 1, 8).expand(60, 20, 8))
    w = trained(f, torch.randn(60, 20, D, generator=Generator().manual_seed(1), dtype=f64))
    return f.value(w), (f.grad(w).norm(dim=-1) < 1e-8) & (lowest(f, w) > 1e-3)


@check("GG-P4-necessity")
def without_the_conditions_it_fails() -> Measured:
    # All v positive: M is positive semidefinite, and targets of -1 leave every network at its start, W = 0.
    X, _ = sets(1, FULL - 2)
    start = torch.randn(20, K * D, generator=Generator().manual_seed(1), dtype=f64)
    positive, mixed = (QuadraticNetwork(X, -torch.ones(len(X), dtype=f64), v) for v in (MIXED.abs(), MIXED))
    left, fitted = (float(f.value(trained(f, start)).min()) for f in (positive, mixed))
    loss, strict = single_unit()
    least = loss.amin(1, keepdim=True).expand_as(loss)
    trapped = strict & (loss > 1.1 * least)
    worst = (loss / least).where(trapped, 0).argmax()
    return Measured(
        as_printed=left > 0.499 and fitted < 1e-6 and bool(trapped.any()),
        numbers={
            "$y=-1$: smallest final loss of 20 runs with all $v_j=1$": left,
            "with both signs": fitted,
            "$k=1$: of 60 random sets, how many have a strict local minimum above the best": int(
                trapped.any(1).sum()
            ),
            "in the worst case its loss": float(loss.flatten()[worst]),
            "beside": float(least.flatten()[worst]),
        },
    )


@check("GG-P4-2-gloss")
def saddles_of_deeper_networks() -> Measured:
    two, three = DeepLinear(2), DeepLinear(3)
    low = [float(lowest(f, torch.zeros(f.dim, dtype=f64))) for f in (two, three)]
    below = float(three.value(torch.full((3,), 0.1, dtype=f64)) - three.value(torch.zeros(3, dtype=f64)))
    return Measured(
        as_printed=max(low) < 0 or below >= 0,
        as_repaired=max(float(lowest(*saddles(random_v)).max()) for random_v in (False, True)) < -1e-2,
        numbers={
            "lowest eigenvalue at the saddle 0 of two linear layers": low[0],
            "of three": low[1],
            "where the loss at $(0.1,0.1,0.1)$ is lower by": -below,
        },
    )
