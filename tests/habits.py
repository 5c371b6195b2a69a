"""A watch for the habits that are slow on a GPU: reading a tensor back, and copying between devices.

    with no_waiting():
        step()

raises :class:`Waited` at the first such operation, also inside backward and vmap. It
works without a GPU: an operation that would wait for a device is refused for its kind, wherever its tensors are.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

aten = torch.ops.aten
# What must know the numbers on the host: a scalar, a truth value, or the size of a result.
READS = {
    aten._local_scalar_dense,
    aten.item,
    aten.is_nonzero,
    aten.allclose,
    aten.equal,
    aten.nonzero,
    aten.nonzero_numpy,
    aten.masked_select,
    aten.unique_dim,
    aten._unique2,
    aten.unique_consecutive,
}
# What leaves torch, or moves to the host, with no operation to see below.
LEAVES = {Tensor.tolist, Tensor.numpy, Tensor.__array__, Tensor.cpu}


class Waited(AssertionError):
    """A step waited for its device."""


class _Operations(TorchDispatchMode):
    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        packet, tensors = func.overloadpacket, [x for x in tree_leaves((args, kwargs)) if isinstance(x, Tensor)]
        if packet in READS:
            raise Waited(f"{func} reads a tensor back")
        if packet in (aten.index, aten.index_put, aten.index_put_) and any(
            x.dtype == torch.bool for x in tree_leaves(args[1]) if isinstance(x, Tensor)
        ):
            raise Waited(f"{func} with a mask must count it: use torch.where")
        device = (kwargs or {}).get("device")
        if packet is aten._to_copy and device is not None and torch.device(device) != tensors[0].device:
            raise Waited(f"{func} from {tensors[0].device} to {device}")
        if packet is aten.copy_ and tensors[0].device != tensors[1].device:
            raise Waited(f"{func} from {tensors[1].device} to {tensors[0].device}")
        return func(*args, **(kwargs or {}))


class _Functions(TorchFunctionMode):
    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        if func in LEAVES:
            raise Waited(f"{func.__name__} takes a tensor off its device")
        return func(*args, **(kwargs or {}))


@contextmanager
def no_waiting() -> Iterator[None]:
    """Inside, whatever waits for a device raises Waited."""
    with _Operations(), _Functions():
        yield
