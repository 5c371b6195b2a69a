"""Who grades: something that takes submissions and promises their marks. Here, threads of this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from .exam import Exam, grade_submission
from .gradebook import Mark
from .sandbox import Tier, best_tier
from .submission import Submission
from .warm import Warm


@dataclass(frozen=True)
class Crew:
    """``submit`` has a submission graded; ``at_once`` is how many keep it busy."""

    submit: Callable[[Submission], Future[list[Mark]]]
    at_once: int


def allowed_tier(allow_process: bool = False) -> Tier:
    """The best boundary of this machine. Raises ValueError if that is the weakest and it was not allowed."""
    tier = best_tier()
    if tier is Tier.PROCESS and not allow_process:
        raise ValueError(
            "this machine has no sandbox for student code: it would run as your user, who can read the seed. "
            "`coursekit doctor` says what is missing; --allow-process-tier grades all the same"
        )
    return tier


class Desk:
    """An exam and as many warm processes as are busy at a time, started when first needed."""

    def __init__(self, exam: Exam, tier: Tier) -> None:
        self.exam, self._tier = exam, tier
        self._idle: SimpleQueue[Warm] = SimpleQueue()
        self._stack = ExitStack()

    def grade(self, submission: Submission) -> list[Mark]:
        """Marks a submission; from any thread."""
        try:
            warm = self._idle.get_nowait()
        except Empty:
            warm = self._stack.enter_context(Warm(self._tier))
        try:
            return grade_submission(submission, self.exam, warm)
        finally:
            self._idle.put(warm)

    def close(self) -> None:
        """Ends the warm processes, and with them what is under way."""
        self._stack.close()


@contextmanager
def local(exam: Exam, jobs: int = 1, tier: Tier | None = None) -> Iterator[Crew]:
    """``jobs`` submissions at a time, each with a warm process; ``tier`` is by default ``allowed_tier()``.

    Leaving it drops what is under way. Raises ValueError if ``jobs`` is not positive.
    """
    if jobs < 1:
        raise ValueError(f"jobs is {jobs}; it must be at least 1")
    desk = Desk(exam, tier or allowed_tier())
    with ThreadPoolExecutor(jobs) as pool:
        try:
            yield Crew(lambda submission: pool.submit(desk.grade, submission), 2 * jobs)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            desk.close()
