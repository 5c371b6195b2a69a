"""The filter of system calls, run by an interpreter of BPF for every number, on both machines that it knows.

The oracle is the kernel's own list of numbers; that the running kernel agrees is seen in ``test_sandbox``.
"""

from __future__ import annotations

import errno
import re
from pathlib import Path

import pytest

from coursekit.grading import seccomp, syscalls

HEADERS = {
    "x86_64": (Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"), 0xC000003E),
    "aarch64": (Path("/usr/include/asm-generic/unistd.h"), 0xC00000B7),
}
FORBIDDEN = """
    fork vfork clone3 execve execveat kill tkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_open pidfd_send_signal
    pidfd_getfd ptrace process_vm_readv process_vm_writev process_madvise process_mrelease kcmp socket socketpair
    connect bind listen accept accept4 sendmsg recvmsg mount umount2 pivot_root chroot unshare setns mount_setattr
    move_mount open_tree fsopen bpf perf_event_open userfaultfd io_uring_setup io_uring_enter keyctl add_key
    request_key init_module finit_module kexec_load reboot swapon acct quotactl setuid setresuid setgroups capset
    personality memfd_create shmget msgget semget mq_open setpriority sched_setscheduler sched_setaffinity
    ioprio_set migrate_pages chmod fchmod fchmodat fchmodat2 chown fchownat setxattr utimensat mknod mknodat
    inotify_init1 fanotify_init name_to_handle_at open_by_handle_at settimeofday clock_settime adjtimex sync
    seccomp sethostname setpgid setsid landlock_create_ruleset
"""
ALLOW, KILL, EPERM, ENOSYS = 0x7FFF0000, 0x80000000, 0x50000 | errno.EPERM, 0x50000 | errno.ENOSYS
PID = 1234


def numbers(machine: str) -> dict[str, int]:
    """The kernel's list of calls."""
    header = HEADERS[machine][0]
    if not header.is_file():
        pytest.skip(f"no {header} (linux-libc-dev) to compare with")
    return {name: int(n) for name, n in re.findall(r"#define __NR(?:3264)?_(\w+) (\d+)", header.read_text())}


def verdict(machine: str, number: int, *arguments: int, audit: int | None = None) -> int:
    """What the filter returns for a call."""
    padded = [*arguments, *[0] * 6][:6]
    words = {0: number, 4: HEADERS[machine][1] if audit is None else audit}
    words |= {16 + 8 * i: value & 0xFFFFFFFF for i, value in enumerate(padded)}
    code, at, held = seccomp.program(machine, PID), 0, 0
    while True:
        operation, yes, no, k = code[at]
        at += 1
        if operation == 0x06:  # return
            return k
        if operation == 0x20:  # load a word
            held = words[k]
        elif operation == 0x54:  # and
            held &= k
        else:
            at += yes if {0x15: held == k, 0x35: held >= k}[operation] else no


@pytest.mark.parametrize("machine", HEADERS)
def test_numbers_are_the_kernels(machine: str) -> None:
    theirs = numbers(machine)
    for name, number in syscalls.needed(machine).items():
        assert theirs["fstatat" if name == "newfstatat" and machine == "aarch64" else name] == number, name


@pytest.mark.parametrize("machine", HEADERS)
def test_what_is_not_needed_is_refused(machine: str) -> None:
    theirs = numbers(machine)
    needed = set(syscalls.needed(machine).values())
    forbidden = {theirs[name] for name in FORBIDDEN.split() if name in theirs}
    assert len(forbidden) > 75
    assert not needed & forbidden
    for number in range(1000):
        allowed = verdict(machine, number) == ALLOW
        assert not allowed or number in needed
        if number not in needed:
            assert verdict(machine, number) == (EPERM if number < 424 else ENOSYS)
    assert verdict(machine, theirs["read"]) == ALLOW
    assert verdict(machine, theirs["clone3"]) == ENOSYS  # the C library then falls back to clone
    assert verdict(machine, theirs["read"], audit=0x40000003) == KILL  # 32-bit calls have other numbers
    assert verdict(machine, theirs["read"] | 0x40000000) != ALLOW  # those of x32


CALLS: list[tuple[str, tuple[int, ...], bool]] = [
    ("clone", (0x3D0F00,), True),  # pthread_create
    ("clone", (0x1200011,), False),  # fork
    ("clone", (0x3D0F00 | 0x10000000,), False),  # with a user namespace
    ("tgkill", (PID, PID + 1, 6), True),
    ("tgkill", (PID + 1, PID + 1, 6), False),
    ("prlimit64", (0, 7), True),
    ("prlimit64", (PID + 1, 7), False),
    ("fcntl", (3, 4, 0x800), True),  # F_SETFL
    ("fcntl", (3, 8, 1), False),  # F_SETOWN
    ("fcntl", (3, 10, 9), False),  # F_SETSIG
    ("fcntl", (3, 15), False),  # F_SETOWN_EX
    ("fcntl", (3, 1024), False),  # F_SETLEASE
    ("ioctl", (3, 0x5421), True),  # FIONBIO
    ("ioctl", (0, 0x5412), False),  # TIOCSTI
    ("ioctl", (3, 0x8901), False),  # FIOSETOWN
    ("prctl", (15,), True),  # PR_SET_NAME
    ("prctl", (1, 0), False),  # PR_SET_PDEATHSIG
    ("prctl", (4, 1), False),  # PR_SET_DUMPABLE
]


@pytest.mark.parametrize(("name", "arguments", "allowed"), CALLS)
@pytest.mark.parametrize("machine", HEADERS)
def test_arguments_decide(machine: str, name: str, arguments: tuple[int, ...], allowed: bool) -> None:
    assert verdict(machine, syscalls.needed(machine)[name], *arguments) == (ALLOW if allowed else EPERM)
