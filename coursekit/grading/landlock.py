"""Landlock: reading from the libraries only, writing to one folder only, no TCP; where namespaces are refused.

It does not hide that a file exists, nor its size. Linux 6.2 (ABI 3) or newer: before, files could be truncated.
Source: Documentation/userspace-api/landlock.rst, linux/landlock.h.
"""

from __future__ import annotations

import os
import struct

from .environment import DEVICES
from .syscalls import syscall

MIN_ABI = 3
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _TRUNCATE = 1, 2, 4, 8, 1 << 14
_IOCTL_DEV = 1 << 15  # ABI 5
_SPECIAL = 1 << 6 | 1 << 9 | 1 << 10 | 1 << 11  # making character devices, sockets, pipes, block devices
_BIND_AND_CONNECT_TCP = 3  # ABI 4
_ABSTRACT_SOCKETS_AND_SIGNALS = 3  # ABI 6
_VERSION = 1
_PATH_BENEATH = 1


def abi() -> int:
    """The version of Landlock that this kernel offers; 0 if none."""
    try:
        return syscall("landlock_create_ruleset", None, 0, _VERSION)
    except OSError:
        return 0


def restrict(home: str, libraries: list[str]) -> None:
    """Locks this process, which has no_new_privs: it reads ``libraries`` and uses ``home``. Raises OSError."""
    version = abi()
    if version < MIN_ABI:
        raise OSError(f"Landlock has ABI {version} here; {MIN_ABI} is needed (Linux 6.2)")
    files = _IOCTL_DEV - 1 | (_IOCTL_DEV if version >= 5 else 0)  # all rights there are
    network = _BIND_AND_CONNECT_TCP if version >= 4 else 0
    scoped = _ABSTRACT_SOCKETS_AND_SIGNALS if version >= 6 else 0
    attributes = struct.pack("@QQQ", files, network, scoped)[: 24 if version >= 6 else 16 if version >= 4 else 8]
    rules = syscall("landlock_create_ruleset", attributes, len(attributes), 0)
    try:
        for path in libraries:
            _allow(rules, path, _READ_FILE | _READ_DIR)
        for path in DEVICES:
            _allow(rules, path, _READ_FILE | _WRITE_FILE)
        _allow(rules, home, files & ~_EXECUTE & ~_SPECIAL)
        syscall("landlock_restrict_self", rules, 0)
    finally:
        os.close(rules)


def _allow(rules: int, path: str, rights: int) -> None:
    beneath = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not os.path.isdir(path):
            rights &= _WRITE_FILE | _READ_FILE | _TRUNCATE
        syscall("landlock_add_rule", rules, _PATH_BENEATH, struct.pack("=Qi", rights, beneath), 0)
    finally:
        os.close(beneath)
