"""One message between the grader and a student's process: lengths, a JSON header, raw array bytes. No pickle.

``<u32 header length><u32 total length><header><bytes of all arrays>``. The reader trusts nothing: sizes are
capped before anything is allocated, dtypes are whitelisted, and one absolute deadline covers decoding too.
"""

from __future__ import annotations

import json
import math
import socket
import struct
import time
from typing import Any

import numpy as np

from .values import ValueFault, decode, encode

MAX_MESSAGE = 32 * 2**20
MAX_HEADER = 256 * 2**10
_LENGTHS = struct.Struct("<II")


class WireFault(Exception):
    """The other side broke the protocol, or a value does not fit into a message."""


def pack(header: dict[str, Any], values: list[Any]) -> bytes:
    """The bytes of a message. Raises WireFault if it is over a cap."""
    blobs: list[bytes] = []
    size = 0

    def put(flat: np.ndarray) -> int:
        nonlocal size
        size += flat.nbytes
        if size > MAX_MESSAGE:
            raise WireFault(f"more than {MAX_MESSAGE >> 20} MB of values")
        blobs.append(flat.tobytes())
        return len(blobs) - 1

    try:
        trees = [encode(value, put) for value in values]
    except ValueFault as fault:
        raise WireFault(str(fault)) from None
    head = json.dumps({**header, "values": trees, "sizes": [len(b) for b in blobs]}).encode()
    if len(head) > MAX_HEADER or len(head) + size > MAX_MESSAGE:
        raise WireFault("too many or too large values for one message")
    return _LENGTHS.pack(len(head), len(head) + size) + head + b"".join(blobs)


def unpack(head: bytes, body: bytes) -> tuple[dict[str, Any], list[Any]]:
    """Header and values of a message. Raises WireFault on anything malformed."""
    try:
        header = json.loads(head)
    except (ValueError, RecursionError):
        raise WireFault("a header that is not JSON") from None
    if type(header) is not dict:
        raise WireFault("a header that is not an object")
    sizes, trees = header.pop("sizes", None), header.pop("values", None)
    if type(sizes) is not list or any(type(n) is not int or n < 0 for n in sizes) or sum(sizes) != len(body):
        raise WireFault("array sizes that do not add up")
    if type(trees) is not list:
        raise WireFault("values that are not a list")
    ends = np.cumsum([0, *sizes], dtype=np.int64).tolist()

    used: set[int] = set()

    def get(index: Any, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
        if type(index) is not int or not 0 <= index < len(sizes) or index in used:
            raise ValueFault("an array without data of its own")  # sharing would copy one blob thousands of times
        used.add(index)
        if math.prod(shape) * np.dtype(dtype).itemsize != sizes[index]:
            raise ValueFault("an array whose data do not fill its shape")
        data = np.frombuffer(body[ends[index] : ends[index + 1]], dtype="uint8" if dtype == "bool" else dtype)
        return data != 0 if dtype == "bool" else data.copy()

    try:
        return header, [decode(tree, get) for tree in trees]
    except ValueFault as fault:
        raise WireFault(str(fault)) from None


def send(conn: socket.socket, header: dict[str, Any], values: list[Any], deadline: float | None = None) -> None:
    """Sends one message. Raises WireFault, OSError, or TimeoutError past the deadline (monotonic clock)."""
    message = pack(header, values)
    conn.settimeout(None if deadline is None else _left(deadline))
    conn.sendall(message)


def receive(conn: socket.socket, deadline: float | None = None) -> tuple[dict[str, Any], list[Any]]:
    """Receives one message. Raises WireFault, EOFError, OSError, or TimeoutError past the deadline."""
    head_size, total = _LENGTHS.unpack(_exactly(conn, _LENGTHS.size, deadline))
    if head_size > MAX_HEADER or total > MAX_MESSAGE or head_size > total:
        raise WireFault("a message over the size limit")
    head = _exactly(conn, head_size, deadline)
    header, values = unpack(head, _exactly(conn, total - head_size, deadline))
    if deadline is not None:
        _left(deadline)
    return header, values


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("past the deadline")
    return left


def _exactly(conn: socket.socket, size: int, deadline: float | None) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        conn.settimeout(None if deadline is None else _left(deadline))
        part = conn.recv(min(size - len(parts), 2**20))
        if not part:
            raise EOFError("the other side is gone")
        parts += part
    return bytes(parts)
