"""A run of the reader's own function, drawn over an explorable: the kernel computes it when the reader lets go."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..grading.objective import Counted, counted
from ..grading.observe import failure_of
from ..palette import ROLES
from ..problems import Problem

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FAR = 1e6  # a point beyond is the end of what can be drawn

Run = Callable[[Counted, Tensor, float, int], Iterable[Tensor]]


@dataclass(frozen=True)
class Yours:
    """The reader's ``run(f, w, eta, steps)``: it gives the points one after another, w itself first.

    ``place(chosen)`` makes of what the reader has chosen the problem to run on, the start, and eta.
    """

    run: Run
    steps: int
    place: Callable[[Mapping[str, Any]], tuple[Problem, Tensor, float]]

    def __call__(self, chosen: Mapping[str, Any]) -> dict[str, Any]:
        """What the browser draws: the points, what they belong to, and what is to say. An error becomes words."""
        problem, start, eta = self.place(chosen)
        f, path, left = counted(problem), [], ""
        try:
            for w in itertools.islice(self.run(f, start.clone(), eta, self.steps), self.steps + 1):
                if not isinstance(w, Tensor) or w.shape != start.shape:
                    raise ValueError(f"a point must be a tensor of shape {tuple(start.shape)}")
                if not w.abs().max() < FAR:  # written so that NaN counts as far
                    left = ", then it leaves the picture"
                    break
                path.append(w.tolist())
        except NotImplementedError as error:
            says = f"{error}."
        except Exception as error:  # the reader's code may fail in any way
            says = f"it stops with {failure_of(error, '')}."
        else:
            end = float(problem.value(torch.tensor(path[-1], dtype=start.dtype))) if path else math.nan
            says = f"{len(path)} points, {f.calls.gradients} gradients, f ends at {end:.3g}{left}."
        return {"of": dict(chosen), "path": path, "says": f"Your run: {says}"}


def rings(ax: Axes, answer: Mapping[str, Any] | None) -> None:
    """Draws the points of the reader's run as rings, if there are any."""
    if answer and answer["path"]:
        ax.plot(*zip(*answer["path"], strict=True), "o", mfc="none", markersize=7, color=ROLES["text"].light)
