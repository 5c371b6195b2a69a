"""Files that are written whole or not at all, and the secret seed of a grading."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

MIN_SEED = 16


def write_whole(path: Path, text: str) -> None:
    """Writes ``text``; a reader, or a run that was killed, never sees half a file."""
    with _draft(path, 0o666, text) as draft:
        draft.replace(path)


def seed_of(path: Path) -> bytes:
    """The secret seed in ``path``. Raises ValueError if it is too short to be a secret."""
    seed = path.read_bytes().strip()
    if len(seed) < MIN_SEED:
        raise ValueError(f"the seed in {path} has {len(seed)} bytes; a secret seed has at least {MIN_SEED}")
    return seed


def own_seed(path: Path) -> bytes:
    """The seed of this grading: drawn at the first run, readable by its owner only, kept for the next."""
    if not path.exists():
        with _draft(path, 0o600, secrets.token_hex(32) + "\n") as draft, contextlib.suppress(FileExistsError):
            os.link(draft, path)  # unlike a rename it does not replace what another run has just drawn
    return seed_of(path)


def seed_for(out: Path, given: Path | None) -> bytes:
    """The seed in the file ``given``, or else the folder's own, ``out/seed``."""
    return seed_of(given) if given else own_seed(out / "seed")


@contextlib.contextmanager
def _draft(path: Path, mode: int, text: str) -> Iterator[Path]:
    """A complete file beside ``path``, gone afterwards if it has not become ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with open(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        yield draft
    finally:
        draft.unlink(missing_ok=True)
