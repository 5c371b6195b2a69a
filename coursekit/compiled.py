"""The step of descend as one compiled function."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, Literal
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from .oracles import Epochs, MiniBatch, Oracle
from .problems.problem import Problem, mapped
from .rules.rule import Rule

Graph = Callable[..., Sequence[Tensor]]
Stepped = tuple[Tensor, tuple[Tensor, ...], Tensor, Tensor]

# The compiled steps of each problem, for as long as it lives.
_GRAPHS: WeakKeyDictionary[Problem, dict[tuple[Any, ...], Graph]] = WeakKeyDictionary()


def check_compilable(oracle: Oracle, project: Callable[[Tensor], Tensor] | None) -> None:
    """ValueError unless the oracle is exact or one of mini-batches, and there is no ``project``."""
    if type(oracle) not in (Oracle, MiniBatch, Epochs):
        raise ValueError(f"compile=True takes a problem, MiniBatch or Epochs, got {type(oracle).__name__}")
    if project is not None:
        raise ValueError(f"compile=True takes no project, got {project!r}")


def compiled(step: Callable[..., Stepped]) -> Callable[..., Stepped]:
    """The same step ``(oracle, rule, w, g, state, scalars, h, active) -> (w, state, f, g)``, compiled.

    All tensors are its inputs, also those of the problem or of the mini-batch that is drawn for this step, and so
    are η and the scalars: nothing is compiled again when they change. Other numbers are constants in it. Raises
    ValueError where the rule or the problem looks at a tensor's numbers to decide what to do.
    """

    def run(
        oracle: Oracle,
        rule: Rule,
        w: Tensor,
        g: Tensor,
        state: tuple[Tensor, ...],
        scalars: SimpleNamespace,
        h: SimpleNamespace,
        active: Tensor | None,
    ) -> Stepped:
        drawn = oracle.draw(w)
        drawn.count()
        p = drawn.problem.p
        scalars = SimpleNamespace(**{name: as_tensor(x, w) for name, x in vars(scalars).items()})
        h = SimpleNamespace(**{**vars(h), "eta": as_tensor(h.eta, w)})
        values = [w, g, active, *state, *(x for numbers in (scalars, h, p) for x in vars(numbers).values())]
        inputs = [x for x in values if isinstance(x, Tensor)]
        layouts = ((x.dtype, x.device, x.shape, x.stride()) if isinstance(x, Tensor) else x for x in values)
        key = (step, rule, torch.get_num_threads(), *layouts)

        def flat(*given: Tensor) -> tuple[Tensor, ...]:
            """The step as a function of its inputs, in their order."""
            rest = iter(given)
            w, g = next(rest), next(rest)
            moving = None if active is None else next(rest)
            before = tuple(next(rest) for _ in state)
            numbers = [mapped(x, lambda _: next(rest)) for x in (scalars, h, p)]
            problem = copy.copy(drawn.problem)
            problem.p = numbers.pop()
            w, after, f, g = step(problem, rule, w, g, before, *numbers, moving)
            return w, f, g, *after

        graphs = _GRAPHS.setdefault(oracle.problem, {})
        if key not in graphs:
            try:
                graphs[key] = inductor(flat, inputs)
            except RuntimeError as error:
                raise ValueError(f"{rule.name} on {oracle.problem.name} cannot be compiled: {error}") from error
        w, f, g, *after = graphs[key](*inputs)
        return w, tuple(after), f, g

    return run


def as_tensor(x: Any, w: Tensor) -> Tensor:
    """A number as a 0-d tensor, filled on the device of w: no copy, nothing to wait for."""
    if isinstance(x, Tensor):
        return x
    return torch.full((), x, dtype=torch.promote_types(w.dtype, torch.float32), device=w.device)


def inductor(
    function: Callable[..., tuple[Tensor, ...]], inputs: Sequence[Tensor], mode: Literal["real", "fake"] = "real"
) -> Graph:
    """The function, traced on these inputs and compiled by torch's inductor for their layouts.

    Whoever calls it sees to it that they are the same. ``"fake"`` does not run what it traces.
    """
    from torch._inductor import compile  # slow to import
    from torch.fx.experimental.proxy_tensor import make_fx

    apart = [x.detach() for x in inputs]  # a tensor that comes twice is two inputs
    return compile(make_fx(function, tracing_mode=mode)(*apart), [*apart], options={"size_asserts": False})
