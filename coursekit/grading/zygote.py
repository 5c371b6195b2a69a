"""The warm process: started with ``python -I``, imports torch once, then forks one student process at a time.

It knows no exercise, no submission and no gradebook, runs no student code itself, and buries what a student's
process leaves behind: as their subreaper it inherits every orphan and kills it before the next one starts.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import site
import socket
import struct
import sys
import tempfile
from pathlib import Path

from .sandbox import Sandbox, Tier

EXIT_CODE = struct.Struct("<i")
READY, FORK, END = b"ready", b"fork", b"end"
_PR_SET_CHILD_SUBREAPER = 36


def main(fd: int, home: str, tier: Tier) -> None:
    """Moves into the sandbox, gets ready to fork without a surprise, and serves until the grader is gone."""
    control = socket.socket(fileno=fd)
    sandbox = Sandbox(tier, home)
    _hide_source_tree()
    _warm_up()
    if sys.platform == "linux":
        from .syscalls import prctl

        prctl(_PR_SET_CHILD_SUBREAPER, 1)
    with contextlib.suppress(OSError):  # a grader that was killed may leave the socket in any state
        control.sendall(READY)
        while _serve(control, sandbox):
            pass
    sandbox.leave()


def _warm_up() -> None:
    """Loads here, once for all, what each student's process would load: optimizers alone take a second."""
    import torch

    import coursekit.data  # noqa: F401

    from . import check, worker  # noqa: F401

    torch.set_num_threads(1)  # a thread pool does not survive the fork
    w = torch.ones(2, requires_grad=True)
    optimizer = torch.optim.Adam([w])
    torch.func.vmap(torch.func.grad(torch.sum))(w.detach()[:, None])
    torch.nn.functional.relu(w).sum().backward()
    optimizer.step()
    repr(w)
    check.public.at_hand()
    gc.collect()
    gc.freeze()  # pages that a collection would write to stay shared


def _serve(control: socket.socket, sandbox: Sandbox) -> bool:
    """One student: FORK (with a socket, answered READY), then END (answered by an exit code)."""
    message, fds, *_ = socket.recv_fds(control, len(FORK), 1)
    if message != FORK:
        return False
    folder = sandbox.folder()
    child = sandbox.fork()
    if child == 0:
        control.close()
        _become_student(fds[0], folder, sandbox)
    os.close(fds[0])
    message = b""
    try:
        control.sendall(READY)
        message = control.recv(len(END))
    finally:
        code = _bury(child)
        sandbox.clear(folder)
    control.sendall(EXIT_CODE.pack(code))
    return message == END


def _become_student(fd: int, folder: str, sandbox: Sandbox) -> None:
    from . import worker

    try:
        os.setsid()
        os.closerange(3, fd)
        os.closerange(fd + 1, os.sysconf("SC_OPEN_MAX"))
        os.environ.update(HOME=folder, TMPDIR=folder)
        tempfile.tempdir = None  # torch has asked for it, and so it was remembered
        try:
            sandbox.confine(folder)
        except OSError as error:
            worker.refuse(fd, str(error))
        else:
            worker.main(fd)
    finally:
        os._exit(97)  # never back into the loop above, whatever happened


def _bury(child: int) -> int:
    """Kills the student's process and all that descends from it; returns its exit code."""
    with contextlib.suppress(ProcessLookupError):  # it may not have become a group of its own yet
        os.killpg(child, signal.SIGKILL)
    os.kill(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    while orphans := _children():
        for orphan in orphans:
            os.kill(orphan, signal.SIGKILL)
            os.waitpid(orphan, 0)
    return code


def _children() -> list[int]:
    path = Path(f"/proc/self/task/{os.getpid()}/children")
    return [int(pid) for pid in path.read_text().split()] if path.exists() else []


def _hide_source_tree() -> None:
    """Takes the repository off the import path where coursekit runs from it; exercises/ lies there."""
    root = str(Path(__file__).parents[2])
    if root not in site.getsitepackages():
        sys.path[:] = [entry for entry in sys.path if entry != root]


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], Tier(sys.argv[3]))
