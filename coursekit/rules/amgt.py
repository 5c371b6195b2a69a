"""AMGT (Laisin et al. 2025): Adam that forgets sooner while the gradients vary, as far as the paper defines it."""

from typing import Any, Literal

from .adam import bias_correction
from .ops import absolute, clip, maximum, sqrt, where
from .rule import Rule, check_choices

CHOICES = {
    "factor": ("memory", "gradient"),
    "variance": ("mean", "coordinate"),
    "correction": ("collected", "printed"),
    "threshold": ("none", "norm", "hard"),
    "scaling": ("adam", "none"),
}


def squares(w: Any, g: Any, state: Any, h: Any) -> Any:
    """Σ g² over the window: the present gradient and the past ones; places not filled yet hold zero."""
    return sum(x * x for x in (g, *state[3:]))


def squared_total(w: Any, g: Any, state: Any, h: Any) -> Any:
    """(Σ g)² over the window."""
    return sum((g, *state[3:])) ** 2


def amgt_reading(
    name: str,
    *,
    factor: Literal["memory", "gradient"] = "memory",
    variance: Literal["mean", "coordinate"] = "mean",
    window: int = 10,
    correction: Literal["collected", "printed"] = "collected",
    threshold: Literal["none", "norm", "hard"] = "none",
    scaling: Literal["adam", "none"] = "adam",
) -> Rule:
    """A reading of AMGT: λ = 1/(1 + γ Var g), m ← β₁λ m + (1-β₁λ) g, w ← w - η/(1+αt) m̂/(√v̂ + ε).

    The paper lists no complete algorithm. What its equations (7) to (10) and (14) leave open, the default first:

    - ``factor``, where λ enters: (8) announces it and prints Adam's average, which is γ = 0. "memory" shortens
      that average, as the text says ("the influence of past gradients"). "gradient": m ← β₁ m + (1-β₁) λ g.
    - ``variance`` of the last ``window`` gradients ("recent iterations"; we take 10). "mean" over the coordinates,
      because (9) has one λ. "coordinate": a λ for each.
    - ``correction``: m̂ = m/q. "collected": q is the weight that m has collected, so that m̂ = g for a gradient
      that never changes and m̂ is always an average of gradients. "printed": q = 1 - β₁ᵗ of (7), which is too
      small after a λ < 1: early steps come out up to 1/(1-β₁) times too long.
    - ``threshold``: "none", because no equation has one. "norm": m̂ min(1, τ/‖m̂‖). "hard": m̂ where |m̂| > τ, else 0.
    - ``scaling``: "adam" divides as (7), but with ε outside the root: only λ and the decay differ from Adam.
      "none" is (14), the method of the proofs; there pass alpha=0 and η = 1/(μ k), ``schedules.strongly_convex``.

    The α_t that (2) adds to m̂ is never given: left out, as a constant one would move the point of rest away from
    the minimizer. β₁ and β₂ are constant, as (3) gives no schedule. Claims AMGT-name, -threshold, -eq2, -eq3 and
    -eq7 to -eq14. Raises ValueError for any other choice, and for "norm" with a λ for each coordinate.
    """
    given = {
        "factor": factor, "variance": variance, "correction": correction,
        "threshold": threshold, "scaling": scaling,
    }  # fmt: skip
    check_choices(CHOICES, **given)
    if not isinstance(window, int) or window < 2:
        raise ValueError(f"window must be an integer of at least 2, got {window!r}")
    if threshold == "norm" and variance == "coordinate":
        # ‖m‖ follows from sums over the last m and g only if one λ multiplies all of m.
        raise ValueError(f"threshold 'norm' needs variance 'mean', got {variance!r}")

    sums: dict[str, Any] = {}
    if variance == "mean":
        sums = {"squares": squares, "squared_total": squared_total, "dim": lambda w, g, state, h: 0 * w + 1}
    if threshold == "norm":
        sums |= {
            "mm": lambda w, g, state, h: state[0] * state[0],
            "mg": lambda w, g, state, h: state[0] * g,
            "gg": lambda w, g, state, h: g * g,
        }

    def scalars_of(t: Any, h: Any) -> dict[str, Any]:
        return {"n": clip(t, 1, window), "decay": 1 / (1 + h.alpha * t), "c2": bias_correction(t, h)["c2"]}

    def update(w: Any, g: Any, state: Any, scalars: Any, h: Any) -> Any:
        m, v, q, *past = state
        n = scalars.n
        if variance == "mean":
            var = (scalars.squares - scalars.squared_total / n) / (n * scalars.dim)
        else:
            var = (squares(w, g, state, h) - squared_total(w, g, state, h) / n) / n
        lam = 1 / (1 + h.gamma * maximum(var, 0))  # (9); rounding may leave a variance just below zero
        if factor == "memory":
            keep, take = h.beta1 * lam, 1 - h.beta1 * lam
        else:
            keep, take = h.beta1, (1 - h.beta1) * lam
        m = keep * m + take * g  # (8)
        v = h.beta2 * v + (1 - h.beta2) * g * g  # (7)
        kept = keep if correction == "collected" else h.beta1
        q = kept * q + 1 - kept
        m_hat = m / q
        if threshold == "norm":
            norm2 = keep * keep * scalars.mm + 2 * keep * take * scalars.mg + take * take * scalars.gg  # ‖m‖²
            m_hat = m_hat * h.tau / maximum(sqrt(maximum(norm2, 0)) / q, h.tau)
        elif threshold == "hard":
            m_hat = where(absolute(m_hat) > h.tau, m_hat, 0.0)
        step = h.eta * scalars.decay * m_hat  # (10)
        return -step / (sqrt(v * scalars.c2) + h.eps) if scaling == "adam" else -step, (m, v, q, g, *past[:-1])

    update.__name__ = name
    update.__doc__ = "AMGT: " + ", ".join(f"{k} {v!r}" for k, v in {**given, "window": window}.items())
    tau = {} if threshold == "none" else {"tau": 1.0}
    defaults = {"eta": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "gamma": 1.0, "alpha": 0.01, **tau}
    state = ("m", "v", "q", *(f"g{i}" for i in range(1, window)))
    return Rule(update, state, defaults, scalars_of, sums)


amgt = amgt_reading("amgt")
