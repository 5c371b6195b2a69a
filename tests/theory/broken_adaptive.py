"""Broken variants of the theorems about AdaGrad, AMSGrad and AMGT, and of Chung's lemma."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from typing import Any, Self

import torch
from torch import Tensor

from coursekit import data, descend
from coursekit.claims.checks.adagrad_diagonal import Slope
from coursekit.descend import Trajectory
from coursekit.oracles import AdditiveNoise, Epochs, MiniBatch, Wrapper
from coursekit.problems import Huber, LeastSquares, OnlineLinear, Problem
from coursekit.problems.problem import Constant
from coursekit.rules import (
    Rule,
    adagrad,
    adagrad_norm,
    adagrad_predictable,
    adam,
    amgt_reading,
    amsgrad,
    gradient_descent,
    rmsprop,
)
from coursekit.theory import (
    Sequence,
    Sides,
    adagrad_diagonal,
    adagrad_norm_exact,
    adagrad_norm_noise,
    amgt_exact,
    amgt_inexact,
    amgt_nonconvex,
    amgt_shifted,
    amsgrad_regret,
    chung_lemma,
)

from .broken import f64, point, row, smaller
from .broken_noise import RECORD, bowl, one, sgd
from .broken_rates import biased


class Tilt(Problem):
    """f(w) = 3w, on which one step of AdaGrad-Norm attains the bound."""

    dim = 1
    L = Constant(1e-12)

    def value(self, w: Tensor) -> Tensor:
        return 3 * w[..., 0]


def exact(
    problem: Problem, start: Tensor, T: int, method: Any = adagrad_norm, **h: Any
) -> Callable[[], Trajectory]:
    return partial(descend, problem, method, start, T, record=RECORD, **h)


def unweighted(run: Any, k: Any) -> Sides:
    """Σ ‖∇f‖²/log(T + 1), as AMGT prints it."""
    t = torch.arange(1, run.T + 1, dtype=f64)[:, None]
    return replace(amgt_nonconvex.sides(run, k), left=(run.grad_norm[:-1] ** 2).cumsum(0) / t.log1p())


# fmt: off
slide = exact(Tilt(), point(0.0), 1)
many_steps = exact(one, point(2.0), 50, eta=0.5)
row(adagrad_norm_exact, "constant", "10 % smaller, f = 3w, T = 1", slide, M=3.0, change=smaller(0.9))
row(adagrad_norm_exact, "exponent", "1/T²", many_steps, M=6.0, change=lambda right, t: right / t**2)
row(adagrad_norm_exact, "constant", "M without L", exact(one, point(0.1), 50, eta=1.0), M=1.3,
    change=smaller((1.3 / 4.3) ** 2 * 0.5))
row(adagrad_norm_exact, "assumption", "M too small", slide, M=3.0, wrong={"M": 2.0}, refused=True)
row(adagrad_norm_exact, "assumption", "M too small, not asked", slide, M=3.0, wrong={"M": 2.0},
    waive=("oscillation",))
row(adagrad_norm_exact, "method", "RMSProp", many_steps, M=6.0, refused=True,
    instead=exact(one, point(2.0), 300, rmsprop, eta=0.5))
row(adagrad_norm_exact, "method", "RMSProp, not asked", many_steps, M=6.0,
    waive=("AdaGrad-Norm", "oscillation"), instead=exact(one, point(2.0), 1000, rmsprop, eta=0.5))
row(adagrad_norm_exact, "biased gradient", "noise, and no expectation", many_steps, M=6.0, refused=True,
    instead=partial(descend, AdditiveNoise(one, 1.0), adagrad_norm, point(2.0), 50, record=RECORD))

slip = sgd(Tilt(), point(0.0), 1, 1.0, sigma=0.1, seeds=200, method=adagrad_norm)
noisy = sgd(one, point(1.0), 40, 0.5, seeds=500, method=adagrad_norm)
skewed = sgd(one, point(1.0), 200, 0.5, seeds=500, method=rmsprop)
row(adagrad_norm_noise, "constant", "10 % smaller, f = 3w, T = 1", slip, M=3.01, G2=9.02, change=smaller(0.9))
row(adagrad_norm_noise, "exponent", "1/T", noisy, M=9.0, G2=40.0, change=lambda right, t: right / (5 * t**0.5))
row(adagrad_norm_noise, "assumption", "M too small", slip, M=3.01, G2=9.02, refused=True, wrong={"M": 2.0})
row(adagrad_norm_noise, "assumption", "M too small, not asked", slip, M=3.01, G2=9.02, wrong={"M": 2.0},
    waive=("oscillation",))
row(adagrad_norm_noise, "assumption", "G² is the variance", slip, M=3.01, G2=9.02, refused=True,
    wrong={"G2": 0.01})
row(adagrad_norm_noise, "assumption", "the same, not asked", slip, M=3.01, G2=9.02, wrong={"G2": 0.01},
    waive=("second moment",))
row(adagrad_norm_noise, "method", "RMSProp", noisy, M=9.0, G2=40.0, refused=True, instead=skewed)


class Lifts(Wrapper):
    """Wherever f ≤ 0 after the first step, one coordinate not yet used sees noise of +1 or -1.

    Diagonal AdaGrad has no past there: it moves by 1, to a maximum of f along it, and the gradient vanishes.
    """

    t = used = 0

    def fresh(self) -> Self:
        again = super().fresh()
        again.t = again.used = 0
        return again

    def value_and_grad(self, w: Tensor) -> tuple[Tensor, Tensor]:
        f, g = self.inner.value_and_grad(w)
        self.t += 1
        if self.t > 1 and bool((f <= 1e-9).all()):
            self.used += 1
            g = g.clone()
            g[..., self.used] += torch.tensor([1.0, -1.0], dtype=g.dtype).repeat(len(g) // 2)
        return f, g


def lifted(T: int = 200) -> Trajectory:
    """The gradient has norm 1 for ever, with M < 1.94."""
    start = torch.zeros(100, 75, dtype=f64)
    return descend(Lifts(Slope(75)), adagrad_predictable, start, T, record=RECORD, eta=1.0, sigma=1.0)


def without_the_dimension(run: Any, k: Any) -> Sides:
    """The rate that TDL prints: one log, whatever d is."""
    sides = adagrad_diagonal.sides(run, k)
    t = torch.arange(1, run.T + 1, dtype=f64)[:, None]
    right = (k["M"] + k["L"] / 2 * (1 + t).log2())[..., None]
    return replace(sides, left=sides.left[..., :1], right=right, scale=sides.scale[..., :1])


several = LeastSquares(data.diabetes()[0][:40], data.diabetes()[1][:40])
fed = sgd(MiniBatch(several, 4), torch.zeros(10, dtype=f64), 40, 0.1, sigma=0, seeds=100,
          method=adagrad_predictable, scale=4.0)
drop = sgd(Tilt(), point(0.0), 1, 1.0, sigma=0, seeds=100, method=adagrad_predictable, scale=3.0)
row(adagrad_diagonal, "constant", "10 % smaller, f = 3w, T = 1", drop, M=3.0, change=smaller(0.9))
row(adagrad_diagonal, "exponent", "1/T", fed, M=0.4, change=lambda right, t: right / (10 * t))
row(adagrad_diagonal, "constant", "without the factor d, as printed", fed, M=0.4, instead=lifted,
    broken=replace(adagrad_diagonal, sides=without_the_dimension), wrong={"M": 1.94, "L": 2.0},
    waive=("unbiased",))
row(adagrad_diagonal, "assumption", "σ smaller than a gradient", fed, M=0.4, refused=True,
    instead=sgd(MiniBatch(several, 4), torch.zeros(10, dtype=f64), 40, 0.1, sigma=0, seeds=100,
                method=adagrad_predictable, scale=0.5))
row(adagrad_diagonal, "assumption", "the same, not asked", drop, M=3.0, waive=("bounded gradients", "oscillation"),
    wrong={"M": 0.1}, instead=sgd(Tilt(), point(0.0), 1, 1.0, sigma=0, seeds=100, method=adagrad_predictable,
                                  scale=0.5))
row(adagrad_diagonal, "assumption", "noise that waits for f to fall", fed, M=0.4, refused=True, instead=lifted,
    wrong={"M": 1.94, "L": 2.0})
row(adagrad_diagonal, "method", "AdaGrad with the present gradient", fed, M=0.4, refused=True,
    instead=sgd(MiniBatch(several, 4), torch.zeros(10, dtype=f64), 40, 0.1, sigma=0, seeds=100, method=adagrad))


def online(method: Rule, T: int, beta1: float = 0.0, eta: Any = lambda t: 0.5 / math.sqrt(t)) -> Callable[[], Any]:
    """4w, -w, -w, 4w, ... on [-1, 1]; the best point is -1."""
    return cache(partial(
        descend, Epochs(OnlineLinear(), 1, shuffle=False), method, point(0.0), T, record=RECORD, eta=eta,
        beta1=beta1, beta2=1 / 17, project=lambda w: w.clamp(-1, 1)
    ))


cycle = online(amsgrad, 250)
box: dict[str, float] = {"r": 1.0, "G": 4.0}
row(amsgrad_regret, "constant", "a fifth, beyond the slack", cycle, **box, change=smaller(0.2))
row(amsgrad_regret, "exponent", "log T for √T", cycle, **box, change=lambda right, t: right * t.log1p() / t)
row(amsgrad_regret, "method", "Adam", cycle, **box, refused=True, instead=online(adam, 250))
row(amsgrad_regret, "method", "Adam, not asked", cycle, **box, instead=online(adam, 250), waive=("AMSGrad",))
row(amsgrad_regret, "step", "constant", cycle, **box, refused=True, instead=online(amsgrad, 250, eta=0.5))
row(amsgrad_regret, "constant", "G too small", cycle, **box, refused=True, wrong={"G": 1.0})
row(amsgrad_regret, "constant", "r too small", cycle, **box, refused=True, wrong={"r": 0.5})
row(amsgrad_regret, "assumption", "momentum", cycle, **box, refused=True, instead=online(amsgrad, 250, 0.9))


def recursion(beta: float, gamma: float, k0: int, T: int = 500) -> Callable[[], Sequence]:
    """The recursion with equality, from 1."""
    a = [1.0]
    for k in range(k0, k0 + T):
        a.append((1 - beta / k) * a[-1] + gamma / k**2)
    return lambda: Sequence(point(*a))


for beta, gamma, k0 in ((2.0, 1.0, 2), (1.0, 1.0, 1), (0.5, 0.01, 40)):
    k: dict[str, float] = {"beta": beta, "gamma": gamma, "k0": k0}
    regime = f"β = {beta:g}"
    row(chung_lemma, "constant", f"10 % smaller, {regime}", recursion(beta, gamma, k0), **k, change=smaller(0.9))
    row(chung_lemma, "exponent", f"a faster power, {regime}", recursion(beta, gamma, k0), **k,
        change=lambda right, t: right / t**0.1)
    row(chung_lemma, "assumption", f"β 20 % larger, {regime}", recursion(beta, gamma, k0), **k, refused=True,
        wrong={"beta": 1.2 * beta, "k0": k0 + 1})
    row(chung_lemma, "assumption", f"β 20 % larger, not asked, {regime}", recursion(beta, gamma, k0), **k,
        wrong={"beta": 1.2 * beta, "gamma": gamma / 3}, waive=("recursion", "start"))
row(chung_lemma, "assumption", "starts before k = β", recursion(2.0, 1.0, 2), beta=2.0, gamma=1.0, k0=2,
    refused=True,
    wrong={"k0": 1})
row(chung_lemma, "assumption", "negative: a = -1", recursion(2.0, 1.0, 2), beta=2.0, gamma=1.0, k0=2, refused=True,
    instead=lambda: Sequence(-torch.ones(50, dtype=f64)))

stiff = exact(bowl, point(0.0, 1.0), 5, gradient_descent, eta=lambda t: 1 / t)
mild = exact(bowl, point(1.0, 0.0), 60, gradient_descent, eta=lambda t: 1 / (t + 10))
row(amgt_exact, "constant", "10 % smaller, the stiff mode", stiff, change=smaller(0.9))
row(amgt_exact, "exponent", "(17): 1 - μ/t, squared", stiff, broken=replace(amgt_exact, sides=lambda run,
    k: replace(
    amgt_exact.sides(run, k), right=run.w[0].norm() * (1 - 1 / torch.arange(1.0, run.T + 1,
    dtype=f64)).cumprod(0))))
row(amgt_exact, "constant", "L 10 % smaller", stiff, wrong={"L": 9.0})
row(amgt_exact, "assumption", "convex only", stiff, refused=True, mu=1.0, wrong={"mu": 0.5},
    instead=exact(Huber(0.1), point(1.0), 5, gradient_descent, eta=lambda t: 2 / t))
row(amgt_exact, "step", "0.1/(μt)", stiff, refused=True,
    instead=exact(bowl, point(1.0, 1.0), 60, gradient_descent, eta=lambda t: 0.1 / t))
row(amgt_exact, "step", "0.1/(μt), not asked", exact(one, point(1.0), 60, gradient_descent,
    eta=lambda t: 1 / (3 * t)),
    waive=("step",), instead=exact(one, point(1.0), 60, gradient_descent, eta=lambda t: 0.1 / (3 * t)))
row(amgt_exact, "biased gradient", "not asked", exact(one, point(1.0), 60, gradient_descent,
    eta=lambda t: 1 / (3 * t)),
    waive=("gradient descent",), instead=exact(one, point(1.0), 60, biased, eta=lambda t: 1 / (3 * t)))
row(amgt_shifted, "constant", "10 % smaller, the slow mode", mild, change=smaller(0.9))
row(amgt_shifted, "exponent", "1/T²", mild, change=lambda right, t: right / (1 + t / 10))
row(amgt_shifted, "step", "1/(μt)", mild, refused=True,
    instead=exact(bowl, point(0.0, 1.0), 5, gradient_descent, eta=lambda t: 1 / t))
row(amgt_shifted, "step", "1/(μt), not asked", mild, waive=("step",),
    instead=exact(bowl, point(0.0, 1.0), 5, gradient_descent, eta=lambda t: 1 / t))
row(amgt_shifted, "biased gradient", "not asked", mild, waive=("gradient descent",),
    instead=exact(bowl, point(1.0, 0.0), 200, biased, eta=lambda t: 1 / (t + 10)))

analysed = amgt_reading("analysed", window=2, scaling="none")


def amgt(T: int = 100, eta: Callable[[int], float] = lambda t: 1 / (3 * t), problem: Any = one) -> Callable[[],
    Any]:
    """AMGT's update (14), with momentum: its error fades like 1/t."""
    return exact(problem, point(1.0), T, analysed, eta=eta, gamma=0.0, alpha=0.0)


fading: dict[str, float] = {"delta": 4.5, "D": 1.001, "G": 3.001}
row(amgt_inexact, "constant", "a hundredth, beyond the slack", amgt(), **fading, change=smaller(0.01))
row(amgt_inexact, "exponent", "1/T³", amgt(), **fading, change=lambda right, t: right / t**2)
row(amgt_inexact, "assumption", "errors that stay", amgt(), **fading, refused=True,
    instead=amgt(problem=AdditiveNoise(one, 1.0)))
row(amgt_inexact, "assumption", "δ, D and G too small, not asked", amgt(), delta=4.5, D=1.001, G=3.001,
    wrong={"delta": 0.01, "D": 0.01, "G": 0.1}, waive=("errors", "bounded"))
row(amgt_inexact, "assumption", "convex only", amgt(), **fading, refused=True, wrong={"mu": 0.5},
    instead=amgt(eta=lambda t: 2 / t, problem=Huber(0.1)))
row(amgt_inexact, "step", "0.01/(μt)", amgt(), **fading, refused=True, instead=amgt(eta=lambda t: 0.01 / (3 * t)))
row(amgt_inexact, "step", "0.01/(μt), not asked", amgt(), **fading, waive=("step", "errors"),
    wrong={"delta": 0.01},
    instead=amgt(eta=lambda t: 0.01 / (3 * t)))

quick = sgd(one, point(1.0), 60, lambda t: 0.26 / t, sigma=0.1, seeds=200)
row(amgt_nonconvex, "constant", "70 %, beyond the slack", quick, G2=9.1, change=smaller(0.7))
row(amgt_nonconvex, "exponent", "1/T for 1/log T", quick, G2=9.1, change=lambda right, t: right / t)
row(amgt_nonconvex, "exponent", "the weights lost, as (35) prints it", quick, G2=9.1,
    broken=replace(amgt_nonconvex, sides=unweighted),
    instead=sgd(one, point(1.0), 200, lambda t: 0.01 / (3 * t), sigma=0.1, seeds=200))
row(amgt_nonconvex, "assumption", "G² is the variance", quick, G2=9.1, refused=True, wrong={"G2": 0.01})
row(amgt_nonconvex, "assumption", "the same, not asked", sgd(one, point(1.0), 9, lambda t: 1 / t, sigma=0.1),
    G2=45.0, wrong={"G2": 0.01}, waive=("second moment",))
row(amgt_nonconvex, "step", "c/√t", quick, G2=9.1, refused=True,
    instead=sgd(one, point(1.0), 60, lambda t: 0.26 / math.sqrt(t), sigma=0.1, seeds=200))
# fmt: on
