"""Family q: carry hidden inputs out of the grading in whatever the student gets to read about it."""

# ruff: noqa: E501 (lines of hostile programs)

from __future__ import annotations

from typing import Any

from .model import BODY, Attack, answer, family

_leak = family("q: carries inputs out", "leak")
CODE = "import math\ndef code(w):\n    return str(abs(int(float(w.sum()) * 1e8)))\n"


def told(arguments: tuple[Any, ...]) -> str:
    """The number that every attack here tries to show: the first hidden input in eight digits or nine."""
    return str(abs(int(float(arguments[0].sum()) * 1e8)))


def line(arguments: tuple[Any, ...]) -> str:
    return str(int(told(arguments)) % 900_000)


def leak(name: str, source: str, tell: Any = told, **more: Any) -> Attack:
    return _leak(name, CODE + source, tell=tell, **more)


ATTACKS: list[Attack] = [
    leak("inputs_in_a_message", BODY + "raise ValueError(code(w))", says="ValueError"),
    leak("inputs_in_a_class", BODY + "raise type('W' + code(w), (Exception,), {})", says="another class"),
    leak("inputs_in_a_type", BODY + "return type('W' + code(w), (), {})()", says="a type of its own"),
    leak("inputs_in_a_text", BODY + "return code(w)"),
    leak("inputs_in_a_shape", answer("torch.zeros(int(code(w)), 0, dtype=w.dtype)")),
    leak(
        "inputs_in_many_axes",
        answer("torch.zeros(*map(int, code(w)[:7]), 0, dtype=w.dtype)"),
        tell=lambda a: ", ".join(told(a)[:7]),
    ),
    leak(
        "inputs_in_a_line",
        BODY + "exec(compile('\\n' * (int(code(w)) % 900000 - 1) + '1/0', '<gd_step>', 'exec'))",
        tell=line,
    ),
    leak("inputs_in_an_assertion", BODY + "assert False, code(w)", says="AssertionError"),
    leak("inputs_in_notes", BODY + "e = KeyError(code(w)); e.add_note(code(w)); raise e", says="KeyError"),
    leak(
        "inputs_in_a_syntax_error",
        BODY + "raise SyntaxError(code(w), (code(w), int(code(w)) % 900000, 1, code(w)))",
        tell=line,
    ),
    leak("inputs_in_a_group", BODY + "raise ExceptionGroup(code(w), [ValueError(code(w))])"),
    leak("inputs_in_a_warning", BODY + "import warnings; warnings.warn(code(w)); print(code(w)); return w"),
    leak("inputs_in_a_file_name", BODY + "open(code(w))", says="FileNotFoundError"),
    leak(
        "inputs_in_a_traceback",
        BODY
        + "import os, sys; os.write(2, code(w).encode()); sys.excepthook(ValueError, ValueError(code(w)), None); return w",
    ),
    leak("inputs_in_a_key", BODY + "return {code(w): 1}"),
]
