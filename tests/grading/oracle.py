"""A judge that is not ours: the answers of another program in the place of the reference's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from coursekit.grading.exercise import Assignment, Item
from coursekit.grading.observe import observe
from coursekit.grading.recording import record

Function = Callable[..., Any]
SEEDS = (b"0", b"1", b"2", b"3", b"4")  # whose hidden cases the tests of the items look at


def item_of(assignment: Assignment, name: str) -> Item:
    """The item of this name."""
    return next(item for item in assignment.items if item.id == name)


def stated(assignment: Assignment, before: str) -> int:
    """The number that follows the words ``before`` in the notebook."""
    text = " ".join(" ".join(cell.source for cell in assignment.master.notebook.cells).split())
    return int(text.partition(before)[2].split()[0])


def misjudged(assignment: Assignment, name: str, oracle: Function) -> list[str]:
    """What the oracle disagrees with us about on hidden cases: a reference it rejects, a mutant it lets pass."""
    item, found = item_of(assignment, name), []
    for seed in SEEDS:
        ours = record(assignment, item, item.hidden_cases(seed))
        answers = tuple(observe(oracle, case.arguments) for case in ours.cases)
        assert not [answer.failure for answer in answers if answer.failure]
        theirs = replace(ours, reference=answers)
        found += [d for d in theirs.judge(ours.reference).differences if d]
        found += [hint for hint, outcomes in ours.mutants if theirs.judge(outcomes).right]
    return found


def rejected(assignment: Assignment, name: str, program: Function) -> list[str]:
    """Why a program fails the self-check or the hidden checks of some seed; nothing if it passes them all."""
    item, found = item_of(assignment, name), []
    for cases in (item.public_cases(assignment.cohort), *map(item.hidden_cases, SEEDS)):
        recording = record(assignment, replace(item, mutants=item.mutants[:4]), cases)
        verdict = recording.judge(tuple(observe(program, case.arguments) for case in cases))
        found += [text for text in (*verdict.differences, *verdict.changed) if text]
    return found
