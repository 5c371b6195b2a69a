"""Claims about how fast gradient descent finds a small gradient, or a small value of a convex function."""

from __future__ import annotations

import math
from functools import cache
from types import SimpleNamespace

import torch
from torch import Tensor

from ...descend import Trajectory, descend
from ...problems import DoubleWell, Huber, LeastSquares, PLSine, Problem, Quadratic
from ...problems.problem import Constant
from ...rules import gradient_descent
from ...theory import Zigzag, certify, gd_convex_exact, gd_nonconvex, gg_proposition_1, tdl_theorem_461
from ..check import Measured, check
from .counterexamples import vector
from .descent_lemma import Line as Line
from .descent_lemma import gd, point


class CosineSums(Problem):
    """f(w) = Σ_j a_j cos(b_jᵀw + c_j), another one for each run of the batch, scaled so that each is 1-smooth."""

    L = Constant(1.0)

    def __init__(self, runs: int, dim: int, seed: int) -> None:
        draw = torch.Generator().manual_seed(seed)
        a, b, c = (torch.randn(runs, 8, *size, generator=draw, dtype=torch.float64) for size in ((), (dim,), ()))
        H = torch.einsum("rj,rjk,rjl->rkl", a.abs(), b, b)
        self.dim = dim
        self.p = SimpleNamespace(a=a / torch.linalg.eigvalsh(H)[:, -1:], b=b, c=c)

    @staticmethod
    def formula(w: Tensor, p: SimpleNamespace) -> Tensor:
        return (p.a * torch.cos((p.b @ w[..., None])[..., 0] + p.c)).sum(-1)


class Parabola(Problem):
    """f(w) = ½ w² - depth: the zero of f put where it hurts a bound by max |f|."""

    dim = 1
    L = Constant(1.0)

    def __init__(self, depth: float) -> None:
        self.p = SimpleNamespace(depth=depth)

    @staticmethod
    def formula(w: Tensor, p: SimpleNamespace) -> Tensor:
        return w[..., 0] ** 2 / 2 - p.depth


@cache
def cosine_runs() -> tuple[Trajectory, ...]:
    """119 steps of size 1/L on 200 random cosine sums, 40 of each dimension from 1 to 5."""
    draw = torch.Generator().manual_seed(1)
    return tuple(
        gd(CosineSums(40, d, seed=d), torch.randn(40, d, generator=draw, dtype=torch.float64), 119, 1.0)
        for d in range(1, 6)
    )


@cache
def zigzags() -> dict[int, Trajectory]:
    """The worst functions for 8, 64 and 512 steps: the gradient has the same size at every iterate."""
    return {T: gd(Zigzag(T), point(0.0), T, 1.0) for T in (8, 64, 512)}


@check("KH-3.1-GD")
def one_over_epsilon_is_not_linear() -> Measured:
    random = [certify(gd_nonconvex, run) for run in cosine_runs()]
    # T + 1 steps are needed for ‖∇f‖² < ε = G²/Δ, with Δ = f(w_0) - f*; a linear rate adds as many per digit.
    steps = {float(run.grad_norm[0] ** 2 / run.f[0]): T + 1 for T, run in zigzags().items()}
    counts = list(steps.values())
    share = max(count * epsilon / 2 for epsilon, count in steps.items())
    return Measured(
        as_printed=counts[2] - counts[1] < 2 * (counts[1] - counts[0]),
        as_repaired=all(random) and share <= 1,
        numbers={
            r"largest mean of $\|\nabla L\|^2$ on 200 cosine sums, in units of $2L\Delta/T$": max(
                c.tightness[2] for c in random
            ),
            r"worst function, steps for $\epsilon=0.0026$ over those for $\epsilon=0.15$": counts[2] / counts[0],
            r"its steps, in units of $2L\Delta/\epsilon$": share,
        },
    )


@check("TDL-T4.6.1")
def the_printed_bound_with_the_largest_value() -> Measured:
    random = [certify(tdl_theorem_461, run) for run in cosine_runs()]
    sharper = [certify(gd_nonconvex, run) for run in cosine_runs()]
    tight = gd(Parabola(1.0), point(2.0), 1, 1.0)
    attained = float(tight.grad_norm[0] ** 2 / (4 * tight.f.abs().max()))
    return Measured(
        all(random) and bool(certify(tdl_theorem_461, tight)),
        numbers={
            "largest share of $4ML/T$ on 200 cosine sums": max(c.tightness[2] for c in random),
            r"of $2L\Delta/T$": max(c.tightness[2] for c in sharper),
            r"share of $4ML/T$ at $T=1$ on $w^2/2-1$ from 2": attained,
        },
    )


@check("TDL-4.6-M")
def two_conventions_for_M() -> Measured:
    # As printed: |f(w_t)| <= M/2 for t = 1, ..., T only. From √2 on ½w² - 1, f(w_1) = 0 and f(w_2) = -1.
    run = gd(Parabola(1.0), point(math.sqrt(2)), 1, 1.0)
    up_to_T = 2 * float(run.f[:1].abs().max())
    tight = gd(Parabola(1.0), point(2.0), 1, 1.0)
    fall = float(tight.f[0] - tight.f[1]) / float(tight.f.abs().max())
    return Measured(
        as_printed=float(run.grad_norm[0] ** 2) <= 4 * up_to_T + 1e-9,
        as_repaired=all(certify(tdl_theorem_461, r) for r in (run, tight, *cosine_runs())),
        numbers={
            r"$4ML/T$ with $M$ from $t\le T$, on $w^2/2-1$ where $f(w_1)=0$": 4 * up_to_T,
            r"$\|\nabla_1\|^2$ there": float(run.grad_norm[0] ** 2),
            r"largest fall of $f$ over $\max|f|$, the theorem's $M$": fall,
            r"over $2\max|f|$, the section's $M$": fall / 2,
        },
    )


@check("TDL-Alg2")
def what_is_returned() -> Measured:
    bowl, start = Quadratic(point(1.0)), point(1.0)
    free = gd(bowl, start, 3, 0.5).grad_norm
    inside = gd(bowl, start, 3, 0.5, project=lambda w: w.clamp(0.4, 1.0)).grad_norm
    readings = [float(free[:3].min()), float(free.min()), float(inside.min())]
    return Measured(
        max(readings) - min(readings) < 1e-9,
        numbers={
            r"smallest gradient among $w_1, w_2, w_3$ ($T=3$, $w^2/2$, $\eta=1/2$)": readings[0],
            r"with $w_4$, which has been computed": readings[1],
            r"with $K=[0.4,1]$ and a projection on it": readings[2],
        },
    )


@check("GG-P1")
def two_L_over_t() -> Measured:
    horizons = (1, 5, 20, 100)
    worst = {T: gd(Huber(1 / (2 * T + 1)), point(1.0), T, 1.0, record=("w", "f", "grad_norm")) for T in horizons}
    share = {T: float(run.f[-1]) * (4 * T + 2) for T, run in worst.items()}
    draw = torch.Generator().manual_seed(0)
    smooth = []
    for _ in range(20):
        f = Quadratic(torch.rand(5, generator=draw, dtype=torch.float64) ** 3)
        start = torch.randn(5, generator=draw, dtype=torch.float64)
        smooth.append(gd(f, start, 100, 1.0, record=("w", "f", "grad_norm")))
    exact = [certify(gd_convex_exact, run) for run in smooth]
    # The printed statement names no step. T = 10 steps of 1/1000 on the worst function for them:
    short = gd(Huber(1 / (2 * 10 * 1e-3 + 1)), point(1.0), 10, 1e-3)
    return Measured(
        as_printed=float(short.f[-1]) <= 2 / 10,
        as_repaired=all(certify(gg_proposition_1, run) for run in (*worst.values(), *smooth))
        and max(abs(s - 1) for s in share.values()) < 1e-12,
        numbers={
            r"$\eta=1/L$, $T=20$: printed bound over the exact $LR^2/(4T+2)$, which Huber attains": 2
            / 20
            / float(worst[20].f[-1]),
            r"largest share of the exact bound on 20 quadratics": max(c.tightness[2] for c in exact),
            r"$\eta=10^{-3}/L$, $T=10$: gap": float(short.f[-1]),
            "printed bound": 2 / 10,
        },
    )


@check("KH-2.1-two")
def smooth_and_without_noise_is_not_enough() -> Measured:
    line = descend(Line(), gradient_descent, point(0.0), 1000, eta=1.0)
    below = float(gd(PLSine(), point(4.0), 200, 0.5).grad_norm[-1])
    return Measured(
        as_printed=float(line.grad_norm[-1]) < 1e-3,
        as_repaired=below < 1e-3,
        numbers={
            r"$\|\nabla L\|$ after 1000 exact steps on $L(w)=w$": float(line.grad_norm[-1]),
            "$L$ there": float(line.f[-1]),
            r"on $w^2+3\sin^2w$, bounded below: $\|\nabla L\|$ after 200": below,
        },
    )


@check("TDL-convex-stationary")
def a_stationary_point_of_a_convex_function() -> Measured:
    draw = torch.Generator().manual_seed(0)
    X = torch.randn(5, 8, generator=draw, dtype=torch.float64)  # fewer rows than columns: many minimizers
    f = LeastSquares(X, torch.randn(5, generator=draw, dtype=torch.float64))
    run = gd(
        f, 3 * torch.randn(50, 8, generator=draw, dtype=torch.float64), 1000, 1.0, record=("w", "f", "grad_norm")
    )
    gap = float((run.f[-1] - float(f.f_star or 0)).max())
    well = DoubleWell()
    side = descend(well, gradient_descent, vector(1.0, 0.5), 400, eta=0.4)
    return Measured(
        float(run.grad_norm[-1].max()) < 1e-6 and gap < 1e-10 and float(run.w[-1].std(0).max()) > 0.1,
        numbers={
            "largest gradient at 50 ends on a degenerate least-squares problem": float(run.grad_norm[-1].max()),
            "largest gap there": gap,
            "spread of the ends in one coordinate": float(run.w[-1].std(0).max()),
            "double well, not convex: gap at a stationary point": float(side.f[-1]) - float(well.f_star or 0),
        },
    )
