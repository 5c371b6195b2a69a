"""Where does PL hold? Gradient descent on w² + 3 sin² w, both sides of the inequality, and the rate they give."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import torch

from ..descend import descend
from ..palette import ROLES
from ..plots import line
from ..problems import PLSine
from ..rules import gradient_descent
from ..theory import gd_pl
from .explorable import Explorable, within

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STEPS = 40
MUS, ETAS, X = (0.02, 8.0), (0.004, 0.32), (-6.0, 6.0)
L, LARGEST = float(PLSine.L or 0), float(PLSine.pl or 0)


def pl_inequality(mu: float = LARGEST, eta: float = 0.5 / L, start: float = 5.0) -> Explorable:
    """Where does PL hold? Drag the start, the step η and the constant μ of gradient descent on w² + 3 sin² w.

    Raises ValueError for a mu outside [0.02, 8], an eta outside [0.004, 0.32] or a start outside [-6, 6].
    """
    within("mu", mu, MUS)
    within("eta", eta, ETAS)
    within("start", start, X)
    return Explorable(
        spec={
            "kind": "pl_inequality",
            "title": "Where does PL hold?",
            "mu": float(mu),
            "eta": float(eta),
            "start": float(start),
            "steps": STEPS,
            "L": L,
            "largest": LARGEST,
            "mus": MUS,
            "etas": ETAS,
            "x": X,
        },
        alt=(
            "Three views of gradient descent on w squared plus 3 sine squared of w. Left: the graph, a bowl with"
            " waves, and the iterates on it. Middle: half the squared slope, which comes down to the dashed curve"
            f" mu times f near w = 2.2 and -2.2; mu is {mu:.4g}. Right: the loss over {STEPS} steps below the"
            " geometric bound."
        ),
        figure=functools.partial(_figure, float(mu), float(eta), float(start)),
    )


def _figure(mu: float, eta: float, start: float) -> Figure:
    """The three views, from a run of gradient descent and the theorem's two sides."""
    from matplotlib.figure import Figure

    problem, w = PLSine(), torch.linspace(*X, 401, dtype=torch.float64)[:, None]
    run = descend(problem, gradient_descent, w.new_tensor([start]), STEPS, record=("w", "f", "grad_norm"), eta=eta)
    value, slope = problem.value_and_grad(w)
    figure = Figure(figsize=(10, 2.9), layout="constrained")
    graph, sides, time = figure.subplots(1, 3)
    graph.plot(w, value, color=ROLES["muted"].light)
    graph.plot(run.w, run.f, marker="o", markersize=3, **line("gradient_descent", linewidth=1))
    graph.set(title="$f$ and the iterates", xlabel="$w$")
    sides.semilogy(w, slope.square() / 2, label="$f'^2/2$", **line("measured"))
    sides.semilogy(w, mu * value, label=r"$\mu\,(f-f^\star)$", **line("bound"))
    sides.set(title=rf"The inequality, $\mu={mu:.4g}$", xlabel="$w$", ylim=(10**-2.5, 10**2.5))
    sides.legend(loc="lower left")
    time.semilogy(run.f, label=rf"$\eta={eta * L:.3g}/L$", **line("measured"))
    time.semilogy(range(1, STEPS + 1), gd_pl.sides(run, {"L": L, "pl": mu, "f_star": 0.0}).right, **line("bound"))
    time.set(title="Loss after each step", xlabel="step", ylim=(1e-10, 1e2))
    time.legend(loc="lower left")
    return figure
