"""The process that runs a student's cells: forked from the warm process, it holds no hidden case and no reference.

It serves two requests over an inherited socket: execute a cell, call a function. Nothing it answers is trusted.
"""

from __future__ import annotations

import os
import resource
import socket
import sys
from typing import Any

from .observe import Failure, Outcome, failure_of, observe
from .wire import WireFault, receive, send

MEMORY = 2 * 2**30  # bytes of address space beyond what the start has taken
LIMITS = {
    resource.RLIMIT_CPU: 120,  # seconds for all items together: ends a process that outlives its grader
    resource.RLIMIT_FSIZE: 16 * 2**20,
    resource.RLIMIT_NOFILE: 64,
    resource.RLIMIT_CORE: 0,
}


def main(fd: int) -> None:
    """Limits this process, says that it is ready, and serves until the grader closes the socket."""
    conn = socket.socket(fileno=fd)
    _limit()
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):  # what students print goes nowhere
        os.dup2(null, stream)
    send(conn, {"kind": "ready"}, [])
    try:
        _serve(conn, {"__name__": "__main__"})
    except (EOFError, OSError):
        os._exit(0)


def _limit() -> None:
    for kind, limit in LIMITS.items():
        resource.setrlimit(kind, (limit, limit))
    if sys.platform == "linux":
        with open("/proc/self/statm") as statm:
            taken = int(statm.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY, taken + MEMORY))


def _serve(conn: socket.socket, namespace: dict[str, Any]) -> None:
    while True:
        header, values = receive(conn)
        if header["kind"] == "execute":
            failure = _execute(values[0], values[1], namespace)
            _reply(conn, header["id"], Outcome(failure=failure))
        else:
            _reply(conn, header["id"], _call(values[0], values[1], namespace))


def _execute(name: str, source: str, namespace: dict[str, Any]) -> Failure | None:
    filename = f"<{name}>"
    try:
        exec(compile(source, filename, "exec"), namespace)
    except BaseException as error:  # SystemExit and KeyboardInterrupt included: a cell may raise what it likes
        return failure_of(error, filename)
    return None


def _call(name: str, arguments: tuple[Any, ...], namespace: dict[str, Any]) -> Outcome:
    if name not in namespace:
        return Outcome(failure=Failure("NameError", f"name '{name}' is not defined"))
    try:
        return observe(namespace[name], arguments)
    except BaseException as error:
        return Outcome(failure=failure_of(error, ""))


def _reply(conn: socket.socket, request: str, outcome: Outcome) -> None:
    failure = outcome.failure
    try:
        if failure is None:
            send(conn, {"kind": "value", "id": request}, [outcome.value, outcome.arguments])
            return
    except WireFault as fault:
        failure = Failure("ValueError", f"the returned value cannot be sent: {fault}")
    text = [s.encode("utf-8", "replace").decode() for s in (failure.type_name, failure.message)]
    send(conn, {"kind": "failure", "id": request}, [*text, failure.line])
