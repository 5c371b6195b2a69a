"""The adaptive methods as the sources print them, where that is not the method as published.

They are here so that what the sources claim of them can be run. Train with the published ones: ``adagrad``,
``rmsprop``, ``adam``.
"""

import math
from typing import Any, Literal

from .adam import bias_correction
from .ops import sqrt
from .rule import Rule, check_choices, rule


@rule(state=("s",), eta=0.01, eps=1e-10)
def adagrad_printed(w: Any, g: Any, state: Any, scalars: Any, h: Any) -> Any:
    """GG (39)-(40), ε inside the root: s ← s + g², w ← w - η g / √(ε + s)."""
    (s,) = state
    s = s + g * g
    return -h.eta * g / sqrt(h.eps + s), (s,)


@rule(state=("s",), eta=1.0, sigma=1.0)
def adagrad_predictable(w: Any, g: Any, state: Any, scalars: Any, h: Any) -> Any:
    """TDL Theorem 4.6.5, only past gradients scale the step: w ← w - η g / √(s + σ²), then s ← s + g²."""
    (s,) = state
    return -h.eta * g / sqrt(s + h.sigma**2), (s + g * g,)


@rule(state=("v",), eta=0.01, beta=0.9, eps=1e-8, sums={"g2": lambda w, g, state, h: g * g})
def rmsprop_printed(w: Any, g: Any, state: Any, scalars: Any, h: Any) -> Any:
    """GG (41)-(42), one number v for all coordinates: v ← γ v + (1-γ) ‖g‖², w ← w - η g / √(ε + v); γ is beta."""
    (v,) = state
    v = h.beta * v + (1 - h.beta) * scalars.g2
    return -h.eta * g / sqrt(h.eps + v), (v,)


CORRECTIONS = {
    "t": bias_correction,
    "t - 1": lambda t, h: bias_correction(t - 1, h) if t > 1 else {"c1": math.inf, "c2": math.inf},
    "none": lambda t, h: {"c1": 1.0, "c2": 1.0},
}
CHOICES = {"square": ("coordinate", "norm"), "eps": ("outside", "inside"), "exponent": tuple(CORRECTIONS)}


def adam_variant(
    name: str,
    *,
    square: Literal["coordinate", "norm"] = "coordinate",
    eps: Literal["outside", "inside"] = "outside",
    exponent: Literal["t", "t - 1", "none"] = "t",
) -> Rule:
    """Adam, m ← β₁ m + (1-β₁) g, v ← β₂ v + (1-β₂) s, w ← w - η (c₁ m) / D, with three choices.

    ``square``: s is g², by coordinate (Kingma and Ba, KH, TDL, AMGT), or ‖g‖², one number (GG (44)).
    ``eps``: D is √(c₂ v) + ε (Kingma and Ba, TDL) or √(c₂ v + ε) (KH 2.2.3, AMGT (7), GG (47)).
    ``exponent``: c = 1/(1 - βᵗ) (Kingma and Ba, KH, AMGT (7)); 1/(1 - βᵗ⁻¹), infinite in the first step (GG
    (45)-(46), which count from k = 0); or 1 (TDL 4.5, which does not show the correction).
    Raises ValueError for any other choice.
    """
    check_choices(CHOICES, square=square, eps=eps, exponent=exponent)

    def update(w: Any, g: Any, state: Any, scalars: Any, h: Any) -> Any:
        m, v = state
        m = h.beta1 * m + (1 - h.beta1) * g
        v = h.beta2 * v + (1 - h.beta2) * (scalars.g2 if square == "norm" else g * g)
        m_hat, v_hat = m * scalars.c1, v * scalars.c2
        return -h.eta * m_hat / (sqrt(v_hat + h.eps) if eps == "inside" else sqrt(v_hat) + h.eps), (m, v)

    update.__name__ = name
    update.__doc__ = f"Adam with square={square!r}, eps={eps!r}, exponent={exponent!r}: see adam_variant."
    return rule(
        state=("m", "v"), eta=1e-3, beta1=0.9, beta2=0.999, eps=1e-8,
        scalars=CORRECTIONS[exponent], sums={"g2": lambda w, g, state, h: g * g} if square == "norm" else None,
    )(update)  # fmt: skip


adam_uncorrected = adam_variant("adam_uncorrected", exponent="none")  # TDL 4.5
adam_eps_inside = adam_variant("adam_eps_inside", eps="inside")  # KH 2.2.3, AMGT (7)
adam_scalar = adam_variant("adam_scalar", square="norm", eps="inside")  # GG (43)-(47), repaired to exponent t
adam_printed = adam_variant("adam_printed", square="norm", eps="inside", exponent="t - 1")  # GG (43)-(47)
