"""Runs Python as another user, in a view of the machine in which that user can read Python and the course.

Where these lie in a folder that is closed to others (pyenv in /root), that folder is covered in a mount namespace
and they are put back. Needs root, and util-linux.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

NOBODY = 65534
COURSE = Path(__file__).parents[2]
NEEDED = (Path(sys.base_prefix), Path(sys.prefix), COURSE)


def run(user: int, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """``python *arguments`` as ``user``; root stays root, in the same view."""
    closed = {p for path in NEEDED for p in [q for q in path.parents if not q.stat().st_mode & 1][-1:]}
    behind = {fd: path for fd, path in enumerate(NEEDED, start=7) if closed & set(path.parents)}
    lines = [
        *(f"exec {fd}<{shlex.quote(str(path))}" for fd, path in behind.items()),
        *(f"mount -t tmpfs -o mode=755 none {shlex.quote(str(folder))}" for folder in closed),
        *(f"mkdir -p {shlex.quote(str(path))}" for path in behind.values()),
        *(f"mount -c --bind /proc/self/fd/{fd} {shlex.quote(str(path))}" for fd, path in behind.items()),
        f"cd {shlex.quote(str(COURSE))}",
    ]
    who = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if user else []
    lines.append(f"exec {shlex.join([*who, sys.executable, *arguments])} 7<&- 8<&- 9<&-")
    command = ["unshare", "--mount", "sh", "-ec", "\n".join(lines)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)
