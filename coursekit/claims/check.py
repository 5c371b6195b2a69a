"""Checks: each measures what one claim says and answers whether it survives.

A check returns :class:`Measured`. One function turns its two answers into a verdict, and a verdict that differs
from the ledger's is a failure, of the check or of the ledger.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import get_context

import torch

from .ledger import Claim, load


@dataclass(frozen=True)
class Measured:
    """What a check found.

    ``as_printed``: does the statement survive as it stands? ``as_repaired``: does it survive with the repair *of
    the same form* that the ledger records (None where it records none)? ``numbers``: what was measured, by what
    it is (MyST Markdown).
    """

    as_printed: bool
    as_repaired: bool | None = None
    numbers: dict[str, float] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """holds / corrected / false."""
        if self.as_printed:
            return "holds"
        return "corrected" if self.as_repaired else "false"


@dataclass(frozen=True)
class Outcome:
    """A claim beside what its check measured."""

    claim: Claim
    measured: Measured

    @property
    def agrees(self) -> bool:
        """Does the measured verdict equal the recorded one?

        An underspecified entry is not one of the three verdicts: its check shows why the reading matters, so
        it must not survive as printed.
        """
        if self.claim.verdict == "underspecified":
            return not self.measured.as_printed
        return self.measured.verdict == self.claim.verdict


Check = Callable[[], Measured]
_checks: dict[str, Check] = {}


def check(id: str) -> Callable[[Check], Check]:
    """Register a check for the claim ``id``. ValueError if the ledger has no such claim or it has a check."""
    if id not in load():
        raise ValueError(f"the ledger has no claim {id!r}")

    def register(function: Check) -> Check:
        if id in _checks:
            raise ValueError(f"{id} has a check already, in {_checks[id].__module__}")
        _checks[id] = function
        return function

    return register


@cache
def registered() -> dict[str, Check]:
    """All checks by claim id, after importing every module of ``coursekit.claims.checks``."""
    from . import checks

    for module in pkgutil.iter_modules(checks.__path__, checks.__name__ + "."):
        importlib.import_module(module.name)
    return _checks


def run(ids: Iterable[str] | None = None, jobs: int = 1) -> Iterator[Outcome]:
    """Run the checks of the given claims (default: all that have one) in the ledger's order, ``jobs`` at a time.

    Each outcome comes as soon as it and all before it are known. ValueError if a claim has no check.
    """
    checks, claims = registered(), load()
    wanted = set(checks if ids is None else ids)
    if unknown := wanted - set(checks):
        raise ValueError(f"no check runs for {', '.join(sorted(unknown))}")
    return _outcomes([id for id in claims if id in wanted], jobs)


def _outcomes(chosen: list[str], jobs: int) -> Iterator[Outcome]:
    if jobs == 1:
        yield from map(_outcome, chosen)
        return
    # Started afresh, not forked: torch's threads do not survive a fork.
    with ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_one_thread) as pool:
        yield from pool.map(_outcome, chosen)


def _outcome(id: str) -> Outcome:
    try:
        return Outcome(load()[id], registered()[id]())
    except Exception as error:
        error.add_note(f"in the check of {id}")
        raise


def _one_thread() -> None:
    torch.set_num_threads(1)
