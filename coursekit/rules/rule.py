"""What a rule is: one pure function of point, gradient and state, with its hyper-parameters named."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import torch

Update = Callable[[Any, Any, tuple[Any, ...], Any, Any], tuple[Any, tuple[Any, ...]]]
Scalars = Callable[[Any, Any], Mapping[str, Any]]
Part = Callable[[Any, Any, tuple[Any, ...], Any], Any]

# The range of each hyper-parameter, by its symbol: (lowest, highest, is the lowest allowed?).
RANGES: dict[str, tuple[float, float, bool]] = {
    "eta": (0.0, math.inf, False),
    "beta": (0.0, 1.0, True),
    "beta1": (0.0, 1.0, True),
    "beta2": (0.0, 1.0, True),
    "eps": (0.0, math.inf, True),
    "wd": (0.0, math.inf, True),  # λ, weight decay
}


@dataclass(frozen=True, eq=False)
class Rule:
    """An update rule: ``w_{t+1} = w_t + delta`` with ``delta, state = rule(w, g, state, scalars, h)``.

    ``state`` names the buffers (each starts at zero, shaped like w); ``defaults`` are the hyper-parameters
    ``h``; ``scalars(t, h)`` gives what depends on the step number t = 1, 2, ... only, once per step.

    A rule itself never adds coordinates up: ``sums`` and ``peaks`` name elementwise functions
    ``part(w, g, state, h)`` whose sum, or maximum, over the whole parameter vector the engine takes before the
    step and hands over among the ``scalars``: ``sums={"g2": lambda w, g, state, h: g * g}``, then ``scalars.g2``.
    """

    update: Update
    state: tuple[str, ...]
    defaults: Mapping[str, float]
    scalars: Scalars | None = None
    sums: Mapping[str, Part] = field(default_factory=dict)
    peaks: Mapping[str, Part] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.update.__name__

    @property
    def title(self) -> str:
        return self.name.replace("_", " ").capitalize()

    def __call__(
        self, w: Any, g: Any, state: tuple[Any, ...], scalars: Any, h: Any
    ) -> tuple[Any, tuple[Any, ...]]:
        return self.update(w, g, state, scalars, h)

    def __repr__(self) -> str:
        return f"rule {self.name}({', '.join(self.defaults)})"

    def hyper(self, **given: Any) -> SimpleNamespace:
        """All hyper-parameters, the given ones checked; ValueError names what is not allowed.

        ``eta`` may be a schedule, a function of t: then its values are checked when they are used.
        """
        for name, value in given.items():
            if name not in self.defaults:
                raise ValueError(f"{self.name} has no {name!r}; it has {', '.join(self.defaults)}")
            if name == "eta" and callable(value):
                continue  # a schedule: descend checks what it returns
            check_range(name, value)
        return SimpleNamespace(**{**self.defaults, **given})

    def scalars_at(self, t: Any, h: Any) -> SimpleNamespace:
        """The step-dependent scalars of step t (1-based)."""
        return SimpleNamespace(**(self.scalars(t, h) if self.scalars else {}))


def check_range(name: str, value: Any, called: str | None = None) -> None:
    """ValueError unless the value, or every entry of a tensor, is in the range of this hyper-parameter."""
    low, high, closed = RANGES[name]
    try:
        values = torch.as_tensor(value)
    except (TypeError, RuntimeError) as error:
        raise ValueError(f"{called or name} must be a number or a tensor, got {value!r}") from error
    inside = (values >= low if closed else values > low) & (values < high)
    if not bool(inside.all()):
        allowed = f"{'[' if closed else '('}{low:g}, {high:g})"
        raise ValueError(f"{called or name} must lie in {allowed}, got {value!r}")


def rule(
    *,
    state: tuple[str, ...] = (),
    scalars: Scalars | None = None,
    sums: Mapping[str, Part] | None = None,
    peaks: Mapping[str, Part] | None = None,
    **defaults: float,
) -> Callable[[Update], Rule]:
    """Make a :class:`Rule` of a pure function ``(w, g, state, scalars, h) -> (delta, state)``."""
    unknown = set(defaults) - set(RANGES)
    if unknown:
        raise ValueError(f"no range is stated for {sorted(unknown)}: add it to RANGES")

    def make(update: Update) -> Rule:
        return Rule(update, state, defaults, scalars, sums or {}, peaks or {})

    return make
