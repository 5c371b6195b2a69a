"""Claims about efficient SAM: masked perturbations, selected examples, and what they save."""

from __future__ import annotations

import torch
from torch import Tensor

from ...backprop import multiply_adds
from ...methods import sam
from ...oracles import Oracle
from ...problems import LeastSquares, Quadratic
from ...rules import sharpest, thinned
from ..check import Measured, check
from .counterexamples import f64
from .sam import repaired_ascent
from .sgd_variance import normal

RHO, BETA, MASKS = 0.1, 0.5, 20_000


def masked() -> tuple[Tensor, Tensor]:
    """One ε of 50 weights, and many masked and rescaled copies of it."""
    epsilon = repaired_ascent(normal(50), 2.0, RHO)
    return epsilon, thinned(epsilon.expand(MASKS, 50), BETA, torch.Generator().manual_seed(1))


def off_by(samples: Tensor, mean: Tensor) -> float:
    """The largest distance of an average over samples from ``mean``, in standard errors."""
    return float(((samples.mean(0) - mean).abs() / (samples.std(0) / len(samples) ** 0.5)).max())


@check("GG-eq55")
def a_mask_is_an_elementwise_factor() -> Measured:
    epsilon, repaired = masked()
    m = torch.empty(MASKS, 50, dtype=f64).bernoulli_(BETA, generator=torch.Generator().manual_seed(2))
    inner = m @ epsilon / BETA  # mᵀε/β: one number per mask
    return Measured(
        as_printed=inner[0].shape == epsilon.shape,
        # Of 50 averages one lies beyond 4.5 standard errors by chance in fewer than 1 of 2000 experiments.
        as_repaired=repaired[0].shape == epsilon.shape and off_by(repaired, epsilon) < 4.5,
        numbers={
            r"entries of $\epsilon^*$": epsilon.numel(),
            r"entries of $m^T \epsilon^*$ over $\beta$": inner[0].numel(),
            r"of the elementwise product": repaired[0].numel(),
        },
    )


@check("GG-SWP")
def the_masked_step_is_unbiased() -> Measured:
    epsilon, copies = masked()
    squares = (copies**2).sum(-1)
    return Measured(
        as_printed=off_by(copies, epsilon) < 4.5 and off_by(squares, epsilon.new_tensor(RHO**2 / BETA)) < 4.5,
        numbers={
            rf"largest bias of 50 entries, in standard errors ({MASKS} masks)": off_by(copies, epsilon),
            r"mean of $\|\epsilon\|^2$ after masking at rate 0.5, where $\rho^2 = 0.01$ before": float(
                squares.mean()
            ),
            r"fraction of masks that leave the ball": float((squares > RHO**2).to(f64).mean()),
        },
    )


@check("GG-eq56")
def select_by_the_loss_of_each_example() -> Measured:
    alpha, n = 1e-3, 8
    printed, repaired, chosen = [], [], []
    for seed in range(100):
        f = LeastSquares(normal(n, 3, seed=seed), normal(n, seed=1000 + seed))
        w = normal(3, seed=2000 + seed)
        up = w + sam(f, RHO).epsilon(w, f.grad(w))
        each = f.on(torch.arange(n)[:, None])
        rise = each.value(up.expand(n, 3)) - each.value(w.expand(n, 3))
        mean_rise = f.value(up) - f.value(w)
        printed.append(n * int(mean_rise > alpha))  # the condition is the same for every i
        repaired.append(int((rise > alpha).sum()))
        chosen.append(sharpest(rise, 0.5).numel())
    split = sum(0 < k < n for k in repaired)
    return Measured(
        as_printed=any(0 < k < n for k in printed),
        as_repaired=split > 50 and set(chosen) == {n // 2},
        numbers={
            "of 100 batches of 8, how many the printed condition splits": sum(0 < k < n for k in printed),
            "how many the losses of the examples split": split,
            r"mean size of $B^+$, per example, $\alpha=10^{-3}$": sum(repaired) / 100,
        },
    )


@check("GG-7.2-cost")
def what_a_mask_saves() -> Measured:
    w = normal(50)
    asked = {}
    for name, beta in (("SAM", 1.0), ("SWP", BETA)):
        oracle = sam(Oracle(Quadratic(torch.ones(50, dtype=f64))), RHO, beta=beta)
        oracle.value_and_grad(w)
        asked[name] = oracle.calls.gradients
    # SDS: a gradient, the losses of all examples at w + ε, a gradient of half of them. 64-64-64-10 network.
    whole, half = (multiply_adds([64, 64, 64, 10], n) for n in (8, 4))
    selecting = (sum(whole) + whole.forward + sum(half)) / (2 * sum(whole))
    return Measured(
        as_printed=asked["SWP"] < asked["SAM"],  # (55) masks an ε that took a whole gradient
        numbers={
            "gradients per step of SAM": asked["SAM"],
            "with SWP as in (55)": asked["SWP"],
            "multiplications of a step with SDS, half of the examples, over those of SAM": selecting,
        },
    )
