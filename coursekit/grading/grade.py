"""Grades a folder of notebooks into a gradebook: what is known stays, what is graded is stored at once."""

from __future__ import annotations

import time
from collections import Counter, deque
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from tqdm import tqdm

from .crew import Crew, local
from .exam import Exam, blank, grade_submission, prepare
from .feedback import write_feedback
from .files import write_whole
from .gradebook import Claim, Gradebook, Mark, to_csv
from .master import stub
from .submission import Submission, find, read

__all__ = ["Exam", "grade", "grade_submission", "prepare"]

PATIENCE = 0.2  # seconds between two looks at what another grader is working on


def grade(
    submissions: Path,
    exam: Exam,
    out: Path,
    jobs: int = 1,
    *,
    crew: AbstractContextManager[Crew] | None = None,
    resume: bool = True,
    anew: bool = False,
) -> list[Mark]:
    """Grades every submission that the gradebook in ``out`` does not know yet; returns all marks that count.

    Writes ``gradebook.db``, ``grades.csv`` and ``feedback/<student>.html``. ``crew`` grades, by default ``jobs``
    threads of this process. ``anew`` grades what is known once more. Raises ValueError on an empty
    folder, a gradebook of another assignment, one that has marks unless ``resume``; OSError if it cannot store.
    """
    name = exam.assignment.name
    files = find(submissions, name)
    if not files:
        raise ValueError(f"{submissions} holds no notebooks: <student>.ipynb or <student>/{name}.ipynb")
    with ExitStack() as stack:
        hands = stack.enter_context(crew or local(exam, jobs))
        book = stack.enter_context(Gradebook(out / "gradebook.db"))
        if not (resume or anew) and (graded := len(book.known(exam.version))):
            raise ValueError(
                f"{out} already has the marks of {graded} submissions: --resume keeps them and grades the rest, "
                "--anew grades all once more (old marks stay in the history), another --out starts afresh"
            )
        book.begin(name, exam.version, anew)
        bar = stack.enter_context(tqdm(total=len(files), unit="notebook", desc=name, smoothing=0))
        _grade_all(files, exam, book, hands, bar)
        everyone = book.current(exam.version)
    write_whole(out / "grades.csv", to_csv(everyone))
    write_feedback(everyone, exam.assignment, out / "feedback")
    return everyone


def _grade_all(files: dict[str, list[Path]], exam: Exam, book: Gradebook, hands: Crew, bar: tqdm) -> None:
    """A few submissions are in memory at a time; those that another grader has claimed come last."""
    stubs = {item.id: stub(exam.assignment.master.solutions[item.id]) for item in exam.assignment.items}
    todo, taken = deque(files.items()), deque[tuple[str, list[Path]]]()
    running: dict[Future[list[Mark]], Submission] = {}
    trouble: Counter[str] = Counter()
    while todo or taken or running:
        while todo and len(running) < hands.at_once:
            entry = todo.popleft()
            submission = read(*entry, stubs)
            match book.claim(submission.student, submission.digest):
                case Claim.MINE:
                    running[hands.submit(submission)] = submission
                case Claim.TAKEN:
                    taken.append(entry)
                case Claim.DONE:
                    bar.initial += 1  # the rate is that of grading
                    bar.update()
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            marks = _marks(future, running.pop(future), exam)
            book.add(marks)
            trouble.update({mark.status for mark in marks} - {"graded", "partly", "not attempted"})
            bar.set_postfix(trouble, refresh=False)
            bar.update()
        if taken and not todo and not running:
            time.sleep(PATIENCE)
            todo, taken = taken, todo


def _marks(future: Future[list[Mark]], submission: Submission, exam: Exam) -> list[Mark]:
    try:
        return future.result()
    except CancelledError:
        raise OSError("the connection to those who grade was lost") from None
    except Exception as error:  # a worker that was lost for good
        return blank(submission, exam, "none", f"{type(error).__name__}: {error}"[:300])
