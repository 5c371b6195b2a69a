"""The cover's picture is a run: gradient descent and a heavy ball in one valley, with as many steps for each.

``python -m coursekit.book.cover`` writes it, and the book's icon, to ``book/_static``; a test compares them with a
fresh run. Colours are the palette's CSS properties, so that the picture follows the page from light to dark.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import sqrt
from pathlib import Path
from typing import Any

import torch

from coursekit import descend
from coursekit.palette import METHODS, ROLES
from coursekit.problems import Quadratic
from coursekit.rules import Rule, gradient_descent, heavy_ball

MU, L = 1.0, 30.0
STEPS = 30
START = (-10.2, 1.9)
WIDTH, HEIGHT, SCALE = 920, 300, 72.0
LEVELS = (0.4, 1.6, 4.2, 9.0, 16.5, 28.0, 43.0, 62.0)
METHOD_RUNS: list[tuple[Rule, dict[str, Any]]] = [
    (gradient_descent, {"eta": 2 / (L + MU)}),  # the best constant step on this quadratic
    (heavy_ball, {"eta": 1 / L, "beta": 0.7}),
]


def paths() -> dict[str, list[tuple[float, float]]]:
    """Each method's iterates in pixels, by the method's name."""
    problem = Quadratic(torch.tensor([MU, L], dtype=torch.float64))
    start = torch.tensor(START, dtype=torch.float64)
    runs = {
        rule.name: descend(problem, rule, start, STEPS, record=("w",), **hyper).w for rule, hyper in METHOD_RUNS
    }
    return {name: [pixel(x, y) for x, y in w.tolist()] for name, w in runs.items()}


def pixel(x: float, y: float) -> tuple[float, float]:
    return WIDTH * 0.84 + SCALE * x, HEIGHT / 2 - SCALE * y


def contour(level: float) -> str:
    """The ellipse where f = (μ x² + L y²)/2 has the value ``level``."""
    (x, y), rx, ry = pixel(0, 0), SCALE * sqrt(2 * level / MU), SCALE * sqrt(2 * level / L)
    return f'<ellipse cx="{x:.1f}" cy="{y:.1f}" rx="{rx:.1f}" ry="{ry:.1f}"/>'


def trace(name: str, points: Iterable[tuple[float, float]]) -> str:
    """A path with a dot at each iterate, in the method's own colour and dash."""
    points = [(round(x, 1), round(y, 1)) for x, y in points]
    line = " ".join(f"{x},{y}" for x, y in points)
    dots = "".join(f'<circle cx="{x}" cy="{y}" r="4"/>' for x, y in points)
    ink, dash = f"var(--ck-{name.replace('_', '-')})", " ".join(str(2 * d) for d in METHODS[name].dash) or "none"
    return (
        f'<polyline points="{line}" fill="none" stroke="{ink}" stroke-width="3" stroke-linejoin="round" '
        f'stroke-dasharray="{dash}"/>\n<g fill="{ink}">{dots}</g>'
    )


def picture() -> str:
    """The cover's picture, as SVG to be placed inside a page."""
    label = (
        "Contour lines of a long narrow valley. Gradient descent zig-zags from wall to wall towards the minimum; "
        "the heavy ball swings a few times, then runs along the valley and arrives first."
    )
    x, y = pixel(0, 0)
    return "\n".join(
        [
            f'<svg class="ck-cover" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}" '
            'xmlns="http://www.w3.org/2000/svg">',
            '<g fill="none" stroke="var(--ck-grid)" stroke-width="1.5">',
            *map(contour, LEVELS),
            "</g>",
            *(trace(name, points) for name, points in paths().items()),
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="7" fill="none" stroke="var(--ck-bound)" stroke-width="3"/>',
            "</svg>\n",
        ]
    )


def icon() -> str:
    """The book's icon: the mark of the sidebar in the palette's literal colours, for both themes."""
    path, dot = METHODS["gradient_descent"], ROLES["bound"]
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
<style>
path {{ stroke: {path.light}; }} circle {{ fill: {dot.light}; }}
@media (prefers-color-scheme: dark) {{ path {{ stroke: {path.dark}; }} circle {{ fill: {dot.dark}; }} }}
</style>
<path d="M2 6 9 27 15 10 19 20 22 16" fill="none" stroke-width="3.5" stroke-linejoin="round"/>
<circle cx="24" cy="16" r="4"/>
</svg>
"""


def main(folder: Path = Path("book/_static")) -> None:
    (folder / "cover.svg").write_text(picture(), encoding="utf-8")
    (folder / "favicon.svg").write_text(icon(), encoding="utf-8")


if __name__ == "__main__":
    main()
