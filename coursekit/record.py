"""What every run leaves, whoever ran it: the record that theorems, figures and claims read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace

import torch
from torch import Tensor

from .oracles import Calls, Oracle
from .problems.problem import Problem
from .rules.rule import Rule

RECORDABLE = ("w", "f", "g", "grad_norm")


@dataclass(frozen=True, kw_only=True)
class Record:
    """What was recorded of a run, and what it asked its ``oracle`` for.

    The records have time on the first axis, w_0 to w_T, and the batch on the next; only what was asked for is
    there, any other name raises AttributeError. With ``every`` > 1 only each such iterate is there. ``rule`` is
    what each step was, with the hyper-parameters ``h``, or None for a method that is no first-order rule;
    ``project`` is what each new point went through, if anything. ``eta`` holds the step size of every step, shape
    (T, ...), and ``stopped`` the iterate at which a criterion ended each run, shape (...), later ones repeat it.
    """

    oracle: Oracle
    rule: Rule | None
    h: SimpleNamespace
    records: dict[str, Tensor]
    eta: Tensor
    stopped: Tensor
    every: int = 1
    project: Callable[[Tensor], Tensor] | None = None

    def __getattr__(self, name: str) -> Tensor:
        if name in RECORDABLE:
            if name in self.records:
                return self.records[name]
            raise AttributeError(f"{name!r} was not recorded: pass record=(..., {name!r}) to descend")
        raise AttributeError(name)

    @property
    def problem(self) -> Problem:
        """What was minimized."""
        return self.oracle.problem

    @property
    def calls(self) -> Calls:
        """All that the run asked for."""
        return self.oracle.calls

    @property
    def T(self) -> int:
        """Number of steps."""
        return len(self.eta)

    @property
    def diverged(self) -> Tensor:
        """Which runs of the batch left the finite numbers, shape (...)."""
        batch = self.stopped.shape
        finite = [r.isfinite().reshape(len(r), *batch, -1).all(-1).all(0) for r in self.records.values()]
        return ~torch.stack(finite).all(0)

    def follows(self, rule: Rule) -> bool:
        """Is each step that of this rule, with the exact gradient and not projected?"""
        return self.rule is rule and self.oracle.exact and self.project is None
