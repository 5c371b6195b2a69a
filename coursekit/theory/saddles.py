"""How long gradient descent stays near a strict saddle, and how probably noise leaves it there."""

from __future__ import annotations

import torch
from torch import Tensor

from ..oracles import AdditiveNoise
from .noise import SGD
from .path import DESCENT, eta, has_constant_step, rounding, times
from .quadratics import QUADRATIC
from .theorem import Assumption, Constants, Evidence, Rate, Sides, Theorem

# A probability is compared where both outcomes are expected at least this often among the runs.
EXPECTED = 50


def along(run: Evidence, k: Constants) -> Tensor:
    """y_t = uᵀ(w_t - saddle), shape (T+1, ...)."""
    return (run.w - k["saddle"].to(run.w)) @ k["u"].to(run.w)


def _inside(run: Evidence, k: Constants) -> Tensor:
    """At which points, w_0 to w_{T-1}, the run has not left |y| < R yet."""
    return (along(run, k).abs() < k["R"]).cummin(0).values[:-1]


def _bends(run: Evidence, k: Constants) -> bool:
    y, slope = along(run, k)[:-1], run.problem.grad(run.w[:-1]) @ k["u"].to(run.w)
    push, room = -y * slope, 100 * rounding(y) * y**2
    held = (k["low"] * y**2 <= push + room) & (push <= k["high"] * y**2 + room)
    return 0 < k["low"] <= k["high"] and bool((held | ~_inside(run, k)).all())


def _leaves(run: Evidence, k: Constants) -> bool:
    y = along(run, k).abs()
    return bool(((y[0] > 0) & (y[0] < k["R"]) & (y.amax(0) >= k["R"])).all())


def _unit(run: Evidence, k: Constants) -> bool:
    return abs(float(k["u"].norm()) - 1) <= rounding(k["u"])


def _time(run: Evidence, k: Constants) -> Sides:
    inside, ratio = _inside(run, k), (k["R"] / along(run, k)[0].abs()).log()
    steps = inside.sum(0).to(ratio)

    def needed(gamma: float) -> Tensor:
        # An exact whole number may come out an ulp too large or too small: it may not count as one step more.
        return (ratio / torch.log1p(eta(run) * gamma) - 1e-9).ceil()

    left, right = torch.stack([needed(k["high"]), steps], -1), torch.stack([steps, needed(k["low"])], -1)
    return Sides(left=left[None], right=right[None], scale=torch.ones_like(left)[None])


def _model(run: Evidence, k: Constants) -> Tensor:
    """P(|y_t| < r) for t = 1, ..., T."""
    t, growth = times(run.w[:, :1, 0]), 1 + run.eta[0, 0] * k["gamma"]
    s2 = (run.eta[0, 0] * k["sigma"]) ** 2 * (growth ** (2 * t) - 1) / (growth**2 - 1)
    return torch.erf(k["r"] / (2 * s2).sqrt())


def _telling(run: Evidence, k: Constants) -> Tensor:
    p = _model(run, k)[:, 0]
    return torch.minimum(p, 1 - p) * run.w.shape[1] >= EXPECTED


def _probability(run: Evidence, k: Constants) -> Sides:
    rows = _telling(run, k)
    near = (along(run, k)[1:].abs() < k["r"]).to(run.w)[rows]
    right = _model(run, k)[rows]
    return Sides(left=near, right=right.expand_as(near), scale=torch.ones_like(near), equal=True, over_seeds=True)


def _noise(run: Evidence, k: Constants) -> bool:
    oracle = run.oracle
    known = isinstance(oracle, AdditiveNoise) and oracle.inner.exact
    return known and abs(oracle.scale / k["sigma"] - 1) <= rounding(0.0)


def _eigenpair(run: Evidence, k: Constants) -> bool:
    u, saddle = k["u"].to(run.w), k["saddle"].to(run.w)
    Hu, g = run.problem.hvp(saddle, u), run.problem.grad(saddle)
    size = k["gamma"] + Hu.norm()
    return k["gamma"] > 0 and bool(((Hu + k["gamma"] * u).norm() <= 100 * rounding(u) * size) & (g.norm() == 0))


saddle_escape_time = Theorem(
    id="saddle-escape-time",
    kind="theorem",
    title="The time gradient descent takes to leave a strict saddle",
    chapter=6,
    statement=r"""
Let $u$ be a unit vector, $y = u^\top(w-w_s)$ and $0<\gamma_R\le\gamma$ with

$$
\gamma_R\,y^2 \;\le\; -y\;u^\top\nabla f(w) \;\le\; \gamma\,y^2 \qquad\text{where } |y|<R ,
$$

as for a quadratic with $\gamma_R = \gamma = -\lambda_{\min}$ and its eigenvector $u$. Gradient descent with any
constant $\eta>0$ from $|y_0| = r\in(0,R)$ leaves $|y|<R$ after $\tau$ steps, where

$$
\biggl\lceil\frac{\log(R/r)}{\log(1+\eta\gamma)}\biggr\rceil \;\le\; \tau \;\le\;
\biggl\lceil\frac{\log(R/r)}{\log(1+\eta\gamma_R)}\biggr\rceil .
$$

The time grows like $\log(1/r)$ only. From $r = 0$ the run never leaves.
""",
    source="KH-3.3-GD, GG-P4-saddles, PL-4-strict",
    assumptions=(
        Assumption("direction", r"$\|u\| = 1$", _unit),
        DESCENT,
        Assumption(
            "step", r"$\eta > 0$, constant", lambda run, k: has_constant_step(run) and bool((run.eta > 0).all())
        ),
        Assumption(
            "curvature",
            r"$-y u^\top \nabla f(w)$ lies in $[\gamma_R y^2, \gamma y^2]$ (checked along the run)",
            _bends,
        ),
        Assumption("length", r"$0 < r < R$, and the run is long enough to leave", _leaves),
    ),
    constants=("u", "saddle", "R", "low", "high"),
    needs=("w",),
    sides=_time,
    rate=Rate("GD at a strict saddle", "quadratic", r"$\tau = \lceil\log(R/r)/\log(1+\eta\gamma)\rceil$"),
)

saddle_escape_probability = Theorem(
    id="saddle-escape-probability",
    kind="theorem",
    title="The probability of still being near a saddle",
    chapter=6,
    statement=r"""
Let $f$ be a quadratic with saddle $w_s$ and $\nabla^2f\,u = -\gamma u$, $\|u\| = 1$, $\gamma>0$, and $w_{t+1} =
w_t - \eta\,(\nabla f(w_t)+\xi_t)$ from $w_s$ with independent Gaussian noise of standard deviation $\sigma$
along $u$. Then $y_t = u^\top(w_t-w_s)$ has

$$
\mathbb P\bigl(|y_T|<r\bigr) = \operatorname{erf}\Bigl(\frac r{\sqrt2\,s_T}\Bigr) ,
\qquad s_T^2 = \eta^2\sigma^2\,\frac{(1+\eta\gamma)^{2T}-1}{(1+\eta\gamma)^2-1} .
$$

It falls exponentially in $T$, but once $s_T\gg r$ only like $1/\sigma$, and is positive at every $T$. Noise that
has no component along $u$ does not help at all.
""",
    source="KH-3.3, PL-4-as, PL-4-noise-direction",
    assumptions=(
        QUADRATIC,
        SGD,
        Assumption("direction", r"$\|u\| = 1$", _unit),
        Assumption(
            "saddle", r"$w_s$ is stationary, and $u$ an eigenvector of the eigenvalue $-\gamma < 0$", _eigenpair
        ),
        Assumption("noise", r"isotropic Gaussian noise, $\sigma$ per coordinate", _noise),
        Assumption("start", r"$y_0 = 0$", lambda run, k: bool((along(run, k)[0] == 0).all())),
        Assumption("step", r"$\eta > 0$, constant", lambda run, k: bool((run.eta == run.eta[0, 0]).all())),
        Assumption(
            "enough runs",
            rf"at some step at least {EXPECTED} runs are expected inside, and as many outside",
            lambda run, k: bool(_telling(run, k).any()),
        ),
    ),
    constants=("u", "saddle", "gamma", "sigma", "r"),
    needs=("w",),
    sides=_probability,
    rate=Rate("SGD at a strict saddle", "quadratic, Gaussian noise", r"$\operatorname{erf}(r/(\sqrt2\,s_T))$"),
)
