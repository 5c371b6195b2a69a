"""System calls by number, for x86_64 and aarch64: what Python and torch need, and the sandbox itself.

Source: asm/unistd_64.h and asm-generic/unistd.h of Linux 6.1; from 424 on, all architectures share the numbers.
"""

from __future__ import annotations

import ctypes
import os
import platform

# name, number on x86_64, number on aarch64 ("-": it has no such call)
_NEEDED = """
read 0 63  write 1 64  close 3 57  fstat 5 80  lseek 8 62  pread64 17 67  pwrite64 18 68  readv 19 65
writev 20 66  preadv 295 69  pwritev 296 70  preadv2 327 286  pwritev2 328 287  sendfile 40 71
copy_file_range 326 285  open 2 -  openat 257 56  openat2 437 437  creat 85 -  close_range 436 436  stat 4 -
lstat 6 -  newfstatat 262 79  statx 332 291  access 21 -  faccessat 269 48  faccessat2 439 439  readlink 89 -
readlinkat 267 78  getdents 78 -  getdents64 217 61  getcwd 79 17  chdir 80 49  fchdir 81 50  statfs 137 43
fstatfs 138 44  umask 95 166  mkdir 83 -  mkdirat 258 34  rmdir 84 -  unlink 87 -  unlinkat 263 35  rename 82 -
renameat 264 38  renameat2 316 276  link 86 -  linkat 265 37  symlink 88 -  symlinkat 266 36  truncate 76 45
ftruncate 77 46  fallocate 285 47  fsync 74 82  fdatasync 75 83  fadvise64 221 223  flock 73 32
mmap 9 222  mprotect 10 226  munmap 11 215  brk 12 214  mremap 25 216  msync 26 227  mincore 27 232
madvise 28 233
dup 32 23  dup2 33 -  dup3 292 24  pipe 22 -  pipe2 293 59  poll 7 -  ppoll 271 73  select 23 -  pselect6 270 72
eventfd 284 -  eventfd2 290 19  epoll_create 213 -  epoll_create1 291 20  epoll_ctl 233 21  epoll_wait 232 -
epoll_pwait 281 22  epoll_pwait2 441 441  sendto 44 206  recvfrom 45 207  shutdown 48 210  getsockname 51 204
getpeername 52 205  getsockopt 55 209  setsockopt 54 208
rt_sigaction 13 134  rt_sigprocmask 14 135  rt_sigreturn 15 139  rt_sigpending 127 136  rt_sigtimedwait 128 137
rt_sigsuspend 130 133  sigaltstack 131 132  pause 34 -  alarm 37 -  getitimer 36 102  setitimer 38 103
timer_create 222 107  timer_settime 223 110  timer_gettime 224 108  timer_getoverrun 225 109  timer_delete 226 111
restart_syscall 219 128  nanosleep 35 101  clock_nanosleep 230 115  clock_gettime 228 113  clock_getres 229 114
gettimeofday 96 169  time 201 -  times 100 153
futex 202 98  futex_waitv 449 449  set_tid_address 218 96  set_robust_list 273 99  rseq 334 293
membarrier 324 283  sched_yield 24 124  sched_getaffinity 204 123  sched_getscheduler 145 120
sched_getparam 143 121  sched_get_priority_max 146 125  sched_get_priority_min 147 126  getcpu 309 168
arch_prctl 158 -  exit 60 93  exit_group 231 94  wait4 61 260  waitid 247 95  getpid 39 172  gettid 186 178
getppid 110 173  getuid 102 174  geteuid 107 175  getgid 104 176  getegid 108 177  getgroups 115 158
getresuid 118 148  getresgid 120 150  getpgrp 111 -  getpgid 121 155  getsid 124 156  capget 125 90
getpriority 140 141  getrlimit 97 163  setrlimit 160 164  getrusage 98 165  sysinfo 99 179  uname 63 160
getrandom 318 278
clone 56 220  ioctl 16 29  fcntl 72 25  prctl 157 167  prlimit64 302 261  tgkill 234 131
"""
_OURS = """
pivot_root 155 41  mount_setattr 442 442  capset 126 91  landlock_create_ruleset 444 444
landlock_add_rule 445 445  landlock_restrict_self 446 446
"""
MACHINES = ("x86_64", "aarch64")
_PR_SET_PDEATHSIG, _SIGKILL = 1, 9


def _table(text: str, machine: str) -> dict[str, int]:
    words = text.split()
    numbers = words[1 + MACHINES.index(machine) :: 3]
    return {name: int(number) for name, number in zip(words[::3], numbers, strict=True) if number != "-"}


def needed(machine: str) -> dict[str, int]:
    """What a student's process may call, some of it with certain arguments only, with its numbers."""
    return _table(_NEEDED, machine)


def syscall(name: str, *arguments: int | bytes | None) -> int:
    """Makes one of the sandbox's own calls, which the C library does not wrap. Raises OSError."""
    if platform.machine() not in MACHINES:
        raise OSError(f"the sandbox knows {' and '.join(MACHINES)}, this is {platform.machine()}")
    number = _table(_OURS, platform.machine())[name]
    return call("syscall", name, number, *arguments)


def prctl(option: int, *arguments: int | bytes) -> int:
    """prctl(2), which sets what holds for this process. Raises OSError."""
    padded = [*arguments, 0, 0, 0, 0][:4]
    return call("prctl", f"prctl {option}", option, *padded)


def end_with_parent() -> None:
    """Has this process killed when the one that forked it ends; a change of user cancels it. Raises OSError."""
    prctl(_PR_SET_PDEATHSIG, _SIGKILL)


def call(function: str, what: str, *arguments: int | bytes | None) -> int:
    """Calls ``function`` of the C library with whole words. Raises OSError that says ``what`` was refused."""
    words = [ctypes.c_long(x) if isinstance(x, int) else x for x in arguments]
    result = int(getattr(ctypes.CDLL(None, use_errno=True), function)(*words))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result
