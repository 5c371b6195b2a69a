"""Two ways to apply a pure rule to a list of tensors in place: tensor by tensor, or as one compiled function."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import FunctionType, SimpleNamespace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ..rules.rule import Rule
from .tape import tape_of

# Numbers per thread in a block: scratch tensors of this size stay in the cache and cost few calls.
BLOCK = 1 << 18


class Leaf(NamedTuple):
    """One parameter with its gradient and the rule's buffers, all of one shape."""

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


def update(rule: Rule, leaf: Leaf, scalars: Any, h: Any, extras: Extras) -> None:
    """w ← w + delta and state ← new state, from one call of the rule."""
    w, g, state = leaf
    delta, new = rule.update(w, extras.of(w, g), state, scalars, h)
    if any(x is s for s in state for x in (delta, *new)):
        # A rule may hand a buffer on under another name (a window that shifts): copy it before it is overwritten.
        delta, new = delta.clone(), tuple(n.clone() for n in new)
    for s, n in zip(state, new, strict=True):
        s.copy_(n)
    w.add_(delta)


def eager(
    rule: Rule, leaves: Sequence[Leaf], scalars: Mapping[str, Any], h: Mapping[str, Any], extras: Extras
) -> None:
    """Update every leaf (all of one dtype and device), one after the other, with torch's ordinary operations.

    Dense leaves on a CPU are played from the rule's tape, block by block; for all others the rule is called.
    """
    numbers = {**h, **scalars}
    plain = leaves[0].w.device.type == "cpu" and not any(isinstance(v, Tensor) for v in numbers.values())
    tape = tape_of(rule) if plain else None
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


# dynamo's guards have looked at every shape already.
UNASSERTED: dict[str, Any] = {"size_asserts": False, "alignment_asserts": False}
Compiled = Callable[[list[Tensor], list[Tensor], list[tuple[Tensor, ...]], Any, Any, Extras], None]


def compiled(rule: Rule) -> Compiled:
    """One function for all leaves, compiled by ``torch.compile`` at its first call.

    ``eta`` and the scalars arrive as 0-d tensors, so that nothing is compiled again when they change. The code
    object is a copy: torch counts recompilations per code object, and gives up after a few.
    """

    def step(
        w: list[Tensor], g: list[Tensor], state: list[tuple[Tensor, ...]], scalars: Any, h: Any, extras: Extras
    ) -> None:
        for leaf in zip(w, g, state, strict=True):
            update(rule, Leaf(*leaf), scalars, h, extras)

    own = step.__code__.replace(co_name=f"step_{rule.name}")
    step = FunctionType(own, step.__globals__, own.co_name, None, step.__closure__)
    return torch.compile(step, fullgraph=True, dynamic=False, options=UNASSERTED)
