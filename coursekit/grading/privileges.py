"""Giving up privileges for good: another user where the grader is root, no capability, none to be had again."""

from __future__ import annotations

import os
import struct
from pathlib import Path

from .syscalls import prctl, syscall

_NOBODY = 65534
_STUDENTS = 0x70000000  # user ids that neither systemd nor containers hand out; one for every warm process
_CAPABILITY_V3 = 0x20080522
_PR_SET_NO_NEW_PRIVS = 38


def student_of(warm: int) -> int:
    """The user who runs student code: the grader itself, or for root one of the warm process ``warm`` alone."""
    if os.geteuid():
        return os.geteuid()
    own = _STUDENTS + warm
    for line in Path("/proc/self/uid_map").read_text().splitlines():
        first, _, count = map(int, line.split())
        if first <= own < first + count:
            return own
    return _NOBODY  # a container that knows few users


def give_up(user: int) -> None:
    """Makes this process ``user``'s, without capabilities and with no_new_privs. Raises OSError."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    syscall("capset", struct.pack("@Ii", _CAPABILITY_V3, 0), bytes(24))
    prctl(_PR_SET_NO_NEW_PRIVS, 1)
