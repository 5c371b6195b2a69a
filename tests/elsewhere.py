"""A second device without a GPU: its tensors hold numbers, and may not meet those of the CPU.

    with pretended():
        w = torch.ones(3, device=ELSEWHERE)
        w + torch.ones(3)  # raises Slip

What lives there says that it is on "meta"; the numbers are computed on the CPU. As on a GPU, a CPU tensor without
axes counts as a number, an index may lie on the CPU, a generator draws where it was made, ``numpy`` refuses, and
least squares are solved by QR only. It shows where devices are mixed, and nothing about speed or rounding.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing

from coursekit.oracles import stochastic

ELSEWHERE = torch.device("meta")
aten = torch.ops.aten
COPIES = {aten._to_copy, aten.copy_}
INDEXED = {aten.index, aten.index_put, aten.index_put_, aten._index_put_impl_}


class Slip(AssertionError):
    """Two devices met in one operation."""


class Away(Tensor):
    """A tensor elsewhere; its numbers are those of ``inner``."""

    inner: Tensor

    @staticmethod
    def __new__(cls, inner: Tensor) -> Away:
        layout = {"strides": inner.stride(), "storage_offset": inner.storage_offset(), "dtype": inner.dtype}
        made = Tensor._make_wrapper_subclass(cls, inner.shape, device=ELSEWHERE, **layout)
        made.inner = inner
        return made

    def __repr__(self) -> str:
        return f"{self.inner} elsewhere"

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        return _call(func, args, kwargs or {})


def _map(change: Any, x: Any) -> Any:
    if isinstance(x, Tensor):
        return change(x)
    return type(x)(_map(change, y) for y in x) if type(x) in (list, tuple) else x


def _call(func: Any, args: tuple, kwargs: dict) -> Any:
    packet = func.overloadpacket
    tensors: list[Tensor] = []
    _map(tensors.append, [*args, *kwargs.values()])
    away = any(isinstance(x, Away) for x in tensors)
    if away and packet not in COPIES:
        seen = [args[0], *args[2:3]] if packet in INDEXED else tensors
        if any(not isinstance(x, Away) and x.ndim for x in seen):
            raise Slip(f"{func} takes tensors of two devices: {tensors}")
    if packet is aten.linalg_lstsq and away and kwargs.get("driver") not in (None, "gels"):
        raise RuntimeError("linalg.lstsq: elsewhere the driver must be gels, as on CUDA")
    device = kwargs.get("device")
    stays = isinstance(args[0], Away) if packet is aten.copy_ else away
    goes = stays if device is None else torch.device(device) == ELSEWHERE
    if device is not None:
        kwargs = {**kwargs, "device": torch.device("cpu")}
    if packet is aten._efficientzerotensor:
        func = aten.zeros.default  # the other has no numbers to wrap
    inner = [_map(lambda x: x.inner if isinstance(x, Away) else x, x) for x in (args, tuple(kwargs.values()))]
    out = func(*inner[0], **dict(zip(kwargs, inner[1], strict=True)))
    if goes:
        out = _map(Away, out)
    shares = away and goes and (func.is_view or func._schema.is_mutable)
    return return_and_correct_aliasing(func, args, kwargs, out) if shares else out


class _Operations(TorchDispatchMode):
    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        return _call(func, args, kwargs or {})


class _Functions(TorchFunctionMode):
    """What torch does without an operation, or on "meta" without looking at the numbers."""

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = dict(kwargs or {})
        first = args[0] if args else None
        if func in (Tensor.numpy, Tensor.__array__, Tensor.tolist) and isinstance(first, Away):
            if func is not Tensor.tolist and not kwargs.get("force"):
                raise TypeError("a tensor elsewhere must be copied to the CPU first")
            return func(first.detach().cpu(), *args[1:], **kwargs)
        if func in (Tensor.__getitem__, Tensor.__setitem__) and isinstance(first, Away):
            index = args[1] if type(args[1]) is tuple else (args[1],)
            args = (first, tuple(torch.tensor(i) if type(i) is list else i for i in index), *args[2:])
        if func is Tensor.new_tensor:
            func, args, kwargs = torch.tensor, args[1:], {"dtype": first.dtype, "device": first.device} | kwargs
        if func in (torch.tensor, torch.as_tensor) and not isinstance(args[0], Tensor):
            device = kwargs.pop("device", None)
            made = func(*args, **kwargs)
            return made if device is None else made.detach().to(device).requires_grad_(made.requires_grad)
        if func is Tensor.as_subclass and isinstance(first, Away):
            return func(first.inner, *args[1:])
        if (generator := kwargs.get("generator")) is not None:
            where = kwargs.get("device") or (first.device if isinstance(first, Tensor) else "cpu")
            if generator.device != torch.device(where):
                raise Slip(f"{func.__name__} on {where} takes a generator of another device")
        return func(*args, **kwargs)


class _Generator(torch.Generator):
    """torch's, which knows where it was made."""

    device = torch.device("cpu")

    def __new__(cls, device: torch.device | str = "cpu") -> _Generator:
        made = super().__new__(cls)
        made.device = torch.device(device)
        return made


@contextmanager
def pretended() -> Iterator[None]:
    """Inside, ELSEWHERE is a device."""
    generators = (mock.patch.object(module, "Generator", _Generator) for module in (torch, stochastic))
    with next(generators), next(generators), _Operations(), _Functions():
        torch.__future__.set_overwrite_module_params_on_conversion(True)  # a wrapper cannot take new data
        try:
            yield
        finally:
            torch.__future__.set_overwrite_module_params_on_conversion(False)
