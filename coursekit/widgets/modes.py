"""What does momentum do to a mode? The stability map of heavy ball and Nesterov's method, and two modes on it."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..descend import descend
from ..palette import ROLES
from ..plots import line
from ..problems import Quadratic
from ..rules import Rule, heavy_ball, nesterov
from .explorable import Explorable, within

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STEPS = 60
RULES = {rule.name: rule for rule in (heavy_ball, nesterov)}
# What the sliders and the map reach: the browser and the checks below use the same. Steps are in units of 1/L.
KAPPAS, REACHES, BETAS = (1.0, 100.0), (0.02, 4.2), (0.0, 0.99)
MODES: tuple[dict[str, Any], ...] = (line("measured", label="flat mode"), line("text", label="steep mode"))


def momentum(kappa: float = 10.0, reach: float = 1.0, beta: float = 0.6, method: str = "heavy_ball") -> Explorable:
    """What does momentum do to a mode? Drag η and β on the map; roots and trajectories of two modes, L/μ = κ.

    ``reach`` is the step size in units of 1/L. Raises ValueError for a kappa outside [1, 100], a reach outside
    [0.02, 4.2], a beta outside [0, 0.99] or a method that is neither heavy_ball nor nesterov.
    """
    within("kappa", kappa, KAPPAS)
    within("reach", reach, REACHES)
    within("beta", beta, BETAS)
    if method not in RULES:
        raise ValueError(f"method must be one of {', '.join(RULES)}, got {method!r}")
    return Explorable(
        spec={
            "kind": "momentum",
            "title": "What does momentum do to a mode?",
            "method": method,
            "kappa": float(kappa),
            "reach": float(reach),
            "beta": float(beta),
            "steps": STEPS,
            "kappas": KAPPAS,
            "reaches": REACHES,
            "betas": BETAS,
        },
        alt=(
            f"Three views of {RULES[method].title} with step size {reach:.3g}/L and momentum {beta:.3g} on modes"
            f" of curvature 1 and L = {kappa:.3g}. Left: the map of step times curvature and momentum, with the"
            " edge of stability and the region of complex roots; the modes are the ends of a bar. Middle: their"
            " roots in the unit disc. Right: the two modes over 60 steps."
        ),
        figure=functools.partial(_figure, float(kappa), float(reach), float(beta), RULES[method]),
    )


def recursion(rule: Rule, eta_lambda: Tensor, beta: Tensor) -> tuple[Tensor, Tensor]:
    """s and p of u(t+1) = s u(t) - p u(t-1), read off two steps of the rule from u(0) = 1, where u(1) = s - β."""
    eta_lambda, beta = torch.broadcast_tensors(eta_lambda, beta)
    one = torch.ones(1, dtype=eta_lambda.dtype, device=eta_lambda.device)
    _, first, second = descend(Quadratic(one), rule, one, 2, record=("w",), eta=eta_lambda, beta=beta).w[..., 0]
    s = first + beta
    return s, s * first - second


def _figure(kappa: float, reach: float, beta: float, rule: Rule) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 2.9), layout="constrained")
    plane, disc, time = figure.subplots(1, 3)
    share = torch.tensor([1 / kappa, 1.0], dtype=torch.float64)
    at = torch.tensor(beta, dtype=torch.float64)
    _map(plane, rule)
    plane.plot(reach * share, [beta, beta], lw=3, marker="o", color=ROLES["measured"].light)
    _roots(disc, *recursion(rule, reach * share, at))
    problem = Quadratic(torch.tensor([1.0, kappa], dtype=torch.float64))
    start = torch.ones(2, dtype=torch.float64)
    run = descend(problem, rule, start, STEPS, record=("w",), eta=reach / kappa, beta=beta)
    for u, style in zip(run.w.T, MODES, strict=True):
        time.plot(u, **style)
    time.set(title="The two modes in time", xlabel="step", ylim=(-1.25, 1.25), xlim=(0, STEPS))
    time.set_box_aspect(0.75)
    time.legend()
    return figure


def _map(ax: Axes, rule: Rule) -> None:
    x = torch.linspace(REACHES[0], REACHES[1], 200, dtype=torch.float64)
    beta = torch.linspace(0, 0.999, 120, dtype=torch.float64)[:, None]
    s, p = recursion(rule, x, beta)
    for zero, role, style in ((s * s - 4 * p, "bound", "dashed"), (1 + s + p, "limit", "dotted")):
        ax.contour(x, beta[:, 0], zero, levels=[0], colors=ROLES[role].light, linestyles=style)
    ax.set(title="The map", xlabel=r"$\eta\lambda$", ylabel=r"$\beta$", xlim=(0, REACHES[1]), ylim=(0, 1))
    ax.set_box_aspect(0.75)


def _roots(ax: Axes, s: Tensor, p: Tensor) -> None:
    half = (s * s / 4 - p).to(torch.complex128).sqrt()
    turn = torch.exp(1j * torch.linspace(0, 2 * torch.pi, 200))
    ax.plot(turn.real, turn.imag, **line("limit"))
    for z, style in zip(torch.stack([s / 2 + half, s / 2 - half], -1), MODES, strict=True):
        ax.plot(z.real, z.imag, marker="o", **{**style, "linestyle": "none"})
    ax.set(title="Roots in the unit disc", aspect="equal", xlim=(-1.6, 1.6), ylim=(-1.2, 1.2))
