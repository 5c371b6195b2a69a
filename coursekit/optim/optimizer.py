"""A rule as a ``torch.optim.Optimizer``: parameter groups, state_dict, schedulers, closures."""

from __future__ import annotations

import inspect
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from types import SimpleNamespace
from typing import Any, ClassVar

import torch
from torch import Tensor

from ..rules.rule import Rule, check_range
from .engines import Extras, Leaf, Task, compiled, eager

# What every optimizer has beside its rule's own hyper-parameters.
EXTRAS: dict[str, Any] = {"l2": 0.0, "maximize": False}
Bucket = tuple[int, torch.dtype, torch.device]


class RuleOptimizer(torch.optim.Optimizer):
    """The common part of all optimizers that :func:`from_rule` makes.

    Options, for all parameters or per group: ``lr`` (the rule's η, under the name that torch's schedulers know),
    the rule's other hyper-parameters under their own names, ``l2`` (adds λ w to the gradient, the gradient of the
    penalty λ‖w‖²/2) and ``maximize``. Bad options raise ValueError before anything is stored, bad gradients before
    any parameter moves: sparse ones, and complex parameters, are refused.

    A step takes the gradients as it finds them, so these work as with torch's optimizers: a closure, gradients
    accumulated over several ``backward`` calls, and ``torch.amp.GradScaler``, which unscales them first and leaves
    the step out if one is not finite.

    ``compile=True`` turns the step over all tensors into one compiled function; the first step then takes from
    seconds to minutes. It is compiled again when another number than ``lr`` changes, unless that is a 0-d tensor.
    It needs all parameters on one device, and so does a rule that sums over all of them, in the widest dtype.
    """

    rule: ClassVar[Rule]

    def __init__(
        self, params: Any, lr: float | Tensor | None = None, *, compile: bool = False, **options: Any
    ) -> None:
        defaults = {("lr" if k == "eta" else k): v for k, v in self.rule.defaults.items()} | EXTRAS
        given = options if lr is None else {"lr": lr, **options}
        _check(self.rule, given, defaults)
        self.compile = compile
        super().__init__(params, {**defaults, **given})

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "compile": self.compile}

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters with options of their own: ``{"params": ..., "lr": ...}``."""
        known = self.defaults
        _check(self.rule, {k: v for k, v in param_group.items() if k not in ("params", "param_names")}, known)
        params = param_group["params"]
        if not isinstance(params, Tensor | set):  # torch refuses a set: it has no order
            params = list(params)
        for i, item in enumerate([params] if isinstance(params, Tensor) else params):
            name, p = item if isinstance(item, tuple) else (f"number {i} of group {len(self.param_groups)}", item)
            if isinstance(p, Tensor) and p.is_complex():
                raise ValueError(f"parameter {name} is {p.dtype}; {self.rule.name} takes real tensors")
        super().add_param_group({**param_group, "params": params})
        devices = sorted({str(p.device) for group in self.param_groups for p in group["params"]})
        if len(devices) > 1 and (self.compile or self.rule.sums or self.rule.peaks):
            self.param_groups.pop()
            why = "compile=True" if self.compile else f"{self.rule.name}, which sums over all parameters,"
            raise ValueError(f"{why} needs all parameters on one device, got {', '.join(devices)}")

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where :meth:`state_dict` was taken; ValueError if another rule's optimizer took it."""
        for group in state_dict["param_groups"]:
            if missing := sorted(set(self.defaults) - set(group)):
                raise ValueError(f"this is no state of {type(self).__name__}: it lacks {', '.join(missing)}")
        super().load_state_dict(state_dict)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step of the rule on every parameter that has a gradient; returns the closure's loss, if any."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        self._check_gradients()
        tasks = []
        for group in self.param_groups:
            extras = Extras(group["maximize"], group["l2"])
            h = {k: group["lr" if k == "eta" else k] for k in self.rule.defaults}
            for (t, _, _), leaves in self._leaves(group).items():
                scalars = self.rule.scalars(t, SimpleNamespace(**h)) if self.rule.scalars else {}
                tasks.append(Task(leaves, h, scalars, extras))
        if not self.compile:
            eager(self.rule, tasks)
        elif tasks:
            if "_step" not in self.__dict__:
                self._step = compiled(self.rule)
            self._step(tasks)
        return loss

    def _leaves(self, group: Mapping[str, Any]) -> Mapping[Bucket, list[Leaf]]:
        """The parameters with a gradient, by step number, dtype and device; their step number goes up by one."""
        leaves = defaultdict(list)
        for p in group["params"]:
            g = p.grad
            if g is None:
                continue
            state = self.state[p]
            if not state:
                state["step"] = 0
                state.update(self._buffers(p))
            state["step"] += 1
            t, *buffers = state.values()
            leaves[t, p.dtype, p.device].append(Leaf(p, g, tuple(buffers)))
        return leaves

    def _buffers(self, p: Tensor) -> dict[str, Tensor]:
        """What the rule's state of p starts from."""
        return {name: torch.zeros_like(p) for name in self.rule.state}

    def _check_gradients(self) -> None:
        """ValueError for a step size out of range, or for gradients that the rule cannot take."""
        for number, group in enumerate(self.param_groups):
            lr = group["lr"]
            # A tensor is not looked at here: that would wait for its device at every step.
            if not isinstance(lr, Tensor) and not 0 <= lr < math.inf:
                raise ValueError(f"lr of group {number} must lie in [0, inf), got {lr!r}")
            for i, p in enumerate(group["params"]):
                if p.grad is not None and p.grad.layout != torch.strided:
                    name = group.get("param_names", {i: f"number {i} of group {number}"})[i]
                    raise ValueError(
                        f"the gradient of parameter {name} is {p.grad.layout}; {self.rule.name} takes dense ones"
                    )


def from_rule(
    rule: Rule, name: str | None = None, base: type[RuleOptimizer] = RuleOptimizer
) -> type[RuleOptimizer]:
    """The optimizer class of a rule, e.g. ``from_rule(adam)(model.parameters(), lr=1e-3, beta2=0.99)``.

    A rule is elementwise: a large tensor is updated block by block.
    """
    name = name or rule.name.title().replace("_", "")
    options = {("lr" if k == "eta" else k): v for k, v in rule.defaults.items()} | EXTRAS | {"compile": False}
    positional, named = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    signature = inspect.Signature(
        [inspect.Parameter("params", positional)]
        + [inspect.Parameter(k, positional if k == "lr" else named, default=v) for k, v in options.items()]
    )
    doc = f"{rule.update.__doc__}\n\nAs a torch optimizer; η is ``lr``. The other options: :class:`RuleOptimizer`."
    body = {"rule": rule, "__doc__": doc, "__module__": "coursekit.optim", "__signature__": signature}
    return type(name, (base,), body)


def _check(rule: Rule, options: Mapping[str, Any], known: Iterable[str]) -> None:
    """ValueError for an option that the rule does not have or whose value is not allowed."""
    for key, value in options.items():
        if key not in known:
            raise ValueError(f"{rule.name} has no option {key!r}; it has {', '.join(known)}")
        if key == "maximize":
            if not isinstance(value, bool):
                raise ValueError(f"maximize must be True or False, got {value!r}")
            continue
        if isinstance(value, Tensor) and value.ndim:
            raise ValueError(f"{key} must be one number, got shape {tuple(value.shape)}")
        check_range({"lr": "eta", "l2": "wd"}.get(key, key), value, called=key)
