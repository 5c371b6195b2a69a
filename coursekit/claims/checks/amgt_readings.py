"""Claims about what AMGT is: where its equations leave a choice, the choices are run beside each other."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ...descend import descend
from ...problems import Quadratic
from ...rules import Rule, amgt, amgt_reading
from ..check import Measured, check
from .adaptive import fed, vector

PLAIN: dict[str, Any] = {"gamma": 0.0, "alpha": 0.0}  # eq. (8) as printed and a constant step


def tail_loss(made: Rule, gamma: float) -> tuple[float, float]:
    """Mean of ½w² over steps 201 to 300 with unit noise, η = 0.03, and its standard error over 4000 seeds."""
    noise = torch.randn(300, 4000, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    h = made.hyper(eta=0.03, gamma=gamma, alpha=0.0)
    w = torch.ones_like(noise[0])
    state, losses = tuple(torch.zeros_like(w) for _ in made.state), []
    for t, xi in enumerate(noise, 1):
        g = w + xi
        step, state = made(w, g, state, made.scalars_along(t, w, g, state, h), h)
        w = w + step
        losses.append(w.square()[:, 0] / 2)
    mean = torch.stack(losses[200:]).mean(0)
    return float(mean.mean()), float(mean.std() / len(mean) ** 0.5)


@check("AMGT-eq8")
def where_lambda_enters() -> Measured:
    gradient = amgt_reading("amgt_gradient", factor="gradient", scaling="none")
    memory = amgt_reading("amgt_memory", factor="memory", scaling="none")
    (a, _), (b, _), (plain, error) = tail_loss(gradient, 1.0), tail_loss(memory, 1.0), tail_loss(memory, 0.0)
    return Measured(
        as_printed=abs(a - b) < 10 * error,  # the formula decides what the method is
        numbers={
            r"tail loss with $(1-\beta_1)\lambda_tg$": a,
            r"with $\beta_1\lambda_tm$": b,
            "without $\\lambda_t$, as printed": plain,
            "standard error": error,
        },
    )


@check("AMGT-eq9")
def which_variance() -> Measured:
    def path(made: Rule, scale: float = 1.0, eps: float = 1e-8) -> Tensor:
        """30 steps on scale · diag(1, 10) from (1, 1)."""
        f = Quadratic(scale * vector(1.0, 10.0))
        return descend(f, made, vector(1.0, 1.0), 30, record=("w",), eta=0.1, alpha=0.0, eps=eps).w

    readings = (amgt, amgt_reading("three", window=3), amgt_reading("each", variance="coordinate"))
    ten, three, each = (float(path(made)[-1].norm()) for made in readings)
    return Measured(
        as_printed=max(ten, three, each) < 1.01 * min(ten, three, each),
        numbers={
            r"$\|w\|$ after 30 steps, window 10": ten,
            "window 3": three,
            r"one $\lambda_t$ for each coordinate": each,
            r"change of the path when $f$ is scaled by 8, $\epsilon = 0$": float(
                (path(amgt, 8.0, eps=0.0) - path(amgt, eps=0.0)).abs().max()
            ),
        },
    )


@check("AMGT-threshold")
def which_threshold() -> Measured:
    start, f = vector(0.3, 0.3), Quadratic(vector(1.0, 1.0))

    def end(threshold: Any) -> float:
        made = amgt_reading(f"amgt_{threshold}", threshold=threshold, scaling="none")
        return float(descend(f, made, start, 300, record=("w",), eta=0.1, tau=0.5, **PLAIN).w[-1].norm())

    norm, hard = end("norm"), end("hard")
    return Measured(
        as_printed=abs(norm - hard) < 1e-3,
        numbers={
            r"gradient below $\tau$: $\|w\|$ after 300 steps, norm clip": norm,
            "hard threshold": hard,
        },
    )


@check("AMGT-eq14")
def with_or_without_the_division() -> Measured:
    small = torch.full((20, 1), 1e-3, dtype=torch.float64)
    undivided = amgt_reading("amgt_undivided", scaling="none")
    adam_like, plain = (float(-fed(made, small, eta=1.0, **PLAIN)[-1]) for made in (amgt, undivided))
    return Measured(
        as_printed=abs(adam_like / plain - 1) < 0.1,  # "a modified version of Adam"
        numbers={
            r"constant gradient $10^{-3}$, $\eta = 1$: step with the division of (7)": adam_like,
            "step of (14)": plain,
        },
    )
