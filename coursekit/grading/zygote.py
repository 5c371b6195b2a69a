"""The warm process: started with ``python -I``, imports torch once, then forks one student process at a time.

It knows no exercise, no submission and no gradebook, runs no student code itself, and buries what a student's
process leaves behind: as their subreaper it inherits every orphan and kills it before the next one starts.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import site
import socket
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

from . import check, worker

EXIT_CODE = struct.Struct("<i")
READY, FORK, END = b"ready", b"fork", b"end"
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


def main(fd: int, home: str) -> None:
    """Gets ready to fork without a surprise, serves until the grader is gone, and clears ``home`` away."""
    control = socket.socket(fileno=fd)
    torch.set_num_threads(1)  # a thread pool does not survive the fork
    torch.ones(1, requires_grad=True).sum().backward()  # what is loaded at first use is loaded here, once for all
    check.public.known()
    _hide_source_tree()
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    with contextlib.suppress(OSError):  # a grader that was killed may leave the socket in any state
        control.sendall(READY)
        while _serve(control, home):
            pass
    _remove(home)


def _serve(control: socket.socket, home: str) -> bool:
    """One student: FORK (with a socket, answered READY), then END (answered by an exit code)."""
    message, fds, *_ = socket.recv_fds(control, len(FORK), 1)
    if message != FORK:
        return False
    folder = tempfile.mkdtemp(dir=home)
    child = os.fork()
    if child == 0:
        control.close()
        _become_student(fds[0], folder)
    os.close(fds[0])
    message = b""
    try:
        control.sendall(READY)
        message = control.recv(len(END))
    finally:
        code = _bury(child)
        _remove(folder)
    control.sendall(EXIT_CODE.pack(code))
    return message == END


def _become_student(fd: int, folder: str) -> None:
    try:
        os.setsid()
        os.chdir(folder)
        os.environ.update(HOME=folder, TMPDIR=folder)
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
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


def _remove(folder: str) -> None:
    subprocess.run(
        ["rm", "-rf", "--", folder], check=False
    )  # folders nested thousands deep are too much for rmtree


def _children() -> list[int]:
    path = Path(f"/proc/self/task/{os.getpid()}/children")
    return [int(pid) for pid in path.read_text().split()] if path.exists() else []


def _hide_source_tree() -> None:
    """Takes the repository off the import path where coursekit runs from it; exercises/ lies there."""
    root = str(Path(__file__).parents[2])
    if root not in site.getsitepackages():
        sys.path[:] = [entry for entry in sys.path if entry != root]


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
