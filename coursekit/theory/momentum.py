"""Heavy ball and Nesterov's method: both on quadratics, mode by mode, and Nesterov's on convex functions."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from ..rules.momentum import heavy_ball, nesterov
from ..rules.rule import Rule
from .nonconvex import at_one
from .path import CONVEX, SMOOTH, at_most, distance, eta, has_constant_step, rounding, step_up_to, times
from .quadratics import QUADRATIC, modes
from .theorem import Assumption, Constants, Evidence, Rate, Sharp, Sides, Theorem

Recursion = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
Parameters = Callable[[Constants], tuple[Tensor, Tensor, Tensor]]


def _heavy_ball(eta_lam: Tensor, beta: Tensor) -> tuple[Tensor, Tensor]:
    return 1 + beta - eta_lam, beta.expand_as(eta_lam)


def _nesterov(eta_lam: Tensor, beta: Tensor) -> tuple[Tensor, Tensor]:
    return (1 + beta) * (1 - eta_lam), beta * (1 - eta_lam)


def largest_root(s: Tensor, p: Tensor) -> Tensor:
    """The larger modulus of the two roots of z² - s z + p."""
    D = s * s - 4 * p
    return torch.where(D >= 0, (s.abs() + D.clamp_min(0).sqrt()) / 2, p.clamp_min(0).sqrt())


def _beta(run: Evidence) -> Tensor:
    return torch.as_tensor(run.h.beta, dtype=run.w.dtype, device=run.w.device)


def _roots(run: Evidence, lam: Tensor, recursion: Recursion) -> tuple[Tensor, Tensor, Tensor]:
    """Per run and mode: the largest root, η λ and β."""
    eta_lam = eta(run)[..., None] * lam
    beta = _beta(run)[..., None].expand_as(eta_lam)
    return largest_root(*recursion(eta_lam, beta)), eta_lam, beta


def _stability(recursion: Recursion, limit: Callable[[Tensor], Tensor]) -> Callable[[Evidence, Constants], Sides]:
    """Inside the region |u_t| is below its bound, outside it is above: two cases of one inequality."""

    def sides(run: Evidence, k: Constants) -> Sides:
        lam, u = modes(run, k)
        r, eta_lam, beta = _roots(run, lam, recursion)
        t, start, u_t = times(u), u[0].abs(), u[1:].abs()
        above = ((t + 1) * r**t + beta * t * r ** (t - 1)) * start
        stable = (eta_lam > 0) & (eta_lam < limit(beta))
        # Close to a double root, roots and run both lose half their digits: hence the t in the scale.
        scale = t * (above.amax(-1, keepdim=True) + start.norm()) + k["w_star"].norm()
        left, right = torch.where(stable, u_t, r**t * start), torch.where(stable, above, u_t)
        return Sides(left=left, right=right, scale=scale.expand_as(u_t))

    return sides


def _optimal(parameters: Parameters) -> Callable[[Evidence, Constants], Sides]:
    """‖w_t - w*‖ ≤ (1 + c t) ρ^t ‖w_0 - w*‖."""

    def sides(run: Evidence, k: Constants) -> Sides:
        d, t, (_, rho, c) = distance(run, k), times(run.w[..., 0]), parameters(k)
        scale = t * (1 + c * t) * rho ** (t - 1) * d[0] + k["L"] / k["mu"] * k["w_star"].norm()
        return Sides(left=d[1:], right=(1 + c * t) * rho**t * d[0], scale=scale)

    return sides


def polyak_parameters(k: Constants) -> tuple[Tensor, Tensor, Tensor]:
    """Heavy ball's optimal η, and ρ = √β and c of its rate (1 + c t) ρ^t."""
    L, mu = (torch.as_tensor(k[name], dtype=torch.float64).sqrt() for name in ("L", "mu"))
    rho = (L - mu) / (L + mu)
    return 4 / (L + mu) ** 2, rho, 1 + rho


def nesterov_parameters(k: Constants) -> tuple[Tensor, Tensor, Tensor]:
    """Nesterov's η = 1/L, and ρ = 1 - 1/√κ and c of its rate (1 + c t) ρ^t."""
    L, mu = (torch.as_tensor(k[name], dtype=torch.float64).sqrt() for name in ("L", "mu"))
    return 1 / L**2, 1 - mu / L, L / (L + mu)


def _tuned(rule: Rule, parameters: Parameters, text: str) -> Assumption:
    def met(run: Evidence, k: Constants) -> bool:
        best, beta = parameters(k)[0], polyak_parameters(k)[1] ** (2 if rule is heavy_ball else 1)
        return (
            run.follows(rule)
            and has_constant_step(run)
            and at_most((eta(run) - best).abs() / best, rounding(run.w))
            and at_most((_beta(run) - beta).abs(), rounding(run.w))
        )

    return Assumption("parameters", text, met)


def _is(rule: Rule, text: str) -> Assumption:
    return Assumption("method", text, lambda run, k: run.follows(rule) and has_constant_step(run))


def _has_spectrum(run: Evidence, k: Constants) -> bool:
    lam, _ = modes(run, k)
    slack = rounding(lam) * lam[-1]
    return bool((k["mu"] > 0) & (lam[0] >= k["mu"] - slack) & (lam[-1] <= k["L"] + slack))


SPECTRUM = Assumption("spectrum", r"the eigenvalues of the Hessian lie in $[\mu, L]$, $\mu > 0$", _has_spectrum)
NO_SADDLE = Assumption(
    "no negative curvature",
    r"all eigenvalues of the Hessian are at least $0$",
    lambda run, k: bool(modes(run, k)[0][0] >= -rounding(run.w) * modes(run, k)[0][-1]),
)

heavy_ball_stability = Theorem(
    id="heavy-ball-stability",
    kind="theorem",
    title="Where heavy ball is stable",
    chapter=2,
    statement=r"""
Run heavy ball, $w_{t+1} = w_t - \eta\nabla f(w_t) + \beta\,(w_t-w_{t-1})$ with $w_{-1}=w_0$ and $0\le\beta<1$,
on a quadratic. On an eigenvector of eigenvalue $\lambda \ge 0$ let $u(t)$ be the coordinate of $w_t-w^\star$,
and $r$ the larger modulus of the roots of $z^2 - (1+\beta-\eta\lambda)\,z + \beta$. Then $r<1$ if and only if
$0<\eta\lambda<2\,(1+\beta)$. Inside that range, for every $t\ge1$,

$$
|u(t)| \le \bigl((t+1)\,r^t + \beta t\,r^{t-1}\bigr)\,|u(0)| ,
$$

and outside $|u(t)| \ge r^t\,|u(0)| \ge |u(0)|$.

Gradient descent is $\beta=0$: momentum nearly doubles the stable range.
""",
    source="TDL-HB, TDL-HB-stability",
    assumptions=(QUADRATIC, NO_SADDLE, _is(heavy_ball, r"heavy ball with constant $\eta$ and $\beta$")),
    constants=("w_star",),
    needs=("w",),
    sides=_stability(_heavy_ball, lambda beta: 2 * (1 + beta)),
)

nesterov_stability = Theorem(
    id="nesterov-stability",
    kind="theorem",
    title="Where Nesterov's method is stable",
    chapter=2,
    statement=r"""
Run Nesterov's method with constant $\eta$ and $0\le\beta<1$ on a quadratic, at its look-ahead points $w_t$:
$x_{t+1} = w_t - \eta\nabla f(w_t)$, $w_{t+1} = x_{t+1} + \beta\,(x_{t+1}-x_t)$, $x_0 = w_0$. Then
{prf:ref}`heavy-ball-stability` holds word for word, with the roots of
$z^2 - (1+\beta)(1-\eta\lambda)\,z + \beta\,(1-\eta\lambda)$ and the range
$0<\eta\lambda<\frac{2+2\beta}{1+2\beta}$.

As $\beta \to 1$ the limit falls to $4/3$: it is smaller than that of gradient descent.
""",
    source="TDL-NAG",
    assumptions=(QUADRATIC, NO_SADDLE, _is(nesterov, r"Nesterov's method with constant $\eta$ and $\beta$")),
    constants=("w_star",),
    needs=("w",),
    sides=_stability(_nesterov, lambda beta: (2 + 2 * beta) / (1 + 2 * beta)),
)

heavy_ball_optimal = Theorem(
    id="heavy-ball-optimal",
    kind="theorem",
    title="Heavy ball at its best, on quadratics",
    chapter=2,
    statement=r"""
Let $f$ be a quadratic whose Hessian has eigenvalues in $[\mu, L]$, $\mu>0$, and $\kappa=L/\mu$. Heavy ball from
rest with $\eta = 4/(\sqrt L+\sqrt\mu)^2$ and $\beta = \rho^2$, where $\rho = (\sqrt\kappa-1)/(\sqrt\kappa+1)$,
satisfies for every $t \ge 0$

$$
\begin{aligned}
\|w_t-w^\star\| &\le \bigl(1 + (1+\rho)\,t\bigr)\,\rho^t \\
&\quad\cdot\|w_0-w^\star\| .
\end{aligned}
$$

Gradient descent at its best has $(\kappa-1)/(\kappa+1)$ in place of $\rho$ ({prf:ref}`optimal-fixed-step`): for
large $\kappa$ a digit costs it about $1.15\,\kappa$ steps, and heavy ball about $1.15\,\sqrt\kappa$. A mode of
curvature $L$ attains the bound: for $\kappa>1$, $C\rho^t$ holds for no $C$.
""",
    source="TDL-HB, TDL-HB-convex",
    assumptions=(
        QUADRATIC,
        SPECTRUM,
        _tuned(heavy_ball, polyak_parameters, r"heavy ball with the $\eta$ and $\beta$ of the statement"),
    ),
    constants=("L", "mu", "w_star"),
    needs=("w",),
    sides=_optimal(polyak_parameters),
    rate=Rate("Heavy ball, optimal", "quadratic", r"$O(T)(\frac{\sqrt\kappa-1}{\sqrt\kappa+1})^TR$"),
)

nesterov_optimal = Theorem(
    id="nesterov-optimal",
    kind="theorem",
    title="Nesterov's method with constant momentum, on quadratics",
    chapter=2,
    statement=r"""
Let $f$ be a quadratic whose Hessian has eigenvalues in $[\mu, L]$, $\mu>0$, and $\kappa=L/\mu$. The look-ahead
points of Nesterov's method with $\eta = 1/L$ and $\beta = (\sqrt\kappa-1)/(\sqrt\kappa+1)$ satisfy, with
$\rho = 1-1/\sqrt\kappa$ and for every $t\ge0$,

$$
\begin{aligned}
\|w_t-w^\star\| &\le \Bigl(1 + \frac{\sqrt\kappa}{\sqrt\kappa+1}\,t\Bigr)\,\rho^t \\
&\quad\cdot\|w_0-w^\star\| .
\end{aligned}
$$

On the mode of curvature $\mu$ the left side is $\bigl(1 + \frac{t}{\sqrt\kappa+1}\bigr)\,\rho^t$: a factor that
grows with $t$ is needed.
""",
    source="TDL-NAG",
    assumptions=(
        QUADRATIC,
        SPECTRUM,
        _tuned(nesterov, nesterov_parameters, r"Nesterov's method with the $\eta$ and $\beta$ of the statement"),
    ),
    constants=("L", "mu", "w_star"),
    needs=("w",),
    sides=_optimal(nesterov_parameters),
    rate=Rate("Nesterov, constant momentum", "quadratic", r"$O(T)(1-\frac1{\sqrt\kappa})^TR$"),
)


def _has_growing_momentum(run: Evidence, k: Constants) -> bool:
    """Is w_t = x_t + (t-1)/(t+2) (x_t - x_{t-1}), where x_{t+1} = w_t - η ∇f(w_t) and x_0 = w_0?"""
    x, t = torch.cat([run.w[:1], _behind(run)]), times(run.w)
    expected = x[1:] + (t - 1) / (t + 2) * (x[1:] - x[:-1])
    off = (run.w[1:] - expected).abs()
    return bool((off <= 100 * rounding(off) * run.w.abs().amax()).all())


def _behind(run: Evidence) -> Tensor:
    """x_{t+1} = w_t - η ∇f(w_t) for t = 0, ..., T-1: the points behind the look-ahead points."""
    return run.w[:-1] - eta(run)[..., None] * run.problem.grad(run.w[:-1])


def _accelerated(run: Evidence, k: Constants) -> Sides:
    f = run.problem.value(_behind(run))
    t = times(run.w[..., 0])
    right = 2 / (eta(run) * (t + 1) ** 2) * distance(run, k)[0] ** 2
    return Sides(left=f - k["f_star"], right=right, scale=f.abs() + abs(k["f_star"]) + t * right)


nesterov_convex = Theorem(
    id="nesterov-convex",
    kind="theorem",
    title="Nesterov's method on a convex function",
    chapter=2,
    statement=r"""
Let $f$ be convex and $L$-smooth with minimizer $w^\star$, $0<\eta\le 1/L$, $x_0=w_0$, and for $t = 0, 1, \dots$

$$
\begin{aligned}
x_{t+1} &= w_t - \eta\,\nabla f(w_t), \\
w_{t+1} &= x_{t+1} + \frac{t}{t+3}\,(x_{t+1}-x_t) .
\end{aligned}
$$

Then for every $T\ge1$

$$
f(x_T) - f^\star \;\le\; \frac{2\,\|x_0-w^\star\|^2}{\eta\,(T+1)^2} ,
$$

which is $2L\,\|x_0-w^\star\|^2/(T+1)^2$ at $\eta=1/L$. The momentum must grow with $t$: no
constant $\beta\in[0,1)$ gives this rate for all convex $f$.
""",
    source="TDL-momentum-convex, TDL-NAG",
    assumptions=(
        SMOOTH,
        CONVEX,
        Assumption(
            "method",
            r"$w_t$ are the look-ahead points of the recursion above (checked at every step)",
            _has_growing_momentum,
        ),
        Assumption("step", r"$0 < \eta \le 1/L$, constant", step_up_to(1, closed=True)),
    ),
    constants=("L", "f_star", "w_star"),
    needs=("w",),
    sides=_accelerated,
    sharp=Sharp(
        r"at $\eta = 1/L$ the exact worst case is $2LR^2/((T + 2)(T + 3))$",
        "performance estimation; Taylor, Hendrickx and Glineur 2017 in SIAM J. Optim., Table 1",
        lambda run, k: (run.T + 2) * (run.T + 3) / (run.T + 1) ** 2 if at_one(run, k) else math.nan,
    ),
    rate=Rate("Nesterov", "smooth, convex", r"$\frac{2LR^2}{(T+1)^2}$"),
)
