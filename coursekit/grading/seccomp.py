"""The filter of system calls: an allow-list as a BPF program, so that what nobody thought of is refused too.

Source: Documentation/userspace-api/seccomp_filter.rst, linux/seccomp.h, linux/filter.h, linux/audit.h.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct

from . import syscalls

_LOAD, _AND, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x06  # 32-bit words of struct seccomp_data
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_NUMBER, _MACHINE, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
_AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_FIRST_SHARED = 424  # calls from here on are new: libraries try them, and ENOSYS makes them fall back
_CLONE_THREAD, _CLONE_NEW = 0x10000, 0x7E020000
_PR_SET_SECCOMP, _MODE_FILTER = 22, 2

# Calls whose argument decides: its place, a mask, the values that are allowed. Refused that way, among others:
# signals to others by F_SETOWN, limits of other processes by prlimit64, processes of one's own by clone.
_WITH_ARGUMENT: dict[str, tuple[int, int, tuple[int, ...]]] = {
    "clone": (0, _CLONE_THREAD | _CLONE_NEW, (_CLONE_THREAD,)),
    # TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX, TCGETS2
    "ioctl": (1, 0xFFFFFFFF, (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451, 0x802C542A)),
    # F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, locks, F_DUPFD_CLOEXEC, F_GETPIPE_SZ
    "fcntl": (1, 0xFFFFFFFF, (0, 1, 2, 3, 4, 5, 6, 7, 36, 37, 38, 1030, 1032)),
    # PR_GET_DUMPABLE, PR_SET_NAME, PR_GET_NAME, PR_GET_SECCOMP, PR_CAPBSET_READ, PR_GET_NO_NEW_PRIVS, PR_SET_VMA
    "prctl": (0, 0xFFFFFFFF, (3, 15, 16, 21, 23, 39, 0x53564D41)),
    "prlimit64": (0, 0xFFFFFFFF, (0,)),
}

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, k


def program(machine: str, pid: int) -> list[Instruction]:
    """The filter of process ``pid``: what is needed is allowed, older calls give EPERM, newer ones ENOSYS."""
    decided = _WITH_ARGUMENT | {"tgkill": (0, 0xFFFFFFFF, (pid,))}  # abort() and raise() signal oneself
    code = [(_LOAD, 0, 0, _MACHINE), (_EQUAL, 1, 0, _AUDIT[machine]), (_RETURN, 0, 0, _KILL)]
    code.append((_LOAD, 0, 0, _NUMBER))
    for name, number in syscalls.needed(machine).items():
        body = _argument(*decided[name]) if name in decided else [(_RETURN, 0, 0, _ALLOW)]
        code += [(_EQUAL, 0, len(body), number), *body]
    code += [(_AT_LEAST, 0, 1, _FIRST_SHARED), (_RETURN, 0, 0, _ERRNO | errno.ENOSYS)]
    return [*code, (_RETURN, 0, 0, _ERRNO | errno.EPERM)]


def _argument(place: int, mask: int, values: tuple[int, ...]) -> list[Instruction]:
    """Allows if the low word of an argument, masked, is one of ``values``; these arguments are 32 bits wide."""
    tests = [(_EQUAL, len(values) - i, 0, value) for i, value in enumerate(values)]
    head = [(_LOAD, 0, 0, _ARGUMENTS + 8 * place), (_AND, 0, 0, mask)]
    return [*head, *tests, (_RETURN, 0, 0, _ERRNO | errno.EPERM), (_RETURN, 0, 0, _ALLOW)]


def restrict() -> None:
    """Puts this process, which has no_new_privs, under the filter for good. Raises OSError."""
    machine = platform.machine()
    if machine not in _AUDIT:
        raise OSError(f"the filter of system calls knows {' and '.join(_AUDIT)}, this is {machine}")
    code = program(machine, os.getpid())
    filters = b"".join(struct.pack("<HBBI", *instruction) for instruction in code)
    buffer = ctypes.create_string_buffer(filters)
    header = struct.pack("@HP", len(code), ctypes.addressof(buffer))
    syscalls.prctl(_PR_SET_SECCOMP, _MODE_FILTER, header)
