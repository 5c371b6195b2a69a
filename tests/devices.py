"""Where a test module lives: ``pytestmark = pytest.mark.usefixtures("device")`` runs it on every device."""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FunctionType, ModuleType
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._device import _device_constructors

from coursekit.problems import Problem

# Who makes tensors for a caller, so that the caller's device counts.
THROUGH = ("torch.", "tests.devices", "tests.elsewhere", "coursekit.data")


@contextmanager
def living_on(device: torch.device, module: ModuleType) -> Iterator[None]:
    """Inside, the tensors and problems in the module's globals are on the device, and so is what it makes.

    That goes for what the module makes itself: a tensor that the package makes without naming a device still lies
    on the CPU, so that the slip shows.
    """
    before = {name: value for name, value in vars(module).items() if name[0] != "_"}
    functions = [f for f in before.values() if isinstance(f, FunctionType) and f.__module__ == module.__name__]
    defaults = [f.__defaults__ for f in functions]
    vars(module).update(moved(before, device))
    try:
        for f in functions:
            f.__defaults__ = moved(f.__defaults__, device)
        with _Here(device):
            yield
    finally:
        vars(module).update(before)
        for f, values in zip(functions, defaults, strict=True):
            f.__defaults__ = values


def moved(value: Any, device: torch.device) -> Any:
    """The same on the device: a tensor, module or problem, or any of them in tuples, lists and dicts."""
    if isinstance(value, Tensor):
        return value.detach().to(device).requires_grad_(value.requires_grad)
    if isinstance(value, Problem):
        return value.to(device)
    if isinstance(value, nn.Module):
        return copy.deepcopy(value).to(device)
    if type(value) in (tuple, list):
        return type(value)(moved(x, device) for x in value)
    return {k: moved(x, device) for k, x in value.items()} if type(value) is dict else value


class _Here(TorchFunctionMode):
    """What a test makes without naming a device is on this one; random numbers are those of the CPU."""

    def __init__(self, device: torch.device) -> None:
        super().__init__()
        self.device = device

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        if func not in _device_constructors() or kwargs.get("device") is not None or not _made_by_a_test():
            return func(*args, **kwargs)
        if (generator := kwargs.get("generator")) is not None:
            return moved(func(*args, **kwargs | {"device": generator.device}), self.device)
        return func(*args, **kwargs | {"device": self.device})


def _made_by_a_test() -> bool:
    frame = sys._getframe(2)
    while (name := frame.f_globals.get("__name__", "")).startswith(THROUGH) or name == "torch":
        frame = frame.f_back
    return name.startswith("tests.")
