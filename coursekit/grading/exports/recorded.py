"""Hidden cases as data in a test cell, for graders that run their tests where the student's code runs.

nbgrader and Otter do that, so there a submission can read the expected answers and can change its own score. Marks
that must be defended come from ``coursekit grade``, whose hidden cases never meet student code.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from .. import public
from ..exercise import Assignment, Item
from ..observe import observe
from ..recording import Recording, record

CALL = "from coursekit.grading.exports.recorded import share"


def by_part(assignment: Assignment, item: Item, seed: bytes) -> dict[str, str]:
    """The hidden cases of each part with the reference's answers, as ASCII text; no code, no mutants.

    Empty if a case holds an objective that is a plain function: that cannot be written down without its code.
    """
    cases = item.hidden_cases(seed)
    found = record(assignment, item, cases)
    parts = dict.fromkeys(case.part for case in cases)
    try:
        return {part: _pack(_only(found, part)) for part in parts}
    except ValueError:
        return {}


def share(function: Callable[..., Any], *packed: str) -> float:
    """The share of the parts in ``packed`` of which ``function`` gets every case right, between 0 and 1."""
    return sum(_right(function, text) for text in packed) / len(packed)


def _only(recording: Recording, part: str) -> Recording:
    kept = [i for i, case in enumerate(recording.cases) if case.part == part]
    return replace(
        recording,
        cases=tuple(recording.cases[i] for i in kept),
        reference=tuple(recording.reference[i] for i in kept),
        mutants=(),
    )


def _pack(recording: Recording) -> str:
    text = public.dumps({recording.item: recording})
    return base64.b85encode(zlib.compress(text.encode(), 9)).decode()


def _right(function: Callable[..., Any], packed: str) -> bool:
    (recording,) = public.loads(zlib.decompress(base64.b85decode(packed)).decode()).values()
    return recording.judge(tuple(observe(function, case.arguments) for case in recording.cases)).right
