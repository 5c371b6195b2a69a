"""Stochastic Lanczos quadrature against the exact spectrum."""

import math

import pytest
import torch

from coursekit import data
from coursekit.curvature import Operator, hessian_of, log_det, rademacher, spectrum
from coursekit.curvature.lanczos import Lanczos
from coursekit.problems import Quadratic, tanh_network

from ..habits import no_waiting

pytestmark = pytest.mark.usefixtures("device")

f64 = torch.float64
EIGENVALUES = torch.cat([torch.linspace(0.1, 2, 150, dtype=f64), torch.tensor([5.0, 8.0], dtype=f64)])


def rotated(lam: torch.Tensor | None = None) -> Operator:
    lam = EIGENVALUES if lam is None else lam
    n = len(lam)
    basis = torch.linalg.qr(torch.randn(n, n, generator=torch.manual_seed(0), dtype=f64)).Q
    return hessian_of(Quadratic(lam, basis=basis), torch.zeros(n, dtype=f64))


def test_a_probe_is_exact_for_polynomials_up_to_twice_its_steps() -> None:
    H, m = rotated(), 4
    z = next(rademacher(H, 1))
    found = spectrum(H, probes=1, steps=m)
    assert found.nodes.shape == found.weights.shape == (1, m)
    power = z
    for degree in range(2 * m + 1):
        seen = float(found.trace_of(lambda lam, j=degree: lam**j).value)
        exact = float(z @ power)
        assert (seen == pytest.approx(exact, rel=1e-10)) == (degree < 2 * m)
        power = H.hvp(power)


def test_against_the_exact_spectrum() -> None:
    found = spectrum(rotated(), probes=40, steps=30)
    for phi in (torch.ones_like, torch.square, torch.log1p, lambda lam: (lam > 4).to(f64)):
        estimate, exact = found.trace_of(phi), float(phi(EIGENVALUES).sum())
        assert abs(float(estimate.value) - exact) <= 2 * float(estimate.margin()) + 1e-9
        assert float(estimate.margin()) < 0.4 * exact
    assert float(found.nodes.max()) == pytest.approx(8)  # the ends are found first

    grid, width = torch.linspace(-1, 10, 400, dtype=f64), 0.2
    density = found.density(grid, width)
    assert float(torch.trapezoid(density, grid)) == pytest.approx(1)
    exact = torch.distributions.Normal(EIGENVALUES[:, None], width).log_prob(grid).exp().mean(0)
    assert float(torch.trapezoid((density - exact).abs(), grid)) < 0.05
    wrong = torch.distributions.Normal(1.1 * EIGENVALUES[:, None], width).log_prob(grid).exp().mean(0)
    assert float(torch.trapezoid((density - wrong).abs(), grid)) > 0.08


def test_few_distinct_eigenvalues_end_lanczos_early() -> None:
    lam = torch.tensor([0.0, 0.0, 0.0, 0.0, 2.0, 2.0, 3.0], dtype=f64)
    positive = spectrum(rotated(lam + 1), probes=2, steps=7)
    assert float(positive.nodes.min()) == pytest.approx(1)  # the steps after the end add no node of their own
    assert float(log_det(positive, 0).value.isfinite())
    found = spectrum(rotated(lam), probes=300, steps=7)
    assert float(found.weights.sum(-1).min()) == pytest.approx(1)
    zero, two, three = (found.trace_of(lambda x, at=at: ((x - at).abs() < 1e-6).to(f64)) for at in (0, 2, 3))
    for estimate, count in ((zero, 4), (two, 2), (three, 1)):
        assert abs(float(estimate.value) - count) < 2 * float(estimate.margin())


def test_a_batch_and_a_network(device: torch.device, monkeypatch: pytest.MonkeyPatch) -> None:
    net = tanh_network(*(t.to(device) for t in data.digits(20)), hidden=[2])
    w = torch.stack([net.start, 2 * net.start])
    extend = Lanczos.extend

    def watched(self: Lanczos) -> None:
        with no_waiting():
            extend(self)

    monkeypatch.setattr(Lanczos, "extend", watched)
    found = spectrum(hessian_of(net, w), probes=20, steps=15)
    assert found.nodes.shape == (20, 2, 15)
    exact = net.hessian(w).square().sum((-2, -1))
    estimate = found.trace_of(torch.square)
    assert bool(((estimate.value - exact).abs() < 2 * estimate.margin()).all())
    assert found.density(torch.linspace(-1, 1, 9, dtype=f64, device=device), 0.1).shape == (2, 9)


def test_log_det_on_positive_definite_shifts() -> None:
    found = spectrum(rotated(), probes=40, steps=60)
    for shift in (0.0, 1e-2, 1.0):
        estimate = log_det(found, shift)
        exact = float((EIGENVALUES + shift).log().sum())
        assert abs(float(estimate.value) - exact) < 2 * float(estimate.margin())
    # KH-3.4-flat: w = c u has the same values and a Hessian divided by c², so the determinant changes by c^-2d
    c = 10.0
    scaled = spectrum(rotated(EIGENVALUES / c**2), probes=40, steps=60)
    change = float(log_det(scaled, 0.0).value - log_det(found, 0.0).value)
    assert change == pytest.approx(-2 * len(EIGENVALUES) * math.log(c))


def test_log_det_refuses_what_is_not_positive_definite() -> None:
    saddle = spectrum(rotated(torch.tensor([1.0, -0.5, 2.0], dtype=f64)), steps=3)
    with pytest.raises(ValueError, match=r"with shift = 0.25 it reaches -0.25"):
        log_det(saddle, 0.25)
    assert float(log_det(saddle, 1.0).value) == pytest.approx(math.log(2 * 0.5 * 3), abs=2)
    with pytest.raises(ValueError, match="positive definite"):
        log_det(saddle, math.nan)


def test_bad_options() -> None:
    H = rotated(torch.ones(3, dtype=f64))
    with pytest.raises(ValueError, match="steps must be at least 1"):
        spectrum(H, steps=0)
    with pytest.raises(ValueError, match="probes must be at least 1"):
        spectrum(H, probes=0)
    with pytest.raises(ValueError, match="width must be positive"):
        spectrum(H).density(torch.zeros(3), 0)
