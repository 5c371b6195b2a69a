"""The wire: what goes in comes out, and nothing malformed gets past the reader."""

from __future__ import annotations

import json
import socket
import struct
import time
from typing import Any

import numpy as np
import pytest
import torch

from coursekit.grading import wire
from coursekit.grading.values import Foreign, ValueFault, from_file, to_file


def message(header: Any, body: bytes = b"") -> bytes:
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<II", len(head), len(head) + len(body)) + head + body


def one(tree: Any, body: bytes = b"", sizes: list[Any] | None = None) -> bytes:
    return message({"values": [tree], "sizes": [len(body)] if sizes is None else sizes}, body)


def read(data: bytes) -> tuple[dict[str, Any], list[Any]]:
    head, total = struct.unpack("<II", data[:8])
    assert len(data) == 8 + total
    return wire.unpack(data[8 : 8 + head], data[8 + head :])


def draw(random: np.random.Generator, depth: int = 0) -> Any:
    kind = random.integers(9 if depth < 3 else 6)
    shape = tuple(random.integers(0, 4, size=random.integers(0, 4)))
    array = np.asarray(random.normal(size=shape) * 10.0 ** random.integers(-300, 300))
    match kind:
        case 0:
            return [None, True, False][random.integers(3)]
        case 1:
            return int(random.integers(-(2**62), 2**62))
        case 2:
            return [float(random.normal()), float("inf"), float("nan"), -0.0, 5e-324][random.integers(5)]
        case 3:
            return "".join(map(chr, random.integers(1, 0xD7FF, size=5)))
        case 4:
            return torch.from_numpy(array).to(
                [torch.float32, torch.float64, torch.complex128, torch.bool][random.integers(4)]
            )
        case 5:
            return np.nan_to_num(array).astype(
                ["float16", "int64", "uint8", "bool"][random.integers(4)], casting="unsafe"
            )
        case 6:
            return tuple(draw(random, depth + 1) for _ in range(random.integers(4)))
        case 7:
            return [draw(random, depth + 1) for _ in range(random.integers(4))]
    return {str(i): draw(random, depth + 1) for i in range(random.integers(4))}


def identical(a: Any, b: Any) -> bool:
    if type(a) is not type(b):
        return False
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and a.shape == b.shape and a.numpy().tobytes() == b.numpy().tobytes()
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, tuple | list):
        return len(a) == len(b) and all(map(identical, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(identical(a[k], b[k]) for k in a)
    return a == b or (a != a and b != b)


@pytest.mark.filterwarnings("ignore:(overflow|invalid value) encountered in cast")
@pytest.mark.parametrize("seed", range(60))
def test_values_survive_wire_and_file(seed: int) -> None:
    value = draw(np.random.default_rng(seed))
    header, values = read(wire.pack({"id": "7"}, [value, 1]))
    assert header == {"id": "7"}
    assert identical(values[0], value)
    assert values[1] == 1


@pytest.mark.parametrize(
    "value", [1.5, float("nan"), torch.tensor([1.0, float("inf"), float("nan")]), (3, "x", [None])]
)
def test_values_survive_the_file(value: Any) -> None:
    assert identical(from_file(json.loads(json.dumps(to_file(value), allow_nan=False))), value)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (torch.nn.Parameter(torch.ones(1)), "Parameter"),
        (torch.ones(1, dtype=torch.bfloat16), "Tensor"),
        (np.array([object()]), "ndarray"),
        (2**70, "int"),
        (type("Liar", (float,), {"__eq__": lambda a, b: True, "__hash__": None})(1.0), "Liar"),
        ({1: 2}, "dict"),
        (print, "builtin_function_or_method"),
    ],
)
def test_what_may_not_cross_becomes_a_name(value: Any, name: str) -> None:
    assert read(wire.pack({}, [value]))[1] == [Foreign(name)]


EIGHT = bytes(8)
MALFORMED = {
    "not JSON": message(b"{]"),
    "not UTF-8": message(b"\xff\xfe{}"),
    "deep JSON": message(b"[" * 100_000),
    "not an object": message([]),
    "no values": message({"sizes": []}),
    "sizes that lie": one(["float64", [1], 0], EIGHT, [9]),
    "negative size": one(None, EIGHT, [-1, 9]),
    "size true": one(None, b"x", [True]),
    "object dtype": one({"tensor": ["object", [1], 0]}, EIGHT),
    "dtype is a list": one({"numpy": [["float64"], [1], 0]}, EIGHT),
    "shape bomb": one({"tensor": ["float64", [2**30, 2**30, 2**30], 0]}, EIGHT),
    "huge empty shape": one({"tensor": ["float64", [2**62, 0], 0]}, b"", [0]),
    "many huge axes of nothing": one({"tensor": ["float64", [2**30] * 7 + [0], 0]}, b"", [0]),
    "nine axes": one({"tensor": ["float64", [1] * 9, 0]}, EIGHT),
    "negative axis": one({"tensor": ["float64", [-1], 0]}, EIGHT),
    "no such blob": one({"tensor": ["float64", [1], 1]}, EIGHT),
    "one blob twice": one({"tuple": [{"tensor": ["float64", [1], 0]}] * 2}, EIGHT),
    "two tags": one({"tuple": [], "list": []}),
    "unknown tag": one({"pickle": "gASVAAAA"}),
    "bad float": one({"float": "0x1p99999999"}),
    "float is no text": one({"float": 1}),
    "bare float": one(1.5),
    "int beyond 64 bits": one(2**70),
    "int of 5000 digits": message(b'{"sizes": [], "values": [' + b"9" * 5000 + b"]}"),
    "deep value": one(json.loads('{"list": [' * 20 + '{"list": []}' + "]}" * 20)),
    "dict key": one({"dict": [[1, None]]}),
    "dict pairs": one({"dict": [["a"]]}),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_messages_are_refused(name: str) -> None:
    with pytest.raises(wire.WireFault):
        read(MALFORMED[name])


def test_a_well_formed_message_is_not_refused() -> None:
    assert read(one({"tensor": ["float64", [1], 0]}, EIGHT))[1] == [torch.zeros(1, dtype=torch.float64)]


@pytest.mark.parametrize(
    "lengths", [(2**31, 2**31), (10, 2**31), (wire.MAX_HEADER + 1, wire.MAX_HEADER + 1), (9, 8)]
)
def test_sizes_are_capped_before_anything_is_read(lengths: tuple[int, int]) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(struct.pack("<II", *lengths))
        with pytest.raises(wire.WireFault, match="size limit"):
            wire.receive(ours, time.monotonic() + 5)


def test_the_deadline_covers_a_message_that_drips() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(message({"values": [], "sizes": []})[:-1])
        with pytest.raises(TimeoutError):
            wire.receive(ours, time.monotonic() + 0.1)
        theirs.close()
        with pytest.raises(EOFError):
            wire.receive(ours, time.monotonic() + 5)


def test_too_much_is_not_sent() -> None:
    deep: list[Any] = []
    for _ in range(20):
        deep = [deep]
    with pytest.raises(ValueFault):
        to_file(deep)
    for value in (deep, np.zeros(wire.MAX_MESSAGE // 8 + 1), "x" * (wire.MAX_HEADER + 1)):
        with pytest.raises(wire.WireFault):
            wire.pack({}, [value])
