"""Strict comparison of a returned value with the expected one, in base types: shared by self-check and grader."""

from __future__ import annotations

import builtins
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from .objective import Objective
from .values import Foreign

MAX_SHOWN = 10_000  # elements of an array whose shape is told


@dataclass(frozen=True)
class Tolerance:
    """Two numbers agree if |got - want| <= atol + rtol * |want|, or if both are NaN, or the same infinity."""

    rtol: float
    atol: float = 0.0


def difference(got: Any, want: Any, tolerance: Tolerance) -> str | None:
    """What tells ``got`` from ``want`` (type, shape, dtype, NaN, numbers), in words; None if they agree."""
    if type(want) is tuple or type(want) is list:
        if type(got) is not type(want):
            return f"expected {describe(want)}, got {describe(got)}"
        if len(got) != len(want):
            return f"expected {len(want)} values, got {len(got)}"
        for place, (mine, theirs) in enumerate(zip(got, want, strict=True), start=1):
            if found := difference(mine, theirs, tolerance):
                return f"value {place} of {len(want)}: {found}"
        return None
    if isinstance(want, torch.Tensor | np.ndarray):
        return _arrays(got, want, tolerance)
    if type(want) is float:
        if type(got) not in (float, int):
            return f"expected {describe(want)}, got {describe(got)}"
        return _numbers(np.float64(got), np.float64(want), tolerance)
    if type(got) is not type(want):
        return f"expected {describe(want)}, got {describe(got)}"
    return None if got == want else "the values differ"  # which ones, a grader must not tell


def _arrays(got: Any, want: Any, tolerance: Tolerance) -> str | None:
    if type(got) is not type(want):
        return f"expected {describe(want)}, got {describe(got)}"
    if got.dtype != want.dtype:
        return f"expected dtype {want.dtype}, got {got.dtype}"
    if tuple(got.shape) != tuple(want.shape):
        return f"expected shape {tuple(want.shape)}, got {_shape(got)}"
    if isinstance(want, torch.Tensor):
        got, want = got.detach().cpu().numpy(), want.detach().cpu().numpy()
    return _numbers(got, want, tolerance)


def _numbers(got: Any, want: Any, tolerance: Tolerance) -> str | None:
    mine, theirs = (np.asarray(x, dtype=np.result_type(np.float64, x)) for x in (got, want))
    with np.errstate(over="ignore"):
        agree = np.isclose(mine, theirs, rtol=tolerance.rtol, atol=tolerance.atol, equal_nan=True)
    if agree.all():
        return None
    if (np.isnan(mine) & ~np.isnan(theirs)).any():
        fault = f"{np.isnan(mine).sum()} of {mine.size} numbers are NaN"
    elif (np.isinf(mine) & ~np.isinf(theirs)).any():
        fault = f"{np.isinf(mine).sum()} of {mine.size} numbers are infinite"
    else:
        with np.errstate(invalid="ignore", over="ignore"):
            fault = f"the numbers differ, by up to {np.fmax.reduce(np.abs(mine - theirs), axis=None):.3g}"
    return fault + _from(agree)


def _from(agree: np.ndarray) -> str:
    """Where a sequence goes wrong: how far along the first axis everything agrees."""
    first = int(np.argmin(agree.reshape(len(agree), -1).all(1))) if agree.ndim else 0
    if first == 0:
        return ""
    before = "index 0 agrees" if first == 1 else f"indices 0 to {first - 1} agree"
    return f"; {before}, index {first} does not"


def _shape(array: Any) -> str:
    """The shape of a small array. That of a large or empty one could carry hidden inputs out: any axes will do."""
    return str(tuple(array.shape)) if 0 < math.prod(array.shape) <= MAX_SHOWN else "that of another array"


def describe(value: Any) -> str:
    """The type of a value in words, with shape and dtype where it has them."""
    if isinstance(value, torch.Tensor | np.ndarray):
        kind = "tensor" if type(value) is torch.Tensor else type(value).__name__
        return f"a {kind} of shape {_shape(value)} and dtype {value.dtype}"
    if type(value) in (tuple, list):
        return f"a {type(value).__name__} of {len(value)} values"
    if isinstance(value, Foreign):  # the name of a student's own class could carry hidden inputs out
        known = value.type_name in ("Tensor", "Parameter", "ndarray") or hasattr(builtins, value.type_name)
        return f"a value of type {value.type_name}" if known else "a value of a type of its own"
    return "None" if value is None else f"a value of type {type(value).__name__}"


def show(value: Any) -> str:
    """A short, deterministic text of a value: at most four digits a number, long arrays cut."""
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().numpy()
    if isinstance(value, np.ndarray):
        with np.printoptions(threshold=12, edgeitems=2):
            if value.dtype.kind in "fc":
                return _one_line(np.array2string(value, separator=", ", formatter={"all": "{:.4g}".format}))
            return _one_line(np.array2string(value, separator=", "))
    if type(value) is float:
        return f"{value:.4g}"
    if type(value) in (tuple, list):
        return "(" + ", ".join(show(x) for x in value) + ")"
    if isinstance(value, Objective):
        return f"{value.kind}({', '.join(f'{name} = {show(x)}' for name, x in value.parameters.items())})"
    if value is None or type(value) in (bool, int, str):
        return repr(value)[:80]
    return describe(value)


def _one_line(text: str) -> str:
    return " ".join(text.split())
