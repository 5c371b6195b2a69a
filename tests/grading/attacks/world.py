"""What there is to steal, reach and hurt around a grading: every canary sees whoever touches it."""

from __future__ import annotations

import ctypes
import hashlib
import os
import secrets
import selectors
import shutil
import socket
import subprocess
import tempfile
import threading
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

_IPC_CREAT = 0o1000


class World:
    """A context manager. ``facts`` is all that an attacker could wish to know; ``touched`` is what it did."""

    def __enter__(self) -> World:
        self._stack = ExitStack()
        self.token = secrets.token_hex(16)
        self.digest = hashlib.sha256(self.token.encode()).hexdigest()  # by it an attacker knows the token on sight
        root = Path(tempfile.mkdtemp(prefix="world-", dir="/tmp"))  # not below a private folder: modes do not help
        self._stack.callback(shutil.rmtree, root, ignore_errors=True)
        self.submissions, self.out, self.drop = root / "submissions", root / "out", root / "drop"
        self.homes = root / "homes"
        for folder in (root, self.submissions, self.out, self.drop, self.homes):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o777)
        self.canaries = root / "canaries"
        self.canaries.mkdir()
        self.secret, self.shared = root / "secret", Path("/dev/shm") / f"coursekit-{self.token}"
        for path in (self.secret, self.shared):
            self._fill(path)
        self._stack.callback(self.shared.unlink)
        self.victims: dict[str, tuple[subprocess.Popen[bytes], Any]] = {}
        self.callers: set[str] = set()
        self._listen(root)
        self.segment = self._segment()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def facts(self, name: str, victim: bool) -> dict[str, Any]:
        """What the attack ``name`` is told; it has a file, and if need be a process, of its own to hurt."""
        self._fill(self.canaries / name)
        if victim:
            sleeper = subprocess.Popen(["sleep", "1000"])
            self._stack.callback(sleeper.wait)
            self._stack.callback(sleeper.kill)
            self.victims[name] = sleeper, _state(sleeper.pid)
        return {
            "name": name,
            "drop": str(self.drop),
            "secret": str(self.secret),
            "canary": str(self.canaries / name),
            "shared": str(self.shared),
            "submissions": str(self.submissions),
            "out": str(self.out),
            "victim": self.victims[name][0].pid if victim else 0,
            "grader": os.getpid(),
            "tcp": self._tcp,
            "udp": self._udp,
            "unix": self._unix,
            "abstract": self._abstract,
            "segment": self.segment,
            "repository": str(Path(__file__).parents[3]),
            "digest": self.digest,
            **{f"{kind}_space": os.readlink(f"/proc/self/ns/{kind}") for kind in ("pid", "ipc", "uts")},
        }

    def touched(self, name: str) -> list[str]:
        """What the attack ``name`` did outside its process."""
        canary, found = self.canaries / name, []
        if name in self.callers:
            found.append("reached a socket")
        if (self.drop / name).exists():
            found.append("wrote a file outside")
        if not canary.exists() or canary.read_text() != self.token or canary.stat().st_nlink != 1:
            found.append("changed, linked or removed a file outside")
        if name in self.victims:
            sleeper, before = self.victims[name]
            if sleeper.poll() is not None:
                found.append("killed a process")
            elif _state(sleeper.pid) != before:
                found.append("stopped, slowed or limited a process")
        return found

    def left(self) -> list[str]:
        """Processes and folders that the grading has left behind."""
        ours = {sleeper.pid for sleeper, _ in self.victims.values()}
        tasks = Path("/proc/self/task").glob("*/children")
        children = {int(pid) for task in tasks for pid in task.read_text().split()}
        return [f"process {pid}" for pid in children - ours] + [str(path) for path in self.homes.iterdir()]

    def _fill(self, path: Path) -> None:
        path.write_text(self.token)
        path.chmod(0o666)

    def _listen(self, root: Path) -> None:
        tcp = socket.create_server(("127.0.0.1", 0))
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        self._tcp, self._udp = tcp.getsockname()[1], udp.getsockname()[1]
        self._unix, self._abstract = str(root / "socket"), f"\0coursekit-{self.token}"
        sockets = [tcp, udp]
        for address in (self._unix, self._abstract):
            sockets.append(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
            sockets[-1].bind(address)
        os.chmod(self._unix, 0o777)
        ours, stop = socket.socketpair()
        thread = threading.Thread(target=self._serve, args=(sockets, ours), daemon=True)
        thread.start()
        for open_one in (*sockets, ours, stop):
            self._stack.callback(open_one.close)
        self._stack.callback(thread.join)
        self._stack.callback(stop.send, b"x")

    def _serve(self, sockets: list[socket.socket], stop: socket.socket) -> None:
        with selectors.DefaultSelector() as ready:
            for each in (*sockets, stop):
                ready.register(each, selectors.EVENT_READ)
            while True:
                for key, _ in ready.select():
                    if key.fileobj is stop:
                        return
                    with suppress(OSError):
                        self.callers.add(_caller(key.fileobj))

    def _segment(self) -> int:
        """A System V shared memory segment that anyone may attach, with the token in it."""
        libc = ctypes.CDLL(None, use_errno=True)
        libc.shmat.restype = ctypes.c_void_p
        key = int(self.token[:7], 16)
        segment = libc.shmget(key, 4096, _IPC_CREAT | 0o666)
        address = libc.shmat(segment, None, 0)
        ctypes.memmove(address, self.token.encode(), len(self.token))
        self._stack.callback(libc.shmctl, segment, 0, None)
        libc.shmdt(ctypes.c_void_p(address))
        return key


def _caller(listener: Any) -> str:
    if listener.type == socket.SOCK_DGRAM:
        return str(listener.recv(200).decode())
    with listener.accept()[0] as connection:
        connection.settimeout(1)
        return str(connection.recv(200).decode())


def _state(pid: int) -> tuple[Any, ...]:
    stopped = "State:\tT" in Path(f"/proc/{pid}/status").read_text()
    limits = Path(f"/proc/{pid}/limits").read_text()
    return stopped, os.getpriority(os.PRIO_PROCESS, pid), os.sched_getaffinity(pid), limits
