"""The descent lemma: what one step of gradient descent is sure to gain."""

from __future__ import annotations

import torch
from torch import Tensor

from ..descend import Trajectory
from ..rules.gradient_descent import gradient_descent
from .theorem import Assumption, Constants, Sides, Theorem


def _eta(run: Trajectory) -> Tensor:
    return torch.as_tensor(run.h.eta, dtype=run.f.dtype, device=run.f.device)


def _decrease(run: Trajectory, k: Constants) -> Sides:
    eta, f, g2 = _eta(run), run.f, run.grad_norm[:-1] ** 2
    promised = eta * (1 - eta * k["L"] / 2) * g2
    return Sides(
        left=f[1:],
        right=f[:-1] - promised,
        scale=f[:-1].abs() + f[1:].abs() + promised.abs(),
        promised=promised,
        achieved=f[:-1] - f[1:],
    )


descent_lemma = Theorem(
    id="descent-lemma",
    kind="lemma",
    title="Descent lemma",
    statement=r"""
Let $f$ be $L$-smooth and let $w_{t+1} = w_t - \eta\,\nabla f(w_t)$. Then

$$
f(w_{t+1}) \;\le\; f(w_t) \;-\; \eta\Bigl(1 - \frac{\eta L}{2}\Bigr)\,\|\nabla f(w_t)\|^2 .
$$

For $0 < \eta < 2/L$ the subtracted term is positive wherever the gradient is not zero: $f$ decreases. It is
largest at $\eta = 1/L$, where it equals $\|\nabla f(w_t)\|^2/(2L)$.
""",
    source="KH-2.2.1; TDL-L4.1.4 for steps up to 1/L",
    assumptions=(
        Assumption(
            "smoothness",
            "on the segment from $w_t$ to $w_{t+1}$ the gradient changes by at most $L$ times the distance",
            lambda run, k: bool((torch.as_tensor(k["L"]) > 0).all()),
        ),
        Assumption(
            "gradient descent",
            "each step is $w - \\eta \\nabla f(w)$ with the exact gradient",
            lambda run, k: run.rule is gradient_descent,
        ),
        Assumption(
            "step",
            "$0 < \\eta < 2/L$",
            lambda run, k: bool((_eta(run) * torch.as_tensor(k["L"]) < 2).all()),
        ),
    ),
    constants=("L",),
    needs=("f", "grad_norm"),
    sides=_decrease,
)
