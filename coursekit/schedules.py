"""Learning-rate schedules: plain functions of the step number t = 1, 2, ..., no state, nothing to install.

In :func:`coursekit.descend`: ``eta=lambda t: 0.1 * schedules.cosine(t, T=100)``. With torch, whose schedulers
count from 0: ``LambdaLR(optimizer, lambda k: schedules.cosine(k + 1, T=100))``. All but :func:`strongly_convex`
return a multiplier of the base step.
"""

import math


def constant(t: float) -> float:
    """1."""
    _check(t)
    return 1.0


def inverse(t: float) -> float:
    """1/t."""
    _check(t)
    return 1 / t


def inverse_sqrt(t: float) -> float:
    """1/√t."""
    _check(t)
    return 1 / math.sqrt(t)


def strongly_convex(t: float, mu: float, kappa: float = 0.0) -> float:
    """The step itself, 1/(μ (t + κ)).

    With κ = 0 the first steps exceed 2/L and the stiff directions grow before they shrink; with κ = L/μ no step
    exceeds 1/L.
    """
    _check(t, mu=mu)
    if not 0 <= kappa < math.inf:
        raise ValueError(f"kappa must lie in [0, inf), got {kappa!r}")
    return 1 / (mu * (t + kappa))


def warmup(t: float, T: float) -> float:
    """Linear warm-up: t/T up to t = T, then 1."""
    _check(t, T=T)
    return min(t / T, 1.0)


def step_decay(t: float, every: float, factor: float = 0.1) -> float:
    """factor^k in the k-th block of ``every`` steps, k = 0, 1, ..."""
    _check(t, every=every)
    if not 0 < factor <= 1:
        raise ValueError(f"factor must lie in (0, 1], got {factor!r}")
    return factor ** ((t - 1) // every)


def cosine_printed(t: float, T: float) -> float:
    """(1 + cos((t-1)π/T))/2 for 1 ≤ t ≤ T + 1: T + 1 steps, the last of length zero."""
    _check(t, T=T)
    if t > T + 1:
        raise ValueError(f"the cosine is defined for t up to T + 1 = {T + 1}, got t = {t!r}")
    return (1 + math.cos((t - 1) * math.pi / T)) / 2


def cosine(t: float, T: float, warm: float = 0, floor: float = 0.0) -> float:
    """The cosine as it is used: ``warm`` steps of warm-up, from 1 down to the floor at t = T + 1, then flat."""
    _check(t, T=T)
    if not 0 <= warm < T:
        raise ValueError(f"warm must lie in [0, T) = [0, {T}), got {warm!r}")
    if t <= warm:
        return warmup(t, warm)
    return _above(floor, cosine_printed(min(t, T + 1) - warm, T - warm))


def cosine_restarts(t: float, T: float, growth: float = 1, floor: float = 0.0) -> float:
    """Cosine with warm restarts: cycles of T, T·growth, T·growth², ... steps, each from 1 towards the floor."""
    _check(t, T=T)
    if not 1 <= growth < math.inf:
        raise ValueError(f"growth must lie in [1, inf), got {growth!r}")
    if growth == 1:
        t = (t - 1) % T + 1
    else:
        while t > T:
            t, T = t - T, T * growth
    return _above(floor, cosine_printed(t, T))


def _above(floor: float, multiplier: float) -> float:
    if not 0 <= floor <= 1:
        raise ValueError(f"floor must lie in [0, 1], got {floor!r}")
    return floor + (1 - floor) * multiplier


def _check(t: float, **positive: float) -> None:
    if not 1 <= t < math.inf:
        raise ValueError(f"t counts steps from 1, got {t!r}")
    for name, value in positive.items():
        if not 0 < value < math.inf:
            raise ValueError(f"{name} must be positive and finite, got {value!r}")
