"""Losses that arrive one after another."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch

from .problem import Constant, FiniteSum


class OnlineLinear(FiniteSum):
    """f_t(w) = C w, -w, -w and again, on [-1, 1]: the sequence on which Adam ends at the worst point.

    Their mean (C - 2) w/3 is least at -1. With β₁ = 0 and β₂ = 1/(1 + C²) Adam divides C by its own size and moves
    further along the two small gradients, to +1 (Reddi, Kale and Kumar 2018); source: KH-adam-rate. Run it with
    ``descend(Epochs(OnlineLinear(), 1, shuffle=False), adam, start, project=lambda w: w.clamp(-1, 1), ...)``.
    """

    dim = 1

    def __init__(self, C: float = 4.0) -> None:
        if not C > 2:
            raise ValueError(f"C must exceed 2, or -1 is not the best point, got {C!r}")
        self.p = SimpleNamespace(slopes=torch.tensor([C, -1.0, -1.0], dtype=torch.float64))
        self.n = 3
        self.w_star = torch.tensor([-1.0], dtype=torch.float64)
        self.f_star = Constant((2 - C) / 3, how="on [-1, 1]")

    @staticmethod
    def formula(w: Any, p: Any) -> Any:
        return (p.slopes * w).mean(-1)
