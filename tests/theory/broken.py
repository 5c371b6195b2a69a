"""The bank of broken variants: for every theorem, ways to get it wrong. A certificate must reject each of them.

Every row is an experiment with a control. The same run is held against the theorem as it stands, which must be
accepted; then the bound is broken, or the run, or a constant, and that must not be. `python -m tests.theory`
prints the table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor

from coursekit.theory import Certificate, Sides, Theorem, certify

Kind = Literal["constant", "exponent", "biased gradient", "step", "assumption", "method"]
Change = Callable[[Tensor, Tensor], Tensor]

f64 = torch.float64


@dataclass(frozen=True)
class Variant:
    """One row; ``refused`` says that a predicate must catch it, otherwise the measurement."""

    theorem: Theorem
    kind: Kind
    how: str
    refused: bool
    broken: Callable[[], Certificate]
    sound: Callable[[], Certificate]

    def __str__(self) -> str:
        return f"{self.theorem.id}: {self.how}"


BANK: list[Variant] = []


def point(*coordinates: float) -> Tensor:
    return torch.tensor(coordinates, dtype=f64)


def tampered(theorem: Theorem, change: Change) -> Theorem:
    """The theorem with its right side replaced by change(right, t), t = 1, ..., T on the first axis."""

    def sides(run: Any, k: Any) -> Sides:
        honest = theorem.sides(run, k)
        t = torch.arange(1, len(honest.right) + 1, dtype=honest.right.dtype)
        right = change(honest.right, t.reshape(-1, *[1] * (honest.right.ndim - 1)))
        return replace(honest, right=right, promised=None, achieved=None)

    return replace(theorem, sides=sides)


def smaller(factor: float) -> Change:
    """A constant that is too small."""
    return lambda right, t: factor * right


def row(
    theorem: Theorem,
    kind: Kind,
    how: str,
    run: Callable[[], Any],
    *,
    change: Change | None = None,
    broken: Theorem | None = None,
    instead: Callable[[], Any] | None = None,
    wrong: dict[str, Any] | None = None,
    waive: tuple[str, ...] = (),
    refused: bool = False,
    **constants: Any,
) -> None:
    """Add a row: ``change`` breaks the bound, ``broken`` is another theorem, ``instead`` a run that breaks an
    assumption, and ``wrong`` holds constants that are not true.

    ``waive`` tells predicates to look away, so that the measurement must notice.
    """
    wrong_theorem = tampered(theorem, change) if change else broken or theorem
    BANK.append(
        Variant(
            theorem,
            kind,
            how,
            refused,
            lambda: certify(wrong_theorem, (instead or run)(), waive=waive, **{**constants, **(wrong or {})}),
            lambda: certify(theorem, run(), **constants),
        )
    )
