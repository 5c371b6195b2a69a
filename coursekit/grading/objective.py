"""A case's argument that is a function: the objective f that the student's function may ask, and its bill.

The student's function gets a :class:`Counted`: ``f(w)``, ``f.grad(w)``, ``f.hvp(w, v)``. In the notebook it asks
an oracle there; in grading the oracle stays in the grader, and the questions cross the boundary.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from coursekit import problems
from coursekit.oracles import Calls, Oracle
from coursekit.problems import Problem

MAX_CALLS = 10_000
KINDS = {"value": 1, "grad": 1, "hvp": 2}  # what may be asked, and of how many vectors

Ask = Callable[..., Tensor]


class Plain(Problem):
    """A plain function of a vector as a problem: nothing is known of it but its values."""

    def __init__(self, function: Callable[[Tensor], Tensor], dim: int) -> None:
        self._function, self.dim = function, dim

    def value(self, w: Tensor) -> Tensor:
        return self._function(w)


@dataclass(frozen=True)
class Objective:
    """An objective as an argument of a ``Case``, made anew for every call.

    ``kind`` is the name of a class in ``coursekit.problems``, called with ``parameters`` (plain values and
    tensors), or a function ``f(w, **parameters)`` of vectors with ``dim`` coordinates, in torch's operations, for
    hidden cases only: no code is shipped. With ``local=True`` a named problem runs in the student's process,
    neither secret nor counted. Raises ValueError for an unknown name, parameters that the problem refuses, and a
    local function.
    """

    kind: str | Callable[..., Tensor]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    dim: int | None = None
    local: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.kind, str):
            if not isinstance(getattr(problems, self.kind, None), type):
                raise ValueError(f"kind is {self.kind!r}; it must be a function or named in coursekit.problems")
        elif self.dim is None or self.local:
            raise ValueError("a plain function needs its dim, and cannot be local: its code stays in the grader")
        self.oracle()

    def __deepcopy__(self, memo: object) -> Objective:
        return self

    def oracle(self) -> Oracle:
        """The objective behind a bill that is still empty."""
        if not isinstance(self.kind, str):
            return Oracle(Plain(functools.partial(self.kind, **self.parameters), self.dim or 0))
        try:
            return Oracle(getattr(problems, self.kind)(**self.parameters))
        except TypeError as error:
            raise ValueError(f"{self.kind} cannot be made: {error}") from None


class Counted:
    """A function to be asked, in the order of its price: ``f(w)``, ``f.grad(w)``, ``f.hvp(w, v)``.

    ``w`` and ``v`` are one float64 vector each. ``f(w)`` can be differentiated once, by ``backward`` or
    ``torch.autograd.grad``; that costs a gradient.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def __call__(self, w: Tensor) -> Tensor:
        """The value f(w), a tensor without axes."""
        value: Tensor = _Value.apply(_vector(w, "w"), self._ask)
        return value

    def grad(self, w: Tensor) -> Tensor:
        """The gradient of f at w."""
        return self._ask("grad", _vector(w, "w").detach())

    def hvp(self, w: Tensor, v: Tensor) -> Tensor:
        """The Hessian of f at w, times v."""
        return self._ask("hvp", _vector(w, "w").detach(), _vector(v, "v").detach())

    def __deepcopy__(self, memo: object) -> Counted:
        return self


class CountedHere(Counted):
    """The same where the oracle is in this process: ``calls`` says what was asked so far."""

    def __init__(self, oracle: Oracle) -> None:
        super().__init__(functools.partial(answer, oracle))
        self._oracle = oracle

    @property
    def calls(self) -> Calls:
        return self._oracle.calls

    def __repr__(self) -> str:
        return f"{self._oracle.problem.name}: {self.calls}"


def counted(problem: Problem) -> CountedHere:
    """A problem as the function that self-check and grading hand to a student's function.

    ``f(w)`` is its value, ``f.grad(w)`` its gradient, ``f.hvp(w, v)`` its Hessian times v, each at one float64
    vector and on the bill ``f.calls``. Asking for anything else, or 10,000 times, raises ValueError.
    """
    return CountedHere(Oracle(problem))


def answer(oracle: Oracle, kind: str, *vectors: Tensor) -> Tensor:
    """One question, answered and counted. Raises ValueError where ``admit`` does."""
    admit(oracle, kind, vectors)
    if kind == "value":
        return oracle.value(vectors[0]).detach()
    return oracle.value_and_grad(vectors[0])[1] if kind == "grad" else oracle.hvp(vectors[0], vectors[1])


def admit(oracle: Oracle, kind: str, vectors: Sequence[Any]) -> None:
    """Raises ValueError unless the question is one, at finite float64 vectors, and among the first MAX_CALLS."""
    if kind not in KINDS or len(vectors) != KINDS[kind]:
        raise ValueError(f"an objective is asked for {', '.join(KINDS)}, got {kind!r} with {len(vectors)} vectors")
    dim = oracle.problem.dim
    for name, vector in zip("wv", vectors, strict=False):
        if type(vector) is not Tensor or vector.dtype != torch.float64 or vector.shape != (dim,):
            raise ValueError(f"{name} must be a float64 tensor of shape ({dim},), got {_words(vector)}")
        if not bool(vector.isfinite().all()):
            raise ValueError(f"{name} must be finite, got a NaN or an infinity")
    calls = oracle.calls
    if calls.values + calls.gradients + calls.hvps >= MAX_CALLS:
        raise ValueError(f"the objective was asked {MAX_CALLS:,} times, and that is the most")


def split(arguments: tuple[Any, ...]) -> tuple[tuple[Any, ...], dict[str, Objective]]:
    """The arguments with None in place of objectives, and the objectives by their place: "0" is the first."""
    found = {str(i): x for i, x in enumerate(arguments) if isinstance(x, Objective)}
    return join(arguments, dict.fromkeys(found)), found


def join(arguments: tuple[Any, ...], placed: Mapping[str, Any]) -> tuple[Any, ...]:
    """The arguments with what belongs in some places put there."""
    return tuple(placed.get(str(i), x) for i, x in enumerate(arguments))


class _Value(torch.autograd.Function):
    """f(w), whose derivative is asked for when it is needed."""

    @staticmethod
    def forward(ctx: Any, w: Tensor, ask: Ask) -> Tensor:
        ctx.save_for_backward(w)
        ctx.ask = ask
        return ask("value", w.detach())

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, factor: Tensor) -> tuple[Tensor, None]:
        (w,) = ctx.saved_tensors
        return factor * ctx.ask("grad", w.detach()), None


def _vector(x: Any, name: str) -> Tensor:
    if not isinstance(x, Tensor):
        raise ValueError(f"{name} must be a float64 tensor with one axis, got {_words(x)}")
    return x


def _words(x: Any) -> str:
    return f"{x.dtype} of shape {tuple(x.shape)}" if isinstance(x, Tensor) else f"a {type(x).__name__}"
