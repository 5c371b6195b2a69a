"""Claims about weight decay, about metrics that turn out to be weight decay, and about printed formulas."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from ...descend import descend
from ...oracles import Epochs, Oracle, Wrapper
from ...problems import Application, OnlineLinear, PLSine, Problem, Quadratic
from ...rules import adagrad, adagrad_predictable, adagrad_printed, adam, adamw, gradient_descent, rule
from ...schedules import cosine_printed, inverse_sqrt
from ..check import Measured, check
from .adaptive import fed, vector


@rule(eta=0.1, wd=0.1)
def decayed(w: Any, g: Any, state: Any, scalars: Any, h: Any) -> Any:
    """KH 2.3(1): θ ← (1 - ηλ)θ - η∇L(θ)."""
    return -h.eta * h.wd * w - h.eta * g, ()


@check("KH-2.3-formulas")
def a_regret_is_a_sum_of_losses() -> Measured:
    lam, start = vector(1.0, 3.0), vector(1.0, -2.0)
    printed = descend(Quadratic(lam), decayed, start, 100, record=("w",)).w
    ridge = descend(Quadratic(lam + 0.1), gradient_descent, start, 100, record=("w",), eta=0.1).w
    apart = float((printed - ridge).abs().max())
    # A regret: what online gradient descent paid in T rounds, less what the best fixed point would have paid.
    f, T = OnlineLinear(), 3000
    regret = _regret(f, T)
    bound = 1.5 * 2 * 4 * math.sqrt(T)  # diameter 2, gradients at most 4, steps (D/G)/√t: Zinkevich 2003
    return Measured(
        as_printed=apart > 1e-9,  # if the formula measured anything beside weight decay
        as_repaired=apart < 1e-12 and 0 < regret <= bound,
        numbers={
            r"printed formula against gradient descent on $L + \frac\lambda2\|\theta\|^2$": apart,
            "regret of online gradient descent after 3000 rounds": regret,
            r"its bound $\frac32DG\sqrt T$": bound,
        },
    )


def _regret(f: OnlineLinear, T: int) -> float:
    """R_T = Σ f_t(w_t) - min_w Σ f_t(w), the three losses in turn."""
    oracle, start = Epochs(f, 1, shuffle=False), torch.ones(1, dtype=torch.float64)
    run = descend(
        oracle, gradient_descent, start, T, record=("w", "g"), project=lambda w: w.clamp(-1, 1),
        eta=lambda t: 0.5 * inverse_sqrt(t),
    )  # fmt: skip
    return float((run.g * run.w)[:-1].sum()) - T * float(f.f_star or 0)


@check("KH-2.3-stationary")
def a_fixed_point_is_no_rate() -> Measured:
    h, eta, wd, star = 1.0, 0.1, 0.1, 1.0
    f = Quadratic(vector(h), w_star=vector(star))
    ends = [float(descend(f, decayed, vector(3.0), 1000, record=("w",), eta=e, wd=wd).w[-1]) for e in (eta, 0.5)]
    # What goes to 0 for a non-convex loss is the smallest squared gradient so far, not slower than 2L(f_0 - f*)/T.
    sine, start = PLSine(), torch.linspace(-9, 9, 36, dtype=torch.float64)[:, None]
    run = descend(sine, gradient_descent, start, 200, eta=1 / float(sine.L or 1))
    least = run.grad_norm[:-1].square().cummin(0).values
    T = torch.arange(1, 201, dtype=torch.float64)[:, None]
    share = float((T * least / (2 * float(sine.L or 1) * run.f[0])).max())
    return Measured(
        as_printed=abs(ends[0] - star / (1 + eta * wd)) < 1e-6,
        as_repaired=max(abs(end - h * star / (h + wd)) for end in ends) < 1e-9 and share <= 1,
        numbers={
            r"fixed point of the printed update, $h = \theta^\star = 1$, $\eta = \lambda = 0.1$": ends[0],
            r"printed $\theta^\star/(1+\eta\lambda)$": star / (1 + eta * wd),
            r"$w^2 + 3\sin^2w$: largest $T\min_t\|\nabla f\|^2$ over $2L(f_0 - f^\star)$": share,
        },
    )


@check("TDL-AdamW")
def decoupled_decay_does_not_see_the_gradients() -> Measured:
    """Two weights that start at 1, with gradients that are noise of size 0.1 and 10, 2000 steps."""
    T, seeds, wd, eta = 2000, 200, 0.1, 1e-3
    noise = torch.randn(T, seeds, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    noise *= vector(0.1, 10.0)

    def left(decoupled: bool) -> Tensor:
        made, coefficient = (adamw, {"wd": wd}) if decoupled else (adam, {})
        h = made.hyper(eta=eta, **coefficient)
        w = torch.ones(seeds, 2, dtype=torch.float64)
        state = tuple(torch.zeros_like(w) for _ in made.state)
        for t, g in enumerate(noise, 1):
            seen = g if decoupled else g + wd * w
            delta, state = made(w, seen, state, made.scalars_at(t, h), h)
            w = w + delta
        return w.mean(0)

    coupled, decoupled = left(False), left(True)
    theory = (1 - eta * wd) ** T
    error = eta * math.sqrt(T / seeds)  # of the mean: the noise alone moves a weight by about η a step
    return Measured(
        as_printed=bool(((decoupled - theory).abs() < 4 * error).all()) and float(coupled[1] - coupled[0]) > 0.5,
        numbers={
            "Adam with L2: weight with gradients of size 0.1": float(coupled[0]),
            "of size 10": float(coupled[1]),
            "AdamW: of size 0.1": float(decoupled[0]),
            "then of size 10": float(decoupled[1]),
        },
    )


@check("TDL-cosine")
def which_steps_the_cosine_has() -> Measured:
    T = 100
    factors = [cosine_printed(t, T) for t in range(1, T + 2)]
    f, start = Quadratic(vector(10.0)), vector(1.0)

    def end(largest: float) -> float:
        """|w| on a parabola of curvature 10 after T steps whose largest has this size."""
        run = descend(f, gradient_descent, start, T, record=("w",), eta=lambda t: largest * cosine_printed(t, T))
        return float(run.w[-1].abs())

    bare, scaled = end(1.0), end(0.05)
    return Measured(
        as_printed=factors[T] == factors[T - 1] and bare == scaled,  # T or T + 1 steps, with or without eta_max
        numbers={
            "multiplier of step $T + 1$, $T = 100$": factors[T],
            "of step $T$": factors[T - 1],
            r"curvature 10, $|w|$ after $T$ steps as printed ($\eta_1 = 1$)": bare,
            r"times $\eta_{\max} = 0.05$": scaled,
        },
    )


@check("TDL-Adagrad")
def which_gradients_adagrad_sums() -> Measured:
    g = torch.full((2, 1), 1e-3, dtype=torch.float64)
    eta = 0.01
    present = -fed(adagrad, g, eta=eta)[:, 0] / eta
    past = -fed(adagrad_predictable, g, eta=eta, sigma=1e-10)[:, 0] / eta
    # With the present gradient ε hardly matters, unless it stands inside the root and gradients are small.
    tiny = torch.full((1, 1), 1e-6, dtype=torch.float64)
    inside = float(fed(adagrad_printed, tiny, eta=1.0, eps=1e-10) / fed(adagrad, tiny, eta=1.0, eps=1e-10))
    return Measured(
        as_printed=abs(float(past[0] / present[0]) - 1) < 0.1 and abs(inside - 1) < 0.1,
        numbers={
            r"first step in units of $\eta$, the present gradient in the sum": float(present[0]),
            r"past gradients only, $\epsilon = 10^{-10}$": float(past[0]),
            r"gradient $10^{-6}$: step with $\epsilon = 10^{-10}$ inside the root over outside": inside,
        },
    )


class _Alone(Wrapper):
    """GG (40) to the letter, ∇f_j(w_j): each derivative sees its own coordinate only, the others are 0."""

    def value_and_grad(self, w: Tensor) -> tuple[Tensor, Tensor]:
        f, _ = self.inner.value_and_grad(w)
        alone = torch.diag_embed(w)  # row j holds w_j and zeros
        return f, self.problem.grad(alone).diagonal(dim1=-2, dim2=-1)


class _Moved(Problem):
    """f(w + shift), so that the minimizer is not the origin."""

    dim = 2

    def __init__(self, f: Problem, shift: Tensor) -> None:
        self.p = SimpleNamespace(f=f, shift=shift)

    @staticmethod
    def formula(w: Any, p: Any) -> Any:
        return p.f.value(w + p.shift)


@check("GG-eq38")
def the_derivative_is_taken_at_the_whole_point() -> Measured:
    f, start = _Moved(Application(2), vector(-1.0, -2.0)), vector(0.0, 0.0)
    oracle: dict[str, Problem | Oracle] = {"printed": _Alone(f), "partial": f}
    ends = {name: descend(o, adagrad_printed, start, 400, eta=1.0).grad_norm[-1] for name, o in oracle.items()}
    return Measured(
        as_printed=float(ends["printed"]) < 1e-6,
        as_repaired=float(ends["partial"]) < 1e-6,
        numbers={
            r"a coupled quadratic: $\|\nabla f\|$ after 400 steps with $\nabla f_j(w_j)$": float(ends["printed"]),
            r"with $\nabla_jf(w)$": float(ends["partial"]),
        },
    )
