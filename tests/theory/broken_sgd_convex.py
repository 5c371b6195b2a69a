"""Broken variants of the theorems about SGD with convexity or PL, and about gradient descent with errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Self

import torch
from torch import Tensor

from coursekit.descend import Trajectory
from coursekit.methods.projections import ball
from coursekit.oracles import Epochs, MiniBatch, Wrapper
from coursekit.problems import DoubleWell, Huber, LeastSquares, PLSine, Softplus
from coursekit.rules import heavy_ball
from coursekit.theory import (
    Sides,
    inexact_gradient,
    inexact_gradient_pl,
    sgd_convex_averaged,
    sgd_convex_smooth,
    sgd_noise_floor,
    sgd_noise_floor_quadratic,
    sgd_pl_decaying,
    sgd_strongly_convex,
)

from .broken import f64, point, row, smaller
from .broken_noise import bowl, few, one, sgd
from .broken_rates import biased

# fmt: off
floor = sgd(one, point(1.0), 20, 1 / 3)
row(sgd_noise_floor, "constant", "10 % smaller, μ = L, eta = 1/L", floor, sigma2=1.0, change=smaller(0.9))
row(sgd_noise_floor, "constant", "ησ²/μ, the printed order", floor, sigma2=1.0, change=smaller(2 / 3))
row(sgd_noise_floor, "exponent", "the rate to the fourth", sgd(one, point(1.0), 10, 0.1, sigma=0.1), sigma2=0.01,
    change=lambda right, t: right * 0.7 ** (3 * t))
row(sgd_noise_floor, "assumption", "no PL", floor, sigma2=1.0, refused=True, wrong={"pl": 0.1},
    instead=sgd(Softplus(), point(0.0), 60, 4.0, sigma=0.01))
row(sgd_noise_floor, "assumption", "no PL, not asked", floor, sigma2=1.0, wrong={"pl": 0.1, "sigma2": 1e-4},
    instead=sgd(Softplus(), point(0.0), 60, 4.0, sigma=0.01), waive=("PL",))
row(sgd_noise_floor, "step", "1.9/L", floor, sigma2=1.0, refused=True, instead=sgd(one, point(1.0), 20, 1.9 / 3))
row(sgd_noise_floor, "step", "1.9/L, not asked", floor, sigma2=1.0, waive=("step",),
    instead=sgd(one, point(1.0), 60, 1.9 / 3))
row(sgd_noise_floor, "biased gradient", "not asked", floor, sigma2=1.0, waive=("SGD",), wrong={"sigma2": 0.01},
    instead=sgd(one, point(1.0), 60, 0.1, sigma=0.1, method=biased))

modes = sgd(bowl, point(1.0, 1.0), 40, 0.1)
row(sgd_noise_floor_quadratic, "constant", "5 % smaller", modes, sigma2=1.0, change=smaller(0.95))
row(sgd_noise_floor_quadratic, "constant", "5 % larger", modes, sigma2=1.0, change=smaller(1.05))
row(sgd_noise_floor_quadratic, "exponent", "t + 1", modes, sigma2=1.0, change=lambda right, t: right.roll(-1, 0))
row(sgd_noise_floor_quadratic, "constant", "σ² of each coordinate", modes, sigma2=1.0, wrong={"sigma2": 2.0},
    refused=True)
row(sgd_noise_floor_quadratic, "constant", "the same, not asked", modes, sigma2=1.0, wrong={"sigma2": 2.0},
    waive=("noise",))
row(sgd_noise_floor_quadratic, "assumption", "mini-batches", modes, sigma2=1.0, refused=True,
    instead=sgd(MiniBatch(few, 2), torch.zeros(10, dtype=f64), 9, 0.1, sigma=0, seeds=100))
row(sgd_noise_floor_quadratic, "assumption", "not a quadratic, not asked", modes, sigma2=1.0,
    waive=("quadratic",), instead=sgd(Huber(0.1), point(1.0), 40, 0.1))
row(sgd_noise_floor_quadratic, "biased gradient", "not asked", modes, sigma2=1.0, waive=("SGD",),
    instead=sgd(bowl, point(1.0, 1.0), 40, 0.1, method=biased))

harmonic: dict[str, float] = {"c": 2 / 3, "t0": 1.0}
slowing = sgd(one, point(0.0), 60, lambda t: 2 / 3 / (1 + t))
row(sgd_pl_decaying, "constant", "a quarter, beyond the slack", slowing, sigma2=1.0, **harmonic,
    change=smaller(0.25))
row(sgd_pl_decaying, "exponent", "1/T²", slowing, sigma2=1.0, **harmonic, change=lambda right, t: right / t)
row(sgd_pl_decaying, "step", "c = 0.2/μ", slowing, sigma2=1.0, **harmonic, refused=True,
    instead=sgd(one, point(1.0), 60, lambda t: 0.2 / 3 / (1 + t), sigma=0.1))
row(sgd_pl_decaying, "step", "c = 0.2/μ, not asked", slowing, sigma2=1.0, **harmonic, waive=("step",),
    instead=sgd(one, point(1.0), 60, lambda t: 0.2 / 3 / (1 + t), sigma=0.1))
row(sgd_pl_decaying, "step", "no t0: the first exceeds 1/L", slowing, sigma2=1.0, **harmonic, refused=True,
    wrong={"t0": 0.0}, instead=sgd(one, point(0.0), 60, lambda t: 2 / 3 / t))
row(sgd_pl_decaying, "assumption", "no PL, not asked", slowing, sigma2=1.0, **harmonic, waive=("PL",),
    wrong={"pl": 1.0, "c": 4.0, "t0": 0.0, "sigma2": 1e-4},
    instead=sgd(Softplus(), point(0.0), 200, lambda t: 4 / t, sigma=0.01))

pair = LeastSquares(point(1.0, 1.0)[:, None], point(1.0, -1.0))


def single(eta: Callable[[int], float], start: float = 0.0, **more: Any) -> Callable[[], Trajectory]:
    """SGD on the mean of ½(w - 1)² and ½(w + 1)², one of them at a time; with 1/t it averages them."""
    return sgd(MiniBatch(pair, 1), point(start), 60, eta, sigma=0, **more)


averaging = single(lambda t: 1 / t)
row(sgd_strongly_convex, "constant", "45 %, beyond the slack", averaging, G2=2.0, change=smaller(0.45))
row(sgd_strongly_convex, "exponent", "1/T²", averaging, G2=2.0, change=lambda right, t: right / t)
row(sgd_strongly_convex, "step", "0.1/(μt)", averaging, G2=2.0, refused=True, instead=single(lambda t: 0.1 / t,
    1.0))
row(sgd_strongly_convex, "step", "0.1/(μt), not asked", averaging, G2=2.0, waive=("step",),
    instead=single(lambda t: 0.1 / t, 1.0))
row(sgd_strongly_convex, "assumption", "G² at the minimizer only, halved", averaging, G2=2.0, refused=True,
    wrong={"G2": 0.5})
row(sgd_strongly_convex, "assumption", "the same, not asked", averaging, G2=2.0, wrong={"G2": 0.5},
    waive=("second moment",))
row(sgd_strongly_convex, "assumption", "convex only", averaging, G2=2.0, refused=True, wrong={"mu": 0.5},
    instead=sgd(Huber(0.1), point(1.0), 60, lambda t: 2 / t, sigma=0.01))
row(sgd_strongly_convex, "assumption", "projected on a set without w*", averaging, G2=2.0, refused=True,
    instead=single(lambda t: 1 / t, 2.0, project=ball(0.5, 2.0)))
row(sgd_strongly_convex, "assumption", "the same, not asked", averaging, G2=9.0, waive=("SGD",),
    instead=single(lambda t: 1 / t, 2.0, project=ball(0.5, 2.0)))
row(sgd_strongly_convex, "biased gradient", "in order", averaging, G2=2.0, refused=True,
    instead=sgd(Epochs(pair, 1, shuffle=False), point(0.0), 60, lambda t: 1 / t, sigma=0))

steep = sgd(Huber(0.01), point(1.0), 1, 100.0, sigma=1e-3)
walk = sgd(Huber(0.01), point(1.0), 3, 20.0, sigma=1e-3)
valley = sgd(DoubleWell(), point(0.9, 0.0), 400, 0.1, sigma=0.01, seeds=100)
row(sgd_convex_averaged, "constant", "10 % smaller, Huber, T = 1", steep, G2=1.01e-4, change=smaller(0.9))
row(sgd_convex_averaged, "exponent", "1/T² for 1/T", walk, G2=1.01e-4, change=lambda right, t: right / t)
row(sgd_convex_averaged, "assumption", "not convex", walk, G2=1.01e-4, refused=True, instead=valley)
row(sgd_convex_averaged, "assumption", "not convex, not asked", walk, G2=1.01e-4, wrong={"G2": 0.1},
    instead=valley, waive=("convexity",))
row(sgd_convex_averaged, "assumption", "G² too small", walk, G2=1.01e-4, wrong={"G2": 1e-5}, refused=True)
row(sgd_convex_averaged, "assumption", "projected away from w*", walk, G2=1.01e-4, refused=True,
    instead=sgd(Huber(0.01), point(1.0), 3, 20.0, sigma=1e-3, project=ball(0.5, 1.0)))
row(sgd_convex_averaged, "biased gradient", "not asked", walk, G2=1.01e-4, waive=("SGD", "second moment"),
    instead=sgd(Huber(0.01), point(1.0), 99, 1.0, sigma=1e-3, method=biased))

first = sgd(one, point(0.0), 1, 1 / 3, seeds=10_000)
row(sgd_convex_smooth, "constant", "10 % smaller, from the minimizer, T = 1", first, sigma2=1.0,
    change=smaller(0.9))
row(sgd_convex_smooth, "constant", "ησ²/2", first, sigma2=1.0, change=smaller(0.5))
row(sgd_convex_smooth, "exponent", "1/T², noise and all", sgd(one, point(0.0), 20, 1 / 3), sigma2=1.0,
    change=lambda right, t: right / t)
row(sgd_convex_smooth, "step", "1.9/L", first, sigma2=1.0, refused=True, instead=sgd(one, point(0.0), 9, 1.9 / 3))
row(sgd_convex_smooth, "step", "1.9/L, not asked", first, sigma2=1.0, waive=("step",),
    instead=sgd(one, point(0.0), 100, 1.95 / 3))
row(sgd_convex_smooth, "assumption", "not convex", first, sigma2=1.0, refused=True,
    instead=sgd(PLSine(), point(3.0), 9, 0.01))


class Once(Wrapper):
    """Exact, but for one error, of length 1 along the first coordinate, in one step."""

    def __init__(self, inner: Any, late: int) -> None:
        super().__init__(inner)
        self.late, self.t = late, 0

    def fresh(self) -> Self:
        again = super().fresh()
        again.t = 0
        return again

    def value_and_grad(self, w: Tensor) -> tuple[Tensor, Tensor]:
        self.t += 1
        f, g = self.inner.value_and_grad(w)
        return f, g + torch.nn.functional.one_hot(torch.tensor(0), g.shape[-1]) * float(self.t == self.late)


def last_error_only(run: Any, k: Any) -> Sides:
    """(35) as printed: the rate, and the error of the last step."""
    t, e2 = torch.arange(1, run.T + 1, dtype=f64)[:, None], (run.g - run.problem.grad(run.w))[:-1].square().sum(-1)
    sides = inexact_gradient_pl.sides(run, k)
    gap = run.f[0] - k["f_star"]
    return replace(sides, right=(1 - k["pl"] / k["L"]) ** t * gap + e2 / (2 * k["pl"]))


erring = sgd(one, point(1.0), 20, 1 / 3, seeds=3)
late = sgd(Once(bowl, 150), point(1.0, 1.0), 160, 0.1, sigma=0, seeds=1)
for theorem in (inexact_gradient, inexact_gradient_pl):
    row(theorem, "constant", "10 % smaller, on a parabola", erring, change=smaller(0.9))
    row(theorem, "step", "half of 1/L", erring, refused=True, instead=sgd(one, point(1.0), 20, 0.5 / 3, sigma=0))
    row(theorem, "step", "half of 1/L, not asked", erring, waive=("step",),
        instead=sgd(one, point(1.0), 20, 0.5 / 3, sigma=0, seeds=1))
    row(theorem, "method", "heavy ball, not asked", erring, waive=("SGD",),
        instead=sgd(one, point(1.0), 20, 1 / 3, sigma=0, seeds=1, method=heavy_ball))
row(inexact_gradient, "exponent", "1/T² for 1/T", erring, change=lambda right, t: right / t)
row(inexact_gradient_pl, "exponent", "the bound squared", erring, change=lambda right, t: right**2 / 9)
row(inexact_gradient_pl, "constant", "the last error only, as printed", late,
    broken=replace(inexact_gradient_pl, sides=last_error_only))
