"""What keeps student code in: three tiers, found by trying. Where one cannot be set up, that is an error.

A ``Sandbox`` is at work in the warm process: it moves that process in, forks from it, and confines the child.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import tempfile
from enum import StrEnum

_PROBE_SECONDS = 30.0
_ROOM = "/student"  # where a student is in full; no place where libraries may lie, as they may below /tmp


class StartFailed(RuntimeError):
    """A process could not be started or limited: an error of the sandbox, never a mark."""


class Tier(StrEnum):
    """How far student code is kept away, the strongest first."""

    FULL = "full"
    LANDLOCK = "landlock"
    PROCESS = "process"

    @property
    def promises(self) -> str:
        """What holds in this tier, and what does not, in words."""
        return _PROMISES[self]


_PROMISES = {
    Tier.FULL: "Student code sees Python's libraries and an empty folder of its own, and nothing else: no file\n"
    "of yours, no other submission, no process, no network. It starts no program. Its time, memory, threads\n"
    "and disk are limited. What is left is a fault of the kernel itself.",
    Tier.LANDLOCK: "Student code reads Python's libraries and writes to a folder of its own: no file of yours,\n"
    "no network, no signal to any process, no program to start. Its time, memory and threads are limited. It\n"
    "may learn that a file exists and how large it is, and fill the disk, 16 MB a file, until its time is up.",
    Tier.PROCESS: "Student code runs in processes that hold no hidden case and no reference, with limits on\n"
    "time, memory and files. But it runs as your user: it could read your files, the seed and submissions among\n"
    "them, use the network, or stop this grader. Grade only notebooks that you would run yourself.",
}


class Sandbox:
    """One tier at work. Made by the warm process before it loads torch: full leaves the machine at once."""

    def __init__(self, tier: Tier, home: str) -> None:
        """``home`` is an empty folder of the machine for this warm process. Raises OSError."""
        self.tier, self._home = tier, home
        if tier is Tier.PROCESS:
            return
        from . import environment, limits, privileges

        self._libraries = environment.readable()
        self._user = privileges.student_of(os.getpid())
        if tier is Tier.FULL:
            from . import namespaces

            namespaces.move_in(home, self._libraries, _ROOM)
            os.environ["TMPDIR"] = _ROOM  # there is no other place to write to
        else:
            os.chmod(home, 0o711)  # for a student who is another user
        self._threads = limits.tasks(self._user) + limits.THREADS

    def folder(self) -> str:
        """An empty folder for the next student; in full the name of the one that ``confine`` makes."""
        return _ROOM if self.tier is Tier.FULL else tempfile.mkdtemp(dir=self._home)

    def clear(self, folder: str) -> None:
        """Removes a student's folder with all that is in it."""
        if self.tier is not Tier.FULL:  # there it is gone with its last process
            remove(folder)

    def leave(self) -> None:
        """Removes the folder of the warm process."""
        self.clear(self._home)

    def fork(self) -> int:
        """``os.fork``; in full the child is in a pid namespace of its own. Raises OSError."""
        if self.tier is not Tier.FULL:
            return os.fork()
        from . import namespaces

        return namespaces.fork()

    def confine(self, folder: str) -> None:
        """Locks this process, a fresh child, into its ``folder`` for good. Raises OSError."""
        from . import limits

        if self.tier is Tier.PROCESS:
            os.chdir(folder)
            limits.restrict()
            _end_with_parent()
            return
        from . import landlock, namespaces, privileges, seccomp

        if self.tier is Tier.FULL:
            namespaces.enter_room(self._user, folder)
        else:
            os.chown(folder, self._user, -1)
            os.chdir(folder)
        limits.restrict(self._threads)
        privileges.give_up(self._user)
        _end_with_parent()  # a change of user cancels it
        self._look_around()
        if self.tier is Tier.LANDLOCK:
            landlock.restrict(folder, self._libraries)
        seccomp.restrict()

    def _look_around(self) -> None:
        """Refuses a place where honest code would fail later: modules are imported when they are first used."""
        if closed := [path for path in [".", *self._libraries] if not os.access(path, os.R_OK)]:
            raise PermissionError(f"student code, as user {os.getuid()}, cannot read {', '.join(closed)}")


def remove(folder: str) -> None:
    """Removes a folder with all that is in it, if it is there; one nested thousands deep as well."""
    subprocess.run(["rm", "-rf", "--", folder], check=False)  # too deep for shutil.rmtree


def _end_with_parent() -> None:
    if sys.platform == "linux":
        from .syscalls import end_with_parent

        end_with_parent()


@functools.cache
def refusal(tier: Tier) -> str | None:
    """Why this machine does not offer ``tier``, found by trying it without torch; None if it does.

    Raises StartFailed if that could not be found out.
    """
    if not hasattr(os, "fork"):
        return "there is no fork on this system; on Windows, grade inside WSL 2"
    if tier is Tier.PROCESS:
        return None
    if sys.platform != "linux":
        return "it needs Linux"
    command = [sys.executable, "-I", "-B", "-m", __name__, tier]
    with tempfile.TemporaryDirectory(prefix="coursekit-") as home:
        try:
            run = subprocess.run([*command, home], capture_output=True, text=True, timeout=_PROBE_SECONDS)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise StartFailed(f"whether the tier {tier} holds could not be tried: {error}") from error
    return None if run.returncode == 0 else (run.stderr.strip().splitlines() or ["it ended without a word"])[-1]


def best_tier() -> Tier:
    """The strongest tier that this machine offers; tried once per process. Raises StartFailed."""
    return next((tier for tier in Tier if refusal(tier) is None), Tier.PROCESS)


def _try(tier: Tier, home: str) -> int:
    sandbox = Sandbox(tier, home)
    child = sandbox.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        sandbox.confine(sandbox.folder())
    except BaseException as error:
        os.write(2, f"{error}\n".encode())
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    sys.exit(_try(Tier(sys.argv[1]), sys.argv[2]))
