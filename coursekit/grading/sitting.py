"""One submission's process, restarted without the cell that killed it, so that other items keep their points."""

from __future__ import annotations

import time
from collections import defaultdict
from types import TracebackType

from .boundary import Worker, WorkerGone
from .exercise import Assignment, Case, Item
from .observe import Failure, Outcome
from .warm import StartFailed, Warm

CELL_SECONDS = 10.0  # for all solution cells of one item together
SETUP_SECONDS = 60.0  # the instructor's own cell: if it is slow, the machine is


class Sitting:
    """Runs the cells of a submission and calls its functions; a context manager that leaves no process behind.

    A process that is lost may have been killed from outside, so its end counts when it is seen twice alike. A
    time limit counts at once, and one for the whole submission bounds what restarts can cost.
    """

    def __init__(
        self,
        warm: Warm,
        assignment: Assignment,
        cells: dict[str, tuple[str, ...]],
        cell_seconds: float = CELL_SECONDS,
    ) -> None:
        self._warm = warm
        self._setup, self._cells, self._seconds = assignment.master.setup, cells, cell_seconds
        self._end = time.monotonic() + sum(item.seconds + cell_seconds for item in assignment.items)
        self._worker: Worker | None = None
        self._losses: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._fatal: dict[str, WorkerGone] = {}
        self.failures: dict[str, Failure] = {}

    def outcomes(self, item: Item, cases: tuple[Case, ...]) -> tuple[Outcome, ...]:
        """The student's answers to ``cases``, within ``item.seconds``. Raises WorkerGone or StartFailed."""
        while True:
            worker = self._seat()
            if item.id in self._fatal:
                raise self._fatal[item.id]
            deadline = self._deadline(item.seconds)
            try:
                return tuple(worker.call(item.id, case.arguments, deadline) for case in cases)
            except StartFailed:  # an objective of the item itself
                self._worker = None
                raise
            except WorkerGone as gone:
                self._worker = None
                if self._counts("call", item.id, gone):
                    raise

    def _seat(self) -> Worker:
        """A living process in which every cell that can run has run."""
        while self._worker is None:
            worker = Worker(self._warm)
            try:
                failure = worker.execute("setup", self._setup, SETUP_SECONDS)
            except WorkerGone as gone:
                raise StartFailed(f"the assignment's setup cell was lost: {gone}") from gone
            if failure:
                worker.close()
                raise StartFailed(f"the assignment's setup cell fails: {failure}")
            self._worker = worker
            for name in self._cells:
                if name not in self._fatal and not self._run(worker, name):
                    break
        return self._worker

    def _run(self, worker: Worker, name: str) -> bool:
        """Runs the cells of one item; False if that cost the process."""
        deadline = self._deadline(self._seconds)
        for source in self._cells[name]:
            try:
                failure = worker.execute(name, source, deadline - time.monotonic())
            except WorkerGone as gone:
                self._worker = None
                if self._counts("cell", name, gone):
                    self._fatal[name] = WorkerGone(gone.status, f"when the solution cell ran, {gone}")
                return False
            if failure:
                self.failures[name] = failure
        return True

    def _deadline(self, seconds: float) -> float:
        """``seconds`` from now, or the end of the whole sitting if that is sooner. Raises WorkerGone after it."""
        now = time.monotonic()
        if now > self._end:
            raise WorkerGone("timed out", "the submission as a whole was stopped at its time limit")
        return min(now + seconds, self._end)

    def _counts(self, kind: str, name: str, gone: WorkerGone) -> bool:
        """Whether this loss is the student's: a time limit, the same end twice, or a third end of any kind."""
        losses = self._losses[kind, name]
        losses.append(str(gone))
        return gone.status == "timed out" or losses.count(str(gone)) == 2 or len(losses) == 3

    def __enter__(self) -> Sitting:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._worker:
            self._worker.close()
