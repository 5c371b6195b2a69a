"""What the doctor tries from inside a student's process: a compact list, one attack for each way out."""

from __future__ import annotations

from dataclasses import dataclass

from .sandbox import Tier

FULL, LANDLOCK, PROCESS = Tier


@dataclass(frozen=True)
class Attack:
    """``body`` is that of ``attack(folder, pid, port)``: True if it got through, an exception if it did not.

    ``folder`` holds the seed and more, ``pid`` is another process of the grader's user, ``port`` listens.
    ``holds`` is the weakest tier that promises to stop it.
    """

    name: str
    body: str
    holds: Tier

    @property
    def source(self) -> str:
        """The cell that is run."""
        lines = "".join(f"    {line}\n" for line in self.body.splitlines())
        return f"import ctypes, os, socket, sys\nlibc = ctypes.CDLL(None)\ndef attack(folder, pid, port):\n{lines}"


_FRAMES = """frame = sys._getframe()
while "conn" not in frame.f_locals:
    frame = frame.f_back
conn = frame.f_locals["conn"]
"""
_WRITTEN = "\nreturn True"

ATTACKS = (
    Attack("read the grading seed", "return 'secret' in open(folder + '/seed').read()", LANDLOCK),
    Attack("read the gradebook", "return 'secret' in open(folder + '/gradebook.db').read()", LANDLOCK),
    Attack("read another submission", "return 'secret' in open(folder + '/ada.ipynb').read()", LANDLOCK),
    Attack("list the submissions", "return 'ada.ipynb' in os.listdir(folder)", LANDLOCK),
    Attack("learn that a file exists", "return os.path.exists(folder + '/seed')", FULL),
    Attack("see other processes", "return str(pid) in os.listdir('/proc')", LANDLOCK),
    Attack("read another process's environment", "open(f'/proc/{pid}/environ').read()" + _WRITTEN, LANDLOCK),
    Attack("read the grader's environment", "return 'COURSEKIT_DOCTOR' in os.environ", PROCESS),
    Attack("find hidden cases in memory", "return 'coursekit.grading.exam' in sys.modules", PROCESS),
    Attack("write into the gradebook", "open(folder + '/gradebook.db', 'a').write('12')" + _WRITTEN, LANDLOCK),
    Attack("truncate a file of the grader's", "os.truncate(folder + '/ada.ipynb', 0)" + _WRITTEN, LANDLOCK),
    Attack("change the rights of a file", "os.chmod(folder + '/seed', 0o666)" + _WRITTEN, LANDLOCK),
    Attack("delete a file of the grader's", "os.unlink(folder + '/lock')" + _WRITTEN, LANDLOCK),
    Attack("write into Python's library", "open(os.__file__, 'a').close()" + _WRITTEN, LANDLOCK),
    Attack("reach the network", "socket.create_connection(('127.0.0.1', port), 2)" + _WRITTEN, LANDLOCK),
    Attack("open a socket of any kind", "socket.socketpair()" + _WRITTEN, LANDLOCK),
    Attack("stop another process", "os.kill(pid, 19); os.kill(pid, 18)" + _WRITTEN, LANDLOCK),
    Attack("limit another process", "import resource; resource.prlimit(pid, 4, (0, 0))" + _WRITTEN, LANDLOCK),
    Attack("slow another process down", "os.setpriority(os.PRIO_PROCESS, pid, 19)" + _WRITTEN, LANDLOCK),
    Attack(
        "have the kernel signal another process",
        "import fcntl; fcntl.fcntl(0, 10, 12); fcntl.fcntl(os.pipe()[0], 8, pid)" + _WRITTEN,
        LANDLOCK,
    ),
    Attack("debug another process", "return libc.ptrace(0x4206, pid, 0, 0) == 0", LANDLOCK),  # PTRACE_SEIZE
    Attack("read another process's memory", "open(f'/proc/{pid}/mem', 'rb').close()" + _WRITTEN, LANDLOCK),
    Attack("have mounts of its own", "return libc.unshare(0x20000) == 0", LANDLOCK),
    Attack("become root of a namespace", "return libc.unshare(0x10000000) == 0", LANDLOCK),
    Attack("start a program", "import subprocess; return subprocess.run(['true']).returncode == 0", LANDLOCK),
    Attack("start processes", "return min(os.fork() or os._exit(0) for _ in range(8)) > 0", LANDLOCK),
    Attack(
        "start 1000 threads",
        "import threading as t, time; t.stack_size(2**16)\n"
        "for _ in range(1000):\n    t.Thread(target=time.sleep, args=(60,), daemon=True).start()" + _WRITTEN,
        LANDLOCK,
    ),
    Attack("take 8 GB of memory", "return len(bytearray(2**33)) > 0", PROCESS),
    Attack("take memory that no limit counts", "return libc.memfd_create(b'x', 0) >= 0", LANDLOCK),
    Attack("write a file of 64 MB", "os.posix_fallocate(os.open('x', 65), 0, 2**26)" + _WRITTEN, PROCESS),
    Attack(
        "write 100 MB in files",
        "for i in range(10):\n    os.posix_fallocate(os.open(f'x{i}', 65, 0o600), 0, 10**7)" + _WRITTEN,
        FULL,
    ),
    Attack("leave a file for the next student", "open('../left', 'w').close()" + _WRITTEN, LANDLOCK),
    Attack("run for ever", "import time\nwhile True: time.sleep(1)", PROCESS),
    Attack(
        "answer before being asked",
        _FRAMES + "from coursekit.grading import wire\n"
        "wire.send(conn, {'kind': 'value', 'id': '0' * 16}, [True, ()])",
        PROCESS,
    ),
    Attack("send more than a message may hold", _FRAMES + "conn.sendall(b'\\xff' * 64)", PROCESS),
)  # fmt: skip
