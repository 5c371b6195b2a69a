"""Momentum: a velocity sums past gradients. Heavy ball and Nesterov differ in where they read the gradient."""

from typing import Any

from .rule import rule


@rule(state=("v",), eta=0.1, beta=0.9)
def heavy_ball(w: Any, g: Any, state: Any, scalars: Any, h: Any) -> Any:
    """Polyak's heavy ball: v ← β v + g, w ← w - η v.

    For a constant η this is :func:`heavy_ball_difference`, whose displacement is d = -η v.
    """
    (v,) = state
    v = h.beta * v + g
    return -h.eta * v, (v,)


@rule(state=("d",), eta=0.1, beta=0.9)
def heavy_ball_difference(w: Any, g: Any, state: Any, scalars: Any, h: Any) -> Any:
    """Heavy ball as the sources print it: w_{t+1} = w_t - η g + β d_t with d_t = w_t - w_{t-1}, d_1 = 0.

    TDL 4.3 (difference, and velocity v = -d), KH 2.2.2 (γ = β, v = -d), GG (8) (α = β, Δ = d). Here a step that
    was taken keeps its length in the memory; in :func:`heavy_ball` a change of η rescales the past as well.
    """
    (d,) = state
    d = h.beta * d - h.eta * g
    return d, (d,)


@rule(state=("v",), eta=0.1, beta=0.9)
def nesterov(w: Any, g: Any, state: Any, scalars: Any, h: Any) -> Any:
    """Nesterov's gradient, written at the look-ahead point w: v ← β v + g, w ← w - η (g + β v).

    TDL 4.3 prints the point x behind it: u ← β u + η ∇f(x - β u), x ← x - u. Then w = x - β u and u = η v.
    """
    (v,) = state
    v = h.beta * v + g
    return -h.eta * (g + h.beta * v), (v,)


@rule(state=("v",), scalars=lambda t, h: {"before": (t - 2) / (t + 1), "after": (t - 1) / (t + 2)}, eta=0.1)
def accelerated(w: Any, g: Any, state: Any, scalars: Any, h: Any) -> Any:
    """Nesterov's method with momentum (t-1)/(t+2), which grows, at its look-ahead points; for a constant η.

    v ← (t-2)/(t+1) v + g, w ← w - η (g + (t-1)/(t+2) v): in two lines, x_t = w_t - η ∇f(w_t) and
    w_{t+1} = x_t + (t-1)/(t+2) (x_t - x_{t-1}). On convex f it reaches f(x_T) - f* ≤ 2LR²/(T+1)².
    """
    (v,) = state
    v = scalars.before * v + g
    return -h.eta * (g + scalars.after * v), (v,)
