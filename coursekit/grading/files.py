"""Files that are written whole or not at all, and the secret seed of a grading."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

MIN_SEED = 16


def write_whole(path: Path, text: str) -> None:
    """Writes ``text``; a reader, or a run that was killed, never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8", newline="")
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
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(secrets.token_hex(32) + "\n")
        draft.replace(path)
    return seed_of(path)
