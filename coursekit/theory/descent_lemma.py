"""The descent lemma: what one step of gradient descent is sure to gain."""

from __future__ import annotations

import torch

from .path import DESCENT, step_up_to, value_size
from .theorem import Assumption, Constants, Evidence, Sides, Theorem


def _decrease(run: Evidence, k: Constants) -> Sides:
    f, g2 = run.f, run.grad_norm[:-1] ** 2
    promised = run.eta * (1 - run.eta * k["L"] / 2) * g2
    return Sides(
        left=f[1:],
        right=f[:-1] - promised,
        scale=value_size(run)[:-1] + value_size(run)[1:] + promised.abs(),
        promised=promised,
        achieved=f[:-1] - f[1:],
    )


descent_lemma = Theorem(
    id="descent-lemma",
    kind="lemma",
    title="Descent lemma",
    chapter=2,
    statement=r"""
Let $f$ be $L$-smooth and let $w_{t+1} = w_t - \eta\,\nabla f(w_t)$. Then

$$
\begin{aligned}
f(w_{t+1}) &\le f(w_t) \\
&\quad- \eta\Bigl(1 - \frac{\eta L}{2}\Bigr)\,\|\nabla f(w_t)\|^2 .
\end{aligned}
$$

For $0 < \eta < 2/L$ the subtracted term is positive wherever the gradient is not zero: $f$ decreases. It is
largest at $\eta = 1/L$, where it equals $\|\nabla f(w_t)\|^2/(2L)$.
""",
    source="KH-2.2.1, TDL-L4.1.4, TDL-fn5, GG-eq7",
    assumptions=(
        Assumption(
            "smoothness",
            "on the segment from $w_t$ to $w_{t+1}$ the gradient changes by at most $L$ times the distance",
            lambda run, k: bool((torch.as_tensor(k["L"]) > 0).all()),
        ),
        DESCENT,
        Assumption("step", "$0 < \\eta < 2/L$", step_up_to(2, closed=False, constant=False)),
    ),
    constants=("L",),
    needs=("f", "grad_norm"),
    sides=_decrease,
)
