"""SAM, saddles and two-layer networks: brute force, real images, edges, and published numbers."""

import math

import pytest
import torch
from scipy.stats import norm
from torch import nn

from coursekit import data, descend
from coursekit.methods import bfgs, minimize, sam
from coursekit.problems import (
    DeepLinear,
    DoubleWell,
    Network,
    Quadratic,
    QuadraticNetwork,
    ReLUNetwork,
)
from coursekit.problems.network import half_squared_error
from coursekit.rules import gradient_descent
from coursekit.theory import (
    Points,
    asam_invariance,
    certify,
    negative_curvature,
    quadratic_activation,
    saddle_escape_probability,
    saddle_escape_time,
    sam_first_order,
    sam_maximizer,
    swp_unbiased,
    wide_networks,
)
from coursekit.theory.saddles import _model

from .broken import f64, point
from .broken_functions import pairs
from .broken_landscape import (
    LAM,
    SIGNS,
    X,
    away,
    chance,
    descent,
    frame,
    hill,
    images,
    kicked,
    labels,
    leaving,
    saddles,
    strict,
)
from .test_functions import cancer


@pytest.mark.parametrize("p", [1.0, 1.1, 1.5, 2.0, 3.0, 10.0, math.inf])
def test_the_inner_maximum_in_every_norm(p: float) -> None:
    for points in (pairs(cancer), pairs(Quadratic(point(0.0, 1.0, 1e-9)))):
        assert certify(sam_maximizer, points, p=p)


def test_the_linear_model_of_sam() -> None:
    assert certify(sam_first_order, pairs(cancer, 0.3))
    for sign in (1.0, -1.0):
        certificate = certify(sam_first_order, hill(sign)())
        assert certificate
        assert certificate.tightness[2] == pytest.approx(1)


@pytest.mark.parametrize("beta", [0.1, 0.6, 1.0])
def test_masked_perturbations(beta: float) -> None:
    assert certify(swp_unbiased, pairs(Quadratic(torch.linspace(1, 3, 9, dtype=f64))), beta=beta)
    # The method itself: on a quadratic the mean of the gradients at w + m ε/β is the gradient at w + ε.
    f, w = Quadratic(point(1.0, 10.0)), point(1.0, 0.5).expand(20_000, 2)
    seen = sam(f, 0.1, beta=beta).value_and_grad(w)[1]
    whole = sam(f, 0.1).value_and_grad(w[0])[1]
    assert bool(((seen.mean(0) - whole).abs() <= 4.5 * seen.std(0) / math.sqrt(20_000) + 1e-9).all())
    spread = (seen - whole).square().sum(0) / 20_000
    epsilon = (whole - f.grad(w[0])) / point(1.0, 10.0)
    assert torch.allclose(spread, (1 - beta) / beta * (point(1.0, 10.0) * epsilon) ** 2, rtol=0.05)


@pytest.mark.parametrize("p", [2.0, math.inf])
@pytest.mark.parametrize("a", [0.1, 30.0])
def test_asam_on_a_relu_network(a: float, p: float) -> None:
    inputs, targets = data.digits(60)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = nn.Sequential(nn.Linear(64, 6, dtype=f64), nn.ReLU(), nn.Linear(6, 10, dtype=f64))
    net = Network(module, inputs, targets, half_squared_error)
    A = torch.cat([torch.full((64 * 6 + 6,), a, dtype=f64), torch.full((60,), 1 / a, dtype=f64), torch.ones(10)])
    points = Points(net, net.start[None], net.start[None] + 0.1)
    assert certify(asam_invariance, points, A=A, rho=0.3, p=p)
    assert certify(asam_invariance, pairs(DeepLinear(2, 2.0)), A=point(a, 1 / a), rho=0.1, p=p)


def test_time_to_leave() -> None:
    certificate = certify(saddle_escape_time, away(), **frame)
    assert certificate
    assert certificate.tightness == pytest.approx((1, 1, 1))
    # Twelve decades of starts lie on a line of slope 1/log(1 + η γ), as published: 20.50 for η γ = 0.05.
    radii = torch.logspace(-12, -2, 6, dtype=f64)
    starts = torch.stack([torch.zeros(6, dtype=f64), radii], -1)
    run = leaving(strict, starts, 600)()
    assert certify(saddle_escape_time, run, **frame)
    steps = (run.w[..., 1].abs() < 1).sum(0)
    slope = float((steps[0] - steps[-1]) / math.log(1e10))
    assert slope == pytest.approx(20.50, abs=0.05)
    # Edges: already almost out, and a step so long that the stable direction diverges.
    assert certify(saddle_escape_time, leaving(strict, point(1.0, 0.999), 2)(), **frame)
    assert certify(saddle_escape_time, leaving(strict, point(1.0, 1e-3), 30, eta=3.0)(), **frame)
    along_x = {**frame, "u": point(1.0, 0.0), "R": 0.5, "low": 0.75, "high": 1.0}
    for r in (1e-9, 1e-3, 0.4):
        assert certify(saddle_escape_time, leaving(DoubleWell(0.0), point(r, 1.0), 400)(), **along_x)


def test_probability_of_staying() -> None:
    assert certify(saddle_escape_probability, kicked()(), **chance)
    # The published case, the law by scipy, and the rule that ten times the noise leaves a tenth.
    run = kicked(seeds=2, T=60)()
    p = _model(run, chance)[:, 0]
    assert float(p[-1]) == pytest.approx(0.0120, abs=5e-5)
    s = 0.01 * math.sqrt(sum(1.1 ** (2 * j) for j in range(60)))
    assert float(p[-1]) == pytest.approx(norm.cdf(0.1 / s) - norm.cdf(-0.1 / s), rel=1e-12)
    assert float(p[-1] / _model(run, {**chance, "sigma": 1.0})[-1, 0]) == pytest.approx(10, abs=0.01)
    assert certify(saddle_escape_probability, kicked(sigma=1.0, T=1)(), **{**chance, "sigma": 1.0})


def test_saddles_of_quadratic_activation_have_the_curvature_of_the_formula() -> None:
    points = saddles()
    f: QuadraticNetwork = points.problem  # type: ignore[assignment]
    assert certify(quadratic_activation, points)
    for w in points.w:
        U, formula = negative_curvature(f, w)
        least = float(torch.linalg.eigvalsh(f.hessian(w))[0])
        assert least <= float(formula) / float(U @ U) + 1e-7 < -1e-3
    # At a global minimum A = 0, and the certificate says f = f*.
    best = minimize(f, bfgs(), f.random_start(1), 500).w[-1:]
    assert float(f.value(best)[0]) == pytest.approx(float(f.f_star), abs=1e-9)
    assert certify(quadratic_activation, Points(f, best, best))


def test_fewer_units_or_signs_do_have_bad_minima() -> None:
    single = QuadraticNetwork(X, labels, point(1.0))
    w = minimize(single, bfgs(), single.random_start(1), 300).w[-1:]
    assert float(torch.linalg.eigvalsh(single.hessian(w[0]))[0]) > -1e-6
    assert float(single.value(w)[0]) > float(saddles().problem.f_star) + 0.05
    assert "signs" in certify(quadratic_activation, Points(single, w, w), f_star=0.26).refused
    positive = saddles(tuple(abs(v) for v in SIGNS))
    assert "signs" in certify(quadratic_activation, positive, f_star=0.26).refused


def test_wide_networks_converge_at_the_rate_of_their_gram_matrix() -> None:
    assert certify(wide_networks, descent(), lam=LAM)
    off, kept = [], []
    for width in (30, 300):
        net = ReLUNetwork(images, labels[:12], width)
        run = descend(net, gradient_descent, net.random_start(0), 12, record=("w", "f", "grad_norm"), eta=4.0)
        least = torch.stack([torch.linalg.eigvalsh(net.gram(w))[0] for w in run.w])
        assert certify(wide_networks, run, lam=float(least.min()))
        assert "Gram matrix" in certify(wide_networks, run, lam=1.1 * float(least.min())).refused
        kept.append(float(least.min() / least[0]))
        grams = torch.stack([net.gram(net.random_start(seed)) for seed in range(8)])
        off.append(float((grams - net.limit_gram()).square().mean().sqrt()))
    # Wider, the Gram matrix is closer to its limit, by √10 here, and moves less.
    assert off[0] / off[1] == pytest.approx(10**0.5, rel=0.25)
    assert kept[0] < kept[1] < 1
