"""Broken variants of the theorems about SAM, saddles and two-layer networks."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from typing import Any

import torch
from torch import Tensor

from coursekit import data, descend
from coursekit.methods import bfgs, minimize, sam
from coursekit.oracles import AdditiveNoise
from coursekit.problems import (
    DeepLinear,
    DoubleWell,
    MonkeySaddle,
    Problem,
    Quadratic,
    QuadraticNetwork,
    ReLUNetwork,
)
from coursekit.rules import gradient_descent, heavy_ball
from coursekit.theory import (
    Points,
    Sides,
    asam_invariance,
    quadratic_activation,
    saddle_escape_probability,
    saddle_escape_time,
    sam_first_order,
    sam_maximizer,
    swp_unbiased,
    wide_networks,
)

from .broken import f64, point, row, smaller
from .broken_functions import bowl, from_zero, pairs
from .broken_noise import RECORD
from .broken_rates import biased


def wrong_exponent(points: Any, k: Any) -> Sides:
    """The claim that g/‖g‖, scaled to length ρ in the p-norm, is the maximizer for every p."""
    sides, g = sam_maximizer.sides(points, k), points.problem.grad(points.w)
    rho = (points.v - points.w).norm(k["p"], dim=-1)
    reached = rho * g.square().sum(-1) / g.norm(k["p"], dim=-1)
    return replace(sides, right=torch.stack([sides.right[:, 0], reached, sides.right[:, 2]], -1))


def undivided(points: Any, k: Any) -> Sides:
    """ESAM's mask without its division by β."""
    sides = swp_unbiased.sides(points, k)
    return replace(sides, left=sides.left * k["beta"])


def with_sams_ball(points: Any, k: Any) -> Sides:
    """The claim that SAM's ε is rescaled with w, as ASAM's is."""
    oracle, A = sam(points.problem, k["rho"], float(k["p"])), k["A"]
    here, there = (oracle.epsilon(w, points.problem.grad(w)) for w in (points.w, A * points.w))
    return Sides(left=there, right=A * here, scale=torch.ones_like(here), equal=True)


# fmt: off
for p in (1.0, 1.5, 2.0, 4.0, math.inf):
    row(sam_maximizer, "constant", f"10 % smaller, p = {p:g}", bowl, p=p, change=smaller(0.9))
for p in (1.5, math.inf):
    row(sam_maximizer, "method", f"ρ g/‖g‖, p = {p:g}", bowl, p=p, broken=replace(sam_maximizer,
        sides=wrong_exponent))
row(sam_maximizer, "assumption", "p = 1/2, no norm", bowl, p=2.0, wrong={"p": 0.5}, refused=True)
row(sam_maximizer, "assumption", "at a stationary point", bowl, p=2.0, refused=True,
    instead=lambda: from_zero(Quadratic(point(1.0))))


def hill(sign: float) -> Callable[[], Points]:
    """±3w²/2 from 1, where SAM's step is the best there is."""
    w = torch.ones(9, 1, dtype=f64)
    return lambda: Points(Quadratic(point(3.0 * sign)), w, w + sign * torch.linspace(0.1, 0.5, 9, dtype=f64)[:,
        None])


for sign in (1.0, -1.0):
    row(sam_first_order, "constant", f"10 % smaller, {sign:+g} parabola", hill(sign), change=smaller(0.9))
row(sam_first_order, "exponent", "ρ³", hill(1.0), change=lambda right, t: right * t / 10)
row(sam_first_order, "constant", "L 10 % smaller", hill(1.0), wrong={"L": 2.7})
row(sam_first_order, "assumption", "L = 0: the linear model is exact", hill(1.0), wrong={"L": 0.0}, refused=True)
row(swp_unbiased, "constant", "10 % smaller", bowl, beta=0.6, change=smaller(0.9))
row(swp_unbiased, "method", "without 1/β", bowl, beta=0.6, broken=replace(swp_unbiased, sides=undivided))
row(swp_unbiased, "constant", "β of another mask", bowl, beta=0.6, broken=replace(swp_unbiased,
    sides=lambda points, k:
    replace(swp_unbiased.sides(points, k), right=swp_unbiased.sides(points, {"beta": 0.5}).right)))
row(swp_unbiased, "assumption", "β = 0", bowl, beta=0.6, wrong={"beta": 0.0}, refused=True)
row(swp_unbiased, "assumption", "too many coordinates to enumerate", bowl, beta=0.6, refused=True,
    instead=lambda: pairs(Quadratic(torch.ones(13, dtype=f64))))

product = partial(pairs, DeepLinear(2, 2.0))
scaled: dict[str, Any] = {"A": point(10.0, 0.1), "rho": 0.1, "p": 2.0}
row(asam_invariance, "method", "SAM's ball", product, **scaled, broken=replace(asam_invariance,
    sides=with_sams_ball))
row(asam_invariance, "constant", "1 % larger", product, **scaled, change=smaller(1.01))
row(asam_invariance, "assumption", "f is not invariant", product, **scaled, refused=True, instead=bowl)
row(asam_invariance, "assumption", "f is not invariant, not asked", product, **scaled, instead=bowl,
    waive=("rescaling",))
row(asam_invariance, "assumption", "A not positive", product, **scaled, refused=True, wrong={"A": point(-10.0,
    -0.1)})
row(asam_invariance, "assumption", "a weight is zero", product, **scaled, refused=True,
    instead=lambda: Points(DeepLinear(2, 2.0), point(0.0, 1.0)[None], point(1.0, 1.0)[None]))

strict = Quadratic(point(1.0, -0.5))
starts = torch.stack([torch.ones(12, dtype=f64), torch.logspace(-7, -1, 12, dtype=f64)], -1)


def leaving(problem: Problem, w: Tensor, T: int = 350, eta: float = 0.1, method: Any = gradient_descent,
    **h: Any) -> Any:
    return partial(descend, problem, method, w, T, record=RECORD, eta=eta, **h)


away = cache(leaving(strict, starts))
frame: dict[str, Any] = {"u": point(0.0, 1.0), "saddle": point(0.0, 0.0), "R": 1.0, "low": 0.5, "high": 0.5}
wells = leaving(DoubleWell(0.0), starts.flip(-1), eta=0.1)
row(saddle_escape_time, "constant", "10 % sooner", away, **frame, change=smaller(0.9))
row(saddle_escape_time, "constant", "γ 10 % larger", away, **frame, wrong={"low": 0.55, "high": 0.55},
    refused=True)
row(saddle_escape_time, "constant", "γ 10 % larger, not asked", away, **frame, wrong={"low": 0.55, "high": 0.55},
    waive=("curvature",))
row(saddle_escape_time, "assumption", "starts at the saddle", away, **frame, refused=True,
    instead=leaving(strict, point(1.0, 0.0)))
row(saddle_escape_time, "assumption", "a degenerate saddle", away, **frame, refused=True,
    instead=leaving(MonkeySaddle(), point(-0.01, 0.0), 400))
row(saddle_escape_time, "assumption", "a degenerate saddle, not asked", away, **frame, waive=("curvature",
    "direction"),
    wrong={"u": point(1.0, 0.0), "R": 0.1}, instead=leaving(MonkeySaddle(), point(-0.01, 0.0), 400))
row(saddle_escape_time, "assumption", "a well: only the slope at the saddle", wells, refused=True,
    **{**frame, "u": point(1.0, 0.0), "R": 0.5, "low": 0.75, "high": 1.0}, wrong={"low": 1.0})
row(saddle_escape_time, "assumption", "the same, not asked", wells, waive=("curvature",),
    **{**frame, "u": point(1.0, 0.0), "R": 0.9, "low": 0.19, "high": 1.0}, wrong={"low": 1.0})
row(saddle_escape_time, "method", "heavy ball", away, **frame, refused=True, instead=leaving(strict, starts,
    method=heavy_ball))
row(saddle_escape_time, "method", "heavy ball, not asked", away, **frame, waive=("gradient descent", "curvature"),
    instead=leaving(strict, starts, method=heavy_ball))
row(saddle_escape_time, "biased gradient", "not asked", away, **frame, waive=("gradient descent",),
    instead=leaving(strict, starts, method=biased))


def kicked(sigma: float = 0.1, seeds: int = 8000, T: int = 30, method: Any = gradient_descent,
    y: float = 0.0) -> Any:
    w = point(0.0, y).expand(seeds, 2).clone()
    return partial(descend, AdditiveNoise(Quadratic(point(1.0, -1.0)), sigma, per_coordinate=True), method, w, T,
                   record=("w",), eta=0.1)


kick = cache(kicked())
chance: dict[str, Any] = {"u": point(0.0, 1.0), "saddle": point(0.0, 0.0), "gamma": 1.0, "sigma": 0.1, "r": 0.1}
row(saddle_escape_probability, "constant", "10 % smaller", kick, **chance, change=smaller(0.9))
row(saddle_escape_probability, "constant", "10 % larger", kick, **chance, change=smaller(1.1))
row(saddle_escape_probability, "exponent", "T - 1", kick, **chance, change=lambda right, t: right.roll(1, 0))
row(saddle_escape_probability, "constant", "σ 10 % larger", kick, **chance, refused=True,
    wrong={"sigma": 0.11})
row(saddle_escape_probability, "constant", "σ 10 % larger, not asked", kick, **chance, wrong={"sigma": 0.11},
    waive=("noise",))
row(saddle_escape_probability, "assumption", "σ² of all coordinates together", kick, **chance,
    wrong={"sigma": 0.1 * 2**0.5}, waive=("noise",))
row(saddle_escape_probability, "assumption", "starts off the saddle", kick, **chance, refused=True,
    instead=kicked(y=0.1))
row(saddle_escape_probability, "assumption", "starts off the saddle, not asked", kick, **chance,
    waive=("start",),
    instead=kicked(y=0.1))
row(saddle_escape_probability, "assumption", "not an eigenvector", kick, **chance, refused=True,
    wrong={"u": point(0.6, 0.8)})
row(saddle_escape_probability, "assumption", "too few runs to tell", kick, **chance, refused=True,
    instead=kicked(seeds=100, T=2))
row(saddle_escape_probability, "method", "heavy ball, not asked", kick, **chance, waive=("SGD",),
    instead=kicked(method=heavy_ball))

X = torch.linalg.svd(data.digits(18)[0] - data.digits(18)[0].mean(0), full_matrices=False).U[:, :4] * 2
labels = torch.tensor([1.0, -1.0], dtype=f64).repeat(9)
SIGNS = (1.0, -1.0) * 4


@cache
def saddles(v: tuple[float, ...] = SIGNS, T: int = 300) -> Points:
    """Minima of networks with fewer units, the others at zero: critical points of the whole, on 18 images."""
    whole = QuadraticNetwork(X, labels, point(*v))
    found = [torch.zeros(whole.dim, dtype=f64)]
    for units in (1, 2):
        part = QuadraticNetwork(X, labels, point(*v[:units]))
        w = minimize(part, bfgs(), part.random_start(units), T).w[-1]
        found.append(torch.cat([w, torch.zeros(whole.dim - part.dim, dtype=f64)]))
    return Points(whole, torch.stack(found), torch.stack(found))


def off_the_critical() -> Points:
    there = saddles()
    w = there.w + 0.3 * torch.randn(there.w.shape, generator=torch.Generator().manual_seed(0), dtype=f64)
    return Points(there.problem, w, w)


def fitted() -> Points:
    """The minimum of a network with one unit of each sign."""
    return saddles((1.0, -1.0))


row(quadratic_activation, "constant", "10 % more curvature", saddles,
    change=lambda right, t: right * point(1.1, 1.0))
row(quadratic_activation, "constant", "f* too low", saddles, wrong={"f_star": -9.0})
row(quadratic_activation, "assumption", "not critical", saddles, refused=True, instead=off_the_critical)
row(quadratic_activation, "assumption", "not critical, not asked", saddles, instead=off_the_critical,
    waive=("critical point",))
row(quadratic_activation, "assumption", "one unit of each sign", saddles, refused=True, instead=fitted,
    wrong={"f_star": 0.26})
row(quadratic_activation, "assumption", "the same, not asked", saddles, instead=fitted, wrong={"f_star": 0.26},
    waive=("signs",))
row(quadratic_activation, "assumption", "no network", saddles, refused=True, instead=bowl)

images = data.digits(12)[0] - data.digits(12)[0].mean(0)
images = images / images.norm(dim=1, keepdim=True)
wide = ReLUNetwork(images, labels[:12], 100)
LAM = float(torch.linalg.eigvalsh(wide.limit_gram())[0]) / 2


def trained(problem: Any = wide, eta: float = 4.0, method: Any = gradient_descent, T: int = 60) -> Callable[[],
    Any]:
    return cache(leaving(problem, problem.random_start(0), T, eta, method))


descent = trained()
row(wide_networks, "constant", "a tenth, beyond the slack", descent, lam=LAM, change=smaller(0.1))
row(wide_networks, "exponent", "1/T² besides", descent, lam=LAM, change=lambda right, t: right / t**2)
row(wide_networks, "constant", "λ = the largest eigenvalue", descent, lam=LAM, refused=True, wrong={"lam": 2.0})
row(wide_networks, "constant", "λ = the largest eigenvalue, not asked", descent, lam=LAM, wrong={"lam": 2.0},
    waive=("Gram matrix",))
twice = torch.cat([images, images[:1]])
torn = trained(ReLUNetwork(twice, torch.cat([labels[:12], -labels[:1]]), 100), T=200)
row(wide_networks, "assumption", "one image with both labels", descent, lam=LAM, refused=True, instead=torn)
row(wide_networks, "assumption", "one image with both labels, not asked", descent, lam=LAM, instead=torn,
    waive=("Gram matrix",))
row(wide_networks, "step", "too long", descent, lam=LAM, refused=True, instead=trained(eta=60.0, T=20))
row(wide_networks, "step", "too long, not asked", descent, lam=LAM, waive=("decrease", "Gram matrix"),
    instead=trained(eta=60.0, T=20))
row(wide_networks, "method", "heavy ball", descent, lam=LAM, refused=True, instead=trained(method=heavy_ball, T=5))
row(wide_networks, "biased gradient", "not asked", descent, lam=LAM, instead=trained(method=biased, eta=0.5),
    waive=("gradient descent", "decrease", "Gram matrix"))
row(wide_networks, "assumption", "no ReLU network", descent, lam=LAM, refused=True,
    instead=trained(QuadraticNetwork(X, labels, point(*SIGNS)), eta=0.01, T=5))
# fmt: on
