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

from .sandbox import StartFailed, Tier, best_tier, refusal, remove
from .text import clean
from .zygote import END, EXIT_CODE, FORK, READY

START_SECONDS = 90.0  # importing torch takes one, on a loaded machine many
REPLY_SECONDS = 20.0
_ENVIRONMENT = {"PATH": os.defpath, "LANG": "C.UTF-8", "USER": "student", "MPLBACKEND": "agg"} | {
    f"{library}_NUM_THREADS": "1" for library in ("OMP", "MKL", "OPENBLAS")
}


class Warm:
    """One warm process for one submission at a time; started when first needed, and anew after it was lost.

    ``tier`` says how far student code is kept away; without it, as far as this machine can.
    """

    def __init__(self, tier: Tier | None = None) -> None:
        self.tier = best_tier() if tier is None else tier
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._home = ""
        self._over = False

    def fork(self, theirs: socket.socket) -> None:
        """Forks a student's process, in an empty folder, that talks through ``theirs``. Raises StartFailed."""
        if self._over:  # another thread has left the context, because the grading was stopped
            raise StartFailed("the grading was stopped")
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
        process, control, home = self._process, self._control, self._home
        self._process, self._control, self._home = None, None, ""  # first: two threads may close
        if control:
            control.close()
        if process:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(2)  # it buries its child when the control socket closes
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if home:  # still there if the warm process was killed
            remove(home)

    def _start(self) -> socket.socket:
        if reason := refusal(self.tier):
            raise StartFailed(clean(f"the tier {self.tier} is not to be had here: {reason}"))
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
                        self.tier,
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
                said = errors.read().decode("utf-8", "replace").strip().splitlines()
                self.close()
                reason = said[-1] if said else str(error)
                raise StartFailed(clean(f"the warm process did not start: {reason}")) from error
        self._control.settimeout(REPLY_SECONDS)
        return self._control

    def __enter__(self) -> Warm:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over = True
        self.close()
