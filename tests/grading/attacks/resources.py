"""Families g, h, i: memory, processes, threads, descriptors, disk."""

# ruff: noqa: E501 (lines of hostile programs)

from .model import BODY, FRAMES, RIGHT, Attack, answer, attempt, family

_memory, _many, _disk = (family(name, "cost") for name in ("g: memory", "h: processes and threads", "i: disk"))

ATTACKS: list[Attack] = [
    _memory("one_huge_object", BODY + "return b'x' * 2**40", status="graded", says="MemoryError"),
    _memory(
        "four_gigabytes",
        attempt("""
        kept = []
        for _ in range(64):
            kept.append(bytearray(2**26))
            kept[-1][::4096] = b"x" * len(range(0, 2**26, 4096))
        return True
    """),
    ),
    _memory(
        "gigabytes_of_children",
        attempt("""
        import os, time
        for _ in range(3):
            if os.fork() == 0:
                mine = bytearray(2**30)
                time.sleep(60)
                os._exit(0)
        return True
    """),
        holds="full",
    ),
    _memory(
        "memory_file",
        attempt("""
        import os
        file = os.memfd_create("m")
        for i in range(3 * 2**8):
            os.pwrite(file, b"x" * 2**20, i * 2**20)
        return True
    """),
        control=False,
    ),
    _memory("huge_return", answer("torch.zeros(10**7)")),
    _memory("many_large_returns", answer("torch.zeros(31 * 2**17, dtype=torch.float64)")),
    _memory("many_small_values", BODY + "return [1.5] * 10**6"),
    _memory("huge_view", answer("w.new_zeros(1).expand(2**40)")),
    _memory(
        "deep_return",
        BODY + "x = []\n    for _ in range(5000): x = [x]\n    return x",
        status="graded",
        says="ValueError",
    ),
    _memory("endless_list", "x = []\nx.append(x)\n" + BODY + "return x", status="graded", says="ValueError"),
    _memory("huge_message", BODY + "raise ValueError('x' * 10**8)"),
    _memory("prints_100_megabytes", RIGHT + "for _ in range(100): print('x' * 10**6)", points=2, status="graded"),
    _many(
        "sixty_children",
        attempt("""
        import os, time
        for _ in range(60):
            if os.fork() == 0:
                time.sleep(60)
                os._exit(0)
        return True
    """),
        holds="full",
        control=False,
    ),
    _many(
        "fork_bomb",
        "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass\n",
        holds="full",
        control=False,
        status="timed out",
    ),
    _many(
        "runs_a_shell",
        attempt("""
        import subprocess
        return subprocess.run(["/bin/sh", "-c", "echo hello"], capture_output=True).stdout
    """),
        holds="full",
    ),
    _many(
        "runs_a_memory_file",
        attempt("""
        import os
        file = os.memfd_create("p", 0)
        os.write(file, open("/bin/true", "rb").read())
        pid = os.fork()
        if pid == 0:
            os.execve(file, ["true"], {})
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    """),
        holds="full",
    ),
    _many(
        "five_thousand_threads",
        """
import threading, time
for _ in range(5000):
    try:
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    except RuntimeError:
        break
"""
        + BODY
        + "return w * 0",
    ),
    _many(
        "spinning_threads",
        "import threading\ndef spin():\n    while True: pass\nfor _ in range(3): threading.Thread(target=spin, daemon=True).start()\n"
        + BODY
        + "return w * 0",
        others=False,
    ),
    _many(
        "all_descriptors",
        FRAMES
        + "import os\nkept = []\ntry:\n    while True: kept.append(os.dup(conn.fileno()))\nexcept OSError: pass\n"
        + BODY
        + "return w * 0",
        status="graded",
    ),
    _many(
        "all_descriptors_in_flight",
        """
import socket
kept = []
try:
    while len(kept) < 10000:
        a, b = socket.socketpair()
        for _ in range(50):
            socket.send_fds(a, [b"x"], [a.fileno()] * 200)
        kept.append((a, b))
except OSError: pass
del kept[-1:]
"""
        + BODY
        + "return w * 0",
    ),
    _disk("one_large_file", attempt("open('large', 'wb').truncate(2**30)\nreturn True")),
    _disk(
        "three_hundred_megabytes",
        attempt("""
        import os
        for i in range(25):
            with open(f"file{i}", "wb", 0) as file:
                os.posix_fallocate(file.fileno(), 0, 12 * 2**20)
        return True
    """),
        holds="full",
    ),
    _disk(
        "hundred_thousand_files",
        attempt("""
        import os
        for i in range(100_000):
            os.close(os.open(f"f{i}", os.O_CREAT | os.O_WRONLY))
        return True
    """),
        holds="full",
        control=False,
    ),
    _disk(
        "deep_folder",
        "import os\nfor _ in range(3000):\n    os.mkdir('d')\n    os.chdir('d')\n" + BODY + "return w",
        status="graded",
    ),
    _disk(
        "removes_its_folder",
        "import os, shutil\nhere = os.getcwd()\nos.chdir('/')\nshutil.rmtree(here, ignore_errors=True)\n"
        + BODY
        + "return w",
        status="graded",
    ),
    _disk(
        "locks_its_folder",
        "import os\nos.mkdir('d')\nopen('d/f', 'w').close()\nos.chmod('d', 0)\nos.chmod('.', 0)\n"
        + BODY
        + "return w",
        status="graded",
    ),
    _disk(
        "core_dump", BODY + "import os, resource; resource.setrlimit(resource.RLIMIT_CORE, (-1, -1)); os.abort()"
    ),
]
