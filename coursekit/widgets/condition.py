"""Why does gradient descent zig-zag? A quadratic whose eigenvectors are not the axes, and its two modes."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..descend import Trajectory, descend
from ..palette import ROLES
from ..plots import contours, line
from ..problems import Quadratic
from ..rules import gradient_descent
from ..theory.quadratics import modes
from .explorable import Explorable, within
from .yours import Run, Yours, rings

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STEPS = 60
# The browser and the checks below use the same: condition numbers, steps in units of 1/L, the landscape, and how
# far the start may lie along the flat and the steep eigenvector.
KAPPAS, REACHES, X, Y, U = (1.0, 100.0), (0.1, 2.2), (-2.0, 2.0), (-1.5, 1.5), (1.7, 1.0)
FLAT = (0.96, 0.28)  # the flat eigenvector; its coordinates are exact decimals


def condition_number(
    kappa: float = 10.0, reach: float = 1.7, start: Sequence[float] = (1.6, 0.6), yours: Run | None = None
) -> Explorable:
    """Why does gradient descent zig-zag? Drag the start and the step on a tilted quadratic with L/μ = κ.

    ``reach`` is the step size in units of 1/L; ``start`` holds the eigen-coordinates, flat before steep;
    ``yours(f, w, eta, steps)`` gives the points of a run of your own. Raises ValueError for a kappa outside
    [1, 100], a reach outside [0.1, 2.2] or a start outside [-1.7, 1.7] x [-1, 1].
    """
    within("kappa", kappa, KAPPAS)
    within("reach", reach, REACHES)
    if len(start) != 2:
        raise ValueError(f"start must be two numbers, got {start!r}")
    for name, u, most in zip(("flat", "steep"), start, U, strict=True):
        within(f"the start's {name} coordinate", u, (-most, most))
    u_0 = (float(start[0]), float(start[1]))
    run = Yours(yours, STEPS, _place) if yours else None
    mine = run({"kappa": float(kappa), "reach": float(reach), "start": u_0}) if run else None
    return Explorable(
        spec={
            "kind": "condition_number",
            "title": "Why does gradient descent zig-zag?",
            "kappa": float(kappa),
            "reach": float(reach),
            "start": u_0,
            "steps": STEPS,
            "kappas": KAPPAS,
            "reaches": REACHES,
            "flat": FLAT,
            "x": X,
            "y": Y,
            "u": U,
            **({"yours": mine} if mine else {}),
        },
        alt=(
            f"Three views of gradient descent with step size {reach:.3g}/L on a tilted quadratic with condition"
            f" number {kappa:.3g}. Left: the path across the level lines, and the straight Newton step. Middle:"
            " the factor of each mode against the step; their maximum is a V, back at 1 for 2/L. Right: each"
            " mode is a straight line on a logarithmic axis, below the worst case."
        ),
        figure=functools.partial(_figure, {"kappa": float(kappa), "reach": float(reach), "start": u_0}, mine),
        yours=run,
    )


def _place(chosen: Mapping[str, Any]) -> tuple[Quadratic, Tensor, float]:
    lam, Q, u = (
        torch.tensor(x, dtype=torch.float64)
        for x in ((1.0, chosen["kappa"]), ((FLAT[0], -FLAT[1]), (FLAT[1], FLAT[0])), chosen["start"])
    )
    return Quadratic(lam, basis=Q), Q @ u, chosen["reach"] / chosen["kappa"]


def _figure(chosen: Mapping[str, Any], yours: Mapping[str, Any] | None) -> Figure:
    from matplotlib.figure import Figure

    kappa, reach = chosen["kappa"], chosen["reach"]
    problem, start, eta = _place(chosen)
    run = descend(problem, gradient_descent, start, STEPS, record=("w",), eta=eta)
    figure = Figure(figsize=(10, 2.9), layout="constrained")
    plane, rate, time = figure.subplots(1, 3)
    plane_panel(plane, run, X, Y)
    rings(plane, yours)
    plane.plot(*torch.stack([start, torch.zeros_like(start)]).T, **line("bound"))
    reaches = torch.linspace(0, REACHES[1], 111, dtype=torch.float64)
    for share, style in ((1 / kappa, line("measured")), (1.0, line("text"))):
        rate.plot(reaches, (1 - reaches * share).abs(), **style)
        rate.plot(reach, abs(1 - reach * share), marker="o", **style)
    for edge in (1, 2 * kappa / (kappa + 1), 2):
        rate.axvline(edge, **line("limit", linewidth=1.2))
    rate.set(title="Factor per step", xlabel=r"$\eta$, in units of $1/L$", ylim=(0, 1.3), xlim=(0, REACHES[1]))
    rate.set_box_aspect(0.75)
    modes_panel(time, run, (1e-8, 1e2))
    return figure


def plane_panel(ax: Axes, run: Trajectory, x: tuple[float, float], y: tuple[float, float]) -> None:
    """The path of a run across the level lines."""
    contours(ax, run.problem, x, y)
    ax.plot(*run.w.T, marker="o", markersize=3, **line("measured"))
    ax.plot(*run.w[0], marker="o", markersize=7, color=ROLES["text"].light)
    ax.set(title="The path", aspect="equal", xlabel="$x$", ylabel="$y$")


def modes_panel(ax: Axes, run: Trajectory, span: tuple[float, float]) -> None:
    """The size of both modes in time, and the worst case."""
    lam, u = modes(run, {"w_star": run.problem.w_star})
    flat, steep = u.T
    rho = (1 - run.h.eta * lam).abs().max()
    styles: tuple[dict[str, Any], ...] = (line("measured", label="flat mode"), line("text", label="steep mode"))
    for values, style in zip((flat, steep), styles, strict=True):
        ax.semilogy(values.abs(), **style)
    worst = rho ** torch.arange(run.T + 1) * run.w[0].norm()
    ax.semilogy(worst, **line("bound", label=r"worst case $\rho^t\|w_0\|$"))
    ax.set(title="Size of each mode", xlabel="step", ylim=span, xlim=(0, run.T))
    ax.set_box_aspect(0.75)
    ax.legend(loc="lower left")
