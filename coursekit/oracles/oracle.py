"""The exact oracle, what an oracle around another one is, and the bill."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Self

from torch import Tensor

from ..problems.problem import FiniteSum, Problem


@dataclass
class Calls:
    """How many values, gradients and Hessian-vector products one run has asked for, whatever their size.

    ``examples`` weighs the gradients: how many gradients of single examples they took. One of a mean over n
    examples takes n, one of a mini-batch b; where there are no examples, each gradient counts as one.
    """

    values: int = 0
    gradients: int = 0
    hvps: int = 0
    examples: int = 0


class Oracle:
    """The exact oracle: answers with the problem's own value, gradient and Hessian-vector product, and counts.

    A batch counts as one call: every run of a batch has asked the same number of times. ``exact`` says whether the
    answers are those of the problem itself; an oracle around another one changes them.
    """

    exact = True

    def __init__(self, problem: Problem, calls: Calls | None = None) -> None:
        self._problem, self._calls = problem, Calls() if calls is None else calls

    @property
    def problem(self) -> Problem:
        """What is minimized in truth, whatever the method sees of it."""
        return self._problem

    @property
    def calls(self) -> Calls:
        """All that was asked so far."""
        return self._calls

    def fresh(self) -> Oracle:
        """The same oracle before its first call: nothing counted, its randomness back at the seed."""
        return Oracle(self.problem)

    def draw(self, w: Tensor) -> Oracle:
        """An oracle in which all randomness is drawn, for every run of the batch: a method that asks several
        times within one step asks it. The exact oracle is its own draw."""
        return self

    def value(self, w: Tensor) -> Tensor:
        """f(w), shape (..., dim) -> (...)."""
        self.calls.values += 1
        return self._problem.value(w)

    def value_and_grad(self, w: Tensor) -> tuple[Tensor, Tensor]:
        """f(w) and its gradient; one gradient, its value comes with it at no further cost."""
        self.count()
        return self._problem.value_and_grad(w)

    def per_example_grads(self, w: Tensor) -> Tensor:
        """The gradient of every example, shape (..., dim) -> (..., n, dim): the price of one gradient."""
        self.count()
        return finite_sum(self._problem).per_example_grads(w)

    def hvp(self, w: Tensor, v: Tensor) -> Tensor:
        """Hessian times v."""
        self.calls.hvps += 1
        return self._problem.hvp(w, v)

    def hessian(self, w: Tensor) -> Tensor:
        """The whole Hessian: it costs one product per coordinate."""
        self.calls.hvps += self._problem.dim
        return self._problem.hessian(w)

    def count(self) -> None:
        """Put one gradient on the bill."""
        self.calls.gradients += 1
        self.calls.examples += self._problem.n if isinstance(self._problem, FiniteSum) else 1


class Wrapper(Oracle):
    """An oracle around another one, ``inner``: it changes some answers and hands the other questions on.

    A subclass that asks more than once for one answer asks one draw: ``fixed = self.inner.draw(w)``.
    """

    exact = False

    def __init__(self, inner: Problem | Oracle) -> None:
        self.inner = as_oracle(inner)

    @property
    def problem(self) -> Problem:
        return self.inner.problem

    @property
    def calls(self) -> Calls:
        return self.inner.calls

    def fresh(self) -> Self:
        return self._around(self.inner.fresh())

    def draw(self, w: Tensor) -> Oracle:
        return self._around(self.inner.draw(w))

    def value(self, w: Tensor) -> Tensor:
        return self.inner.value(w)

    def value_and_grad(self, w: Tensor) -> tuple[Tensor, Tensor]:
        return self.inner.value_and_grad(w)

    def per_example_grads(self, w: Tensor) -> Tensor:
        return self.inner.per_example_grads(w)

    def hvp(self, w: Tensor, v: Tensor) -> Tensor:
        return self.inner.hvp(w, v)

    def hessian(self, w: Tensor) -> Tensor:
        return self.inner.hessian(w)

    def _around(self, inner: Oracle) -> Self:
        again = copy.copy(self)
        again.inner = inner
        return again


def as_oracle(problem: Problem | Oracle) -> Oracle:
    """The oracle itself, or the exact one of a problem."""
    return problem if isinstance(problem, Oracle) else Oracle(problem)


def finite_sum(problem: Problem) -> FiniteSum:
    """The problem, if it is a mean over examples; else ValueError."""
    if not isinstance(problem, FiniteSum):
        raise ValueError(f"{problem.name} is not a mean over examples, as LeastSquares or Network are")
    return problem
