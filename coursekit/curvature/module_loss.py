"""A module and its loss, as they stand in a training script, seen as a function of one flat vector."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ..problems.problem import Problem

Loss = Callable[[], Tensor]


class ModuleLoss(Problem):
    """f(w) = loss() with the trainable parameters of the module taken from w (dim,), one after the other.

    ``loss`` is a function without arguments that uses the module: ``lambda: loss(module(x), y)``. Frozen
    parameters are no coordinates, tied ones are one block. ``start`` is where the module stands; it is never
    changed, nor are its buffers. With inputs and targets apart, :class:`coursekit.problems.Network` can do more.
    """

    def __init__(self, module: nn.Module, loss: Loss) -> None:
        self._closed = _Closed(module, loss)
        self._parameters = {name: p for name, p in self._closed.named_parameters() if p.requires_grad}
        if not self._parameters:
            raise ValueError("module has no parameters to train")
        kinds = {(p.dtype, p.device) for p in self._parameters.values()}
        if len(kinds) > 1:
            raise ValueError(f"the parameters must share one dtype and device, got {sorted(map(str, kinds))}")
        self.start = torch.cat([p.detach().reshape(-1) for p in self._parameters.values()])
        self.dim = len(self.start)

    def value(self, w: Tensor) -> Tensor:
        """The loss at one point w, shape (dim,) -> ()."""
        if w.ndim != 1:
            raise ValueError(f"the loss of a module is taken at one point at a time, got shape {tuple(w.shape)}")
        pieces = w.split([p.numel() for p in self._parameters.values()])
        swapped = {
            name: piece.view(p.shape) for (name, p), piece in zip(self._parameters.items(), pieces, strict=True)
        } | {name: b.clone() for name, b in self._closed.named_buffers()}
        value = torch.func.functional_call(self._closed, swapped, ())
        if not isinstance(value, Tensor) or value.ndim:
            shown = f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
            raise ValueError(f"the loss must be a tensor with one number, of shape (), got {shown}")
        if w.requires_grad and not value.requires_grad:
            raise ValueError("the loss depends on no parameter: was it detached, or computed under no_grad?")
        return value


class _Closed(nn.Module):
    """The module with the loss as its forward pass: torch swaps the parameters while it runs."""

    def __init__(self, module: nn.Module, loss: Loss) -> None:
        super().__init__()
        self.module, self.forward = module, loss


def as_problem(f: Problem | nn.Module, at: Tensor | Loss) -> tuple[Problem, Tensor]:
    """(problem, w) as they are; a module and its loss as a problem and the point where the module stands."""
    if isinstance(f, nn.Module) and callable(at):
        net = ModuleLoss(f, at)
        return net, net.start
    if isinstance(f, Problem) and isinstance(at, Tensor):
        f.check_point(at, "w")
        return f, at
    raise ValueError(
        "give a problem and a point w, or a torch.nn.Module and its loss, a function without arguments;"
        f" got {type(f).__name__} and {type(at).__name__}"
    )
