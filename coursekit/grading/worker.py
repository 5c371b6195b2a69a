"""The process that runs a student's cells: forked from the warm process, it holds no hidden case and no reference.

It serves two requests over an inherited socket: execute a cell, call a function. While a function runs it may ask
the grader's objectives. Nothing that comes from here is trusted.
"""

from __future__ import annotations

import functools
import os
import re
import socket
from types import CodeType
from typing import Any

from torch import Tensor

from .objective import Counted, Objective, join
from .observe import Failure, Outcome, failure_of, observe
from .wire import WireFault, receive, send

_MAGIC = re.compile(r"^([ \t]*)(?:[%!].*|[\w.]+\?+)[ \t]*$", re.MULTILINE)


def main(fd: int) -> None:
    """Says that this process, which is confined, is ready, and serves until the grader closes the socket."""
    conn = socket.socket(fileno=fd)
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):  # what students print goes nowhere
        os.dup2(null, stream)
    os.close(null)
    send(conn, {"kind": "ready"}, [])
    try:
        _serve(conn, {"__name__": "__main__"})
    except (EOFError, OSError):
        os._exit(0)


def refuse(fd: int, reason: str) -> None:
    """Says that this process could not be confined, and so runs nothing."""
    send(socket.socket(fileno=fd), {"kind": "refused"}, [reason])


def _serve(conn: socket.socket, namespace: dict[str, Any]) -> None:
    while True:
        header, values = receive(conn)
        if header["kind"] == "execute":
            failure = _execute(values[0], values[1], namespace)
            _reply(conn, header["id"], Outcome(failure=failure))
        else:
            name, plain, objectives = values
            ask = functools.partial(_ask, conn, header["id"])
            placed = {
                place: Objective(local[0], local[1], local=True)
                if local
                else Counted(functools.partial(ask, place))
                for place, local in objectives.items()
            }
            _reply(conn, header["id"], _call(name, join(plain, placed), namespace))


def _execute(name: str, source: str, namespace: dict[str, Any]) -> Failure | None:
    filename = f"<{name}>"
    try:
        exec(_compiled(source, filename), namespace)
    except BaseException as error:  # SystemExit and KeyboardInterrupt included: a cell may raise what it likes
        return failure_of(error, filename)
    return None


def _compiled(source: str, filename: str) -> CodeType:
    """The code of a cell; what Python cannot read may have lines that only a notebook can (%, ! and ?)."""
    try:
        return compile(source, filename, "exec")
    except SyntaxError:
        return compile(_MAGIC.sub(r"\1pass", source), filename, "exec")


def _call(name: str, arguments: tuple[Any, ...], namespace: dict[str, Any]) -> Outcome:
    if name not in namespace:
        return Outcome(failure=Failure("NameError", f"name '{name}' is not defined"))
    try:
        return observe(namespace[name], arguments)
    except BaseException as error:
        return Outcome(failure=failure_of(error, ""))


def _ask(conn: socket.socket, request: str, place: str, kind: str, *vectors: Tensor) -> Tensor:
    """A question to an objective that stays in the grader."""
    send(conn, {"kind": "ask", "id": request, "objective": place, "what": kind}, list(vectors))
    header, (answer,) = receive(conn)
    if header["kind"] == "refusal":
        raise ValueError(answer)
    return answer


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
