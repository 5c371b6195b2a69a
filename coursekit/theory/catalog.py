"""All theorems, by id."""

from __future__ import annotations

from .descent_lemma import descent_lemma
from .theorem import Theorem

THEOREMS: tuple[Theorem, ...] = (descent_lemma,)


def by_id(id: str) -> Theorem:
    """The theorem of that id. ValueError lists the ids there are."""
    for theorem in THEOREMS:
        if theorem.id == id:
            return theorem
    raise ValueError(f"id must be one of {', '.join(t.id for t in THEOREMS)}, got {id!r}")
