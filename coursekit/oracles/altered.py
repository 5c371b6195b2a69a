"""Oracles that change a gradient once it is known: perturbed where it is small, compressed."""

from __future__ import annotations

from torch import Tensor

from .oracle import Oracle, Wrapper
from .stochastic import Stochastic


class Altered(Stochastic):
    """Answers with f and :meth:`alter` of its gradient; it may draw, and remember from step to step.

    It has no draw of its own: what asks for several gradients in one step (SAM) goes inside, ``Altered(SAM(f))``.
    """

    def alter(self, g: Tensor) -> Tensor:
        """What the method sees in place of the gradients g, shape (..., dim)."""
        raise NotImplementedError("an altered oracle says how it alters")

    value, hvp, hessian = Wrapper.value, Wrapper.hvp, Wrapper.hessian
    per_example_grads = Wrapper.per_example_grads

    def value_and_grad(self, w: Tensor) -> tuple[Tensor, Tensor]:
        f, g = self.inner.value_and_grad(w)
        return f, self.alter(g)

    def draw(self, w: Tensor) -> Oracle:
        raise ValueError(
            f"{type(self).__name__} must be the outermost oracle: it alters the gradient of a whole step"
        )
