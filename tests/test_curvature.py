"""Lanczos against dense eigenvalues."""

import pytest
import torch

from coursekit import data, descend
from coursekit.curvature import largest_curvature, smoothness_along
from coursekit.problems import Quadratic, tanh_network
from coursekit.rules import gradient_descent

f64 = torch.float64


def test_every_point_of_a_batch_against_the_dense_hessian() -> None:
    net = tanh_network(*data.digits(30), hidden=[2])
    w = net.start + 0.3 * torch.randn(3, net.dim, generator=torch.Generator().manual_seed(0), dtype=f64)
    exact = torch.linalg.eigvalsh(net.hessian(w)).abs().amax(-1)
    value, residual = largest_curvature(net, w, steps=40)
    torch.testing.assert_close(value, exact, rtol=1e-6, atol=0)
    assert bool((residual < 1e-2 * exact).all())


def test_the_sign_does_not_matter_and_few_dimensions_are_exact() -> None:
    f = Quadratic(torch.tensor([1.0, -7.0, 3.0], dtype=f64))
    value, residual = largest_curvature(f, torch.zeros(3, dtype=f64))
    assert float(value) == pytest.approx(7)
    assert float(residual) < 1e-10


def test_few_steps_are_told_by_the_residual() -> None:
    f = Quadratic(torch.linspace(0, 1, 200, dtype=f64))
    value, residual = largest_curvature(f, torch.zeros(200, dtype=f64), steps=3)
    assert float(value) < 0.999
    assert abs(1 - float(value)) <= 5 * float(residual)


def test_along_a_path_it_bounds_what_the_gradient_did() -> None:
    net = tanh_network(*data.digits(50), hidden=[4])
    run = descend(net, gradient_descent, net.start, 20, eta=0.2, record=("w", "g"))
    secant = run.g.diff(dim=0).norm(dim=-1) / run.w.diff(dim=0).norm(dim=-1)
    L = smoothness_along(net, run.w, points=5, steps=15)
    assert L.shape == (20,)
    assert bool((secant <= L).all())
