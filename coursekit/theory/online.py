"""AMSGrad as an online method: its regret, where Adam's is linear."""

from __future__ import annotations

import torch

from ..rules.adam import amsgrad
from .path import at_most, rounding, times
from .theorem import Assumption, Constants, Evidence, Rate, Sides, Theorem


def _regret(run: Evidence, k: Constants) -> Sides:
    w, g, r, h = run.w[:-1], run.g[:-1], k["r"], run.h
    paid, best = (g * w).sum(-1).cumsum(0), r * g.cumsum(0).abs().sum(-1)
    t = times(run.w[..., 0])
    first = run.eta[0]
    constant = 2 * r**2 * (k["G"] + h.eps) / first + first * k["G"] / (1 - h.beta2) ** 0.5
    right = run.problem.dim * t.sqrt() * constant
    return Sides(left=paid + best, right=right, scale=(g * w).abs().sum(-1).cumsum(0) + best + right)


def _schedule(run: Evidence, k: Constants) -> bool:
    t = times(run.w[..., 0])
    return bool((run.eta * t.sqrt() - run.eta[0]).abs().amax() <= rounding(run.eta) * run.eta[0].amax())


def _in_the_box(run: Evidence, k: Constants) -> bool:
    if run.project is None or not at_most(run.w.abs(), k["r"]):
        return False
    probe = 3 * torch.linspace(-k["r"], k["r"], 13, dtype=run.w.dtype, device=run.w.device)[:, None]
    probe = probe.expand(-1, run.problem.dim)
    return bool((run.project(probe) - probe.clamp(-k["r"], k["r"])).abs().amax() <= rounding(probe) * k["r"])


amsgrad_regret = Theorem(
    id="amsgrad-regret",
    kind="theorem",
    title="The regret of AMSGrad",
    chapter=4,
    statement=r"""
Let $g_1, g_2, \dots$ be any vectors with $|g_t(i)|\le G$, also chosen by an adversary, and let $w_1, w_2, \dots$
be the points of AMSGrad with $\beta_1 = 0$, $\eta_t = \eta/\sqrt t$ and $\varepsilon\ge0$, projected on the box
$[-r, r]^d$. Then for every $T\ge1$ and every $u$ in the box

$$
\sum_{t\le T} g_t^\top(w_t-u) \;\le\;
d\,\sqrt T\,\Bigl(\frac{2r^2\,(G+\varepsilon)}\eta + \frac{\eta\,G}{\sqrt{1-\beta_2}}\Bigr) .
$$

For convex losses $f_t$ with $g_t\in\partial f_t(w_t)$ the left side is at least the regret
$\sum_t f_t(w_t)-f_t(u)$: it is $O(\sqrt T)$. Adam, without the maximum over past $v_t$, has a regret of order $T$
on the losses $4w, -w, -w, 4w, \dots$
""",
    source="KH-adam-rate; Reddi, Kale and Kumar 2018",
    assumptions=(
        Assumption(
            "AMSGrad",
            r"the steps are those of AMSGrad with $\beta_1 = 0$",
            lambda run, k: run.rule is amsgrad and run.h.beta1 == 0,
        ),
        Assumption("step", r"$\eta_t = \eta/t^{1/2}$", _schedule),
        Assumption("box", r"each point is projected on $[-r, r]^d$, and so is the start", _in_the_box),
        Assumption("bounded gradients", r"$|g_t(i)| \le G$", lambda run, k: at_most(run.g[:-1].abs(), k["G"])),
    ),
    constants=("r", "G"),
    needs=("w", "g"),
    sides=_regret,
    rate=Rate("AMSGrad", "online, convex, on a box", r"regret $O(d\sqrt T)$"),
)
