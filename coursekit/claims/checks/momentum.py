"""Claims about momentum."""

from __future__ import annotations

import torch
from torch import Tensor

from ...descend import descend
from ...problems import Quadratic
from ...rules import gradient_descent, heavy_ball
from ..check import Measured, check


@check("KH-2.2.2-filter")
def damps_or_adds_oscillation() -> Measured:
    f, start = Quadratic(torch.ones(1, dtype=torch.float64)), torch.ones(1, dtype=torch.float64)

    def both(eta_lambda: float) -> tuple[Tensor, Tensor]:
        """200 steps without and with momentum 0.9 on a parabola of curvature 1."""
        plain = descend(f, gradient_descent, start, 200, record=("w",), eta=eta_lambda)
        heavy = descend(f, heavy_ball, start, 200, record=("w",), eta=eta_lambda, beta=0.9)
        return plain.w[:, 0], heavy.w[:, 0]

    def sign_changes(w: Tensor) -> int:
        return int((w[1:] * w[:-1] < 0).sum())

    calm = [sign_changes(w) for w in both(0.1)]
    # The repair: where step times curvature lies in (2, 2(1 + gamma)), GD diverges and heavy ball does not.
    ends = {x: [float(w[-1].abs()) for w in both(x)] for x in (2.1, 3.0, 3.7)}
    return Measured(
        as_printed=calm[1] <= calm[0],
        as_repaired=all(plain > 1e3 and heavy < 1e-2 for plain, heavy in ends.values()),
        numbers={
            r"sign changes in 200 steps at $\eta\lambda = 0.1$, without momentum": calm[0],
            "with momentum 0.9": calm[1],
            r"$|w|$ after 200 steps at $\eta\lambda = 3$, without momentum": ends[3.0][0],
            "then with momentum 0.9": ends[3.0][1],
        },
    )
