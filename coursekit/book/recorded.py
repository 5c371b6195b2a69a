"""Work whose inputs are observed: it is fresh as long as everything that it read is unchanged.

A piece of work is a notebook, a command or the whole build. While it runs, `tracing` has its processes write down
the repository's files that they read. Their hashes are kept with a hash of what the work itself is (its `key`).
"""

import hashlib
import importlib.metadata
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

TRACE = Path(__file__).with_name("trace")


def hashed(*parts: str) -> str:
    """The SHA-256 of strings, in order."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@cache
def environment() -> str:
    """A hash of Python and of every installed distribution's version, the course's own left out."""
    installed = {f"{found.name}=={found.version}" for found in importlib.metadata.distributions()}
    own = f"coursekit=={importlib.metadata.version('coursekit')}"
    return hashed(sys.version, platform.system(), platform.machine(), *sorted(installed - {own}))


def generated(path: Path) -> bool:
    """Whether a file or folder of this name is made by tools, and is no input of anything."""
    return path.name.startswith(".") or path.name in ("_build", "__pycache__") or path.suffix == ".egg-info"


def digest(path: Path) -> str:
    """A hash of a file's bytes, or of a folder's visible names; "missing" where there is neither."""
    if path.is_dir():
        return hashed(*sorted(entry.name for entry in path.iterdir() if not generated(entry)))
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    return "missing"


@dataclass
class Reading:
    """What a piece of work read: `environ` for its processes; after `tracing`, {path: hash} in `inputs`."""

    environ: dict[str, str]
    inputs: dict[str, str] = field(default_factory=dict)


@contextmanager
def tracing(root: Path) -> Iterator[Reading]:
    """Follow the processes that are started with `reading.environ`, and hash what they read below `root`."""
    with tempfile.NamedTemporaryFile("r", suffix=".trace") as log:
        path = os.pathsep.join(filter(None, [str(TRACE), os.environ.get("PYTHONPATH")]))
        own = {"PYTHONPATH": path, "COURSEKIT_TRACE_ROOT": str(root), "COURSEKIT_TRACE_LOG": log.name}
        reading = Reading(os.environ | own)
        started = time.time()
        yield reading
        for name in sorted(set(log.read().splitlines())):
            file = root / name
            if file.parent.name == "__pycache__":
                file = file.parent.parent / f"{file.name.split('.')[0]}.py"
            # what was edited meanwhile may have been read before or after: never fresh
            edited = file.is_file() and file.stat().st_mtime > started
            reading.inputs[file.relative_to(root).as_posix()] = "edited" if edited else digest(file)


@dataclass(frozen=True)
class Records:
    """The records of past work below `root`, one JSON file each in `folder`."""

    root: Path
    folder: Path

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.json"

    def changed(self, name: str, key: str) -> list[str]:
        """What has changed since `name` was recorded: paths, or the name itself; empty when it is fresh."""
        if not self._file(name).is_file():
            return [name]
        record = json.loads(self._file(name).read_text())
        if record["key"] != key:
            return [name]
        return [path for path, was in record["inputs"].items() if digest(self.root / path) != was]

    def keep(self, name: str, key: str, inputs: dict[str, str], outputs: Iterable[Path] = ()) -> None:
        """Record that `name` was done; a later change of what it read or wrote makes it stale."""
        inputs = inputs | {path.relative_to(self.root).as_posix(): digest(path) for path in outputs}
        self._file(name).parent.mkdir(parents=True, exist_ok=True)
        self._file(name).write_text(json.dumps({"key": key, "inputs": inputs}, indent=1))

    def forget(self, name: str) -> None:
        """Make `name` stale."""
        self._file(name).unlink(missing_ok=True)
