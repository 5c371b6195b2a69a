"""The grader's handle on a warm process: start it, have it fork a student's process, have it bury that one."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from types import TracebackType

from .text import clean
from .zygote import END, EXIT_CODE, FORK, READY

START_SECONDS = 90.0  # importing torch takes one, on a loaded machine many
REPLY_SECONDS = 20.0
_ENVIRONMENT = {"PATH": os.defpath, "LANG": "C.UTF-8", "MPLBACKEND": "agg"} | {
    f"{library}_NUM_THREADS": "1" for library in ("OMP", "MKL", "OPENBLAS")
}


class StartFailed(RuntimeError):
    """A process could not be started or limited: an error of the sandbox, never a mark."""


class Warm:
    """One warm process for one submission at a time; started when first needed, and anew after it was lost."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._home = ""

    def fork(self, theirs: socket.socket) -> None:
        """Forks a student's process, in an empty folder, that talks through ``theirs``. Raises StartFailed."""
        for _ in range(2):  # an earlier student may have killed the warm process: then a new one is started
            control = self._control or self._start()
            try:
                socket.send_fds(control, [FORK], [theirs.fileno()])
                if control.recv(len(READY)) == READY:
                    return
            except OSError:
                pass
            self.close()
        raise StartFailed("the warm process ended when it was to start a student's process")

    def end(self) -> int | None:
        """Kills the student's process and its descendants; returns its exit code, None if that is not known."""
        if self._control is None:
            return None
        try:
            self._control.sendall(END)
            (code,) = EXIT_CODE.unpack(self._control.recv(EXIT_CODE.size))
        except (OSError, struct.error):
            self.close()
            return None
        return int(code)

    def close(self) -> None:
        """Ends the warm process, and its student process with it."""
        if self._control:
            self._control.close()
        if self._process:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(2)  # it buries its child when the control socket closes
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        if self._home:  # still there if the warm process was killed
            subprocess.run(["rm", "-rf", "--", self._home], check=False)
        self._process, self._control, self._home = None, None, ""

    def _start(self) -> socket.socket:
        self._home = tempfile.mkdtemp(prefix="coursekit-")
        self._control, theirs = socket.socketpair()
        self._control.settimeout(START_SECONDS)
        with theirs, tempfile.TemporaryFile() as errors:
            try:
                self._process = subprocess.Popen(
                    [
                        sys.executable,
                        "-I",
                        "-B",
                        "-m",
                        "coursekit.grading.zygote",
                        str(theirs.fileno()),
                        self._home,
                    ],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=errors,
                    pass_fds=(theirs.fileno(),),
                    cwd=self._home,
                    env=_ENVIRONMENT,
                    start_new_session=True,
                )
                theirs.close()
                if self._control.recv(len(READY)) != READY:
                    raise EOFError("it ended")
            except (OSError, EOFError) as error:
                errors.seek(0)
                report = errors.read()[-400:].decode("utf-8", "replace")
                self.close()
                raise StartFailed(clean(f"the warm process did not start: {error}. {report}")) from error
        self._control.settimeout(REPLY_SECONDS)
        return self._control

    def __enter__(self) -> Warm:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
