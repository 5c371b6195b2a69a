"""Claims about backpropagation: its formulas, its order, its cost, and its printed algorithm."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from ...backprop import ACTIVATIONS, backprop, forward, multiply_adds
from ...problems import Quadratic
from ..check import Measured, check
from .counterexamples import f64, vector
from .sgd_variance import normal

Layers = list[Tensor]


def network(widths: list[int], seed: int = 0) -> Layers:
    """Random weights, scaled by the square root of the fan-in, and biases."""
    layers: Layers = []
    for r, (i, o) in enumerate(pairwise(widths)):
        layers += [normal(o, i, seed=1000 * seed + 2 * r) / i**0.5, normal(o, seed=1000 * seed + 2 * r + 1) / 10]
    return layers


def data(widths: list[int], n: int = 10, seed: int = 0) -> tuple[Tensor, Tensor]:
    return normal(n, widths[0], seed=9000 + seed), normal(n, widths[-1], seed=9500 + seed)


def by_autograd(
    layers: Layers, X: Tensor, y: Tensor, activation: str
) -> tuple[Tensor, list[Tensor], list[Tensor]]:
    """e, ∂e/∂(each parameter) and ∂e/∂a_r for each layer, by torch."""
    leaves = [p.clone().requires_grad_(True) for p in layers]
    pass_ = forward(leaves, X, activation)
    e = (pass_.z[-1] - y).square().sum() / (2 * len(y))
    gradients = torch.autograd.grad(e, [*leaves, *pass_.a])
    return e, list(gradients[: len(leaves)]), list(gradients[len(leaves) :])


def largest(errors: list[Tensor]) -> float:
    return max(float(x.abs().max()) for x in errors)


def relative(a: Tensor, b: Tensor) -> float:
    return float((a - b).norm() / b.norm())


@check("GG-1-backprop")
def a_gradient_is_not_yet_a_step() -> Measured:
    widths = [3, 8, 8, 1]
    layers, (X, y) = network(widths), data(widths)
    before = [p.clone() for p in layers]
    e, gradients = backprop(layers, X, y)
    moved = largest([p - q for p, q in zip(layers, before, strict=True)])
    _, exact, _ = by_autograd(layers, X, y, "tanh")
    error = largest([a - b for a, b in zip(gradients, exact, strict=True)])
    after = {}
    for name in ("SGD", "Adam"):
        weights = [p.clone() for p in layers]
        optimizer = getattr(torch.optim, name)(weights, lr=0.01)
        for _ in range(20):
            for w, g in zip(weights, backprop(weights, X, y).gradients, strict=True):
                w.grad = g
            optimizer.step()
        after[name] = float(backprop(weights, X, y).e)
    return Measured(
        as_printed=moved > 0,
        as_repaired=error < 1e-14 and all(value < float(e) for value in after.values()),
        numbers={
            "largest change of a weight by backpropagation alone": moved,
            "largest difference of its gradient to autograd's": error,
            "loss after 20 steps of gradient descent with it": after["SGD"],
            "of Adam": after["Adam"],
        },
    )


@check("GG-eq10-17")
def finite_differences_agree() -> Measured:
    widths, h = [3, 5, 4, 2], 1e-5
    X, y = data(widths)
    errors, without_bias = [], []
    for activation in ("tanh", "sigmoid", "softplus"):
        layers = network(widths)
        gradients = backprop(layers, X, y, activation).gradients
        for r, p in enumerate(layers):
            for index in range(p.numel()):
                step = torch.zeros_like(p).flatten()
                step[index] = h
                both = [
                    backprop([*layers[:r], p + sign * step.reshape(p.shape), *layers[r + 1 :]], X, y, activation).e
                    for sign in (1, -1)
                ]
                errors.append(float((both[0] - both[1]) / (2 * h) - gradients[r].flatten()[index]))
        # A bias is the weight of a unit whose output is 1: appended to the inputs, it gets the gradient of b.
        wider = [torch.cat([layers[0], layers[1][:, None]], 1), torch.zeros_like(layers[1]), *layers[2:]]
        ones = torch.cat([X, torch.ones(len(X), 1, dtype=f64)], 1)
        without_bias.append(backprop(wider, ones, y, activation).gradients[0][:, -1] - gradients[1])
    worst = max(abs(x) for x in errors)
    return Measured(
        as_printed=worst < 1e-8,
        numbers={
            f"largest error of {len(errors)} derivatives, by finite differences": worst,
            "a bias as a weight from a constant unit: largest difference": largest(without_bias),
        },
    )


@check("GG-eq16")
def deltas_pass_down() -> Measured:
    widths = [3, 6, 5, 2]
    errors, misplaced = [], []
    for seed in range(20):
        layers, (X, y) = network(widths, seed), data(widths, seed=seed)
        for activation in ("tanh", "sigmoid", "softplus"):
            _, _, deltas = by_autograd(layers, X, y, activation)
            a, derivative = forward(layers, X, activation).a, ACTIVATIONS[activation].derivative
            for r in range(2):  # (16): the layer above has the weights layers[2 r + 2]
                down = deltas[r + 1] @ layers[2 * r + 2]
                errors.append(derivative(a[r]) * down - deltas[r])
                misplaced.append(down - deltas[r])
    return Measured(
        as_printed=largest(errors) < 1e-14,
        numbers={
            r"largest error of (16), 60 networks": largest(errors),
            r"without the factor $\sigma'$": largest(misplaced),
        },
    )


@check("GG-eq17")
def gradients_of_the_weights() -> Measured:
    widths, eta = [3, 6, 2], 0.1
    errors, steps, falls = [], [], []
    for seed in range(20):
        layers, (X, y) = network(widths, seed), data(widths, seed=seed)
        e, exact, deltas = by_autograd(layers, X, y, "tanh")
        a = forward(layers, X).a
        # (17), sums over examples: z_l σ'(a_i) Σ_j δ_j w_ji, with z = the inputs
        lower = torch.einsum("nl,ni,nj,ji->il", X, 1 - a[0].tanh() ** 2, deltas[1], layers[2])
        errors += [lower - exact[0], deltas[1].T @ a[0].tanh() - exact[2]]
        after = [w - eta * g for w, g in zip(layers, backprop(layers, X, y).gradients, strict=True)]
        steps += [after[0] - (layers[0] - eta * exact[0])]
        falls.append(float(e.detach() - backprop(after, X, y).e))
    return Measured(
        as_printed=largest(errors) < 1e-14 and largest(steps) < 1e-14 and min(falls) > 0,
        numbers={
            "largest error of (17) and (12), 20 two-layer networks": largest(errors),
            r"least decrease of the loss by one step (18), $\eta=0.1$": min(falls),
        },
    )


@check("GG-Alg2")
def overwritten_weights() -> Measured:
    medians = {}
    for eta in (0.1, 0.01, 0.001):
        errors = []
        for seed in range(200):
            draw = torch.Generator().manual_seed(seed)
            layers: Layers = []
            for shape in ((8, 3), (8, 8), (1, 8)):
                layers += [torch.randn(shape, generator=draw, dtype=f64) / 2, torch.zeros(shape[0], dtype=f64)]
            # The algorithm has no loop over the data: one example.
            X, y = (torch.randn(1, m, generator=draw, dtype=f64) for m in (3, 1))
            exact = backprop(layers, X, y).gradients[0]
            # With e = (z - y)² all gradients, and so the overwriting, are twice those of half of it.
            errors.append(relative(backprop(layers, X, y, in_place_eta=2 * eta).gradients[0], exact))
        medians[eta] = float(vector(*errors).median())
    return Measured(
        as_printed=medians[0.1] < 1e-6,  # do both readings of w_ji give the same step?
        numbers={
            rf"error of the first layer's gradient if coded in place, $\eta={eta:g}$ (median of 200)": error
            for eta, error in medians.items()
        },
    )


def learning_rates(listing_in_loop: bool, eta: float = 1.0, iterations: int = 5) -> tuple[list[float], float]:
    """The rates that Algorithm 2 uses on 3w²/2, if line 14 halves η, and |w| after the last iteration."""
    f, w, used = Quadratic(vector(3.0)), vector(1.0), []
    current = eta
    for _ in range(iterations):
        if listing_in_loop:
            current = eta  # line 3
        used.append(current)
        w = w - current * f.grad(w)
        current /= 2  # line 14
    return used, float(w.abs())


@check("GG-Alg2-lr")
def a_rate_that_is_reset() -> Measured:
    reset, far = learning_rates(True)
    adapted, near = learning_rates(False)
    return Measured(
        as_printed=reset[-1] < reset[0],
        as_repaired=all(b == a / 2 for a, b in pairwise(adapted)) and near < far,
        numbers={
            r"$\eta$ in iteration 5 if line 3 stays in the loop, halved in line 14": reset[-1],
            "if it stands before the loop": adapted[-1],
            r"$|w|$ after 5 iterations on $3w^2/2$ from 1, in the loop": far,
            "before it": near,
        },
    )


@check("GG-3-order")
def what_a_lower_gradient_needs() -> Measured:
    X, y = vector(1.0, 0.0)[None], vector(1.0)[None]
    # With the first layer's weights and biases 0 its outputs z are 0.
    layers = [torch.zeros(2, 2, dtype=f64), torch.zeros(2, dtype=f64), normal(1, 2), torch.zeros(1, dtype=f64)]
    lower, _, upper, _ = backprop(layers, X, y).gradients
    delta = forward(layers, X).z[-1] - y
    rebuilt = (delta @ layers[2]).T @ X  # σ'(0) = 1 for tanh
    return Measured(
        as_printed=float(upper.norm()) > 0 or float(lower.norm()) == 0,
        as_repaired=relative(lower, rebuilt) < 1e-15,
        numbers={
            "norm of the upper layer's weight gradient, 2-2-1 network with $z=0$": float(upper.norm()),
            "of the lower one's": float(lower.norm()),
            r"its relative difference to what the deltas and weights above give": relative(lower, rebuilt),
        },
    )


def counted(widths: list[int], n: int) -> tuple[int, int]:
    """Floating-point operations of torch's matrix products, forward and backward, counted by torch."""
    X = normal(n, widths[0])
    weights = [normal(o, i).requires_grad_(True) for i, o in pairwise(widths)]
    with FlopCounterMode(display=False) as ahead:
        z = X
        for w in weights:
            z = (z @ w.T).tanh()
        e = z.square().sum()
    with FlopCounterMode(display=False) as back:
        torch.autograd.grad(e, weights)
    return ahead.get_total_flops(), back.get_total_flops()


@check("GG-3-cost")
def backward_is_twice_forward_at_most() -> Measured:
    nets = [[100] * 6, [3, 8, 8, 1], [500, 20, 10], [2, 300, 300, 300], [7, 7]]
    ratios, agree = [], True
    for widths in nets:
        ahead, back = counted(widths, 4)
        ratios.append(back / ahead)
        agree &= (ahead, back) == tuple(2 * count for count in multiply_adds(widths, 4))
    parameters = sum(i * o for i, o in pairwise(nets[0]))
    return Measured(
        as_printed=max(ratios) <= 2 and agree,
        numbers={
            "backward over forward, five layers of 100 by 100, as torch counts": ratios[0],
            "largest of five shapes": max(ratios),
            "forward passes that forward differences need instead": parameters + 1,
        },
    )


@check("TDL-backprop-cost")
def one_gradient_whatever_the_dimension() -> Measured:
    costs, dims = [], []
    for width in (10, 30, 100, 300):
        widths = [width] * 4
        ahead, back = counted(widths, 1)
        dims.append(sum(i * o for i, o in pairwise(widths)))
        costs.append((ahead + back) / ahead)
    return Measured(
        as_printed=max(costs) <= 3 and max(costs) - min(costs) < 1e-12,
        numbers={
            f"cost of a gradient, in evaluations of the loss, $d={dims[0]}$": costs[0],
            f"$d={dims[-1]}$": costs[-1],
            "by forward differences there": dims[-1] + 1,
        },
    )
