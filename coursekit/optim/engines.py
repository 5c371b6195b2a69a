"""Two ways to apply a pure rule to many tensors in place: tensor by tensor, or as one compiled function."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ..compiled import as_tensor, inductor
from ..rules.rule import Rule
from .tape import tape_of

# Numbers per thread in a block: scratch tensors of this size stay in the cache and cost few calls.
BLOCK = 1 << 18


class Leaf(NamedTuple):
    """One parameter with its gradient and the rule's buffers."""

    w: Tensor
    g: Tensor
    state: tuple[Tensor, ...]


class Extras(NamedTuple):
    """What the optimizer does to every gradient before any rule sees it: turn it round, add λ w."""

    maximize: bool
    l2: float

    def of(self, w: Tensor, g: Tensor) -> Tensor:
        g = -g if self.maximize else g
        return g + self.l2 * w if self.l2 else g


class Task(NamedTuple):
    """Leaves of one group, step number, dtype and device, with the numbers that their step needs."""

    leaves: Sequence[Leaf]
    h: Mapping[str, Any]
    scalars: Mapping[str, Any]
    extras: Extras


def update(rule: Rule, leaf: Leaf, scalars: Any, h: Any, extras: Extras) -> None:
    """w ← w + delta and state ← new state, from one call of the rule."""
    w, g, state = leaf
    delta, new = rule.update(w, extras.of(w, g), state, scalars, h)
    if any(x is old for old in state for x in (delta, *new)):
        # A rule may hand a buffer on under another name (a window that shifts): copy it before it is overwritten.
        # Not by clone: the compiler leaves a clone of an input out, and reads the input when it is overwritten.
        delta, new = torch.maximum(delta, delta), tuple(torch.maximum(x, x) for x in new)
    for s, n in zip(state, new, strict=True):
        s.copy_(n)
    w.add_(delta)


def with_totals(rule: Rule, tasks: Sequence[Task]) -> Sequence[Task]:
    """The tasks with the rule's peaks and sums over all their leaves among the scalars: 0-d tensors.

    They are taken in the widest dtype of the leaves, float32 at least.
    """
    if not (rule.sums or rule.peaks):
        return tasks
    every = [(leaf, task) for task in tasks for leaf in task.leaves if leaf.w.numel()]
    dtype = functools.reduce(torch.promote_types, {leaf.w.dtype for leaf, _ in every}, torch.float32)
    leaves = [
        (w.to(dtype), extras.of(w, g).to(dtype), tuple(s.to(dtype) for s in state), SimpleNamespace(**h))
        for (w, g, state), (_, h, _, extras) in every
    ]

    def peak(parts: Iterator[Tensor]) -> Tensor:
        return functools.reduce(torch.maximum, (x.amax() for x in parts))

    def total(parts: Iterator[Tensor]) -> Tensor:
        return functools.reduce(torch.add, (x.sum() for x in parts))

    totals = rule.totals(leaves, peak, total) if leaves else {}
    return [task._replace(scalars={**task.scalars, **totals}) for task in tasks]


def eager(rule: Rule, tasks: Sequence[Task]) -> None:
    """Update every leaf, one after the other, with torch's ordinary operations.

    Dense leaves on a CPU are played from the rule's tape, block by block; for all others the rule is called.
    """
    for leaves, h, scalars, extras in with_totals(rule, tasks):
        numbers = {**h, **scalars}
        cpu = leaves[0].w.device.type == "cpu"
        tape = tape_of(rule, frozenset(k for k, v in numbers.items() if isinstance(v, Tensor))) if cpu else None
        slots = tape.prepare(numbers) if tape else []
        block = min(BLOCK * torch.get_num_threads(), max(leaf.w.numel() for leaf in leaves))
        scratch = [leaves[0].w.new_empty(block) for _ in range(tape.scratch)] if tape else []
        for w, g, state in leaves:
            tensors = (w, extras.of(w, g), *state)
            if tape is None or not all(x.is_contiguous() for x in tensors):
                update(rule, Leaf(w, g, state), SimpleNamespace(**scalars), SimpleNamespace(**h), extras)
                continue
            for part in zip(*(x.view(-1).split(block) for x in tensors), strict=True):
                n = part[0].numel()
                tape.play(slots, part, [x[:n] for x in scratch])


def compiled(rule: Rule) -> Callable[[Sequence[Task]], None]:
    """The step on all tasks as one function, compiled by torch's inductor for every list of layouts that occurs.

    η and the scalars are inputs, so that nothing is compiled again when they change. The rule is traced here and
    not by ``torch.compile``, whose checks before each call take longer than a step on small tensors.
    """
    graphs: dict[tuple[Any, ...], Callable[..., Any]] = {}

    def step(tasks: Sequence[Task]) -> None:
        inputs: list[Tensor] = []
        key: list[Any] = [torch.get_num_threads()]
        for leaves, h, scalars, extras in tasks:
            for w, g, state in leaves:
                inputs += w, g, *state
            key += len(leaves), w.device, extras
            for name, x in h.items():
                if _is_input(name, x):
                    inputs.append(as_tensor(x, w))
                else:
                    key.append(x)
            inputs += [as_tensor(x, w) for x in scalars.values()]
        key += [(x.dtype, x.shape, x.stride()) for x in inputs]
        graph = graphs.get(tuple(key))
        if graph is None:
            graph = graphs[tuple(key)] = _graph(rule, tasks, inputs)
        graph(*inputs)

    return step


def _is_input(name: str, x: Any) -> bool:
    """Whether a hyper-parameter is an input of the compiled step, or a constant in it."""
    return name == "eta" or isinstance(x, Tensor)


def _graph(rule: Rule, tasks: Sequence[Task], inputs: list[Tensor]) -> Callable[..., Any]:
    """The compiled step, a function of the tensors in these tasks and of the numbers that may change."""

    def step(*given: Tensor) -> tuple[()]:
        rest = iter(given)
        filled = []
        for leaves, h, scalars, extras in tasks:
            leaves = [Leaf(next(rest), next(rest), tuple(next(rest) for _ in leaf.state)) for leaf in leaves]
            h = {name: next(rest) if _is_input(name, x) else x for name, x in h.items()}
            scalars = {name: next(rest) for name in scalars}
            filled.append(Task(leaves, h, scalars, extras))
        for leaves, h, scalars, extras in with_totals(rule, filled):
            for leaf in leaves:
                update(rule, leaf, SimpleNamespace(**scalars), SimpleNamespace(**h), extras)
        return ()

    return inductor(step, inputs, "fake")  # not to step twice
