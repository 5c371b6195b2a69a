"""Calls a function once and keeps everything a check may want to know: value, arguments afterwards, or error."""

from __future__ import annotations

import copy
import re
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from coursekit.oracles import Calls

from .objective import CountedHere, join, split


@dataclass(frozen=True)
class Failure:
    """An exception as data: its type, its message, and the line of the cell it came from (0: unknown)."""

    type_name: str
    message: str
    line: int = 0

    def __str__(self) -> str:
        where = f" (line {self.line} of the cell)" if self.line else ""
        message = re.sub(r"0x[0-9a-fA-F]{4,}", "0x...", self.message)
        return f"{self.type_name}: {message}{where}" if message else f"{self.type_name}{where}"


@dataclass(frozen=True)
class Outcome:
    """What one call did: the value it returned and its arguments afterwards, or its failure.

    ``calls`` are the bills of its objectives, in the order of the arguments; local ones have none.
    """

    value: Any = None
    arguments: tuple[Any, ...] = ()
    failure: Failure | None = None
    calls: tuple[Calls, ...] = ()


def placeholder(name: str) -> str:
    """The message by which an unwritten stub is told from a NotImplementedError of anything else."""
    return f"{name} is not written yet"


def is_placeholder(outcome: Outcome, name: str) -> bool:
    """Whether the outcome is that of the released stub."""
    failure = outcome.failure
    return failure is not None and (failure.type_name, failure.message) == (
        "NotImplementedError",
        placeholder(name),
    )


def observe(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Outcome:
    """Calls ``function`` on copies of ``arguments``; an exception becomes a Failure (KeyboardInterrupt passes)."""
    plain, objectives = split(copy.deepcopy(arguments))
    asked = {place: CountedHere(objective.oracle()) for place, objective in objectives.items()}
    try:
        value = function(*join(plain, asked))
    except Exception as error:
        code = getattr(function, "__code__", None)
        return Outcome(failure=failure_of(error, code.co_filename if code else ""))
    bills = tuple(f.calls for place, f in asked.items() if not objectives[place].local)
    return Outcome(value, join(plain, objectives), calls=bills)


def failure_of(error: BaseException, filename: str) -> Failure:
    """The exception as data, with the deepest line that lies in the student's own cell ``filename``."""
    line = error.lineno or 0 if isinstance(error, SyntaxError) else _line(error.__traceback__, filename)
    message = error.msg if isinstance(error, SyntaxError) else _text(error)
    return Failure(type(error).__name__[:60], message[:400], line)


def _line(trace: TracebackType | None, filename: str) -> int:
    lines = [frame.lineno for frame in traceback.extract_tb(trace) if frame.filename == filename]
    return (lines[-1] or 0) if lines else 0


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # an exception class of the student's may fail to print itself
        return "(its message cannot be printed)"
