"""Claims about models of f: what the linear one misses, and what a cheaper quadratic one costs."""

from __future__ import annotations

import math

import torch

from ...descend import descend
from ...methods import lbfgs, minimize, newton
from ...problems import DoubleWell, LogisticRegression
from ...rules import gradient_descent
from ...stopping import gradient_below
from ..check import Measured, check
from .sam import ball_maximum, repaired_ascent
from .sgd_variance import normal


@check("GG-7.1-linear")
def the_error_of_the_linearized_maximum() -> Measured:
    f, w = DoubleWell(), normal(50, 2, seed=3)
    here, g = f.value_and_grad(w)
    model, lost = [], []
    for rho in (1e-2, 1e-3):
        highest = f.value(w + ball_maximum(f.value, w, rho))
        model.append(float((highest - here - rho * g.norm(dim=-1)).abs().max()))
        lost.append(float((highest - f.value(w + repaired_ascent(g, 2.0, rho))).max()))
    minimum = f.w_star
    assert minimum is not None
    rise = float(f.value(minimum + ball_maximum(f.value, minimum, 0.1)) - f.value(minimum))
    orders = [math.log10(a / b) for a, b in (model, lost)]
    return Measured(
        as_printed=abs(orders[0] - 2) < 0.1 and abs(orders[1] - 3) < 0.2,
        numbers={
            r"order in $\rho$ of the error of $L+\rho\|g\|$, 50 points": orders[0],
            r"of the loss that $L(w+\epsilon^*)$ misses": orders[1],
            r"sharpness at a minimum, $\rho=0.1$, where the linear model sees none": rise,
        },
    )


@check("TDL-4.1.2-compromise")
def between_gradient_descent_and_newton() -> Measured:
    n, d, m = 200, 20, 10
    X = normal(n, d) * torch.logspace(0, -1.5, d, dtype=torch.float64)
    f = LogisticRegression(X, (X @ normal(d, seed=1) + normal(n, seed=2)).sign(), ridge=1e-3)
    assert f.L is not None
    start = torch.zeros(d, dtype=torch.float64)
    small = gradient_below(1e-6)
    slow = descend(f, gradient_descent, start, 10_000, stop=small, eta=1 / float(f.L))
    runs = {"L-BFGS": minimize(f, lbfgs(m), start, stop=small), "Newton": minimize(f, newton(), start, stop=small)}
    steps = {"gradient descent": int(slow.stopped)} | {name: run.T for name, run in runs.items()}
    products = {name: run.calls.hvps for name, run in runs.items()}
    return Measured(
        as_printed=steps["Newton"] < steps["L-BFGS"] < steps["gradient descent"] / 10
        and all(run.converged for run in runs.values())
        and products == {"L-BFGS": 0, "Newton": d * steps["Newton"]},
        numbers={
            **{rf"steps of {name} to $\|g\|<10^{{-6}}$, logistic regression": k for name, k in steps.items()},
            "Hessian-vector products of Newton, where L-BFGS takes none": products["Newton"],
        },
    )
