"""SGD without convexity: how small the mean squared gradient gets, for constant and for decaying steps."""

from __future__ import annotations

import torch
from torch import Tensor

from ..oracles import MiniBatch
from .noise import BOUNDED_VARIANCE, OSCILLATION, SECOND_MOMENT, SGD, UNBIASED, before_the_end, example_variance
from .path import BELOW_TWO, SMOOTH, at_most, has_constant_step, rounding, step_up_to
from .theorem import Assumption, Constants, Evidence, Rate, Sharp, Sides, Theorem


def budget(run: Evidence, k: Constants, weight: Tensor, noise: float) -> Sides:
    """Σ weight ‖∇f(w_s)‖² + f(w_t) - f* ≤ f(w_0) - f* + ½ L noise Σ η_s², in the mean; both sides over Σ η_s."""
    step = run.eta.cumsum(0)
    f, gap = run.f, run.f - k["f_star"]
    left = ((weight * run.grad_norm[:-1] ** 2).cumsum(0) + gap[1:]) / step
    right = (gap[0] + k["L"] / 2 * noise * (run.eta**2).cumsum(0)) / step
    scale = left.abs() + right.abs() + (f[0].abs() + f[1:].abs() + abs(k["f_star"])) / step
    return Sides(left=left, right=right, scale=scale, over_seeds=True)


def _variance(run: Evidence, k: Constants) -> Sides:
    return budget(run, k, run.eta * (1 - run.eta * k["L"] / 2), k["sigma2"])


def _second_moment(run: Evidence, k: Constants) -> Sides:
    return budget(run, k, run.eta, k["G2"])


def _mean_at_end(run: Evidence, right: Tensor) -> Sides:
    """(1/T) Σ ‖∇f(w_t)‖² over all T steps of the run, below ``right``."""
    left = (run.grad_norm[:-1] ** 2).mean(0, keepdim=True)
    right = right.expand_as(left)
    return Sides(left=left, right=right, scale=left + right, over_seeds=True)


def _tuned(run: Evidence, k: Constants) -> Sides:
    L, sigma2, gap = k["L"], k["sigma2"], run.f[0] - k["f_star"]
    return _mean_at_end(run, 2 * L * gap / run.T + 2 * (2 * L * gap * sigma2 / run.T).sqrt())


def _printed(run: Evidence, k: Constants) -> Sides:
    return _mean_at_end(run, 1.5 * (torch.as_tensor(k["M"] * k["L"] * k["G2"] / run.T)).sqrt().to(run.f))


def _reaches(run: Evidence, k: Constants) -> Sides:
    return _mean_at_end(run, torch.as_tensor(k["eps"] ** 2).to(run.f))


def step_is(run: Evidence, expected: Tensor | float) -> bool:
    """Is the step size of every step the expected one, rounding aside?"""
    return bool(((run.eta - expected).abs() <= rounding(run.eta) * run.eta).all())


def _tuned_step(run: Evidence, k: Constants) -> bool:
    best = (2 * (run.f[0] - k["f_star"]) / (k["L"] * k["sigma2"] * run.T)).sqrt()
    return step_is(run, best.clamp(max=1 / k["L"]))


def _step_for(run: Evidence, k: Constants) -> float:
    """min{1/L, ε² b/(2 L γ²)} of TDL's problem 4.6.3(b)."""
    return min(1 / k["L"], k["eps"] ** 2 * run.oracle.size / (2 * k["L"] * k["gamma2"]))


def _long_enough(run: Evidence, k: Constants) -> bool:
    return at_most(4 * (run.f[0] - k["f_star"]) / (_step_for(run, k) * k["eps"] ** 2), run.T)


NONCONVEX = "smooth"
DECREASING = Assumption(
    "step",
    r"$0 < \eta_t < 2/L$, never growing",
    lambda run, k: step_up_to(2, closed=False, constant=False)(run, k) and bool((run.eta.diff(dim=0) <= 0).all()),
)

sgd_nonconvex = Theorem(
    id="sgd-nonconvex",
    kind="theorem",
    title="SGD with a constant step meets small gradients",
    chapter=3,
    statement=r"""
Let $f$ be $L$-smooth and bounded below by $f^\star$, and $w_{t+1} = w_t - \eta\,g_t$ with
$\mathbb E[g_t\mid w_t] = \nabla f(w_t)$, $\mathbb E[\|g_t-\nabla f(w_t)\|^2\mid w_t] \le \sigma^2$ and
$0<\eta<2/L$. Then for every $T\ge1$

$$
\Bigl(1-\frac{\eta L}2\Bigr)\frac1T\sum_{t<T}\mathbb E\,\|\nabla f(w_t)\|^2
 + \frac{\mathbb E f(w_T)-f^\star}{\eta T}
\;\le\; \frac{f(w_0)-f^\star}{\eta\,T} + \frac{L\,\eta\,\sigma^2}2 ,
$$

and so, for $\eta\le1/L$, $\;\frac1T\sum_{t<T}\mathbb E\,\|\nabla f(w_t)\|^2 \le
\frac{2\,(f(w_0)-f^\star)}{\eta\,T} + L\,\eta\,\sigma^2$. On a parabola of curvature $L$ the first line is an
equality.
""",
    source="PL-3-const, GG-eq27, PL-3-model",
    assumptions=(SMOOTH, SGD, UNBIASED, BOUNDED_VARIANCE, BELOW_TWO),
    constants=("L", "f_star", "sigma2"),
    needs=("w", "f", "grad_norm"),
    sides=_variance,
    rate=Rate("SGD, constant step", NONCONVEX, r"$\frac{2\Delta_0}{\eta T} + L\eta\sigma^2$"),
)

sgd_nonconvex_tuned = Theorem(
    id="sgd-nonconvex-tuned",
    kind="theorem",
    title="SGD with the constant step that suits the horizon",
    chapter=3,
    statement=r"""
Under the assumptions of {prf:ref}`sgd-nonconvex`, let $\Delta_0 = f(w_0)-f^\star$ and
$\eta = \min\bigl\{\frac1L, \sqrt{2\Delta_0/(L\sigma^2T)}\bigr\}$, where $T$ is the number of steps. Then

$$
\frac1T\sum_{t<T}\mathbb E\,\|\nabla f(w_t)\|^2
\;\le\; \frac{2L\Delta_0}T + 2\,\sqrt{\frac{2L\Delta_0\,\sigma^2}T} .
$$

An iterate $w_\tau$ with $\tau$ uniform on $\{0, \dots, T-1\}$ has this expected squared gradient; for
$\mathbb E\|\nabla f(w_\tau)\|^2\le\epsilon$ it takes $O(1/\epsilon^2)$ stochastic gradients.
""",
    source="KH-3.1-SGD-eps2, TDL-Alg3-output",
    assumptions=(
        SMOOTH,
        SGD,
        UNBIASED,
        BOUNDED_VARIANCE,
        Assumption("step", r"$\eta$ is the smaller of $1/L$ and $(2 \Delta_0/(L \sigma^2 T))^{1/2}$", _tuned_step),
    ),
    constants=("L", "f_star", "sigma2"),
    needs=("w", "f", "grad_norm"),
    sides=_tuned,
    rate=Rate("SGD, step tuned to T", NONCONVEX, r"$\frac{2L\Delta_0}{T} + 2\sqrt{\frac{2L\Delta_0\sigma^2}{T}}$"),
)

sgd_second_moment = Theorem(
    id="sgd-second-moment",
    kind="theorem",
    title="SGD with a bounded second moment, any steps",
    chapter=3,
    statement=r"""
Let $f$ be $L$-smooth and bounded below by $f^\star$, and $w_{t+1} = w_t - \eta_{t+1}\,g_t$ with any $\eta_t > 0$,
$\mathbb E[g_t\mid w_t] = \nabla f(w_t)$ and $\mathbb E[\|g_t\|^2\mid w_t] \le G^2$. Then for every $T\ge1$

$$
\sum_{t\le T}\eta_t\,\mathbb E\,\|\nabla f(w_{t-1})\|^2 + \mathbb E f(w_T) \;\le\;
f(w_0) + \frac{L\,G^2}2\sum_{t\le T}\eta_t^2 .
$$

With a constant step: $\frac1T\sum_{t<T}\mathbb E\,\|\nabla f(w_t)\|^2 \le
\frac{f(w_0)-f^\star}{\eta\,T} + \frac{L\,\eta\,G^2}2$.
""",
    source="GG-eq27, GG-P2, AMGT-eq34",
    assumptions=(SMOOTH, SGD, UNBIASED, SECOND_MOMENT),
    constants=("L", "f_star", "G2"),
    needs=("w", "f", "grad_norm"),
    sides=_second_moment,
    rate=Rate(
        "SGD, constant step", "smooth, bounded second moment", r"$\frac{\Delta_0}{\eta T} + \frac{L\eta G^2}{2}$"
    ),
)

tdl_theorem_462 = Theorem(
    id="tdl-theorem-4-6-2",
    kind="theorem",
    title="SGD, as TDL prints it, with its constant",
    chapter=3,
    statement=r"""
Let $f$ be $L$-smooth, $\max_{t\le T} f(w_t) - \min_{t\le T} f(w_t) \le M$ (which $|f|\le M/2$ implies),
$\mathbb E[g_t\mid w_t] = \nabla f(w_t)$, $\mathbb E[\|g_t\|^2\mid w_t] \le G^2$ (printed as $\sigma^2$: a second
moment, no variance), and $w_{t+1} = w_t - \eta\,g_t$ with $\eta = \sqrt{M/(L G^2 T)}$. Then

$$
\frac1T\sum_{t<T}\mathbb E\,\|\nabla f(w_t)\|^2 \;\le\; \frac32\sqrt{\frac{M L\,G^2}T}
\;\le\; 2\,\sqrt{\frac{M L\,G^2}T} .
$$

The last is the printed bound.
""",
    source="TDL-T4.6.2, TDL-4.6-M",
    assumptions=(
        SMOOTH,
        SGD,
        UNBIASED,
        SECOND_MOMENT,
        OSCILLATION,
        Assumption(
            "step",
            r"$\eta = (M/(L G^2 T))^{1/2}$",
            lambda run, k: step_is(run, (k["M"] / (k["L"] * k["G2"] * run.T)) ** 0.5),
        ),
    ),
    constants=("L", "G2", "M"),
    needs=("w", "f", "grad_norm"),
    sides=_printed,
    sharp=Sharp(
        r"the step $(2M/(L G^2 T))^{1/2}$ has the constant $2^{1/2}$",
        "the same proof",
        lambda run, k: 1.5 / 2**0.5,
        exact=False,
    ),
    rate=Rate("SGD, TDL's step", "smooth, bounded second moment", r"$\frac32\sqrt{MLG^2/T}$"),
)

sgd_decaying = Theorem(
    id="sgd-decaying",
    kind="theorem",
    title="SGD with decaying steps",
    chapter=3,
    statement=r"""
Let $f$ be $L$-smooth and bounded below by $f^\star$, $\Delta_0 = f(w_0)-f^\star$, and $w_{t+1} = w_t -
\eta_{t+1}\,g_t$ with $\mathbb E[g_t\mid w_t] = \nabla f(w_t)$, $\mathbb E[\|g_t-\nabla f(w_t)\|^2\mid w_t] \le
\sigma^2$ and $2/L > \eta_1 \ge \eta_2 \ge \dots > 0$. Then for every $T\ge1$

$$
\sum_{t\le T}\eta_t\Bigl(1-\frac{L\eta_t}2\Bigr)\mathbb E\,\|\nabla f(w_{t-1})\|^2 + \mathbb E f(w_T)-f^\star
\;\le\; \Delta_0 + \frac{L\,\sigma^2}2\sum_{t\le T}\eta_t^2 ,
\qquad
\min_{t<T}\mathbb E\,\|\nabla f(w_t)\|^2 \;\le\;
\frac{\Delta_0 + \frac{L\sigma^2}2\sum_{t\le T}\eta_t^2}{(1-L\eta_1/2)\sum_{t\le T}\eta_t} .
$$

That is $O(\log T/\sqrt T)$ for $\eta_t = c/\sqrt t$, and $O(1/\log T)$ for $\eta_t = c/t$.
""",
    source="PL-3-sqrt, GG-eq25, GG-eq26",
    assumptions=(SMOOTH, SGD, UNBIASED, BOUNDED_VARIANCE, DECREASING),
    constants=("L", "f_star", "sigma2"),
    needs=("w", "f", "grad_norm"),
    sides=_variance,
    rate=Rate(r"SGD, $\eta_t = c/\sqrt t$", NONCONVEX, r"$O(\log T/\sqrt T)$"),
)

sgd_batch_size = Theorem(
    id="sgd-batch-size",
    kind="theorem",
    title="How many steps a batch size needs",
    chapter=3,
    statement=r"""
Let $f$ be an $L$-smooth mean over $n$ examples, $\Delta_0 = f(w_0)-f^\star$, let the variance of the gradient of
one random example be at most $\gamma^2$, and let $g_t$ be the mean over $b$ examples drawn anew. With
$\eta = \min\bigl\{\frac1L, \frac{\epsilon^2 b}{2L\gamma^2}\bigr\}$ and

$$
T \;\ge\; \max\Bigl\{\frac{4L\Delta_0}{\epsilon^2},\; \frac{8L\Delta_0\,\gamma^2}{b\,\epsilon^4}\Bigr\}
\qquad\text{steps}\qquad
\frac1T\sum_{t<T}\mathbb E\,\|\nabla f(w_t)\|^2 \;\le\; \epsilon^2 .
$$

Up to $b = 2\gamma^2/\epsilon^2$ twice the batch halves the steps; beyond, it saves none.
""",
    source="TDL-P4.6.3b",
    assumptions=(
        Assumption(
            "mini-batches",
            "each step takes the mean over $b$ random examples, drawn anew",
            lambda run, k: isinstance(run.oracle, MiniBatch),
        ),
        SMOOTH,
        SGD,
        Assumption(
            "variance",
            r"the gradient of one random example has a variance of at most $\gamma^2$ (checked along the run)",
            lambda run, k: at_most(example_variance(run.oracle, before_the_end(run)), k["gamma2"]),
        ),
        Assumption(
            "step",
            r"$\eta$ is the smaller of $1/L$ and $\epsilon^2 b/(2L \gamma^2)$",
            lambda run, k: has_constant_step(run) and step_is(run, _step_for(run, k)),
        ),
        Assumption("length", r"$T \ge 4 \Delta_0/(\eta \epsilon^2)$", _long_enough),
    ),
    constants=("L", "f_star", "gamma2", "eps"),
    needs=("w", "f", "grad_norm"),
    sides=_reaches,
    rate=Rate(
        r"SGD, batch $b$",
        NONCONVEX,
        r"$T = \max\{\frac{4L\Delta_0}{\epsilon^2}, \frac{8L\Delta_0\gamma^2}{b\epsilon^4}\}$ for"
        r" $\mathbb E\Vert\nabla f\Vert^2\le\epsilon^2$",
    ),
)
