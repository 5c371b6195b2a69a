"""How large may the step be? Gradient descent on a quadratic, with what the descent lemma promises."""

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
from ..theory import descent_lemma as lemma
from .explorable import Explorable, within
from .yours import Run, Yours, rings

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STEPS = 50
# What the sliders and the landscape reach: the browser and the checks below use the same.
KAPPAS, ETAS, X, Y = (1.0, 100.0), (0.002, 3.0), (-2.0, 2.0), (-1.5, 1.5)
NEAR_LIMIT = (1.9, 2.1)  # step sizes times L, to compare with the chosen one


def descent_lemma(
    kappa: float = 10.0,
    eta: float | None = None,
    start: Sequence[float] = (-1.8, 0.5),
    yours: Run | None = None,
) -> Explorable:
    """How large may the step be? Drag the start and the step η of gradient descent on ½ (x² + κ y²), L = κ.

    ``eta`` is 1/L unless given; ``yours(f, w, eta, steps)`` gives the points of a run of your own. Raises
    ValueError for a kappa outside [1, 100], an eta outside [0.002, 3] or a start outside the landscape,
    [-2, 2] x [-1.5, 1.5].
    """
    within("kappa", kappa, KAPPAS)
    eta = 1 / kappa if eta is None else eta
    within("eta", eta, ETAS)
    if len(start) != 2:
        raise ValueError(f"start must be two numbers, got {start!r}")
    within("the start's first coordinate", start[0], X)
    within("the start's second coordinate", start[1], Y)
    point = (float(start[0]), float(start[1]))
    reach = eta * kappa
    run = Yours(yours, STEPS, _place) if yours else None
    mine = run({"kappa": float(kappa), "eta": float(eta), "start": point}) if run else None
    return Explorable(
        spec={
            "kind": "descent_lemma",
            "title": "How large may the step be?",
            "kappa": float(kappa),
            "eta": float(eta),
            "start": point,
            "steps": STEPS,
            "kappas": KAPPAS,
            "etas": ETAS,
            "x": X,
            "y": Y,
            **({"yours": mine} if mine else {}),
        },
        alt=(
            f"Three views of gradient descent with step size {reach:.3g}/L on a quadratic with curvatures 1 and"
            f" L = {kappa:.3g}. Left: the path from the start across the level lines. Middle: along the first ray"
            " the lemma's parabola lies on or above f and touches it at step 0; it returns to the starting height"
            " at 2/L. Right: the loss over 50 steps, below the bound that the lemma gives; beside it a step just"
            " under 2/L, which converges, and one just over 2/L, which diverges."
        ),
        figure=functools.partial(_figure, float(kappa), float(eta), point, mine),
        yours=run,
    )


def _place(chosen: Mapping[str, Any]) -> tuple[Quadratic, Tensor, float]:
    lam, start = (torch.tensor(x, dtype=torch.float64) for x in ((1.0, chosen["kappa"]), chosen["start"]))
    return Quadratic(lam), start, chosen["eta"]


def _figure(kappa: float, eta: float, start: tuple[float, float], yours: Mapping[str, Any] | None) -> Figure:
    """The three views, each from runs of gradient descent and the theorem's two sides."""
    from matplotlib.figure import Figure

    problem = Quadratic(torch.tensor([1.0, kappa], dtype=torch.float64))
    run = functools.partial(
        descend,
        problem,
        gradient_descent,
        torch.tensor(start, dtype=torch.float64),
        record=("w", "f", "grad_norm"),
    )
    chosen = run(STEPS, eta=eta)
    figure = Figure(figsize=(10, 2.9), layout="constrained")
    landscape, ray, time = figure.subplots(1, 3)
    _landscape(landscape, chosen)
    rings(landscape, yours)
    _ray(ray, chosen, run(1, eta=torch.linspace(1e-9, 3, 121, dtype=torch.float64) / kappa))
    _time(time, chosen, run(STEPS, eta=torch.tensor(NEAR_LIMIT, dtype=torch.float64) / kappa))
    return figure


def _landscape(ax: Axes, chosen: Trajectory) -> None:
    contours(ax, chosen.problem, X, Y)
    ax.plot(*chosen.w.T, marker="o", markersize=3, **line("gradient_descent"))
    ax.plot(*chosen.w[0], marker="o", markersize=7, color=ROLES["text"].light)
    ax.annotate("$w_0$", (float(chosen.w[0, 0]), float(chosen.w[0, 1])), (6, 6), textcoords="offset points")
    ax.set(title="The path", aspect="equal", xlabel="$x$", ylabel="$y$")


def _ray(ax: Axes, chosen: Trajectory, one_step: Trajectory) -> None:
    L = float(chosen.problem.L or 0)
    promise, taken = lemma.sides(one_step, {"L": L}), lemma.sides(chosen, {"L": L})
    reach, eta = one_step.h.eta * L, chosen.h.eta * L
    f0 = float(chosen.f[0])
    ax.plot(reach, one_step.f[1], label="$f$", **line("measured"))
    ax.plot(reach, promise.right[0], label="the lemma's parabola", **line("bound"))
    ax.axhline(f0, linewidth=0.8, color=ROLES["muted"].light)
    for k in (1, 2):
        ax.axvline(k, **line("limit", linewidth=1.2))
    if eta <= 3:
        for x, y, role in ((eta - 0.05, taken.right[0], "bound"), (eta + 0.05, taken.left[0], "measured")):
            ax.plot([x, x], [f0, float(y)], marker="_", linewidth=3, color=ROLES[role].light)
        ax.plot(eta, taken.left[0], marker="o", **line("measured"))
    ax.set_box_aspect(0.75)
    gain = float(f0 - promise.right[0].min())
    ax.set(title="Along the first ray, $f(w_0 - s\\nabla f(w_0))$", xlabel="$s$", xlim=(0, 3))
    ax.set(
        xticks=(0, 1, 2, 3), xticklabels=("0", "$1/L$", "$2/L$", "$3/L$"), yticks=(f0,), yticklabels=("$f(w_0)$",)
    )
    ax.set_ylim(top=f0 + max(gain, 0.35 * float(f0 - one_step.f[1].min())))
    ax.legend(loc="upper left")


def _time(ax: Axes, chosen: Trajectory, near_limit: Trajectory) -> None:
    L = float(chosen.problem.L or 0)
    promised = lemma.sides(chosen, {"L": L}).promised
    assert promised is not None
    bound = torch.cat([chosen.f[:1], chosen.f[0] - promised.cumsum(0)])
    ax.semilogy(chosen.f, label=f"$\\eta = {chosen.h.eta * L:.3g}/L$", **line("measured"))
    ax.semilogy(bound, label="its bound", **line("bound"))
    for factor, f, place in zip(NEAR_LIMIT, near_limit.f.T, ((44, -9), (14, 5)), strict=True):
        ax.semilogy(f, linewidth=1, color=ROLES["muted"].light)
        t, shift = place
        ax.annotate(f"${factor}/L$", (t, float(f[t])), (0, shift), textcoords="offset points", ha="right")
    ax.set_box_aspect(0.75)
    ax.set(title="Loss after each step", xlabel="step", xlim=(0, STEPS), ylim=(1e-8, 1e3))
    ax.legend(loc="lower left")
