"""Marks one submission. Student code runs behind the boundary; comparing and counting happen here."""

from __future__ import annotations

import builtins
import hashlib
import json
from dataclasses import dataclass, replace

from .boundary import WorkerGone
from .exercise import Assignment, Item
from .gradebook import Mark
from .observe import Failure, Outcome, failure_of, is_placeholder
from .recording import Recording, Verdict, record
from .sitting import CELL_SECONDS, Sitting
from .submission import MAX_SOURCE, Submission
from .text import clean
from .warm import StartFailed, Warm

MAX_LINE = 500  # a line number is the student's claim; up to here it tells nine bits at most


@dataclass(frozen=True)
class Exam:
    """An assignment with its hidden cases answered: what the trusted side needs to grade any submission."""

    assignment: Assignment
    version: str
    hidden: dict[str, Recording]
    cell_seconds: float = CELL_SECONDS


def prepare(assignment: Assignment, seed: bytes) -> Exam:
    """Draws the hidden cases from the secret seed and lets the reference and the mutants answer them."""
    hidden = {item.id: record(assignment, item, item.hidden_cases(seed)) for item in assignment.items}
    fingerprint = hashlib.sha256(b"coursekit grading seed\0" + seed).hexdigest()[:8]
    return Exam(assignment, f"{assignment.version}-{fingerprint}", hidden)


def grade_submission(submission: Submission, exam: Exam, warm: Warm) -> list[Mark]:
    """One mark per item. Whatever the submission does, this returns: it must not stop the batch."""
    marks = []
    with Sitting(warm, exam.assignment, submission.cells, exam.cell_seconds) as sitting:
        for item, mark in zip(exam.assignment.items, blank(submission, exam, warm.tier), strict=True):
            try:
                marks.append(_mark(mark, item, submission, sitting, exam.hidden[item.id]))
            except WorkerGone as gone:
                marks.append(replace(mark, status=gone.status, message=str(gone)))
            except StartFailed as error:
                marks.append(replace(mark, message=str(error)))
            except Exception as error:  # a fault of the grader is an error to look into, never a zero
                marks.append(replace(mark, message=clean(f"grader: {failure_of(error, '')}")))
    return marks


def blank(submission: Submission, exam: Exam, tier: str, message: str = "") -> list[Mark]:
    """The marks of a submission before any item was graded: errors, which are no zeros."""
    base = Mark(submission.student, submission.digest, exam.version, tier, status="sandbox error", message=message)
    return [replace(base, item=item.id, max=float(item.points)) for item in exam.assignment.items]


def _mark(mark: Mark, item: Item, submission: Submission, sitting: Sitting, hidden: Recording) -> Mark:
    if submission.fault:
        return replace(mark, status="unreadable", message=submission.fault)
    if item.id not in submission.cells:
        return replace(mark, status="not attempted", message="no written solution cell was found")
    if len(json.dumps(submission.cells[item.id])) > MAX_SOURCE:
        return replace(mark, status="unreadable", message="the solution cell is too long")
    answers = sitting.outcomes(item, hidden.cases)
    if all(is_placeholder(answer, item.id) for answer in answers):
        return replace(mark, status="not attempted", message="the stub was left as it is")
    lines = min(MAX_LINE, max((source.count("\n") + 1 for source in submission.cells[item.id]), default=0))
    outcomes = tuple(_discreet(answer, lines) for answer in answers)
    verdict = hidden.judge(outcomes)
    earned = round(item.points * _share(hidden, verdict), 2)
    status = "partly" if 0 < earned < item.points else "graded"
    return replace(mark, points=earned, status=status, message=_message(item, hidden, verdict, outcomes, sitting))


def _discreet(outcome: Outcome, lines: int) -> Outcome:
    """The outcome without what could carry hidden inputs out: an error's text, its class, a line of no cell."""
    failure = outcome.failure
    if failure is None:
        return outcome
    name = failure.type_name if hasattr(builtins, failure.type_name) else "an exception of another class"
    return Outcome(failure=Failure(name, "", failure.line if failure.line <= lines else 0))


def _share(hidden: Recording, verdict: Verdict) -> float:
    """Every part counts the same, and counts if all its cases are right; changing an argument costs half."""
    wrong: dict[str, bool] = {}
    for case, fault in zip(hidden.cases, verdict.differences, strict=True):
        wrong[case.part] = wrong.get(case.part, False) or fault is not None
    share = sum(not fault for fault in wrong.values()) / len(wrong)
    return share / 2 if any(verdict.changed) else share


def _message(
    item: Item, hidden: Recording, verdict: Verdict, outcomes: tuple[Outcome, ...], sitting: Sitting
) -> str:
    """Why the points are what they are, without the hidden inputs."""
    if verdict.right:
        return f"all {len(hidden.cases)} hidden cases agree"
    if verdict.hint:
        return verdict.hint
    if not any(verdict.differences):
        return f"the values agree, but the argument {next(filter(None, verdict.changed))} was changed in place"
    if failure := sitting.failures.get(item.id):
        return f"the solution cell stops with {failure}"
    wrong = [i for i, fault in enumerate(verdict.differences) if fault]
    helper = ""
    if any((failure := outcomes[i].failure) and failure.type_name == "NameError" for i in wrong):
        helper = " (only the solution cell is run: a helper function belongs in it)"
    first = wrong[0]
    parts = ", ".join(dict.fromkeys(hidden.cases[i].part for i in wrong))
    count = f"{len(wrong)} of {len(hidden.cases)} hidden cases differ ({parts})"
    return f"{count}; in the first, {verdict.differences[first]}{helper}"
