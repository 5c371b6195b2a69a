"""A neural network with its data, seen as a function of one flat vector."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from itertools import pairwise
from types import SimpleNamespace
from typing import Self

import torch
from torch import Tensor, nn

from .problem import FiniteSum

Loss = Callable[[Tensor, Tensor], Tensor]


class Network(FiniteSum):
    """f(w) = loss(module(inputs), targets) where w holds the parameters of the module in one vector.

    Leading axes of w are a batch of networks, run at once. ``start`` is the module's own initial point, whose
    device and dtype the module's are. No constant of it is known: L is estimated along a run
    (:func:`coursekit.curvature.smoothness_along`). ``loss`` averages over the examples, the first axis.

    The problem works on its own copy of the module and never changes it. A parameter that does not require a
    gradient is no coordinate and stays as it is; one that is tied to others is one block of coordinates. Every
    layer stays in the mode, training or evaluation, in which it was given:

    - BatchNorm normalizes with its running statistics in evaluation mode, and in training mode with those of the
      examples it is given; its running statistics do not move. In training mode f is thus not a mean over
      examples, and mini-batches (:meth:`on`), each normalized by itself, are biased.
    - Dropout in training mode needs ``masks``, a seed: it fixes one mask for each example and layer, so that f
      is a function of w. The masks take as much memory as the activations they act on.

    Raises ValueError for a module without trainable parameters, with several dtypes or devices, one that draws
    random numbers or changes its buffers otherwise, and for a loss that is not one number.
    """

    def __init__(
        self, module: nn.Module, inputs: Tensor, targets: Tensor, loss: Loss, *, masks: int | None = None
    ) -> None:
        self.module, self.loss, self.n = copy.deepcopy(module), loss, len(inputs)
        parameters = {name: p for name, p in self.module.named_parameters() if p.requires_grad}
        if not parameters:
            raise ValueError("module has no parameters to train")
        kinds = {(p.dtype, p.device) for p in parameters.values()}
        if len(kinds) > 1:
            raise ValueError(
                f"parameters of module must share one dtype and device, got {sorted(map(str, kinds))}"
            )
        self._shapes = {name: p.shape for name, p in parameters.items()}
        self._sizes = [p.numel() for p in parameters.values()]
        self.start = torch.cat([p.detach().reshape(-1) for p in parameters.values()])
        self.dim = len(self.start)
        for layer in list(self.module.modules()):
            if layer.training and isinstance(layer, nn.modules.batchnorm._BatchNorm):
                torch.func.replace_all_batch_norm_modules_(layer)
        fixed = {} if masks is None else _fix_dropout(self.module, inputs, masks)
        self.p = SimpleNamespace(inputs=inputs, targets=targets, **fixed)
        self._check()

    def to(self, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> Self:
        again = super().to(device, dtype)
        again.module = copy.deepcopy(self.module).to(device, dtype)
        return again

    @property
    def inputs(self) -> Tensor:
        """The inputs, examples first."""
        return self.p.inputs

    @property
    def targets(self) -> Tensor:
        """The targets, examples first."""
        return self.p.targets

    def parameters_at(self, w: Tensor) -> dict[str, Tensor]:
        """The module's trained parameters by name, as views of the flat vector w of shape (dim,)."""
        pieces = w.split(self._sizes)
        return {name: piece.view(shape) for (name, shape), piece in zip(self._shapes.items(), pieces, strict=True)}

    def outputs(self, w: Tensor) -> Tensor:
        """module(inputs) with parameters w of shape (dim,)."""
        return self._outputs(w, vars(self.p))

    def _outputs(self, w: Tensor, p: dict[str, Tensor]) -> Tensor:
        masks = {name: p[name] for name in p.keys() - {"inputs", "targets"}}
        return torch.func.functional_call(self.module, self.parameters_at(w) | masks, (p["inputs"],))

    def value(self, w: Tensor) -> Tensor:
        """The loss, shape (..., dim) -> (...)."""

        def f(w: Tensor, p: dict[str, Tensor]) -> Tensor:
            return self.loss(self._outputs(w, p), p["targets"])

        w = w.expand(*torch.broadcast_shapes(w.shape[:-1], self.inputs.shape[: self.axes]), self.dim)
        for axis in range(w.ndim - 1):  # the inner axes are those that the examples have too
            f = torch.vmap(f, in_dims=(0, 0 if axis < self.axes else None))
        return f(w, vars(self.p))

    def _check(self) -> None:
        """One evaluation must give one number, draw nothing at random and leave the buffers as they are."""
        before = {name: b.clone() for name, b in self.module.named_buffers()}
        try:
            f = self.value(self.start[None])
        except RuntimeError as error:
            if "random" in str(error):
                raise ValueError(
                    "module draws random numbers, so f would not be a function of w: give it in evaluation mode,"
                    " module.eval(), or fix the masks of its nn.Dropout layers by a seed, masks=0"
                ) from error
            raise ValueError(f"module cannot be evaluated on inputs and targets: {error}") from error
        changed = [name for name, b in self.module.named_buffers() if not torch.equal(b, before[name])]
        if changed:
            raise ValueError(
                f"module changes its buffers {changed} when it is evaluated: give it as module.eval()"
            )
        if f.shape != (1,):
            raise ValueError(f"loss must give one number, got the shape {tuple(f.shape[1:])}")


def _fix_dropout(module: nn.Module, inputs: Tensor, seed: int) -> dict[str, Tensor]:
    """Fix the masks of the dropout layers in training mode; they are returned as buffers of the module by name."""
    kinds = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)
    layers = {name: m for name, m in module.named_modules() if isinstance(m, kinds) and m.training}

    def draw(layer: nn.Module, args: tuple[Tensor], output: Tensor) -> None:
        layer.register_buffer("mask", layer.forward(torch.ones_like(args[0])))

    drawing = [layer.register_forward_hook(draw) for layer in layers.values()]
    with torch.random.fork_rng(devices=[inputs.device] if inputs.is_cuda else []), torch.no_grad():
        torch.manual_seed(seed)
        module(inputs)
    for hook, layer in zip(drawing, layers.values(), strict=True):
        hook.remove()
        layer.eval().register_forward_hook(lambda layer, args, output: output * layer.mask)
    masks = {name: b for name, b in module.named_buffers() if name.removesuffix(".mask") in layers}
    if any(len(mask) != len(inputs) for mask in masks.values()):
        raise ValueError(f"dropout acts on another axis than that of the {len(inputs)} examples, the first")
    return masks


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
    return Network(nn.Sequential(*layers[:-1]).to(inputs.device), inputs, targets, loss)
