"""Plain values as a JSON tree: the only things that cross to and from a student's process.

None, bool, int, float, str, tuple, list, dict with string keys, and numeric arrays. An array's elements are
handed to ``put`` and fetched with ``get``, so that the same tree serves the wire (raw bytes) and the recorded
cases of the self-check (readable numbers).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

_INTEGERS = ("bool", "uint8", "int8", "int16", "int32", "int64")
DTYPES = frozenset((*_INTEGERS, "float16", "float32", "float64", "complex64", "complex128"))
MAX_DEPTH = 12
MAX_AXES = 8
MAX_INT = 2**63 - 1

Put = Callable[[np.ndarray], Any]
Get = Callable[[Any, str, tuple[int, ...]], np.ndarray]


class ValueFault(ValueError):
    """A tree that is not one of ours, or a value that is too deep to send."""


@dataclass(frozen=True)
class Foreign:
    """Stands for a value that may not cross: only the name of its type does."""

    type_name: str


def encode(value: Any, put: Put, depth: int = 0) -> Any:
    """The tree of ``value``; what is not a plain value becomes ``Foreign``. Raises ValueFault if too deep."""
    if depth > MAX_DEPTH:
        raise ValueFault(f"a value nested more than {MAX_DEPTH} levels deep")
    kind = type(value)
    if value is None or kind is bool or kind is str:
        return value
    if kind is int:
        return value if abs(value) <= MAX_INT else {"foreign": "int"}
    if kind is float:
        return {"float": value.hex()}
    if kind is torch.Tensor:
        name = str(value.dtype).removeprefix("torch.")
        if name not in DTYPES or value.layout is not torch.strided:
            return {"foreign": "Tensor"}
        return _array("tensor", value.detach().cpu().resolve_conj().resolve_neg().numpy(), put)
    if kind is np.ndarray or isinstance(value, np.generic):
        if str(value.dtype) not in DTYPES:
            return {"foreign": "ndarray"}
        return _array("numpy", np.asarray(value), put)
    if kind is tuple or kind is list:
        return {kind.__name__: [encode(x, put, depth + 1) for x in value]}
    if kind is dict and all(type(key) is str for key in value):
        return {"dict": [[key, encode(x, put, depth + 1)] for key, x in value.items()]}
    if kind is Foreign:
        return {"foreign": value.type_name}
    return {"foreign": kind.__name__[:60]}


def _array(tag: str, array: np.ndarray, put: Put) -> dict[str, Any]:
    return {tag: [str(array.dtype), list(array.shape), put(np.ascontiguousarray(array).reshape(-1))]}


def decode(tree: Any, get: Get, depth: int = 0) -> Any:
    """The value of ``tree``, built of base types only. Raises ValueFault where the tree is malformed."""
    if depth > MAX_DEPTH:
        raise ValueFault(f"a value nested more than {MAX_DEPTH} levels deep")
    if tree is None or type(tree) in (bool, str) or (type(tree) is int and abs(tree) <= MAX_INT):
        return tree
    if type(tree) is not dict or len(tree) != 1:
        raise ValueFault("a value without its one tag")
    ((tag, body),) = tree.items()
    if tag == "float" and type(body) is str:
        try:
            return float.fromhex(body)
        except (ValueError, OverflowError):
            raise ValueFault("a float that is not one") from None
    if tag == "foreign" and type(body) is str:
        return Foreign(body[:60])
    if tag in ("tensor", "numpy"):
        array = _decode_array(body, get)
        return torch.from_numpy(array) if tag == "tensor" else array
    if tag in ("tuple", "list") and type(body) is list:
        items = [decode(x, get, depth + 1) for x in body]
        return tuple(items) if tag == "tuple" else items
    if tag == "dict" and type(body) is list and all(type(p) is list and len(p) == 2 for p in body):
        if not all(type(key) is str for key, _ in body):
            raise ValueFault("a dict key that is not text")
        return {key: decode(x, get, depth + 1) for key, x in body}
    raise ValueFault("an unknown tag or a body of the wrong kind")


def _decode_array(body: Any, get: Get) -> np.ndarray:
    if type(body) is not list or len(body) != 3:
        raise ValueFault("an array without dtype, shape and data")
    dtype, shape, data = body
    if type(dtype) is not str or dtype not in DTYPES:
        raise ValueFault("an array of a dtype that may not cross")
    if (
        type(shape) is not list
        or len(shape) > MAX_AXES
        or any(type(n) is not int or not 0 <= n < 2**31 for n in shape)
    ):
        raise ValueFault("an array with a malformed shape")
    array = get(data, dtype, tuple(shape))
    try:
        return array.reshape(shape)
    except ValueError:
        raise ValueFault("an array whose data do not fill its shape") from None


def to_file(value: Any) -> Any:
    """``value`` as JSON with readable numbers (non-finite ones as text, so that the JSON stays standard)."""

    def put(flat: np.ndarray) -> list[Any]:
        return [x if not isinstance(x, float) or math.isfinite(x) else str(x) for x in flat.tolist()]

    return encode(value, put)


def from_file(tree: Any) -> Any:
    """The value that ``to_file`` wrote."""
    return decode(tree, lambda data, dtype, shape: np.array(data, dtype=dtype))
