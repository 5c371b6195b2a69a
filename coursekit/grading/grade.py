"""Grades a folder of notebooks. Student code runs behind the boundary; comparing and counting happen here."""

from __future__ import annotations

import builtins
import hashlib
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue

from tqdm import tqdm

from .boundary import TIER, WorkerGone
from .exercise import Assignment, Item
from .feedback import write_feedback
from .files import write_whole
from .gradebook import Gradebook, Mark, to_csv
from .master import stub
from .observe import Failure, Outcome, failure_of, is_placeholder
from .recording import Recording, Verdict, record
from .sitting import CELL_SECONDS, Sitting
from .submission import MAX_SOURCE, Submission, find, read
from .warm import StartFailed, Warm


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


def grade(submissions: Path, exam: Exam, out: Path, jobs: int = 1) -> list[Mark]:
    """Grades every submission that the gradebook in ``out`` does not know yet; returns the marks of all of them.

    Writes ``gradebook.db``, ``grades.csv`` and ``feedback/<student>.html``. Raises ValueError on an empty folder.
    """
    name = exam.assignment.name
    files = find(submissions, name)
    if not files:
        raise ValueError(f"{submissions} holds no notebooks: <student>.ipynb or <student>/{name}.ipynb")
    stubs = {item.id: stub(exam.assignment.master.solutions[item.id]) for item in exam.assignment.items}
    handed_in: dict[str, str] = {}
    trouble: Counter[str] = Counter()
    with Gradebook(out / "gradebook.db") as book:
        known = book.known(exam.version)

        def work(student: str, paths: list[Path]) -> tuple[Submission, list[Mark] | None]:
            submission = read(student, paths, stubs)
            if (student, submission.digest) in known:
                return submission, None
            warm = idle.get()
            try:
                return submission, grade_submission(submission, exam, warm)
            finally:
                idle.put(warm)

        with ExitStack() as stack:
            idle: SimpleQueue[Warm] = SimpleQueue()
            for _ in range(jobs):
                idle.put(stack.enter_context(Warm()))
            progress = stack.enter_context(tqdm(total=len(files), unit="notebook", desc=name))
            pool = stack.enter_context(ThreadPoolExecutor(jobs))
            stack.callback(pool.shutdown, wait=False, cancel_futures=True)  # should this be interrupted
            for future in as_completed([pool.submit(work, *entry) for entry in files.items()]):
                submission, marks = future.result()
                handed_in[submission.student] = submission.digest
                if marks is not None:
                    book.add(marks)
                    trouble.update({mark.status for mark in marks} - {"graded", "partly", "not attempted"})
                    progress.set_postfix(trouble, refresh=False)
                progress.update()
        everyone = [m for who in sorted(handed_in) for m in book.marks(who, handed_in[who], exam.version)]
    write_whole(out / "grades.csv", to_csv(everyone))
    write_feedback(everyone, exam.assignment, out / "feedback")
    return everyone


def grade_submission(submission: Submission, exam: Exam, warm: Warm) -> list[Mark]:
    """One mark per item. Whatever the submission does, this returns: it must not stop the batch."""
    base = Mark(submission.student, submission.digest, exam.version, TIER)
    marks = []
    with Sitting(warm, exam.assignment.master.setup, submission.cells, exam.cell_seconds) as sitting:
        for item in exam.assignment.items:
            mark = replace(base, item=item.id, max=float(item.points))
            try:
                marks.append(_mark(mark, item, submission, sitting, exam.hidden[item.id]))
            except WorkerGone as gone:
                marks.append(replace(mark, status=gone.status, message=str(gone)))
            except StartFailed as error:
                marks.append(replace(mark, status="sandbox error", message=str(error)))
            except Exception as error:  # a fault of the grader is an error to look into, never a zero
                marks.append(replace(mark, status="sandbox error", message=f"grader: {failure_of(error, '')}"))
    return marks


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
    outcomes = tuple(map(_discreet, answers))
    verdict = hidden.judge(outcomes)
    earned = round(item.points * _share(hidden, verdict), 2)
    status = "partly" if 0 < earned < item.points else "graded"
    return replace(mark, points=earned, status=status, message=_message(item, hidden, verdict, outcomes, sitting))


def _discreet(outcome: Outcome) -> Outcome:
    """The outcome without the text of its error: a message, or a class's name, could carry hidden inputs out."""
    failure = outcome.failure
    if failure is None:
        return outcome
    name = failure.type_name if hasattr(builtins, failure.type_name) else "an exception of another class"
    return Outcome(failure=Failure(name, "", failure.line))


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
