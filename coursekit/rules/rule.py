"""What a rule is: one pure function of point, gradient and state, with its hyper-parameters named."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

Update = Callable[[Any, Any, tuple[Any, ...], Any, Any], tuple[Any, tuple[Any, ...]]]
Scalars = Callable[[Any, Any], Mapping[str, Any]]
Part = Callable[[Any, Any, tuple[Any, ...], Any], Any]
Leaf = tuple[Any, Any, tuple[Any, ...], Any]

# The range of each hyper-parameter, by its symbol, as mathematics writes it: [ and ] include the end.
RANGES = {
    "eta": "(0, inf)",
    "beta": "[0, 1)",
    "beta1": "[0, 1)",
    "beta2": "[0, 1)",
    "eps": "[0, inf)",
    "wd": "[0, inf)",  # λ, weight decay
    "sigma": "(0, inf)",
    "gamma": "[0, inf)",  # AMGT: how strongly the variance of the gradients counts
    "alpha": "[0, inf)",  # AMGT: decay of the step
    "tau": "(0, inf)",  # a threshold
    "rho": "[0, inf)",  # radius of the ball of SAM
    "floor": "[0, inf)",  # what ASAM makes of a weight of zero
    "power": "[0, 1]",  # AdaHessian's k
    "every": "[1, inf)",  # steps from one computation of Shampoo's roots to the next
}


@dataclass(frozen=True, eq=False)
class Rule:
    """An update rule: ``w_{t+1} = w_t + delta`` with ``delta, state = rule(w, g, state, scalars, h)``.

    ``state`` names the buffers (each starts at zero, shaped like w); ``defaults`` are the hyper-parameters
    ``h``; ``scalars(t, h)`` gives what depends on the step number t = 1, 2, ... only, once per step.

    A rule itself never adds coordinates up: ``sums`` and ``peaks`` name elementwise functions
    ``part(w, g, state, h)`` whose sum, or maximum, over the whole parameter vector the engine takes before the
    step and hands over among the ``scalars``: ``sums={"g2": lambda w, g, state, h: g * g}``, then ``scalars.g2``.
    The peaks come first, and a sum finds them in its ``h``.
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

    def totals(
        self, leaves: Sequence[Leaf], peak: Callable[[Iterator[Any]], Any], total: Callable[[Iterator[Any]], Any]
    ) -> dict[str, Any]:
        """The peaks and sums over all leaves (w, g, state, h) of one vector, by the engine's two functions."""
        peaks = {name: peak(part(*leaf) for leaf in leaves) for name, part in self.peaks.items()}
        seen = [(w, g, state, SimpleNamespace(**vars(h), **peaks)) for w, g, state, h in leaves]
        return peaks | {name: total(part(*leaf) for leaf in seen) for name, part in self.sums.items()}

    def totals_along(self, w: Tensor, g: Tensor, state: tuple[Tensor, ...], h: Any) -> dict[str, Tensor]:
        """The peaks and sums of vectors along the last axis, which keep it with length 1."""
        return self.totals(
            [(w, g, state, h)], lambda x: next(x).amax(-1, keepdim=True), lambda x: next(x).sum(-1, keepdim=True)
        )

    def scalars_along(self, t: Any, w: Tensor, g: Tensor, state: tuple[Tensor, ...], h: Any) -> SimpleNamespace:
        """All scalars of step t for vectors along the last axis."""
        return SimpleNamespace(**vars(self.scalars_at(t, h)), **self.totals_along(w, g, state, h))


def check_range(name: str, value: Any, called: str | None = None) -> None:
    """ValueError unless the value, or every entry of a tensor, is in the range of this hyper-parameter."""
    allowed = RANGES[name]
    low, high = map(float, allowed[1:-1].split(","))
    try:
        values = torch.as_tensor(value)
    except (TypeError, RuntimeError) as error:
        raise ValueError(f"{called or name} must be a number or a tensor, got {value!r}") from error
    above = values >= low if allowed[0] == "[" else values > low
    below = values <= high if allowed[-1] == "]" else values < high
    if not bool((above & below).all()):
        raise ValueError(f"{called or name} must lie in {allowed}, got {value!r}")


def check_choices(allowed: Mapping[str, Sequence[str]], **given: str) -> None:
    """ValueError unless each given option is one of those allowed under its name."""
    for name, value in given.items():
        if value not in allowed[name]:
            raise ValueError(f"{name} must be one of {', '.join(allowed[name])}, got {value!r}")


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
