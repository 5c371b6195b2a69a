"""What the checks of the adaptive methods stand on: exact expectations, smoothness constants, runs in floats."""

from typing import Any

import pytest
import torch

from coursekit.claims.checks.adagrad_theorems import AllPaths, Waves
from coursekit.claims.checks.amgt_schedule import alone
from coursekit.rules import Rule, adagrad_norm, adam, amsgrad


def test_expectations_over_all_paths_are_exact() -> None:
    oracle = AllPaths(5, 2, seed=0)
    run = oracle.run(adagrad_norm, eps=0.0)
    assert torch.allclose(oracle.weight.sum(-1), torch.ones(5, dtype=torch.float64))
    noise = run.g[:-1] - torch.stack([oracle.waves.grad(w) for w in run.w[:-1]])

    def mean_with(w: torch.Tensor) -> torch.Tensor:
        """E[noise · cos w] of each step, in units of E|noise|: 0 if w was known before the noise was drawn."""
        size = oracle.mean(noise.abs().sum(-1))
        return oracle.mean((noise * w.cos()).sum(-1)) / size

    assert mean_with(run.w[:-1]).abs().max() < 1e-12
    assert mean_with(run.w[1:]).abs().max() > 1e-2  # the point that the noise has moved
    assert bool((run.g[:-1].abs() <= oracle.sigma[..., None]).all())


def test_the_waves_are_as_smooth_and_as_steep_as_stated() -> None:
    f = Waves(50, 1, torch.Generator().manual_seed(0))
    w = torch.linspace(-40, 40, 4001, dtype=torch.float64)[None, :, None].expand(50, -1, -1)
    curvature = f.hvp(w, torch.ones_like(w))[..., 0].abs().amax(-1)
    assert bool((curvature <= f.smooth * (1 + 1e-12)).all())
    assert bool((curvature > 0.99 * f.smooth).all())
    slope = f.grad(w).norm(dim=-1).amax(-1)
    assert bool((slope <= f.steepest[:, 0] * (1 + 1e-12)).all())


@pytest.mark.parametrize(("made", "options"), [(adam, {}), (amsgrad, {"amsgrad": True})])
def test_a_weight_alone_goes_where_torch_goes(made: Rule, options: dict[str, Any]) -> None:
    w = torch.ones(1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([w], lr=0.1, **options)
    path = alone(made, lambda t, w: 3 * w + (-1) ** t, 1.0, 200, lambda t: 0.1)
    for t in range(1, 201):
        w.grad = 3 * w.detach() + (-1) ** t
        optimizer.step()
        assert abs(float(w.detach()) - path[t]) < 1e-10
    lagging = alone(made, lambda t, w: 3 * w + (-1) ** (t + 1), 1.0, 200, lambda t: 0.1)
    assert abs(lagging[-1] - path[-1]) > 1e-3
    assert max(map(abs, alone(made, lambda t, w: -1.0, 0.0, 50, lambda t: 0.1, bound=0.5))) == 0.5
