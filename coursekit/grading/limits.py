"""What a student's process may use: time, memory, files, threads."""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path

MEMORY = 2 * 2**30  # bytes of address space beyond what the start has taken
THREADS = 256  # beyond what the user has running when the warm process starts
LIMITS = {
    resource.RLIMIT_CPU: 120,  # seconds for all items together: ends a process that outlives its grader
    resource.RLIMIT_FSIZE: 16 * 2**20,
    resource.RLIMIT_NOFILE: 64,
    resource.RLIMIT_CORE: 0,
}


def restrict(threads: int | None = None) -> None:
    """Sets the limits of this process for good; ``threads`` are those of its user together."""
    for kind, limit in LIMITS.items():
        _set(kind, limit)
    if sys.platform == "linux":
        taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        _set(resource.RLIMIT_AS, taken + MEMORY)
        for kind in (resource.RLIMIT_MEMLOCK, resource.RLIMIT_MSGQUEUE):
            _set(kind, 0)
    if threads is not None:
        _set(resource.RLIMIT_NPROC, threads)


def tasks(user: int) -> int:
    """How many threads of ``user`` can be seen to run."""
    found = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.stat().st_uid == user:
                found += len(os.listdir(process / "task"))
        except OSError:  # it has just ended, or hides
            continue
    return found


def _set(kind: int, limit: int) -> None:
    _, hard = resource.getrlimit(kind)
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(kind, (limit, limit))
