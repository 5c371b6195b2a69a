"""More than one machine: the same grading of a submission on the workers of a Dask cluster.

Scheduler and workers are trusted: they hold the hidden cases, and Dask runs whatever it is sent. Neither may be
reachable by students; beyond one machine use TLS (``tls://``) or a network of its own. The assignment travels as
its sources, a submission as the text of its solution cells, marks come back: no object of a student's is pickled.
"""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from distributed import Client, WorkerPlugin, get_worker

from .crew import Crew, Desk, allowed_tier
from .exam import Exam, prepare
from .exercise import load
from .gradebook import Mark
from .submission import Submission

CONNECT_SECONDS = 20
AT_LEAST = 64  # submissions on their way, so that workers that join later find work


@dataclass(frozen=True)
class Paper:
    """What a worker makes its exam of: the files of the assignment's folder, the secret seed, the cohort."""

    assignment: str
    files: dict[str, bytes]
    seed: bytes
    cohort: bytes

    @classmethod
    def of(cls, folder: Path, seed: bytes, cohort: bytes) -> Paper:
        """The paper of the assignment in ``folder``."""
        files = {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in (".md", ".py")}
        return cls(folder.name, files, seed, cohort)

    def exam(self) -> Exam:
        """The same exam as that of the machine that sent this; the hidden cases are answered anew."""
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / self.assignment
            folder.mkdir()
            for name, content in self.files.items():
                (folder / name).write_bytes(content)
            return prepare(load(folder, self.cohort), self.seed)


class Examiner(WorkerPlugin):
    """On each worker: the exam and warm processes, both made when first needed, ended with the grading."""

    def __init__(self, paper: Paper, allow_process: bool) -> None:
        self._paper, self._allow_process = paper, allow_process

    def setup(self, worker: Any) -> None:
        self._lock = Lock()
        self._desk: Desk | None = None

    def grade(self, submission: Submission, version: str) -> list[Mark]:
        """Marks a submission. Raises ValueError on a worker that has no sandbox or makes another exam."""
        with self._lock:
            desk = self._desk = self._desk or Desk(self._paper.exam(), allowed_tier(self._allow_process))
        if desk.exam.version != version:
            raise ValueError(f"this worker makes version {desk.exam.version} of the exam, not {version}")
        return desk.grade(submission)

    async def teardown(self, worker: Any) -> None:
        if self._desk:
            await asyncio.to_thread(self._desk.close)


@contextmanager
def cluster(address: str, exam: Exam, paper: Paper, allow_process: bool = False) -> Iterator[Crew]:
    """The workers of the Dask scheduler at ``address``; a submission whose worker is lost goes to another one.

    Raises OSError if there is no scheduler or it has no workers. Leaving it drops what is under way.
    """
    name = f"coursekit-{secrets.token_hex(4)}"
    with Client(address, timeout=CONNECT_SECONDS, set_as_default=False) as client:
        try:
            client.wait_for_workers(1, timeout=CONNECT_SECONDS)
        except TimeoutError:
            raise OSError(f"the scheduler at {address} has no workers") from None
        client.register_plugin(Examiner(paper, allow_process), name=name)
        pool = client.get_executor(pure=False)
        try:
            at_once = max(AT_LEAST, 2 * sum(client.nthreads().values()))
            yield Crew(lambda submission: pool.submit(_examine, name, submission, exam.version), at_once)
        finally:
            pool.shutdown(wait=False)
            client.unregister_worker_plugin(name)


def _examine(examiner: str, submission: Submission, version: str) -> list[Mark]:
    plugin = get_worker().plugins[examiner]
    assert isinstance(plugin, Examiner)
    return plugin.grade(submission, version)
