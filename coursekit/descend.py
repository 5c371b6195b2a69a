"""Run a rule on a problem, for many starts and many hyper-parameters at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from .compiled import check_compilable, compiled
from .oracles import Oracle, as_oracle
from .problems.problem import Problem
from .record import RECORDABLE, Record
from .rules.rule import Rule
from .stopping import Criterion, Look


class Trajectory(Record):
    """What :func:`descend` leaves; a run that no criterion ended is ``stopped`` at the last iterate asked for."""

    rule: Rule

    def __repr__(self) -> str:
        batch = tuple(self.stopped.shape)
        runs = f"{batch} runs" if batch else "one run"
        return f"{self.rule.name} on {self.problem.name}: {self.T} steps, {runs}, {self.calls.gradients} gradients"


def descend(
    problem: Problem | Oracle,
    rule: Rule,
    start: Tensor,
    steps: int = 100,
    *,
    record: Sequence[str] = ("f", "grad_norm"),
    record_every: int = 1,
    stop: Criterion | None = None,
    check_every: int = 16,
    project: Callable[[Tensor], Tensor] | None = None,
    compile: bool = False,
    **hyper: Any,
) -> Trajectory:
    """Iterate w_{t+1} = w_t + rule(w_t, g_t) for t = 0, ..., steps - 1, with the oracle's answer g_t at w_t.

    The oracle of a problem answers with its gradient; others are in :mod:`coursekit.oracles`. Each run starts it
    afresh: with the same seed the same run. ``start`` has shape (..., dim). Hyper-parameters are numbers, or
    tensors whose shape is (or broadcasts with) the batch: ``descend(f, gradient_descent, w0,
    eta=torch.logspace(-3, 0, 1000))`` is a thousand runs in one go, each with its own randomness. ``eta`` may also
    be a schedule, a function of t = 1, 2, ... that returns such a number or tensor:
    ``eta=lambda t: 0.1 * schedules.cosine(t, T=100)``; a value of zero is a step that does not move. ``project``
    maps each new point, w_{t+1} = project(w_t + ...).

    ``record`` names what is kept of w_0, ..., w_T, or of each ``record_every``-th of them: ``w``; ``f`` and
    ``grad_norm``, of the problem itself; ``g``, what the method saw. ``calls`` counts what the method asked: one
    gradient (and what that took) at each of w_0, ..., w_T. Recording ``f`` or ``grad_norm`` of a problem whose
    oracle is not exact evaluates it once more; that is not counted, and costs time at each recorded iterate.

    A run that meets its ``stop`` criterion, which sees what the method sees, stays where it is; whether all have
    ended is asked once in ``check_every`` steps, because the answer waits for the device. A run that diverges
    shows as inf or NaN in its records and in ``diverged``.

    ``compile=True`` makes the step one compiled function: for problems and their mini-batches, without
    ``project``. That takes seconds, once for each problem object, rule, shape and number among the
    hyper-parameters but η. To run the same again, or for very long, is then two to four times faster.

    Raises ValueError for a bad start, record, number of steps or hyper-parameter, and for what cannot be compiled.
    """
    oracle = as_oracle(problem).fresh()
    problem = oracle.problem
    problem.check_point(start, "start")
    unknown = set(record) - set(RECORDABLE)
    if unknown or not record:
        raise ValueError(f"record must name some of {', '.join(RECORDABLE)}, got {tuple(record)}")
    for name, number, least in (
        ("steps", steps, 0),
        ("record_every", record_every, 1),
        ("check_every", check_every, 1),
    ):
        if number < least:
            raise ValueError(f"{name} must be at least {least}, got {number}")
    if compile:
        check_compilable(oracle, project)
    given = rule.hyper(**hyper)
    now = _at(1, given)
    h, batch = _spread(now, start)

    w = start.detach().expand(*batch, problem.dim).clone()
    state = tuple(torch.zeros_like(w) for _ in rule.state)
    active = torch.ones(batch, dtype=torch.bool, device=w.device)
    stopped = torch.full(batch, steps, device=w.device)
    records: dict[str, Tensor] = {}
    etas = [now.eta]
    step = compiled(_step) if compile else partial(_step, project=project)

    f, g = f_before, g_before = oracle.value_and_grad(w)
    t = 0
    while True:
        if t % record_every == 0:
            for name, entry in _look(oracle, record, w, f, g).items():
                if t == 0:
                    records[name] = entry.new_empty((steps // record_every + 1, *entry.shape))
                records[name][t // record_every] = entry
        if stop is not None and t > 0:
            met = stop(Look(f, g, f_before, g_before)) & active
            stopped, active = stopped.where(~met, t), active & ~met
            if t % check_every == 0 and not bool(active.any()):
                break
        if t == steps:
            break
        t += 1
        if callable(given.eta) and t > 1:
            now = _at(t, given)
            h = _spread(now, start)[0]
            etas.append(now.eta)
        f_before, g_before = f, g
        scalars = rule.scalars_at(t, h)
        w, state, f, g = step(oracle, rule, w, g, state, scalars, h, None if stop is None else active)
    eta = torch.stack([torch.as_tensor(eta, dtype=w.dtype, device=w.device).expand(batch) for eta in etas])
    return Trajectory(
        oracle=oracle,
        rule=rule,
        h=given,
        records={name: r[: t // record_every + 1] for name, r in records.items()},
        eta=eta[:t] if callable(given.eta) else eta.expand(t, *batch),
        stopped=stopped,
        every=record_every,
        project=project,
    )


def _step(
    oracle: Oracle | Problem,
    rule: Rule,
    w: Tensor,
    g: Tensor,
    state: tuple[Tensor, ...],
    scalars: Any,
    h: Any,
    active: Tensor | None,
    project: Callable[[Tensor], Tensor] | None = None,
) -> tuple[Tensor, tuple[Tensor, ...], Tensor, Tensor]:
    """From w, where the oracle answered g, to the next point and state, and its answer f, g there."""
    scalars = SimpleNamespace(**vars(scalars), **rule.totals_along(w, g, state, h))
    delta, new = rule(w, g, state, scalars, h)
    moved = w + delta if project is None else project(w + delta)
    if active is not None:
        moving = active[..., None]
        moved = torch.where(moving, moved, w)
        new = tuple(torch.where(moving, n, s) for n, s in zip(new, state, strict=True))
    return moved, new, *oracle.value_and_grad(moved)


def _look(oracle: Oracle, record: Sequence[str], w: Tensor, f: Tensor, g: Tensor) -> dict[str, Tensor]:
    """What is recorded at w, where the oracle answered f and g."""
    gradient = g
    if not oracle.exact:
        if "grad_norm" in record:
            f, gradient = oracle.problem.value_and_grad(w)
        elif "f" in record:
            f = oracle.problem.value(w)
    known = {"w": w, "f": f, "g": g}
    return {name: gradient.norm(dim=-1) if name == "grad_norm" else known[name] for name in record}


def _at(t: int, given: SimpleNamespace) -> SimpleNamespace:
    """The hyper-parameters of step t. A tensor is checked in step 1 only: looking at it waits for its device."""
    if not callable(given.eta):
        return given
    eta = given.eta(t)
    if isinstance(eta, Tensor):
        allowed = t > 1 or bool(((eta >= 0) & eta.isfinite()).all())
    else:
        allowed = 0 <= eta < math.inf
    if not allowed:
        raise ValueError(f"eta must lie in [0, inf), its schedule gave {eta!r} at t = {t}")
    return SimpleNamespace(**{**vars(given), "eta": eta})


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
