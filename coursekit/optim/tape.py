"""A rule recorded once as a list of elementwise operations, and played in place on any tensors, with few buffers.

Called directly, a rule allocates a tensor for every operation. Played from its tape it writes into its own state,
the weights and a few scratch tensors, and x + c y is one pass over memory. The maths stays in the rule.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from ..rules import ops
from ..rules.rule import Rule

# Name of a recorded function -> (torch's function with out=, the same for numbers and 0-d tensors).
OPERATIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "add": (torch.add, operator.add),
    "sub": (torch.sub, operator.sub),
    "mul": (torch.mul, operator.mul),
    "div": (torch.div, operator.truediv),
    "neg": (torch.neg, operator.neg),
    "abs": (torch.abs, abs),
    "sqrt": (torch.sqrt, ops.sqrt),
    "sign": (torch.sign, ops.sign),
    "maximum": (torch.maximum, ops.maximum),
}
REVERSED = {"radd": "add", "rsub": "sub", "rmul": "mul", "rdiv": "div", "rtruediv": "div"}


class Unrecordable(Exception):
    """The rule does something that a tape has no word for."""


class Symbol(Tensor):  # a Tensor, so that the rules' ops treat it as one
    """Stands for a number or a tensor of the rule while it is recorded; ``slot`` is its place on the tape."""

    slot: int
    recorder: Recorder

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", "").strip("_")
        swap = name in REVERSED
        name = REVERSED.get(name, name)
        if name not in OPERATIONS or kwargs:
            raise Unrecordable(name)
        recorder = next(a for a in args if isinstance(a, Symbol)).recorder
        return recorder.write(name, args[::-1] if swap else args)


class Recorder:
    """Collects operations; slots are numbered in the order in which they are filled."""

    def __init__(self) -> None:
        self.constants: dict[int, Any] = {}
        self.is_number: list[bool] = []
        self.is_plain: list[bool] = []  # a Python number, not a 0-d tensor
        self.operations: list[tuple[str, tuple[int, ...], int]] = []

    def symbol(self, number: bool, plain: bool) -> Symbol:
        made = torch.empty(0, device="meta").as_subclass(Symbol)
        made.slot, made.recorder = len(self.is_number), self
        self.is_number.append(number)
        self.is_plain.append(plain)
        return made

    def slot(self, value: Any) -> int:
        if isinstance(value, Symbol):
            return value.slot
        constant = self.symbol(True, not isinstance(value, Tensor)).slot
        self.constants[constant] = value
        return constant

    def write(self, name: str, args: Sequence[Any]) -> Symbol:
        slots = [self.slot(a) for a in args]
        if name in ("mul", "add") and self.is_number[slots[0]]:
            slots.reverse()  # torch wants the tensor first
        result = self.symbol(all(self.is_number[s] for s in slots), all(self.is_plain[s] for s in slots))
        one_number = not self.is_number[result.slot] and any(self.is_plain[s] for s in slots)
        if one_number and (name == "maximum" or self.is_plain[slots[0]]):  # torch has no such form with out=
            raise Unrecordable(f"{name} of a number and a tensor")
        self.operations.append((name, tuple(slots), result.slot))
        return result


@dataclass(frozen=True)
class Tape:
    """``numbers`` is played once a step, ``tensors`` once for every leaf; ``scratch`` buffers are enough."""

    slots: int
    constants: dict[int, Any]
    inputs: tuple[tuple[str, int], ...]
    leaf: tuple[int, ...]
    numbers: list[tuple[Callable[..., Any], tuple[int, ...], int]]
    tensors: Sequence[tuple[Callable[..., Any], tuple[int, ...], int | None, int]]
    scratch: int

    def prepare(self, values: dict[str, Any]) -> list[Any]:
        """All numbers of one step."""
        slots: list[Any] = [None] * self.slots
        for slot, constant in self.constants.items():
            slots[slot] = constant
        for name, slot in self.inputs:
            slots[slot] = values[name]
        for f, args, result in self.numbers:
            slots[result] = f(*[slots[a] for a in args])
        return slots

    def play(self, slots: list[Any], leaf: Sequence[Tensor], scratch: Sequence[Tensor]) -> None:
        """The step on one leaf (w, g, *state), all contiguous and of one size, as are the scratch buffers."""
        slots[-self.scratch or len(slots) :] = scratch
        for slot, x in zip(self.leaf, leaf, strict=True):
            slots[slot] = x
        for f, args, alpha, out in self.tensors:
            if alpha is None:
                f(*[slots[a] for a in args], out=slots[out])
            else:
                f(*[slots[a] for a in args], alpha=slots[alpha], out=slots[out])


@functools.cache
def tape_of(rule: Rule, tensors: frozenset[str] = frozenset()) -> Tape | None:
    """The rule's tape, or None if it uses more than arithmetic, square roots, signs and maxima.

    ``tensors`` names the hyper-parameters and scalars that are 0-d tensors.
    """
    r = Recorder()
    scalar_names = rule.scalars(1, SimpleNamespace(**rule.defaults)) if rule.scalars else {}
    h = {name: r.symbol(True, name not in tensors) for name in rule.defaults}
    scalars = {name: r.symbol(True, name not in tensors) for name in (*scalar_names, *rule.sums, *rule.peaks)}
    w, g, *state = (r.symbol(False, False) for _ in range(2 + len(rule.state)))
    try:
        delta, new = rule.update(w, g, tuple(state), SimpleNamespace(**scalars), SimpleNamespace(**h))
        r.write("add", (w, delta))
    except (Unrecordable, TypeError):
        return None
    targets = {n.slot: s.slot for s, n in zip(state, new, strict=True)}
    if len(targets) < len(state) or set(targets) & {x.slot for x in (w, g, *state)}:
        return None  # a buffer handed on unchanged
    inputs = tuple((name, s.slot) for name, s in (h | scalars).items())
    return _assign(r, inputs, tuple(x.slot for x in (w, g, *state)), targets)


def _assign(r: Recorder, inputs: Any, leaf: tuple[int, ...], targets: dict[int, int]) -> Tape | None:
    """Fuse x + c y, then give every result a place: its state, the weights, or a scratch buffer free by then."""
    numbers = [(OPERATIONS[n][1], args, out) for n, args, out in r.operations if r.is_number[out]]
    program = [(n, args, None, out) for n, args, out in r.operations if not r.is_number[out]]
    program = _fuse(_needed(program, set(targets)), r, set(targets))
    last = {a: i for i, (_, args, _, _) in enumerate(program) for a in args}
    written = {targets[out]: i for i, (_, _, _, out) in enumerate(program) if out in targets}
    place: dict[int, int] = {}
    free: list[int] = []
    slots, scratch, tensors = len(r.is_number), 0, []
    for i, (name, args, alpha, out) in enumerate(program):
        reads = tuple(place.get(a, a) for a in args)
        for a in set(args):
            if last[a] == i and place.get(a, 0) >= slots:
                free.append(place[a])
        if i == len(program) - 1:
            place[out] = leaf[0]
        elif out in targets:
            if last.get(targets[out], -1) > i:
                return None  # the old value is still needed
            place[out] = targets[out]
        elif spent := [s for s in args if last[s] == i and last[out] <= written.get(s, -1)]:
            place[out] = spent[0]  # the old state is done with: its own memory holds the half-made new one
        else:
            if not free:
                free.append(slots + scratch)
                scratch += 1
            place[out] = free.pop()
        tensors.append((OPERATIONS[name][0], reads, alpha, place[out]))
    return Tape(slots + scratch, r.constants, inputs, leaf, numbers, tensors, scratch)


def _needed(program: list[Any], kept: set[int]) -> list[Any]:
    """Without the operations whose result nobody reads."""
    wanted, needed = kept | {program[-1][3]}, []
    for step in reversed(program):
        if step[3] in wanted:
            wanted = wanted | set(step[1])
            needed.append(step)
    return needed[::-1]


def _fuse(program: list[Any], r: Recorder, kept: set[int]) -> list[Any]:
    """x + y c, where y c is used only there, becomes one operation with alpha = c."""
    uses: dict[int, int] = {}
    for _, args, _, _ in program:
        for a in args:
            uses[a] = uses.get(a, 0) + 1
    products = {
        out: args for n, args, _, out in program
        if n == "mul" and r.is_plain[args[1]] and uses.get(out) == 1 and out not in kept
    }  # fmt: skip
    fused, gone = [], set()
    for name, args, alpha, out in program:
        if name in ("add", "sub") and args[1] in products:
            y, c = products[args[1]]
            gone.add(args[1])
            args, alpha = (args[0], y), c
        fused.append((name, args, alpha, out))
    return [step for step in fused if step[3] not in gone]
