"""Families e, f: end, hang or crash; go on after the reply; signals, exits, threads, finalizers."""

from .model import BODY, FRAMES, RIGHT, Attack, family

BLOCK = "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 30))\n"
LATE = """
import threading, time
def late():
    time.sleep(0.05)
    conn.sendall(b"\\1\\0\\0\\0" * 64)
threading.Thread(target=late, daemon=True).start()
"""
DAEMON = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True:
            time.sleep(0.2)
            with open(W["drop"] + "/" + W["name"], "w") as file:
                file.write("still here")
    os._exit(0)
"""
_end, _hang = family("e: exits and crashes", "cost"), family("f: hangs", "cost")

ATTACKS: list[Attack] = [
    _end(
        "sys_exit_in_cell", "raise SystemExit(0)", status="graded", says="the solution cell stops with SystemExit"
    ),
    _end("sys_exit_in_call", BODY + "raise SystemExit(0)", status="graded", says="SystemExit"),
    _end("keyboard_interrupt", BODY + "raise KeyboardInterrupt", status="graded", says="KeyboardInterrupt"),
    _end("exit_in_call", BODY + "import os; os._exit(0)", status="crashed", says="exit code 0"),
    _end("exit_in_cell", "import os; os._exit(0)", status="crashed", says="when the solution cell ran"),
    _end("abort", BODY + "import os; os.abort()", status="crashed", says="signal"),
    _end("segfault", BODY + "import ctypes; ctypes.string_at(0)", status="crashed", says="SIGSEGV"),
    _end(
        "kills_itself",
        BODY + "import os\n    try: os.kill(os.getpid(), 9)\n    finally: os._exit(1)",
        status="crashed",
    ),
    _end(
        "kills_its_group", BODY + "import os\n    try: os.kill(0, 9)\n    finally: os._exit(1)", status="crashed"
    ),
    _end("endless_recursion", BODY + "return gd_step(w, g, eta)", status="graded", says="RecursionError"),
    _end(
        "recursion_without_limit",
        "import sys\nsys.setrecursionlimit(10**9)\n" + BODY + "return gd_step(w, g, [eta])",
    ),
    _end(
        "error_that_cannot_print",
        "class E(Exception):\n    def __str__(self): raise self\n" + BODY + "raise E",
        status="graded",
    ),
    _end(
        "error_that_exits",
        "import os\nclass E(Exception):\n    def __str__(self): os._exit(3)\n" + BODY + "raise E",
        status="crashed",
    ),
    _end(
        "atexit_and_finalizers",
        """
import atexit, os, weakref
class Last:
    def __del__(self): os.write(1, b"x" * 10**5)
last = Last()
atexit.register(os.write, 2, b"x")
weakref.finalize(last, os._exit, 5)
"""
        + RIGHT,
        points=2,
        status="graded",
    ),
    _end("speaks_after_the_reply", FRAMES + LATE + BODY + "return w * 0", others=False),
    _end(
        "answers_twice",
        FRAMES
        + """
import coursekit.grading.worker as worker
send = worker.send
worker.send = lambda *arguments: (send(*arguments), send(*arguments))
"""
        + BODY
        + "return w * 0",
        others=False,
    ),
    _end("daemon_writes_later", DAEMON + BODY + "return w * 0"),
    _end("daemon_keeps_the_line_open", "import os, time\nif os.fork() == 0:\n    time.sleep(1e6)\nos._exit(0)"),
    _end(
        "hurts_its_other_item", "def estimate_L(*a): raise SystemExit\nimport builtins\n" + BODY + "return w * 0"
    ),
    _hang("loop_in_call", BODY + "while True: pass", status="timed out", says="time limit"),
    _hang("loop_in_cell", BLOCK + "while True: pass", status="timed out", says="cell ran"),
    _hang(
        "catches_everything",
        BODY + "while True:\n        try:\n            while True: pass\n        except BaseException: pass",
        status="timed out",
    ),
    _hang("sleeps_in_c", BLOCK + "import ctypes\n" + BODY + "ctypes.CDLL(None).sleep(10**6)", status="timed out"),
    _hang(
        "error_that_takes_forever",
        "class E(Exception):\n    def __str__(self):\n        while True: pass\n" + BODY + "raise E",
        status="timed out",
    ),
    _hang(
        "waits_for_a_lock",
        "import threading\nlock = threading.Lock()\nlock.acquire()\n" + BODY + "lock.acquire()",
        status="timed out",
    ),
    _hang("catastrophic_pattern", BODY + "import re; re.match(r'(a+)+$', 'a' * 60 + 'b')", status="timed out"),
    _hang(
        "slow_comparison",
        "class Slow(dict):\n    def __eq__(self, other):\n        while True: pass\n    __hash__ = None\n"
        + BODY
        + "return Slow()",
        status="graded",
    ),
]
