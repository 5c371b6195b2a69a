"""Namespaces: the warm process moves into a place with libraries only; every student gets a room of its own there.

``move_in`` is called once and before torch is loaded: what cannot be read there fails at the start and not in the
middle of somebody's answer. Linux 5.12 or newer.
"""

from __future__ import annotations

import contextlib
import os
import struct
from pathlib import Path

from .environment import DEVICES
from .syscalls import call, end_with_parent, syscall

DISK, FILES = "32m", 2048  # of a student's files together, and how many
_NEWNS, _NEWUTS, _NEWIPC, _NEWUSER = 0x20000, 0x4000000, 0x8000000, 0x10000000
_NEWPID, _NEWNET = 0x20000000, 0x40000000
_RDONLY, _NOSUID, _NODEV, _NOEXEC = 1, 2, 4, 8  # the same for mount(2) and mount_setattr(2)
_BIND, _RECURSIVE, _PRIVATE = 4096, 16384, 1 << 18
_DETACH = 2
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
_HOST = b"sandbox"


def move_in(place: str, libraries: list[str], room: str) -> None:
    """Leaves the machine: this process goes on as the first of its own, with a root of its own in ``place``.

    In that root are the ``libraries``, to be read, and an empty folder ``room``.

    The process that was started stays behind, waits, and ends with the same exit code. Raises OSError.
    """
    user, group = os.geteuid(), os.getegid()
    _unshare(_NEWPID | (_NEWUSER if user else 0))
    if user:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    if child := os.fork():
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        with contextlib.suppress(OSError):
            os.rmdir(place)  # a grader that was killed leaves it behind
        os._exit(code if code >= 0 else 128 - code)
    end_with_parent()
    _unshare(_NEWNS | _NEWIPC | _NEWNET | _NEWUTS)
    call("sethostname", "sethostname", _HOST, len(_HOST))
    _new_root(place, libraries, room)


def fork() -> int:
    """``os.fork`` whose child is the first process of a pid namespace: when it ends, all that it left ends."""
    mine = os.open("/proc/self/ns/pid", os.O_RDONLY)
    _unshare(_NEWPID)
    if child := os.fork():
        call("setns", "setns", mine, _NEWPID)  # so that the next one can be made
        os.close(mine)
    return child


def enter_room(user: int, room: str) -> None:
    """The child of ``fork`` gets its own processes, network, mounts and empty folder to see. Raises OSError."""
    _unshare(_NEWNS | _NEWIPC | _NEWNET | _NEWUTS)
    _mount("proc", "/proc", "proc", _NOSUID | _NODEV | _NOEXEC, "subset=pid")  # nothing about the machine
    _empty_folder(room, user)
    os.chdir(room)


def _new_root(root: str, libraries: list[str], room: str) -> None:
    _mount(None, "/", None, _RECURSIVE | _PRIVATE)
    _mount("tmpfs", root, "tmpfs", _NOSUID | _NODEV, "size=1m,mode=755")
    for path in (*libraries, *DEVICES):
        target = Path(root + path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.mkdir() if Path(path).is_dir() else target.touch()
        _mount(path, str(target), None, _BIND | _RECURSIVE)
        _protect(str(target), _RDONLY | _NOSUID | (0 if path in DEVICES else _NODEV), _AT_RECURSIVE)
    for name in ("/proc", room):
        Path(root + name).mkdir()
    _mount("proc", root + "/proc", "proc", _NOSUID | _NODEV | _NOEXEC)
    os.chdir(root)
    syscall("pivot_root", b".", b".")  # the old root comes to lie above the new one, and is taken off
    call("umount2", "umount of the old root", b".", _DETACH)
    os.chdir("/")
    _protect("/", _RDONLY | _NOSUID | _NODEV)
    _empty_folder(room, os.geteuid())


def _empty_folder(room: str, user: int) -> None:
    options = f"size={DISK},nr_inodes={FILES},mode=700,uid={user}"
    _mount("tmpfs", room, "tmpfs", _NOSUID | _NODEV | _NOEXEC, options)


def _unshare(flags: int) -> None:
    call("unshare", "unshare", flags)


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    words = [word if word is None else os.fsencode(word) for word in (source, target, kind, options)]
    call("mount", f"mount {target}", *words[:3], flags, words[3])


def _protect(target: str, attributes: int, flags: int = 0) -> None:
    wanted = struct.pack(
        "@QQQQ", attributes, 0, 0, 0
    )  # struct mount_attr: set, clear, propagation, user namespace
    syscall("mount_setattr", _AT_FDCWD, os.fsencode(target), flags, wanted, len(wanted))
