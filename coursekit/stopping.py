"""When to stop: each criterion looks at two neighbouring points of a run and says which runs of the batch end.

The maximum number of iterations is ``steps`` of :func:`coursekit.descend.descend` itself (GG, section 2.2).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Look:
    """What a criterion sees: f and gradient now, and those one step ago, as the oracle answered them."""

    f: Tensor
    g: Tensor
    f_before: Tensor
    g_before: Tensor


Criterion = Callable[[Look], Tensor]


def _positive(epsilon: float) -> float:
    if not epsilon > 0:
        raise ValueError(f"epsilon must be positive, got {epsilon!r}")
    return epsilon


def gradient_below(epsilon: float) -> Criterion:
    """‖∇f(w_t)‖ ≤ ε. Under PL it guarantees f - f* ≤ ε²/(2μ); source: GG-2.2-grad."""
    limit = _positive(epsilon)
    return lambda look: look.g.norm(dim=-1) <= limit


def value_change_below(epsilon: float) -> Criterion:
    """\\|f(w_t) - f(w_{t-1})\\| ≤ ε. It guarantees nothing by itself; source: GG-2.2-crit."""
    limit = _positive(epsilon)
    return lambda look: (look.f - look.f_before).abs() <= limit


def gradient_change_below(epsilon: float) -> Criterion:
    """‖∇f(w_t) - ∇f(w_{t-1})‖ ≤ ε. It guarantees nothing by itself; source: GG-2.2-crit."""
    limit = _positive(epsilon)
    return lambda look: (look.g - look.g_before).norm(dim=-1) <= limit
