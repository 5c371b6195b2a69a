"""Write down what this Python process reads below COURSEKIT_TRACE_ROOT, one path a line.

Python imports a module of this name by itself when it starts, so that putting this folder on PYTHONPATH follows a
kernel or a command, and the Python processes that it starts in turn, from their first import on.
"""

import os
import sys


def follow(root: str, log: str) -> None:
    """Append every file and listed folder below `root` to `log`, relative to `root`, when it is first read."""
    seen = {os.path.abspath(log)}
    base = root.rstrip(os.sep) + os.sep

    def hook(event: str, arguments: tuple) -> None:
        if event == "open":
            path, _, flags = arguments
            written = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        elif event in ("os.listdir", "os.scandir"):
            path, written = arguments[0] or ".", False
            if "importlib" in sys._getframe(1).f_code.co_filename:
                return  # an import looks around; the file that it finds is opened
        else:
            return
        if isinstance(path, int):
            return
        name = os.path.abspath(os.fsdecode(path))
        if not name.startswith(base) or name in seen:
            return
        seen.add(name)
        inside = name[len(base) :]
        if written or inside.startswith(".") or inside.split(os.sep)[0] == "_build":
            return  # a result, here or later, and not an input
        try:
            # opened each time: a forked child may have closed, or given away, a descriptor kept from its parent
            descriptor = os.open(log, os.O_WRONLY | os.O_APPEND)
        except OSError:
            return  # a sandboxed child, which reads what its parent gives it
        os.write(descriptor, (inside + "\n").encode())
        os.close(descriptor)

    sys.addaudithook(hook)


if "COURSEKIT_TRACE_ROOT" in os.environ:
    follow(os.environ["COURSEKIT_TRACE_ROOT"], os.environ["COURSEKIT_TRACE_LOG"])
