"""Federated averaging: every client takes some steps on its own examples, then their points are averaged."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from ..oracles import Oracle, Wrapper
from ..oracles.oracle import finite_sum
from ..problems.problem import FiniteSum


class LocalSteps(Wrapper):
    """Answers with the mean way of the clients, as if it were a gradient: Σ_c (n_c/n) (w - w_c)/η.

    w_c is where ``steps`` steps of gradient descent with ``eta`` take client c from w, on the mean over its n_c
    examples. Gradient descent with the same η on this oracle is federated averaging (McMahan et al. 2017, with all
    clients in every round and full local gradients): w ← Σ_c (n_c/n) w_c. One step is gradient descent on f. More
    steps have another fixed point, if the clients differ. A round asks steps gradients of every client.
    """

    def __init__(self, problem: FiniteSum, clients: Sequence[Tensor], *, steps: int, eta: float) -> None:
        super().__init__(finite_sum(problem))
        shared = sorted(i for client in clients for i in client.tolist())
        if shared != list(range(problem.n)) or not all(map(len, clients)):
            raise ValueError(
                f"clients must share out the examples 0 to {problem.n - 1}, none empty, got {clients!r}"
            )
        if steps < 1:
            raise ValueError(f"steps must be at least 1, got {steps!r}")
        if not 0 < eta < math.inf:
            raise ValueError(f"eta must lie in (0, inf), got {eta!r}")
        self.parts = [problem.on(client) for client in clients]
        self.shares = [len(client) / problem.n for client in clients]
        self.steps, self.eta = steps, eta

    def value_and_grad(self, w: Tensor) -> tuple[Tensor, Tensor]:
        f, way = torch.zeros_like(w[..., 0]), torch.zeros_like(w)
        for part, share in zip(self.parts, self.shares, strict=True):
            client, w_c = Oracle(part, self.calls), w
            for step in range(self.steps):
                f_c, g = client.value_and_grad(w_c)
                f = f if step else f + share * f_c
                w_c = w_c - self.eta * g
            way = way + share * (w - w_c) / self.eta
        return f, way

    def draw(self, w: Tensor) -> Oracle:
        return self  # nothing here is random
