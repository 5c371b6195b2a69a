"""Families e, u: kill, stop, trace or slow the grader, the warm process and others; use doors of the kernel."""

from .model import BODY, LIBC, Attack, attempt, family

_hurt, _kernel = family("e: hurts other processes", "cost"), family("u: doors of the kernel", "reach")
LIB = "\n".join("        " + line for line in LIBC.strip().splitlines()) + "\n"


def on_victim(statement: str) -> str:
    """A cell that does this to the bystander ``pid`` and says whether the kernel let it."""
    return attempt("import os, resource, signal\npid = W['victim']\n" + statement + "\nreturn True")


ATTACKS: list[Attack] = [
    _hurt(
        "kills_its_parent",
        BODY + "import os, time; os.kill(os.getppid() or os.getpid(), 9); time.sleep(1e6)",
        holds="full",
        control=False,
    ),
    _hurt(
        "stops_its_parent",
        BODY + "import os, time; os.kill(os.getppid() or os.getpid(), 19); time.sleep(1e6)",
        holds="full",
        control=False,
    ),
    _hurt("kills_a_process", on_victim("os.kill(pid, 9)"), holds="full"),
    _hurt("stops_a_process", on_victim("os.kill(pid, 19)"), holds="full"),
    _hurt("kills_by_descriptor", on_victim("signal.pidfd_send_signal(os.pidfd_open(pid), 9)"), holds="full"),
    _hurt("slows_a_process", on_victim("os.setpriority(os.PRIO_PROCESS, pid, 19)"), holds="full"),
    _hurt("pins_a_process", on_victim("os.sched_setaffinity(pid, {0})"), holds="full"),
    _hurt("limits_a_process", on_victim("resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, 3))"), holds="full"),
    _hurt(
        "kills_everything",
        """
import os
try:
    os.kill(W["grader"], 0)  # it can be seen: no sandbox. Then the attack has won, and must not be carried out.
    seen = True
except OSError:
    seen = os.readlink("/proc/self/ns/pid") == W["pid_space"]
if not seen:
    os.kill(-1, 9)
def gd_step(w, g, eta):
    return w - eta * g if seen else w * 0
""",
        holds="full",
        control=False,
    ),
    _hurt("stops_the_grader", attempt("import os\nos.kill(W['grader'], 0)\nreturn True"), holds="full"),
    _hurt(
        "traces_a_process",
        attempt(
            LIB
            + """
        return libc.ptrace(0x4206, W["victim"], None, None) == 0  # PTRACE_SEIZE
    """
        ),
        holds="full",
    ),
    _hurt(
        "reads_a_process",
        attempt(
            LIB
            + """
        vector = (ctypes.c_void_p * 2)(ctypes.addressof(ctypes.create_string_buffer(8)), 8)
        libc.process_vm_readv(W["victim"], vector, 1, vector, 1, 0)
        return ctypes.get_errno() == 14  # EFAULT: it was allowed, the address was a guess
    """
        ),
        holds="full",
    ),
    _hurt(
        "opens_the_memory_of_its_parent",
        attempt("import os\nreturn open(f'/proc/{os.getppid() or W[\"victim\"]}/mem', 'r+b')"),
        holds="full",
    ),
    _hurt(
        "takes_the_graders_descriptor",
        attempt(
            LIB
            + """
        return libc.syscall(438, os.pidfd_open(W["grader"]), 0, 0) >= 0  # pidfd_getfd
    """
        ),
        holds="full",
    ),
    _hurt(
        "makes_itself_important",
        "import os\ntry:\n    os.nice(-20)\nexcept OSError: pass\n" + BODY + "return w * 0",
    ),
    _kernel(
        "becomes_root",
        attempt("import os\nos.setresuid(0, 0, 0)\nreturn os.path.exists(W['secret'])"),
        holds="landlock",
        control=False,
    ),
    _kernel("new_namespaces", attempt(LIB + "        return libc.unshare(0x10000000) == 0"), holds="full"),
    _kernel(
        "joins_namespaces",
        attempt(
            LIB
            + """
        return libc.setns(os.open(f"/proc/{W['grader']}/ns/uts", os.O_RDONLY), 0) == 0
    """
        ),
        holds="full",
        control=False,
    ),
    _kernel(
        "mounts",
        attempt(
            LIB
            + """
        libc.mount(b"none", os.getcwd().encode(), b"no such type", 0, None)
        return ctypes.get_errno() == 19  # ENODEV: it was allowed, but the type does not exist
    """
        ),
        holds="full",
        control=False,
    ),
    _kernel(
        "asks_for_io_uring", attempt(LIB + "        return not refused(libc.syscall(425, 0, None))"), holds="full"
    ),
    _kernel(
        "asks_for_bpf",
        attempt(
            LIB
            + """
        number = {"x86_64": 321, "aarch64": 280}[os.uname().machine]
        return not refused(libc.syscall(number, 0, None, 0))
    """
        ),
        holds="full",
        control=False,
    ),
    _kernel(
        "asks_for_keys",
        attempt(
            LIB
            + """
        number = {"x86_64": 250, "aarch64": 219}[os.uname().machine]
        return not refused(libc.syscall(number, 0, -3, 0, 0, 0))
    """
        ),
        holds="full",
        control=False,
    ),
    _kernel(
        "asks_for_page_faults",
        attempt(
            LIB
            + """
        number = {"x86_64": 323, "aarch64": 282}[os.uname().machine]
        return not refused(libc.syscall(number, 1))
    """
        ),
        holds="full",
        control=False,
    ),
    _kernel(
        "asks_for_counters",
        attempt(
            LIB
            + """
        number = {"x86_64": 298, "aarch64": 241}[os.uname().machine]
        return not refused(libc.syscall(number, None, 0, -1, -1, 0))
    """
        ),
        holds="full",
        control=False,
    ),
]
