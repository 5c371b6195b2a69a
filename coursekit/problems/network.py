"""A neural network with its data, seen as a function of one flat vector."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from .problem import Problem

Loss = Callable[[Tensor, Tensor], Tensor]


class Network(Problem):
    """f(w) = loss(module(inputs), targets) where w holds all parameters of the module in one vector.

    Leading axes of w are a batch of networks, run at once. ``start`` is the module's own initial point;
    the module itself is never changed. No constant of it is known: L is estimated along a run
    (:func:`coursekit.curvature.smoothness_along`).
    """

    def __init__(self, module: nn.Module, inputs: Tensor, targets: Tensor, loss: Loss) -> None:
        parameters = dict(module.named_parameters())
        if not parameters:
            raise ValueError("module has no parameters to train")
        self.module, self.inputs, self.targets, self.loss = module, inputs, targets, loss
        self._shapes = {name: p.shape for name, p in parameters.items()}
        self._sizes = [p.numel() for p in parameters.values()]
        self.start = torch.cat([p.detach().reshape(-1) for p in parameters.values()])
        self.dim = len(self.start)

    def parameters_at(self, w: Tensor) -> dict[str, Tensor]:
        """The module's parameters by name, as views of the flat vector w of shape (dim,)."""
        pieces = w.split(self._sizes)
        return {name: piece.view(shape) for (name, shape), piece in zip(self._shapes.items(), pieces, strict=True)}

    def outputs(self, w: Tensor) -> Tensor:
        """module(inputs) with parameters w of shape (dim,)."""
        return torch.func.functional_call(self.module, self.parameters_at(w), (self.inputs,))

    def value(self, w: Tensor) -> Tensor:
        """The loss, shape (..., dim) -> (...)."""

        def one(w: Tensor) -> Tensor:
            return self.loss(self.outputs(w), self.targets)

        if w.ndim == 1:
            return one(w)
        return torch.vmap(one)(w.reshape(-1, self.dim)).reshape(w.shape[:-1])


def half_squared_error(outputs: Tensor, targets: Tensor) -> Tensor:
    """½ Σ (output - target)² averaged over the examples (the first axis)."""
    return (outputs - targets).square().sum() / (2 * len(targets))


def tanh_network(
    inputs: Tensor,
    targets: Tensor,
    hidden: Sequence[int] = (16,),
    seed: int = 0,
    loss: Loss = half_squared_error,
) -> Network:
    """A fully connected tanh network on (inputs, targets), with torch's default initial weights from ``seed``."""
    widths = [inputs.shape[-1], *hidden, targets.shape[-1]]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers: list[nn.Module] = []
        for i, o in pairwise(widths):
            layers += [nn.Linear(i, o, dtype=inputs.dtype), nn.Tanh()]
    return Network(nn.Sequential(*layers[:-1]), inputs, targets, loss)
