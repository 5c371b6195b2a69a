"""One submission's process, restarted without the cell that killed it, so that other items keep their points."""

from __future__ import annotations

import time
from types import TracebackType

from .boundary import Worker, WorkerGone
from .exercise import Case, Item
from .observe import Failure, Outcome
from .warm import StartFailed, Warm

CELL_SECONDS = 10.0


class Sitting:
    """Runs the cells of a submission and calls its functions; a context manager that leaves no process behind."""

    def __init__(
        self, warm: Warm, setup: str, cells: dict[str, tuple[str, ...]], cell_seconds: float = CELL_SECONDS
    ) -> None:
        self._warm = warm
        self._setup, self._cells, self._seconds = setup, cells, cell_seconds
        self._worker: Worker | None = None
        self._fatal: dict[str, WorkerGone] = {}
        self.failures: dict[str, Failure] = {}

    def outcomes(self, item: Item, cases: tuple[Case, ...]) -> tuple[Outcome, ...]:
        """The student's answers to ``cases``, within ``item.seconds``. Raises WorkerGone or StartFailed."""
        worker = self._seat()
        if item.id in self._fatal:
            raise self._fatal[item.id]
        deadline = time.monotonic() + item.seconds
        try:
            return tuple(worker.call(item.id, case.arguments, deadline) for case in cases)
        except WorkerGone:
            self._worker = None
            raise

    def _seat(self) -> Worker:
        """A living process in which every cell that can run has run."""
        while self._worker is None:
            worker = Worker(self._warm)
            self._worker = worker
            try:
                failure = worker.execute("setup", self._setup, self._seconds)
            except WorkerGone as gone:
                self._worker = None
                raise StartFailed(f"the assignment's setup cell was lost: {gone}") from gone
            if failure:
                raise StartFailed(f"the assignment's setup cell fails: {failure}")
            for name in self._cells:
                if name not in self._fatal and not self._run(worker, name):
                    break
        return self._worker

    def _run(self, worker: Worker, name: str) -> bool:
        """Runs the cells of one item; False if that cost the process."""
        for source in self._cells[name]:
            try:
                failure = worker.execute(name, source, self._seconds)
            except WorkerGone as gone:
                self._fatal[name] = WorkerGone(gone.status, f"when the solution cell ran, {gone}")
                self._worker = None
                return False
            if failure:
                self.failures[name] = failure
        return True

    def __enter__(self) -> Sitting:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._worker:
            self._worker.close()
