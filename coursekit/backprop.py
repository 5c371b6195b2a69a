"""Backpropagation from scratch: the gradient of a fully connected network, layer by layer, in matrix form.

Layer r = 1, ..., R has weights w_r of shape (m_r, m_{r-1}) and biases b_r of shape (m_r,). The rows of a_r, z_r
and δ_r = ∂e/∂a_r are the n examples of a batch, and e is the error (GG, equations 10 to 17):

    forward     z_0 = inputs,  a_r = z_{r-1} w_rᵀ + b_r,  z_r = σ_r(a_r),  e = loss(z_R, targets)
    backward    δ_R = ∂e/∂z_R ⊙ σ_R'(a_R),  δ_r = (δ_{r+1} w_{r+1}) ⊙ σ_r'(a_r)
    gradient    ∂e/∂w_r = δ_rᵀ z_{r-1},  ∂e/∂b_r = the sum of δ_r over the examples

Nothing here asks autograd for a derivative. The code is plain tensor operations, so it can itself be
differentiated: the gradient of (the gradient · v) is a Hessian-vector product.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from .problems.network import half_squared_error

Entry = TypeVar("Entry")


class Activation(NamedTuple):
    """σ and its derivative σ', both elementwise functions of a."""

    sigma: Callable[[Tensor], Tensor]
    derivative: Callable[[Tensor], Tensor]


class Loss(NamedTuple):
    """e as a function of the outputs z and the targets, both (n, m), and its derivative ∂e/∂z, (n, m)."""

    e: Callable[[Tensor, Tensor], Tensor]
    derivative: Callable[[Tensor, Tensor], Tensor]


# torch's own softplus is a straight line beyond 20, which is wrong by 2e-9 there; logaddexp keeps all digits.
ACTIVATIONS: Mapping[str, Activation] = {
    "identity": Activation(lambda a: a, torch.ones_like),
    "tanh": Activation(torch.tanh, lambda a: 1 - torch.tanh(a).square()),
    "sigmoid": Activation(torch.sigmoid, lambda a: torch.sigmoid(a) * torch.sigmoid(-a)),
    "relu": Activation(torch.relu, lambda a: (a > 0).to(a.dtype)),  # relu'(0) = 0, as in torch
    "softplus": Activation(lambda a: torch.logaddexp(a, torch.zeros_like(a)), torch.sigmoid),
}

LOSSES: Mapping[str, Loss] = {
    "half_squared_error": Loss(half_squared_error, lambda z, y: (z - y) / len(y)),
    "softmax_cross_entropy": Loss(
        cross_entropy, lambda z, y: (z.softmax(-1) * y.sum(-1, keepdim=True) - y) / len(y)
    ),
}


class Forward(NamedTuple):
    """What the forward pass leaves for the backward one: a_1, ..., a_R, and z_0, ..., z_R (one more)."""

    a: tuple[Tensor, ...]
    z: tuple[Tensor, ...]


class Gradient(NamedTuple):
    """The error e, shape (), and ∂e/∂w_1, ∂e/∂b_1, ∂e/∂w_2, ..., in the order and shapes of the parameters."""

    e: Tensor
    gradients: tuple[Tensor, ...]


class MultiplyAdds(NamedTuple):
    """How many multiply-adds the matrix products of each pass take."""

    forward: int
    backward: int


def forward(parameters: Iterable[Tensor], inputs: Tensor, activation: str | Sequence[str] = "tanh") -> Forward:
    """a_r = z_{r-1} w_rᵀ + b_r and z_r = σ_r(a_r), all kept; arguments and errors as in :func:`backprop`."""
    w, b = _layers(parameters, inputs)
    a: list[Tensor] = []
    z = [inputs]
    for w_r, b_r, sigma in zip(w, b, _activations(activation, len(w)), strict=True):
        a.append(torch.addmm(b_r, z[-1], w_r.T))
        z.append(sigma.sigma(a[-1]))
    return Forward(tuple(a), tuple(z))


def backprop(
    parameters: Iterable[Tensor],
    inputs: Tensor,
    targets: Tensor,
    activation: str | Sequence[str] = "tanh",
    loss: str = "half_squared_error",
    *,
    in_place_eta: float = 0.0,
) -> Gradient:
    """e and its gradient by one forward and one backward pass: δ_r = (δ_{r+1} w_{r+1}) ⊙ σ_r'(a_r).

    ``parameters`` are w_1, b_1, w_2, b_2, ... as ``nn.Sequential(nn.Linear, ...).parameters()`` lists them;
    ``inputs`` has shape (n, m_0) and ``targets`` (n, m_R). For "softmax_cross_entropy" a row of targets is
    one-hot, or any class probabilities. ``activation`` is one name for the hidden layers (the output is then the
    identity), or one name per layer. Both losses are averaged over the examples.

    ``in_place_eta`` > 0 gives what GG's Algorithm 2 steps along when it is coded in place: w_{r+1} is overwritten
    by w_{r+1} - η ∂e/∂w_{r+1} before δ_r is computed from it. That is not the gradient, except in the last layer;
    the parameters passed in are not changed (source: GG-Alg2).

    Raises ValueError for parameters, inputs and targets that do not fit together, and for unknown names.
    """
    if not (math.isfinite(in_place_eta) and in_place_eta >= 0):
        raise ValueError(f"in_place_eta must lie in [0, inf), got {in_place_eta!r}")
    parameters = list(parameters)
    w, _ = _layers(parameters, inputs)
    sigmas = _activations(activation, len(w))
    error = _named("loss", loss, LOSSES)
    shape = (len(inputs), len(w[-1]))
    if targets.shape != shape or targets.dtype != inputs.dtype:
        raise ValueError(
            f"targets must have shape {shape} and dtype {inputs.dtype} (class labels as one-hot rows), "
            f"got {tuple(targets.shape)} and {targets.dtype}"
        )

    a, z = forward(parameters, inputs, activation)
    delta = error.derivative(z[-1], targets) * sigmas[-1].derivative(a[-1])
    gradients: list[Tensor] = []
    for r in reversed(range(len(w))):  # w[r], a[r] and sigmas[r] belong to layer r + 1, whose input is z[r]
        w_gradient = delta.T @ z[r]
        gradients = [w_gradient, delta.sum(0), *gradients]
        if r > 0:
            w_read = w[r] - in_place_eta * w_gradient if in_place_eta else w[r]
            delta = (delta @ w_read) * sigmas[r - 1].derivative(a[r - 1])
    return Gradient(error.e(z[-1], targets), tuple(gradients))


def multiply_adds(widths: Sequence[int], n: int = 1) -> MultiplyAdds:
    """Forward n Σ_r m_{r-1} m_r; backward the same for all ∂e/∂w_r, and n Σ_{r≥2} m_{r-1} m_r to pass δ down.

    ``widths`` are m_0, ..., m_R and ``n`` is the number of examples. So backward is at most twice forward, however
    many parameters there are (source: GG-3-cost). Elementwise work (biases, σ, σ', the loss) grows with the units
    only, and is not counted. Raises ValueError for fewer than two widths, or a number below 1.
    """
    if len(widths) < 2 or min(widths) < 1:
        raise ValueError(f"widths must be at least two positive numbers, got {tuple(widths)}")
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    products = [n * i * o for i, o in pairwise(widths)]
    return MultiplyAdds(sum(products), sum(products) + sum(products[1:]))


def _layers(parameters: Iterable[Tensor], inputs: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """The weights and the biases, known to fit together and to the inputs."""
    parameters = list(parameters)
    if not parameters or len(parameters) % 2:
        raise ValueError(f"parameters must be w_1, b_1, w_2, b_2, ..., got {len(parameters)} tensors")
    if inputs.ndim != 2 or not len(inputs) or not inputs.is_floating_point():
        raise ValueError(
            f"inputs must be real, of shape (n, m_0), n ≥ 1; got {tuple(inputs.shape)}, {inputs.dtype}"
        )
    w, b = parameters[::2], parameters[1::2]
    m = inputs.shape[1]
    for r, (w_r, b_r) in enumerate(zip(w, b, strict=True), start=1):
        if w_r.ndim != 2 or w_r.shape[1] != m or b_r.shape != w_r.shape[:1]:
            raise ValueError(
                f"parameters of layer {r} must have shapes (m_{r}, {m}) and (m_{r},), "
                f"got {tuple(w_r.shape)} and {tuple(b_r.shape)}"
            )
        if {w_r.dtype, b_r.dtype} != {inputs.dtype}:
            raise ValueError(
                f"parameters of layer {r} must be {inputs.dtype} like inputs, got {w_r.dtype} and {b_r.dtype}"
            )
        m = len(w_r)
    return w, b


def _activations(activation: str | Sequence[str], R: int) -> list[Activation]:
    if isinstance(activation, str):
        return [_named("activation", activation, ACTIVATIONS)] * (R - 1) + [ACTIVATIONS["identity"]]
    if len(activation) != R:
        raise ValueError(f"activation must be one name, or one for each of the {R} layers, got {len(activation)}")
    return [_named("activation", name, ACTIVATIONS) for name in activation]


def _named(argument: str, name: str, table: Mapping[str, Entry]) -> Entry:
    if name not in table:
        raise ValueError(f"{argument} must be one of {', '.join(table)}, got {name!r}")
    return table[name]
