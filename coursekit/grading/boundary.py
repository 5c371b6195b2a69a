"""The grader's side of a student's process: talk to it, have it killed. Its answers are data, never trusted."""

from __future__ import annotations

import secrets
import signal
import socket
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from coursekit.oracles import Oracle

from .objective import admit, answer, join, split
from .observe import Failure, Outcome
from .text import clean
from .warm import StartFailed, Warm
from .wire import WireFault, receive, send

GREETING_SECONDS = 20.0


class WorkerGone(Exception):
    """The process was lost, at a time limit or otherwise; ``status`` is "timed out" or "crashed"."""

    def __init__(self, status: str, message: str) -> None:
        super().__init__(message)
        self.status = status


class Worker:
    """One student process. A fault of the protocol or a time limit ends it, with all that descends from it."""

    def __init__(self, warm: Warm) -> None:
        self._warm = warm
        self._open = True
        self._conn, theirs = socket.socketpair()
        try:
            with theirs:
                warm.fork(theirs)
            header, reason = receive(self._conn, time.monotonic() + GREETING_SECONDS)
            if header == {"kind": "refused"}:  # no student's code has run: this is the truth
                raise StartFailed(clean(f"the sandbox ({warm.tier}) cannot be set up: {reason[0]}"))
            if header != {"kind": "ready"}:
                raise WireFault("an odd greeting")
        except (OSError, EOFError, WireFault, StartFailed) as error:
            self.close()
            if isinstance(error, StartFailed):
                raise
            raise StartFailed(f"the student process did not get ready: {error}") from error

    def execute(self, name: str, source: str, seconds: float) -> Failure | None:
        """Runs a cell; returns how it failed, or None. Raises WorkerGone."""
        return self._ask("execute", [name, source], time.monotonic() + seconds).failure

    def call(self, function: str, arguments: tuple[Any, ...], deadline: float) -> Outcome:
        """Calls a function that a cell defined, until ``deadline`` on the monotonic clock. Raises WorkerGone.

        Objectives stay here unless they are local: their questions are answered, and counted, until the deadline.
        """
        plain, objectives = split(arguments)
        local = {place: [x.kind, dict(x.parameters)] if x.local else None for place, x in objectives.items()}
        oracles = {place: x.oracle() for place, x in objectives.items() if not x.local}
        outcome = self._ask("call", [function, plain, local], deadline, oracles)
        bills = () if outcome.failure else tuple(oracle.calls for oracle in oracles.values())
        return replace(outcome, arguments=join(outcome.arguments, objectives), calls=bills)

    def _ask(
        self, kind: str, values: list[Any], deadline: float, oracles: Mapping[Any, Oracle] | None = None
    ) -> Outcome:
        request = secrets.token_hex(8)
        try:
            send(self._conn, {"kind": kind, "id": request}, values, deadline)
            header, reply = receive(self._conn, deadline)
            while oracles and header.get("kind") == "ask":
                self._answer(oracles, header, reply, request, deadline)
                header, reply = receive(self._conn, deadline)
            return _outcome(header, reply, request)
        except TimeoutError:
            self.close()
            raise WorkerGone("timed out", "it was stopped at the time limit") from None
        except WireFault as fault:
            self.close()
            raise WorkerGone("crashed", f"its process answered with {clean(str(fault))}") from None
        except (EOFError, OSError):
            raise WorkerGone("crashed", f"its process ended ({_ending(self.close())})") from None

    def _answer(
        self,
        oracles: Mapping[Any, Oracle],
        header: dict[str, Any],
        vectors: list[Any],
        request: str,
        deadline: float,
    ) -> None:
        place, kind = header.get("objective"), header.get("what")
        if header.get("id") != request or type(place) is not str or place not in oracles or type(kind) is not str:
            raise WireFault("a question to an objective that it was not given")
        try:
            admit(oracles[place], kind, vectors)
        except ValueError as refusal:
            send(self._conn, {"kind": "refusal"}, [str(refusal)], deadline)
            return
        try:
            number = answer(oracles[place], kind, *vectors)
        except Exception as error:  # a fault of the item, never of the student
            self.close()
            raise StartFailed(f"an objective of the assignment fails: {type(error).__name__}: {error}") from error
        send(self._conn, {"kind": "answer"}, [number], deadline)

    def close(self) -> int | None:
        """Ends the process; returns its exit code if that is known. A second call does nothing."""
        if not self._open:
            return None
        self._open = False
        self._conn.close()
        return self._warm.end()


def _outcome(header: dict[str, Any], reply: list[Any], request: str) -> Outcome:
    if header.get("id") != request:
        raise WireFault("a reply that nobody asked for")
    match header.get("kind"), reply:
        case "value", [value, tuple(arguments)]:
            return Outcome(value, arguments)
        case "failure", [str(kind), str(message), int(line)]:
            return Outcome(failure=Failure(clean(kind, 60), clean(message), line if 0 < line < 10**6 else 0))
    raise WireFault("a reply of the wrong form")


def _ending(code: int | None) -> str:
    if code is None:
        return "exit code unknown"
    names = {-known: f"signal {known.name}" for known in signal.Signals}
    return names.get(code, f"exit code {code}")
