"""Claims about how momentum is written: the sources' forms are one method."""

from __future__ import annotations

import torch
from torch import Tensor

from ...descend import descend
from ...problems import Quadratic
from ...rules import heavy_ball, heavy_ball_difference, nesterov
from ..check import Measured, check

LAM = torch.tensor([1.0, 7.0], dtype=torch.float64)
START = torch.tensor([1.0, -1.0], dtype=torch.float64)
ETA, BETA, T = 0.1, 0.9, 50


def printed(lookahead: bool) -> Tensor:
    """v ← β v + η ∇f(w) or η ∇f(w - β v), w ← w - v, as printed; with look-ahead the points w - β v."""
    w, v = START, torch.zeros_like(START)
    points = [w]
    for _ in range(T):
        v = BETA * v + ETA * LAM * (w - BETA * v if lookahead else w)
        w = w - v
        points.append(w - BETA * v if lookahead else w)
    return torch.stack(points)


@check("KH-2.2.2")
def the_forms_of_heavy_ball_agree() -> Measured:
    runs = [
        descend(Quadratic(LAM), made, START, T, record=("w",), eta=ETA, beta=BETA).w
        for made in (heavy_ball, heavy_ball_difference)
    ]
    gap = max(float((run - printed(lookahead=False)).abs().max()) for run in runs)
    return Measured(gap < 1e-13, numbers={"largest difference of the three forms in 50 steps": gap})


@check("TDL-NAG")
def nesterov_looks_ahead() -> Measured:
    run = descend(Quadratic(LAM), nesterov, START, T, record=("w",), eta=ETA, beta=BETA).w
    gap = float((run - printed(lookahead=True)).abs().max())
    no_lookahead = float((run - printed(lookahead=False)).abs().max())
    return Measured(
        gap < 1e-13,
        numbers={
            r"largest difference between our points and $w_t - \beta v_{t-1}$ in 50 steps": gap,
            "from heavy ball": no_lookahead,
        },
    )


@check("TDL-HB")
@check("TDL-HB-stability")
def where_heavy_ball_is_stable() -> Measured:
    f, start = Quadratic(torch.ones(1, dtype=torch.float64)), torch.ones(1, dtype=torch.float64)
    beta = torch.arange(0, 30, dtype=torch.float64) / 30
    share = (torch.arange(40, dtype=torch.float64) + 0.5) / 20  # ηλ over its limit: from 0.025 to 1.975
    eta = share * 2 * (1 + beta[:, None])
    w = descend(f, heavy_ball_difference, start, 4000, record=("w",), eta=eta, beta=beta[:, None].expand_as(eta)).w
    converges = w[-1, ..., 0].abs() < 1e-3  # NaN where it has overflowed
    wrong = int((converges != (share < 1)).sum())
    return Measured(wrong == 0, numbers={r"of 1200 pairs $(\beta, \eta\lambda)$ on the wrong side": wrong})


@check("GG-eq8")
def momentum_needs_alpha_below_one() -> Measured:
    f, start = Quadratic(torch.ones(1, dtype=torch.float64)), torch.ones(1, dtype=torch.float64)
    d, w, far = torch.zeros(1, dtype=torch.float64), start, []
    for _ in range(2000):
        d = 1.0 * d - 0.1 * w  # α = 1, which the text allows
        w = w + d
        far.append(float(w.abs()))
    below = descend(f, heavy_ball_difference, start, 2000, record=("w",), eta=0.1, beta=0.99).w
    return Measured(
        as_printed=max(far[-100:]) < 1e-3,
        as_repaired=float(below[-1].abs()) < 1e-3,
        numbers={
            r"$\alpha = 1$: largest $|w|$ in steps 1901 to 2000": max(far[-100:]),
            r"$\alpha = 0.99$: $|w|$ after 2000 steps": float(below[-1].abs()),
        },
    )


@check("TDL-HB-average")
def momentum_sums_and_does_not_average() -> Measured:
    beta, eta, ones = 0.8, 0.1, torch.ones(1, dtype=torch.float64)
    h, d = heavy_ball_difference.hyper(eta=eta, beta=beta), torch.zeros(1, dtype=torch.float64)
    for _ in range(200):
        step, (d,) = heavy_ball_difference(None, ones, (d,), None, h)
    total = -float(step) / eta
    return Measured(
        as_printed=abs(total - 1) < 1e-9,  # an average of ones is one
        as_repaired=abs(total - 1 / (1 - beta)) < 1e-9,
        numbers={r"sum of the weights over $\eta$, $\beta = 0.8$": total},
    )
