"""``coursekit doctor``: what this machine can promise, tried by attacks through the real boundary."""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .sandbox import Tier, best_tier, refusal

if TYPE_CHECKING:
    from .warm import Warm

SECONDS = 4.0  # for one attack
_HONEST = """
import numpy, torch
from sklearn.datasets import load_digits
def honest():
    w = torch.ones(64, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([w], lr=0.1)
    images = torch.tensor(load_digits().data)
    for _ in range(3):
        optimizer.zero_grad()
        (images @ w).square().mean().backward()
        optimizer.step()
    numpy.save("w.npy", w.detach().numpy())
    return bool(torch.isfinite(torch.linalg.norm(torch.from_numpy(numpy.load("w.npy"))))) and len(repr(w)) > 0
"""


@dataclass(frozen=True)
class Finding:
    """What became of one attempt: works, held, open (not promised in this tier), or BROKEN, with the reason."""

    name: str
    verdict: str
    detail: str = ""


def add_parser(subparsers: Any) -> None:
    """Registers the command with the ``add_subparsers()`` object of the ``coursekit`` command."""
    parser = subparsers.add_parser("doctor", help="say how well this machine can lock student code in, and try it")
    parser.add_argument("--tier", type=Tier, choices=list(Tier), help="by default the best that is offered here")
    parser.set_defaults(command=_doctor)


def _doctor(options: argparse.Namespace) -> int:
    for line in machine():
        print(line)
    tier = options.tier or best_tier()
    if reason := refusal(tier):
        print(f"the tier {tier} is not to be had here: {reason}", file=sys.stderr)
        return 2
    print(f"\nTier {tier}: {tier.promises}\n\nWhat student code does:")
    from .warm import StartFailed, Warm

    broken = 0
    try:
        with Warm(tier) as warm:
            for finding in examine(warm):
                broken += finding.verdict == "BROKEN"
                detail = finding.detail and f" ({finding.detail})"
                print(f"  {finding.verdict:7} {finding.name}{detail}", flush=True)
    except StartFailed as error:
        print(f"coursekit doctor: {error}", file=sys.stderr)
        return 2
    print(f"\nbroken promises: {broken}" if broken else f"\nEverything that the tier {tier} promises holds here.")
    return 1 if broken else 0


def machine() -> list[str]:
    """The machine in words, and for every tier whether it is offered, and if not, why."""
    lines = [f"{platform.system()} {platform.release()}, {platform.machine()}, Python {platform.python_version()}"]
    if sys.platform == "linux":
        from .landlock import abi

        lines[0] += f", Landlock ABI {abi() or 'none'}, as {'root' if os.geteuid() == 0 else 'an ordinary user'}"
    for tier in Tier:
        reason = refusal(tier)
        lines.append(f"  {tier:9} " + ("offered" if reason is None else f"not offered: {reason}"))
    return lines


def examine(warm: Warm) -> Iterator[Finding]:
    """Lets an honest solution and every attack run in student processes of ``warm``. Raises StartFailed."""
    from .self_attack import ATTACKS

    works, why = _run(warm, _HONEST, "honest", 5 * SECONDS)
    yield Finding("run an honest solution", "works" if works else "BROKEN", "" if works else why)
    for attack in ATTACKS:
        with _Target() as target:
            through, _ = _run(warm, attack.source, "attack", SECONDS, *target.arguments)
            harm = target.harm()
        promised = list(Tier).index(warm.tier) <= list(Tier).index(attack.holds)
        through = through or bool(harm)
        yield Finding(attack.name, ("BROKEN" if promised else "open") if through else "held", harm)


def _run(warm: Warm, source: str, function: str, seconds: float, *arguments: Any) -> tuple[bool, str]:
    """Whether ``function``, in a process of its own, returns True, and why not."""
    from .boundary import Worker, WorkerGone

    worker = Worker(warm)
    try:
        failure = worker.execute(function, source, 5 * SECONDS)
        outcome = worker.call(function, arguments, time.monotonic() + seconds)
        return outcome.value is True, str(failure or outcome.failure or "it returned another value")
    except WorkerGone as gone:
        return False, str(gone)
    finally:
        worker.close()


class _Target:
    """What there is to attack: a folder like the grader's, another process, a listening socket."""

    def __enter__(self) -> _Target:
        with contextlib.ExitStack() as stack:
            self._folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="coursekit-doctor-")))
            for name in ("seed", "gradebook.db", "ada.ipynb", "lock"):
                (self._folder / name).write_text("secret")
            self._before = self._files()
            os.environ["COURSEKIT_DOCTOR"] = "secret"
            stack.callback(os.environ.pop, "COURSEKIT_DOCTOR")
            sleep = [sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)"]
            self._victim = subprocess.Popen(sleep, stdin=subprocess.DEVNULL)
            stack.callback(self._victim.wait)
            stack.callback(self._victim.kill)
            self._listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            self._listener.setblocking(False)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def arguments(self) -> tuple[str, int, int]:
        """``folder``, ``pid`` and ``port`` of an attack."""
        return str(self._folder), self._victim.pid, self._listener.getsockname()[1]

    def harm(self) -> str:
        """What an attack has left to be seen from here."""
        if self._files() != self._before:
            return "a file has changed"
        if (code := self._victim.poll()) is not None:
            return f"a process was ended by {signal.Signals(-code).name}"
        with contextlib.suppress(BlockingIOError):
            self._listener.accept()[0].close()
            return "a connection came through"
        return ""

    def _files(self) -> list[tuple[str, str, int]]:
        return [(p.name, p.read_text(), p.stat().st_mode) for p in sorted(self._folder.iterdir())]
