"""Run a rule on a problem, for many starts and many hyper-parameters at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from .oracles import Calls, Oracle
from .problems.problem import Problem
from .rules.rule import Rule
from .stopping import Criterion, Look

RECORDABLE = ("w", "f", "g", "grad_norm")


@dataclass(frozen=True)
class Trajectory:
    """What a run left: records with time on the first axis, T + 1 entries, and the batch on the next.

    Only what was asked for is recorded; asking for another record raises AttributeError. ``stopped`` holds the
    iteration at which a criterion ended each run (T where none did).
    """

    problem: Problem
    rule: Rule
    h: SimpleNamespace
    records: dict[str, Tensor]
    stopped: Tensor
    calls: Calls

    def __getattr__(self, name: str) -> Tensor:
        if name in RECORDABLE:
            if name in self.records:
                return self.records[name]
            raise AttributeError(f"{name!r} was not recorded: pass record=(..., {name!r}) to descend")
        raise AttributeError(name)

    @property
    def T(self) -> int:
        """Number of steps."""
        return len(next(iter(self.records.values()))) - 1

    @property
    def diverged(self) -> Tensor:
        """Which runs of the batch left the finite numbers, shape (...)."""
        record = next(iter(self.records.values()))
        finite = record.isfinite().all(0)
        return ~(finite.all(-1) if record.ndim > self.stopped.ndim + 1 else finite)

    def __repr__(self) -> str:
        batch = tuple(self.stopped.shape)
        runs = f"{batch} runs" if batch else "one run"
        return f"{self.rule.name} on {self.problem.name}: {self.T} steps, {runs}, {self.calls.gradients} gradients"


def descend(
    problem: Problem,
    rule: Rule,
    start: Tensor,
    steps: int = 100,
    *,
    record: Sequence[str] = ("f", "grad_norm"),
    stop: Criterion | None = None,
    **hyper: Any,
) -> Trajectory:
    """Iterate w_{t+1} = w_t + rule(w_t, ∇f(w_t)) for t = 0, ..., steps - 1.

    ``start`` has shape (..., dim). Hyper-parameters are numbers, or tensors whose shape is (or broadcasts with)
    the batch: ``descend(f, gradient_descent, w0, eta=torch.logspace(-3, 0, 1000))`` is a thousand runs in one
    go. ``eta`` may also be a schedule, a function of t = 1, 2, ... that returns such a number or tensor:
    ``eta=lambda t: 0.1 * schedules.cosine(t, T=100)``; a value of zero is a step that does not move. A run that
    meets its ``stop`` criterion stays where it is; one that diverges shows as inf or NaN in its
    records and in ``diverged``. Raises ValueError for a bad start, record, number of steps or hyper-parameter.
    """
    problem.check_point(start, "start")
    unknown = set(record) - set(RECORDABLE)
    if unknown or not record:
        raise ValueError(f"record must name some of {', '.join(RECORDABLE)}, got {tuple(record)}")
    if steps < 0:
        raise ValueError(f"steps must be at least 0, got {steps}")
    given = rule.hyper(**hyper)
    schedule = given.eta if callable(given.eta) else None
    h, batch = _spread(_at(1, given, schedule), start)

    oracle = Oracle(problem)
    w = start.detach().expand(*batch, problem.dim).clone()
    state = tuple(torch.zeros_like(w) for _ in rule.state)
    active = torch.ones(batch, dtype=torch.bool, device=w.device)
    stopped = torch.full(batch, steps, device=w.device)
    records: dict[str, Tensor] = {}
    f_before = g_before = None

    t = 0
    while True:
        f, g = oracle.value_and_grad(w)
        _write(records, record, t, steps, {"w": w, "f": f, "g": g})
        if stop is not None and f_before is not None and g_before is not None:
            met = stop(Look(f, g, f_before, g_before)) & active
            stopped, active = stopped.where(~met, t), active & ~met
            # Asking "has every run ended?" waits for the device, so it is asked now and then only.
            if t % 16 == 0 and not bool(active.any()):
                break
        if t == steps:
            break
        t += 1
        if schedule is not None and t > 1:
            h = _spread(_at(t, given, schedule), start)[0]
        delta, new = rule(w, g, state, _scalars(rule, t, w, g, state, h), h)
        moving = active[..., None]
        w = torch.where(moving, w + delta, w)
        state = tuple(torch.where(moving, n, s) for n, s in zip(new, state, strict=True))
        f_before, g_before = f, g
    return Trajectory(problem, rule, given, {k: r[: t + 1] for k, r in records.items()}, stopped, oracle.calls)


def _at(t: int, given: SimpleNamespace, schedule: Callable[[int], Any] | None) -> SimpleNamespace:
    """The hyper-parameters of step t. A tensor is checked in step 1 only: looking at it waits for its device."""
    if schedule is None:
        return given
    eta = schedule(t)
    if t == 1 or not isinstance(eta, Tensor):
        values = torch.as_tensor(eta)
        if not bool(((values >= 0) & values.isfinite()).all()):
            raise ValueError(f"eta must lie in [0, inf), its schedule gave {eta!r} at t = {t}")
    return SimpleNamespace(**{**vars(given), "eta": eta})


def _scalars(rule: Rule, t: int, w: Tensor, g: Tensor, state: tuple[Tensor, ...], h: Any) -> SimpleNamespace:
    """The scalars of step t, with the sums and peaks over the coordinates (their axis kept, of length 1)."""
    sums = {name: part(w, g, state, h).sum(-1, keepdim=True) for name, part in rule.sums.items()}
    peaks = {name: part(w, g, state, h).amax(-1, keepdim=True) for name, part in rule.peaks.items()}
    return SimpleNamespace(**vars(rule.scalars_at(t, h)), **sums, **peaks)


def _spread(given: SimpleNamespace, start: Tensor) -> tuple[SimpleNamespace, torch.Size]:
    """Hyper-parameters with a coordinate axis added, and the batch shape they make with the starts."""
    tensors = {
        k: torch.as_tensor(v, dtype=start.dtype, device=start.device)
        for k, v in vars(given).items()
        if isinstance(v, Tensor) and v.ndim
    }
    try:
        batch = torch.broadcast_shapes(start.shape[:-1], *(v.shape for v in tensors.values()))
    except RuntimeError as error:
        shapes = ", ".join(f"{k} {tuple(v.shape)}" for k, v in tensors.items())
        raise ValueError(f"batch of start {tuple(start.shape[:-1])} does not broadcast with {shapes}") from error
    spread = {k: tensors[k][..., None] if k in tensors else v for k, v in vars(given).items()}
    return SimpleNamespace(**spread), batch


def _write(records: dict[str, Tensor], names: Sequence[str], t: int, steps: int, now: dict[str, Tensor]) -> None:
    for name in names:
        entry = now["g"].norm(dim=-1) if name == "grad_norm" else now[name]
        if name not in records:
            records[name] = entry.new_empty((steps + 1, *entry.shape))
        records[name][t] = entry
