"""Claims about how gradient descent, noise and momentum leave a saddle."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import torch
from torch import Generator, Tensor

from ...descend import descend
from ...oracles import AdditiveNoise, MiniBatch
from ...oracles.altered import Altered
from ...problems import DeepLinear, FlatSaddle, MonkeySaddle, Problem, Quadratic, QuadraticNetwork
from ...rules import Rule, amgt_reading, gradient_descent
from ...theory import certify, saddle_escape_probability, saddle_escape_time
from ..check import Measured, check
from .adaptive import vector
from .counterexamples import STRICT, eigenvalues, escapes, f64


def steps_inside(w: Tensor, radius: float) -> Tensor:
    """How many of the points w_0, w_1, ... (T+1, ..., dim) come before a run first leaves the ball around 0."""
    return (w.norm(dim=-1) < radius).cummin(0).values.sum(0)


@check("KH-3.3-GD")
def gradient_descent_near_a_strict_saddle() -> Measured:
    starts = torch.stack([vector(1e-2, 1e-32, 1e-128, 0.0), torch.zeros(4, dtype=f64)], -1)
    run = descend(STRICT, gradient_descent, starts, 3500, record=("w",), eta=0.1)
    near, middle, far, exact = steps_inside(run.w, 0.5).tolist()
    _, minima = escapes()
    # The bare saddle, where the time is known to the step.
    bare = descend(Quadratic(vector(-1.0, 1.0)), gradient_descent, starts[:2], 900, record=("w",), eta=0.1)
    law = certify(
        saddle_escape_time, bare, u=vector(1.0, 0.0), saddle=vector(0.0, 0.0), R=0.5, low=1 - 1e-12, high=1 + 1e-12
    )
    return Measured(
        as_printed=minima < 100,  # trapped from a start that is not chosen for it
        as_repaired=bool(law) and far < run.T and exact == run.T + 1,
        numbers={
            r"steps to leave from $|y_0|=10^{-2}$, $\eta=0.1$": near,
            r"from $10^{-128}$": far,
            r"steps per unit of $\log(1/|y_0|)$; theory: 10.49": (far - middle) / (96 * math.log(10)),
            "of 100 random starts, how many end in a minimum": minima,
        },
    )


def noisy(T: int, sigma: float, paths: int) -> Tensor:
    """y_T of y ← 1.1y + 0.1 σξ from the saddle: gradient descent with η = 0.1 and noise on -½y²."""
    oracle = AdditiveNoise(Quadratic(vector(-1.0)), sigma)
    start = torch.zeros(paths, 1, dtype=f64)
    return descend(oracle, gradient_descent, start, T, record=("w",), record_every=T, eta=0.1).w[-1, :, 0]


def leaving_rate(gamma: float, sigma: float, nodes: int = 400) -> float:
    """-log of the share of paths inside |y| < 1 that are there one step later, in the long run (η = 0.1).

    It is the largest eigenvalue of the transition density on (-1, 1), by quadrature: rows are where paths go.
    """
    y, weight = map(torch.from_numpy, np.polynomial.legendre.leggauss(nodes))
    z = (y[:, None] - (1 + 0.1 * gamma) * y) / (0.1 * sigma)
    density = (-z * z / 2).exp() / (0.1 * sigma * math.sqrt(2 * math.pi))
    p = torch.full_like(y, 0.5)
    for _ in range(300):  # enough for six digits
        after = density @ (weight * p)
        share = float((weight * after).sum())
        p = after / share
    return -math.log(share)


@check("KH-3.3")
def the_probability_of_staying() -> Measured:
    T, r = 60, 0.1

    def inside(T: int, sigma: float) -> int:
        """How many of 10⁵ paths have |y_T| < r."""
        return int((noisy(T, sigma, 100_000).abs() < r).sum())

    count = {sigma: inside(T, sigma) for sigma in (0.1, 0.2, 0.4)}
    earlier = inside(T - 20, 0.1)

    def fits(more: int, less: int, times: float) -> bool:
        """Is more/less equal to ``times``, within four standard errors of its logarithm?"""
        return abs(math.log(more / less / times)) < 4 * math.sqrt(1 / more + 1 / less)

    # exp(-c σ²) would fall by four times as many powers from 0.2 to 0.4 as from 0.1 to 0.2.
    powers = [math.log(a / b) for a, b in pairwise(count.values())]
    weak = [leaving_rate(1.0, sigma) for sigma in (0.5, 1.0)]
    strong = [leaving_rate(0.05, sigma) for sigma in (1.0, 2.0, 3.0)]
    return Measured(
        as_printed=powers[1] > 2 * powers[0] or weak[1] > 2 * weak[0],
        as_repaired=fits(earlier, count[0.1], 1.1**20)
        and fits(count[0.1], count[0.2], 2)
        and fits(count[0.2], count[0.4], 2)
        and abs(weak[1] / weak[0] - 1) < 1e-3
        and strong[0] < strong[1] < strong[2],
        numbers={
            r"$P(|y_{60}|<0.1)$, $\eta\gamma=0.1$, $\sigma=0.1$ ($10^5$ paths)": count[0.1] / 1e5,
            r"how many times less with $2\sigma$": count[0.1] / count[0.2],
            r"rate in $T$; theory: $\log1.1=0.0953$": math.log(earlier / count[0.1]) / 20,
            r"rate of leaving $|y|<1$ for the first time, $\gamma=0.05$, $\sigma=1$": strong[0],
            r"$\sigma=3$": strong[2],
        },
    )


@check("PL-4-as")
def almost_surely_and_in_polynomial_time() -> Measured:
    saddle, T = Quadratic(vector(1.0, -1.0)), 84
    oracle = AdditiveNoise(saddle, 0.1, per_coordinate=True)
    run = descend(oracle, gradient_descent, torch.zeros(20_000, 2, dtype=f64), T, record=("w",), eta=0.1)
    law = certify(
        saddle_escape_probability,
        run,
        u=vector(0.0, 1.0),
        saddle=vector(0.0, 0.0),
        gamma=1.0,
        sigma=0.1,
        r=0.1,
    )
    near = [float((run.w[t, :, 1].abs() < 0.1).to(f64).mean()) for t in (60, T)]
    _, minima = escapes()
    return Measured(
        as_printed=near[0] == 0,  # almost surely within a fixed number of steps
        as_repaired=bool(law) and 0 < near[1] < near[0] / 4 and minima == 100,
        numbers={
            "share of 20000 noisy runs still near the saddle after 60 steps": near[0],
            f"after {T}": near[1],
            "of 100 random starts without noise, how many end in a minimum": minima,
        },
    )


class Directed(Altered):
    """Adds ξ e to the gradient, with ξ ~ N(0, 1): noise in the direction e only."""

    def __init__(self, inner: Problem, e: Tensor) -> None:
        super().__init__(inner)
        self.e = e

    def alter(self, g: Tensor) -> Tensor:
        return g + torch.empty_like(g[..., :1]).normal_(generator=self.generator(g)) * self.e


@check("PL-4-noise-direction")
def noise_that_does_not_point_out() -> Measured:
    saddle, start = Quadratic(vector(1.0, -1.0)), torch.zeros(100, 2, dtype=f64)

    def away(oracle: Directed | AdditiveNoise, T: int) -> Tensor:
        """|y_T| of 100 runs from the saddle."""
        run = descend(oracle, gradient_descent, start, T, record=("w",), record_every=T, eta=0.1)
        return run.w[-1, :, 1].abs()

    beside = away(Directed(saddle, vector(1.0, 0.0)), 3000)
    along = away(AdditiveNoise(saddle, 1.0), 200)
    # A network: two equal units get equal gradients from every example, so no mini-batch tells them apart.
    draw = Generator().manual_seed(0)
    X, y = torch.randn(20, 3, generator=draw, dtype=f64), torch.randn(20, generator=draw, dtype=f64)
    net = QuadraticNetwork(X, y, torch.ones(2, dtype=f64))
    unit = torch.randn(3, generator=draw, dtype=f64) / 2
    run = descend(MiniBatch(net, 1), gradient_descent, unit.repeat(2), 500, record=("w",), eta=1e-3)
    apart = float((run.w[:, :3] - run.w[:, 3:]).abs().max())
    return Measured(
        as_printed=float(beside.min()) > 1 and apart > 0,
        as_repaired=float(along.min()) > 1,  # noise of the same variance in all directions
        numbers={
            r"noise in $x$ only: largest $|y|$ of 100 runs of 3000 steps on $\frac12(x^2-y^2)$": float(
                beside.max()
            ),
            "noise in all directions: smallest $|y|$ after 200 steps": float(along.min()),
            "SGD from two equal units of a network: how far apart 500 steps bring them": apart,
            "while they move by": float((run.w[-1] - run.w[0]).norm()),
        },
    )


@check("PL-4-strict")
def what_a_strict_saddle_is() -> Measured:
    """A negative eigenvalue tells the saddles that are left in log(1/r) steps from those that take 1/r or more."""
    down: dict[str, tuple[Problem, Tensor]] = {
        "quadratic": (Quadratic(vector(1.0, -1.0)), vector(0.0, 1.0)),
        "double well": (STRICT, vector(1.0, 0.0)),
        "two layers": (DeepLinear(2), vector(1.0, 1.0)),
        "three layers": (DeepLinear(3), vector(1.0, 1.0, 1.0)),
        "monkey": (MonkeySaddle(), vector(-1.0, 0.0)),
        "flat": (FlatSaddle(), vector(0.0, 1.0)),
    }
    r = vector(0.2, 0.1, 0.05)
    low, longer = {}, {}
    for name, (f, direction) in down.items():
        run = descend(f, gradient_descent, r[:, None] * direction, 700, record=("w",), eta=0.1)
        t = steps_inside(run.w, 0.5).to(f64)
        longer[name] = float((t[2] - t[1]) / (t[1] - t[0]))  # 1 for log(1/r), 2 for 1/r, 4 for 1/r²
        low[name] = float(eigenvalues(f, torch.zeros(f.dim, dtype=f64))[0])
    return Measured(
        as_printed=all((low[name] < 0) == (longer[name] < 1.5) for name in down),
        numbers={
            "lowest eigenvalue at the saddle of two linear layers": low["two layers"],
            "growth of the time to leave from one halving of the distance to the next": longer["two layers"],
            "lowest eigenvalue with three layers": low["three layers"],
            "growth with three layers": longer["three layers"],
        },
    )


@check("AMGT-saddle")
def oscillation_near_a_saddle() -> Measured:
    start, T = vector(1e-6, 0.3), 400

    def leaves(made: Rule, **hyper: Any) -> tuple[int, int]:
        """Steps until the double well's saddle is left, and changes of sign of the coordinates until then."""
        w = descend(STRICT, made, start, T, record=("w",), **hyper).w
        steps = int((w[:, 0].abs() < 0.5).cummin(0).values.sum())
        return steps, int((w[1:steps] * w[: steps - 1] < 0).sum())

    def reading(factor: Literal["memory", "gradient"], gamma: float) -> tuple[int, int]:
        made = amgt_reading(f"amgt_{factor}", factor=factor, scaling="none")
        return leaves(made, eta=0.1, gamma=gamma, alpha=0.0)

    plain, memory, gradient = reading("memory", 0.0), reading("memory", 1e4), reading("gradient", 1e4)
    descent = leaves(gradient_descent, eta=0.1)
    return Measured(
        as_printed=descent[1] > 0 and memory[1] == gradient[1] == 0,
        numbers={
            r"changes of sign before leaving, without $\lambda_t$": plain[1],
            r"with $\beta_1\lambda_tm$, $\gamma=10^4$": memory[1],
            f"steps to leave (without $\\lambda_t$: {plain[0]})": memory[0],
            r"with $(1-\beta_1)\lambda_tg$, changes of sign": gradient[1],
            "then steps to leave": gradient[0],
            "steps of gradient descent, without a change of sign": descent[0],
        },
    )
