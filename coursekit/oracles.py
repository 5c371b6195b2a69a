"""What a method may ask of a problem, and how often it did."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from .problems.problem import Problem


@dataclass
class Calls:
    """How many values, gradients and Hessian-vector products one run has asked for."""

    values: int = 0
    gradients: int = 0
    hvps: int = 0


@dataclass
class Oracle:
    """The exact oracle: answers with the problem's own value, gradient and Hessian-vector product, and counts.

    A batch counts as one call: every run of a batch has asked the same number of times.
    """

    problem: Problem
    calls: Calls = field(default_factory=Calls)

    def value(self, w: Tensor) -> Tensor:
        self.calls.values += 1
        return self.problem.value(w)

    def value_and_grad(self, w: Tensor) -> tuple[Tensor, Tensor]:
        """One gradient; its value comes with it at no further cost."""
        self.calls.gradients += 1
        return self.problem.value_and_grad(w)

    def hvp(self, w: Tensor, v: Tensor) -> Tensor:
        self.calls.hvps += 1
        return self.problem.hvp(w, v)

    def hessian(self, w: Tensor) -> Tensor:
        """The whole Hessian: it costs one product per coordinate."""
        self.calls.hvps += self.problem.dim
        return self.problem.hessian(w)
