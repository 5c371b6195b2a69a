"""Claims about momentum: damping, acceleration, noise, and Nesterov's guarantee."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ...descend import descend
from ...oracles import AdditiveNoise, MiniBatch
from ...problems import Huber, LeastSquares, Quadratic, Rosenbrock
from ...rules import accelerated, gradient_descent, heavy_ball, heavy_ball_difference, nesterov
from ...theory import certify, heavy_ball_optimal, nesterov_convex, polyak_parameters
from ..check import Measured, check
from .descent_lemma import point


def decay(eta_lambda: Tensor, alpha: Tensor) -> Tensor:
    """Factor per step of the amplitude on a parabola, from the largest |w| in two windows 100 steps apart."""
    f = Quadratic(point(1.0))
    eta_lambda, alpha = torch.broadcast_tensors(eta_lambda, alpha)
    w = descend(f, heavy_ball, point(1.0), 200, record=("w",), eta=eta_lambda, beta=alpha).w[..., 0].abs()
    return (w[160:201].amax(0) / w[60:101].amax(0)).nan_to_num(0.0) ** 0.01


@check("GG-2.4-oscillation")
def momentum_damps_where_it_is_tuned() -> Measured:
    alpha = point(0.0, 0.5, 0.9)
    plain, half, nine = decay(point(1.9), alpha).tolist()
    grid = torch.arange(1, 40, dtype=torch.float64)[:, None] / 20  # ηλ from 0.05 to 1.95
    sweep = decay(grid, torch.arange(0, 20, dtype=torch.float64) / 20)
    slower = float((sweep[:, 1:] > sweep[:, :1] + 1e-3).double().mean())
    return Measured(
        as_printed=slower == 0,
        as_repaired=half < plain < nine,
        numbers={
            r"factor per step at $\eta\lambda=1.9$, without momentum": plain,
            r"with $\alpha=0.5$": half,
            r"with $\alpha=0.9$": nine,
            r"share of $(\eta\lambda,\alpha)$ on a grid where momentum decays more slowly": slower,
        },
    )


@check("TDL-HB-oscillation")
def momentum_accelerates_and_does_not_calm() -> Measured:
    f, start = Quadratic(point(1.0, 100.0)), point(1.0, 1.0)
    eta, rho, _ = polyak_parameters({"L": 100.0, "mu": 1.0})
    tuned = descend(f, heavy_ball, start, 1000, record=("w",), eta=float(eta), beta=float(rho) ** 2)
    best = descend(f, gradient_descent, start, 1000, record=("w",), eta=2 / 101)
    # Distances go like (1 + c t) ρ^t: the polynomial part adds a factor 2^(1/500) to the mean of 500 steps.
    rates = [float((run.w[1000].norm() / run.w[500].norm()) ** (1 / 500)) for run in (tuned, best)]
    safe = [descend(f, heavy_ball, start, 300, record=("w", "f"), eta=1 / 100, beta=beta) for beta in (0.0, 0.9)]
    flips = [int((run.w[1:, 1] * run.w[:-1, 1] < 0).sum()) for run in safe]
    return Measured(
        as_printed=flips[1] <= flips[0],
        as_repaired=bool(certify(heavy_ball_optimal, tuned)) and rates[0] < 0.83 < 0.97 < rates[1],
        numbers={
            r"$\kappa=100$: factor per step of tuned heavy ball": rates[0],
            "of gradient descent with its best step": rates[1],
            r"$\eta=1/L$: sign changes across the valley in 300 steps, without momentum": flips[0],
            r"with $\beta=0.9$": flips[1],
        },
    )


@check("TDL-HB-velocity")
def the_velocity_form() -> Measured:
    f, start = Rosenbrock(), point(-0.5, 0.5)
    run = descend(f, heavy_ball_difference, start, 60, record=("w",), eta=1e-3, beta=0.9).w
    w, v, gap = start, torch.zeros_like(start), 0.0
    for t in range(60):
        v = 0.9 * v + 1e-3 * f.grad(w)
        w = w - v
        gap = max(gap, float((run[t + 1] - w).abs().max()))
    return Measured(
        gap < 1e-13 and float((run[-1] - start).norm()) > 0.1,
        numbers={
            "largest difference of the two forms in 60 steps on Rosenbrock's function": gap,
            "distance moved": float((run[-1] - start).norm()),
        },
    )


@check("TDL-momentum-convex")
def nesterov_has_the_better_guarantee() -> Measured:
    # The chain that is hard for every first-order method: ½ wᵀAw - w_1/4 with A tridiagonal, L < 1.
    d, T = 200, 400
    k = torch.arange(1, d + 1, dtype=torch.float64)
    lam = (1 - torch.cos(k * math.pi / (d + 1))) / 2
    basis = math.sqrt(2 / (d + 1)) * torch.sin(k[:, None] * k * math.pi / (d + 1))
    chain = Quadratic(lam, w_star=1 - k / (d + 1), basis=basis)
    eta = 1 / float(chain.L or 1)
    draw = torch.Generator().manual_seed(0)
    starts = torch.stack(
        [torch.zeros_like(k), torch.randn(d, generator=draw, dtype=torch.float64) + chain.p.w_star]
    )
    on_chain, at_random = (
        certify(nesterov_convex, descend(chain, accelerated, start, T, record=("w",), eta=eta)) for start in starts
    )
    hard = Huber(1 / (2 * 10 * T + 1))  # the worst case of gradient descent with ten times the step
    on_huber = certify(nesterov_convex, descend(hard, accelerated, point(1.0), T, record=("w",), eta=1.0))
    fixed = descend(hard, nesterov, point(1.0), T, record=("f",), eta=1.0, beta=0.9).f[-1]
    plain = descend(Huber(1 / (2 * T + 1)), gradient_descent, point(1.0), T, record=("f",), eta=1.0).f[-1]
    bound = 2 / (T + 1) ** 2
    return Measured(
        all([on_chain, at_random, on_huber]) and float(plain) > bound,
        numbers={
            r"largest share of $2LR^2/(T+1)^2$ on the chain from its hard start, $T \le 400$": on_chain.tightness[
                2
            ],
            "from a random start": at_random.tightness[2],
            r"on a Huber function with constant $\beta=0.9$, gap over the bound": float(fixed) / bound,
            "worst gap of gradient descent over the bound": float(plain) / bound,
        },
    )


@check("KH-2.2.2-noise")
def momentum_does_not_filter_white_noise() -> Measured:
    settings = point(0.02, 0.02, 0.2)[:, None], point(0.9, 0.0, 0.0)[:, None]
    noisy = AdditiveNoise(Quadratic(point(1.0)), sigma=1.0, seed=0)
    # After 300 steps 0.98^600 = 5e-6 of the distance from the stationary variance is left.
    late = descend(
        noisy, heavy_ball, torch.zeros(3, 10_000, 1, dtype=torch.float64), 600,
        record=("w",), record_every=75, eta=settings[0], beta=settings[1],
    ).w[4:, ..., 0]  # fmt: skip
    heavy, slow, fast = late.square().mean((0, 2)).tolist()
    formula = 0.02 * 1.9 / (0.1 * (2 * 1.9 - 0.02))
    draw = torch.Generator().manual_seed(0)
    X = torch.randn(50, 1, generator=draw, dtype=torch.float64)
    data = LeastSquares(X, torch.randn(50, generator=draw, dtype=torch.float64))
    batches, w = MiniBatch(data, 5, seed=0), torch.zeros(20_000, 1, dtype=torch.float64)
    correlation = float(torch.corrcoef(torch.cat([batches.value_and_grad(w)[1] for _ in range(2)], -1).T)[0, 1])
    return Measured(
        as_printed=heavy < slow,
        # 10000 chains alone give the variance to 1.4 %, one standard error; three are allowed.
        as_repaired=abs(heavy / formula - 1) < 0.042 and abs(heavy / fast - 1) < 0.15 and abs(correlation) < 0.03,
        numbers={
            r"stationary variance with $\gamma=0.9$, $\eta=0.02$": heavy,
            r"without momentum, $\eta=0.02$": slow,
            r"without momentum, $\eta=0.2$": fast,
            "correlation of the noise of two successive mini-batches": correlation,
        },
    )
