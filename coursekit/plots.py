"""The book's figures: panels that sit side by side on a desk and one below the other on a phone.

Each panel is an SVG inside the page, its colours written as CSS variables of the palette, so that a figure follows
the reader's light or dark theme; elsewhere (JupyterLab, print) the light values hold.
"""

from __future__ import annotations

import html
import io
import re
from typing import Any

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .palette import METHODS, ROLES, Ink
from .problems.problem import Problem

INKS = {**ROLES, **METHODS}
VARIABLES = {ink.light: f"var(--ck-{name.replace('_', '-')}, {ink.light})" for name, ink in INKS.items()}
STYLE: Any = {
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "font.size": 10,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": ROLES["grid"].light,
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.8,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "svg.hashsalt": "coursekit",
    "svg.fonttype": "path",
    **dict.fromkeys(
        ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), ROLES["text"].light
    ),
}


class Panels:
    """A figure of one or more panels, with the text that says what is to be seen. Draw on its ``axes``."""

    def __init__(self, count: int = 1, *, alt: str, size: tuple[float, float] = (3.7, 2.9)) -> None:
        if not alt.strip():
            raise ValueError("alt must say what the figure shows, got an empty text")
        mpl.rcParams.update(STYLE)  # for the session: legends and titles read it when they are drawn
        self.alt = alt
        self._figures = [Figure(figsize=size, layout="constrained") for _ in range(count)]
        self.axes: list[Axes] = [figure.add_subplot() for figure in self._figures]

    def __repr__(self) -> str:
        return f"Figure: {self.alt}"

    def svgs(self) -> list[str]:
        """One SVG element a panel, in the palette's CSS variables."""
        return [_svg(figure) for figure in self._figures]

    def _repr_html_(self) -> str:
        return (
            f'<div class="ck-panels" role="img" aria-label="{html.escape(self.alt)}">{"".join(self.svgs())}</div>'
        )


def panels(count: int = 1, *, alt: str, size: tuple[float, float] = (3.7, 2.9)) -> Panels:
    """A figure with ``count`` panels of ``size`` inches each; ``alt`` says what is to be seen."""
    return Panels(count, alt=alt, size=size)


def line(name: str, **more: Any) -> dict[str, Any]:
    """Colour and dash of a method or role, as keywords for ``plot``: ``ax.plot(x, y, **line("adam"))``."""
    if name not in INKS:
        raise ValueError(f"name must be one of {', '.join(INKS)}, got {name!r}")
    ink: Ink = INKS[name]
    return {"color": ink.light, "linestyle": (0, ink.dash) if ink.dash else "-", **more}


def contours(ax: Axes, problem: Problem, x: tuple[float, float], y: tuple[float, float], levels: int = 14) -> None:
    """Level lines of a two-dimensional problem on [x₀, x₁] × [y₀, y₁], closer together near the minimum."""
    gx, gy = (torch.linspace(low, high, 161, dtype=torch.float64) for low, high in (x, y))
    f = problem.value(torch.stack(torch.meshgrid(gx, gy, indexing="xy"), -1)).numpy()
    at = f.min() + (f.max() - f.min()) * np.linspace(0.03, 1, levels) ** 2.5
    ax.contour(gx, gy, f, levels=at, colors=ROLES["grid"].light, linewidths=0.9)
    ax.set(xlim=x, ylim=y)
    ax.grid(False)


def _svg(figure: Figure) -> str:
    target = io.StringIO()
    figure.savefig(target, format="svg", metadata={"Date": None, "Creator": None})
    svg = target.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.S)
    svg = re.sub(r"<svg [^>]*?(viewBox=\"[^\"]+\")[^>]*>", r"<svg \1 aria-hidden='true'>", svg, count=1)
    # Coordinates to a tenth of a point: half the size. Small numbers are scales, they keep their digits.
    svg = re.sub(r"-?\d{2,}\.\d{2,}", lambda m: f"{float(m[0]):.1f}", svg)
    return re.sub(r"#[0-9a-f]{6}", lambda m: VARIABLES.get(m[0], m[0]), svg)
