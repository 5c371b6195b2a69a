"""Claims about AdaGrad, RMSProp and Adam as GG, KH, AMGT and TDL print them."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from ...descend import descend
from ...problems import Quadratic
from ...rules import (
    Rule,
    adagrad,
    adagrad_printed,
    adam,
    adam_eps_inside,
    adam_printed,
    adam_scalar,
    adam_uncorrected,
    heavy_ball,
    rmsprop,
    rmsprop_printed,
    rule,
    sign_descent,
)
from ..check import Measured, check
from .adaptive import fed, vector


@check("KH-2.2.3-eps")
@check("AMGT-eq7")
@check("GG-eq47")
def the_stabilizer_inside_the_root() -> Measured:
    g = torch.logspace(-8, -2, 61, dtype=torch.float64)[None, :, None]  # 61 first gradients of one coordinate each

    def ratio(eps_inside: float) -> Tensor:
        outside, inside = fed(adam, g, eps=1e-8), fed(adam_scalar, g, eps=eps_inside)
        assert torch.equal(inside, fed(adam_eps_inside, g, eps=eps_inside))  # in one coordinate g² is ‖g‖²
        return (outside / inside).squeeze()

    same, squared = ratio(1e-8), ratio(1e-16)
    return Measured(
        as_printed=bool((same < 2).all()),
        as_repaired=bool(((squared > 1 / math.sqrt(2) - 1e-12) & (squared < 1 + 1e-12)).all()),
        numbers={
            r"step with $\sqrt v + \epsilon$ over step with $\sqrt{v + \epsilon}$ at $|g| = 10^{-6}$": float(
                same[20]
            ),
            "at $|g| = 10^{-8}$": float(same[0]),
            r"least ratio with $\epsilon^2$ inside the root": float(squared.min()),
        },
    )


@check("KH-2.2.3")
def adam_without_its_constants() -> Measured:
    start, f = vector(1.0, 1.0), Quadratic(vector(1.0, 10.0))
    ends = [
        float(descend(f, adam_eps_inside, start, 100, record=("w",), eta=0.1, beta2=beta2).w[-1].norm())
        for beta2 in (0.99, 0.999)
    ]
    hats = fed(adam_eps_inside, torch.full((50, 1), 3.0, dtype=torch.float64), eta=1.0, eps=0.0)
    return Measured(
        as_printed=math.isclose(*ends, rel_tol=0.1),
        numbers={
            r"$\|w\|$ after 100 steps, $\beta_2 = 0.99$": ends[0],
            r"with $\beta_2 = 0.999$": ends[1],
            r"constant gradient: largest $|\hat m/\sqrt{\hat v} - 1|$": float((hats + 1).abs().max()),
        },
    )


@check("TDL-Adam")
@check("TDL-Adam-nobias")
def adam_without_bias_correction() -> Measured:
    constant = torch.ones(100, 1, dtype=torch.float64)
    printed, published = (-fed(made, constant, eta=1.0)[:, 0] for made in (adam_uncorrected, adam))
    return Measured(
        as_printed=bool(torch.allclose(printed, published, rtol=0.1)),
        numbers={
            r"first step in units of $\eta$": float(printed[0]),
            "longest step": float(printed.max()),
            "it is step number": int(printed.argmax()) + 1,
            "longest step with the correction": float(published.max()),
        },
    )


def flat_coordinate(made: Rule, **hyper: Any) -> float:
    """Where the flat coordinate of diag(1, 10⁴) is after 3000 steps from (1, 1) with η = 0.1/√t."""
    f, start = Quadratic(vector(1.0, 1e4)), vector(1.0, 1.0)
    run = descend(f, made, start, 3000, record=("w",), eta=lambda t: 0.1 / math.sqrt(t), **hyper)
    return float(run.w[-1, 0].abs())


@check("GG-eq41")
def rmsprop_with_one_scalar() -> Measured:
    scalar, by_coordinate = flat_coordinate(rmsprop_printed, beta=0.9), flat_coordinate(rmsprop, beta=0.9)
    g = torch.randn(20, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    cosines = torch.cosine_similarity(-fed(rmsprop_printed, g), g)
    return Measured(
        as_printed=scalar < 0.1,  # RMSProp is to cope with coordinates of different scale
        numbers={
            "flat coordinate after 3000 steps, scalar $v$": scalar,
            "by coordinate": by_coordinate,
            "least cosine between step and negative gradient, scalar $v$": float(cosines.min()),
        },
    )


@check("GG-eq43-47")
def adam_with_one_scalar() -> Measured:
    scalar, by_coordinate = flat_coordinate(adam_scalar), flat_coordinate(adam)
    return Measured(
        as_printed=scalar < 0.1,
        numbers={
            "flat coordinate after 3000 steps, scalar $v$": scalar,
            "by coordinate": by_coordinate,
        },
    )


@check("GG-eq40vs42")
def rmsprop_has_adagrads_form() -> Measured:
    g = vector(1.0, 100.0)[None]

    def spread(made: Rule) -> float:
        """Longest over shortest first step of the two coordinates: 1 for AdaGrad, whatever their scales."""
        steps = fed(made, g, eps=0.0).abs()
        return float(steps.max() / steps.min())

    return Measured(
        as_printed=math.isclose(spread(rmsprop_printed), spread(adagrad_printed)),
        as_repaired=math.isclose(spread(rmsprop), spread(adagrad_printed)),
        numbers={
            "gradients 1 and 100: ratio of the steps, AdaGrad (40)": spread(adagrad_printed),
            "RMSProp (42), scalar $v$": spread(rmsprop_printed),
            "RMSProp by coordinate": spread(rmsprop),
        },
    )


@check("GG-eq45")
def bias_correction_with_the_exponent_k() -> Measured:
    h = adam.hyper(beta1=0.9)
    collected = 1 - h.beta1 ** torch.arange(
        1, 51, dtype=torch.float64
    )  # m^{(k+1)} over g, for a constant gradient
    printed, right = (
        torch.tensor([made.scalars_at(t, h).c1 for t in range(1, 51)], dtype=torch.float64) * collected
        for made in (adam_printed, adam)
    )
    return Measured(
        as_printed=bool(torch.allclose(printed, torch.ones(50, dtype=torch.float64))),
        as_repaired=bool(torch.allclose(right, torch.ones(50, dtype=torch.float64), rtol=1e-12)),
        numbers={
            r"$\hat m/g$ at $k = 0$": float(printed[0]),
            "at $k = 1$": float(printed[1]),
            r"with the exponent $k+1$: largest $|\hat m/g - 1|$ in 50 steps": float((right - 1).abs().max()),
        },
    )


@check("GG-eq39")
def adagrad_without_a_stabilizer() -> Measured:
    rare = vector(1.0, 0.0)[None]  # the second coordinate has had no gradient yet
    without, with_eps = fed(adagrad_printed, rare, eps=0.0), fed(adagrad_printed, rare, eps=1e-10)
    return Measured(
        as_printed=bool(without.isfinite().all()),
        as_repaired=bool(with_eps.isfinite().all()),
        numbers={
            r"step of a coordinate without a gradient, $\varepsilon = 0$": float(without[0, 1]),
            r"with $\varepsilon = 10^{-10}$": float(with_eps[0, 1].abs()),
        },
    )


@check("GG-6.1-fair")
def adagrad_ignores_the_scale_of_a_coordinate() -> Measured:
    start, lam = vector(1.0, -0.5), vector(2.0, 3.0)
    gap = {}
    for scale in (2.0**-20, 2.0**20):
        one, other = (
            descend(Quadratic(x), adagrad_printed, start, 50, record=("w",), eta=0.1, eps=0.0).w
            for x in (lam, lam * vector(scale, 1.0))
        )
        gap[scale] = float((one - other).abs().max())
    return Measured(
        max(gap.values()) == 0,
        numbers={r"change of the path when $f_1$ is scaled by $2^{\pm20}$": max(gap.values())},
    )


@check("GG-6.1-history")
def what_adagrad_keeps() -> Measured:
    g = torch.randn(50, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    shuffled = torch.cat([g[:-1].flip(0), g[-1:]])
    change = float((fed(adagrad, g)[-1] - fed(adagrad, shuffled)[-1]).abs().max())
    return Measured(
        as_printed=change > 1e-12,  # if the points were kept, which gradient came when would be known
        as_repaired=change < 1e-12 and len(adagrad.state) == 1,
        numbers={
            "numbers kept per coordinate": len(adagrad.state),
            "change of the 50th step when the past is put in another order": change,
        },
    )


@check("GG-6.2-rprop")
def rmsprop_is_no_momentum() -> Measured:
    g = torch.randn(20, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    then_nothing = torch.cat([g, torch.zeros_like(g[:1])])
    coasts = {made.name: float(fed(made, then_nothing)[-1].norm()) for made in (heavy_ball, rmsprop)}
    to_signs = float((fed(rmsprop, g, eta=1.0, beta=0.0, eps=0.0) - fed(sign_descent, g, eta=1.0)).abs().max())
    return Measured(
        as_printed=coasts["rmsprop"] > 0,
        as_repaired=to_signs < 1e-12,  # the mini-batch form of Rprop's sign step
        numbers={
            "length of the step at gradient 0, heavy ball": coasts["heavy_ball"],
            "RMSProp": coasts["rmsprop"],
            r"$\gamma = 0$: largest difference from the sign step": to_signs,
        },
    )


@check("GG-6.3-momentum")
def adams_average_is_a_shorter_momentum() -> Measured:
    @rule(state=("m",), eta=0.1, beta=0.9)
    def averaged(w: Any, g: Any, state: Any, scalars: Any, h: Any) -> Any:
        m = h.beta * state[0] + (1 - h.beta) * g
        return -h.eta * m, (m,)

    f, start = Quadratic(vector(1.0, 7.0)), vector(1.0, 1.0)
    average, same, shorter = (
        descend(f, made, start, 100, record=("w",), eta=eta).w
        for made, eta in ((averaged, 0.1), (heavy_ball, 0.1), (heavy_ball, 0.01))
    )
    gaps = [float((average - other).abs().max()) for other in (same, shorter)]
    return Measured(
        as_printed=gaps[0] < 1e-12,
        as_repaired=gaps[1] < 1e-12,
        numbers={
            r"(43) against (8) with the same $\eta$: largest difference in 100 steps": gaps[0],
            r"with $\eta(1-\gamma_1)$ in (8)": gaps[1],
        },
    )
