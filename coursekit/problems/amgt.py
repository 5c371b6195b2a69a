"""The two applications of AMGT: quadratics of two variables with a coupling term."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch

from .problem import Constant, Problem


class Application(Problem):
    """f(x, y) = a x² + b y² - 2xy + 2: Application 1 of AMGT has a = b = 2, Application 2 has a = 1, b = 2."""

    dim = 2
    f_star = Constant(2.0)

    def __init__(self, number: int) -> None:
        if number not in (1, 2):
            raise ValueError(f"number must be 1 or 2, got {number!r}")
        self.p = SimpleNamespace(a=float(number == 1) + 1, b=2.0)
        self.w_star = torch.zeros(2, dtype=torch.float64)
        lam = torch.linalg.eigvalsh(self.hessian(self.w_star))
        self.mu = self.pl = Constant(float(lam[0]))
        self.L = Constant(float(lam[1]))

    @staticmethod
    def formula(w: Any, p: Any) -> Any:
        x, y = w[..., 0], w[..., 1]
        return p.a * x * x + p.b * y * y - 2 * x * y + 2
