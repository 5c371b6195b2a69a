"""LAMB: Adam whose step on each layer is as long as η times the layer's own weights."""

from typing import Any

import torch

from ..rules.adam import adamw, bias_correction
from ..rules.rule import rule
from .optimizer import from_rule


@rule(state=("m", "v"), eta=1e-3, beta1=0.9, beta2=0.999, eps=1e-6, wd=1e-2, scalars=bias_correction)
def lamb(w: Any, g: Any, state: Any, scalars: Any, h: Any) -> Any:
    """LAMB (You et al. 2020, Algorithm 2): r = m̂/(√v̂ + ε) + λ w, w ← w - η (‖w‖ / ‖r‖) r; w is one layer.

    The trust ratio ‖w‖/‖r‖ is 1 where w or r is zero. Both averages are bias-corrected, φ is the identity.
    """
    delta, state = adamw(w, g, state, scalars, h)  # -η r: its length cancels in the ratio
    long, short = h.eta * w.norm(), delta.norm()
    return torch.where((long > 0) & (short > 0), long / short, 1.0) * delta, state


LAMB = from_rule(lamb, "LAMB")
