"""The table of AMGT's two applications, run: any start and any step, beside what the paper says."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

from ..descend import descend
from ..problems import Application
from ..rules import gradient_descent
from .condition import modes_panel, plane_panel
from .explorable import Explorable, within

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STEPS = 60
ETAS, X, Y = (0.001, 1.2), (-3.0, 3.0), (-2.25, 2.25)
# Of each application: the paper's start, and what it says of each step (AMGT-T1, AMGT-App1-starts, AMGT-App2-*).
PAPERS: dict[int, dict[str, Any]] = {
    1: {
        "start": (1.0, 1.0),
        "rows": (
            (0.01, "very slow"),
            (0.1, "moderate"),
            (0.3, "the fastest"),
            (0.4, "oscillates or diverges"),
            (0.5, "starts to overshoot"),
            (1.0, "likely diverges"),
        ),
    },
    2: {
        "start": (2.0, 2.0),
        "rows": (
            (0.001, "thousands of steps"),
            (0.3, "rapid"),
            (0.33, "the fastest without overshooting"),
            (0.4, "rapid"),
            (1.1, "overshoots, may diverge"),
        ),
    },
}


def amgt_table(application: int = 1, eta: float = 0.4, start: Sequence[float] = (1.0, 1.0)) -> Explorable:
    """What does the table leave out? Gradient descent on an application of AMGT, beside the paper's words.

    Raises ValueError for an application that is not 1 or 2, an eta outside [0.001, 1.2] or a start outside
    [-3, 3] x [-2.25, 2.25].
    """
    problem = Application(application)
    within("eta", eta, ETAS)
    if len(start) != 2:
        raise ValueError(f"start must be two numbers, got {start!r}")
    within("the start's first coordinate", start[0], X)
    within("the start's second coordinate", start[1], Y)
    w_0 = (float(start[0]), float(start[1]))
    return Explorable(
        spec={
            "kind": "amgt_table",
            "title": "What does the table leave out?",
            "application": application,
            "eta": float(eta),
            "start": w_0,
            "steps": STEPS,
            "etas": ETAS,
            "x": X,
            "y": Y,
            "papers": PAPERS,
        },
        alt=(
            f"Two views of gradient descent with step size {eta:.3g} on Application {application} of AMGT from"
            f" ({w_0[0]:.3g}, {w_0[1]:.3g}). Left: the path across the level lines. Right: the size of the flat"
            " and of the steep mode on a logarithmic axis, and the worst case over all starts."
        ),
        figure=functools.partial(_figure, problem, float(eta), w_0),
    )


def _figure(problem: Application, eta: float, start: tuple[float, float]) -> Figure:
    from matplotlib.figure import Figure

    run = descend(
        problem,
        gradient_descent,
        torch.tensor(start, dtype=torch.float64),
        STEPS,
        record=("w",),
        eta=eta,
    )
    figure = Figure(figsize=(7, 2.9), layout="constrained")
    plane, time = figure.subplots(1, 2)
    plane_panel(plane, run, X, Y)
    modes_panel(time, run, (1e-20, 1e10))
    return figure
