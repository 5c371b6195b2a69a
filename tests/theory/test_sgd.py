"""SGD against its theorems: enumeration, real data, the edges of each range, and published numbers."""

import math

import numpy as np
import pytest
import torch

from coursekit import descend
from coursekit.methods import sam
from coursekit.oracles import AdditiveNoise, Epochs, MiniBatch
from coursekit.problems import Quadratic
from coursekit.rules import gradient_descent
from coursekit.stopping import gradient_below
from coursekit.theory import (
    Points,
    certify,
    example_variance,
    inexact_gradient,
    inexact_gradient_pl,
    minibatch_variance,
    minibatch_variance_without,
    second_moment,
    sgd_batch_size,
    sgd_convex_averaged,
    sgd_convex_smooth,
    sgd_decaying,
    sgd_noise_floor,
    sgd_noise_floor_quadratic,
    sgd_nonconvex,
    sgd_nonconvex_tuned,
    sgd_second_moment,
    sgd_strongly_convex,
    tdl_theorem_462,
    variance,
)

from .broken import f64, point
from .broken_noise import at, batches, few, many, one, printed, sgd, target
from .broken_sgd_convex import averaging

origin = torch.zeros(10, dtype=f64)
L, mu = float(many.L), float(many.mu)


@pytest.mark.parametrize("b", [1, 2, 3, 6])
def test_all_minibatches_of_six_patients(b: int) -> None:
    points = Points(few, at, at)
    without = certify(minibatch_variance_without, points, b=b)
    assert without
    assert "both sides are equal" in str(without)
    if b < 6:
        assert certify(minibatch_variance, points, b=b)


def test_the_variance_is_that_of_the_gradients_and_of_what_is_drawn() -> None:
    w = torch.randn(10, generator=torch.Generator().manual_seed(0), dtype=f64)
    X, y = many.p.X.numpy(), many.p.y.numpy()
    gradients = X * (X @ w.numpy() - y)[:, None]
    sigma2 = np.trace(np.cov(gradients.T, ddof=0))
    assert float(example_variance(MiniBatch(many, 1), w)) == pytest.approx(sigma2, rel=1e-12)
    for oracle, factor in (
        (MiniBatch(many, 8), 32 / 39 / 8),
        (MiniBatch(many, 8, replacement=True), 1 / 8),
        (MiniBatch(many, 40), 0.0),
    ):
        assert float(variance(oracle, w)) == pytest.approx(factor * sigma2, abs=1e-12)
        noisy = AdditiveNoise(oracle, 0.5)
        seen = noisy.value_and_grad(w.expand(20_000, 10))[1] - many.grad(w)
        drawn, square = seen.square().sum(-1), float(variance(noisy, w))
        assert abs(float(drawn.mean()) - square) < 4.5 * float(drawn.std()) / math.sqrt(20_000)
    with pytest.raises(ValueError, match="variance of Epochs is not known"):
        variance(Epochs(many, 8), w)


@pytest.mark.parametrize("b", [2, 40])
@pytest.mark.parametrize("eta_L", [0.2, 1.0, 1.999, 2.0])
def test_on_patients_each_theorem_holds_in_its_range_and_is_refused_outside(b: int, eta_L: float) -> None:
    """At b = n there is no noise left, and the theorems say what those of gradient descent say."""
    oracle = MiniBatch(many, b)
    run = sgd(oracle, origin, 30, eta_L / L, sigma=0, seeds=200)()
    sigma2, G2 = (float(f(oracle, run.w).max()) for f in (variance, second_moment))
    k = {"sigma2": max(sigma2, 1e-30)}
    assert bool(certify(sgd_nonconvex, run, **k)) == (eta_L < 2)
    assert bool(certify(sgd_decaying, run, **k)) == (eta_L < 2)
    assert bool(certify(sgd_noise_floor, run, **k)) == (eta_L <= 1)
    assert bool(certify(sgd_convex_smooth, run, **k)) == (eta_L <= 1)
    assert certify(sgd_second_moment, run, G2=G2)
    assert certify(sgd_convex_averaged, run, G2=G2)
    assert bool(certify(inexact_gradient, run)) == (eta_L == 1)
    assert bool(certify(inexact_gradient_pl, run)) == (eta_L == 1)


@pytest.mark.parametrize("T", [1, 40])
def test_one_step_and_the_horizon(T: int) -> None:
    gap = 1.5
    tuned = sgd(one, point(1.0), T, min(1 / 3, math.sqrt(2 * gap / (3 * T))))()
    assert certify(sgd_nonconvex_tuned, tuned, sigma2=1.0)
    assert certify(tdl_theorem_462, sgd(one, point(1.0), T, printed(3.0, 10.0, T), sigma=0.1)(), M=3.0, G2=10.0)
    assert certify(sgd_strongly_convex, sgd(one, point(0.0), T, lambda t: 1 / (3 * t))(), G2=25.0)


@pytest.mark.parametrize(("b", "T"), [(4, 125), (20, 30), (40, 13)])
def test_larger_batches_take_fewer_steps(b: int, T: int) -> None:
    certificate = certify(sgd_batch_size, batches(b, T)(), **target)
    assert certificate
    assert "length" in certify(sgd_batch_size, batches(b, T - 10)(), **target).refused


def test_what_is_attained_is_certified_to_the_last_percents() -> None:
    for theorem, run in (
        (sgd_nonconvex, sgd(one, point(1.0), 20, 1.5 / 3)()),
        (sgd_noise_floor, sgd(one, point(1.0), 20, 1 / 3)()),
        (sgd_convex_smooth, sgd(one, point(0.0), 1, 1 / 3, seeds=10_000)()),
    ):
        certificate = certify(theorem, run, sigma2=1.0)
        assert certificate
        assert certificate.power > 0.9
        assert "not refuted" in str(certificate)
    assert certify(inexact_gradient, sgd(one, point(1.0), 20, 1 / 3, seeds=2)()).tightness == pytest.approx(
        (1, 1, 1)
    )


def test_published_numbers() -> None:
    three = Quadratic(point(0.1, 1.0, 5.0))
    run = sgd(three, point(0.0, 0.0, 0.0), 600, 0.1, sigma=3**0.5, seeds=500)()
    sides = sgd_noise_floor_quadratic.sides(run, {"w_star": point(0.0, 0.0, 0.0), "sigma2": 3.0, "L": 5.0})
    assert float(sides.right[-1, 0]) == pytest.approx(0.0848, abs=5e-5)
    assert certify(sgd_noise_floor_quadratic, run, sigma2=3.0)
    decaying = sgd(Quadratic(point(1.0)), point(3.0), 100, lambda t: 0.5 / math.sqrt(t))()
    bound = sgd_decaying.sides(decaying, {"L": 1.0, "f_star": 0.0, "sigma2": 1.0}).right[-1, 0] / 0.75
    assert float(bound) == pytest.approx(0.739, abs=1e-3)
    means = (averaging().w[1:, :, 0] ** 2).mean(1) * torch.arange(1, 61)
    assert float(means[0]) == 1.0
    assert float(means[-1]) == pytest.approx(1.0, abs=0.15)


def test_what_no_certificate_is_given_for() -> None:
    stopped = descend(
        AdditiveNoise(one, 1.0), gradient_descent, torch.ones(200, 1, dtype=f64), 60, eta=0.1,
        stop=gradient_below(0.5), record=("w", "f", "grad_norm"),
    )  # fmt: skip
    with pytest.raises(ValueError, match="some of these stopped earlier"):
        certify(sgd_nonconvex, stopped, sigma2=1.0)
    for oracle in (Epochs(many, 8), sam(many)):
        run = sgd(oracle, origin, 5, 0.1 / L, sigma=0, seeds=100)()
        assert "unbiased" in certify(sgd_nonconvex, run, sigma2=1.0).refused
    with pytest.raises(ValueError, match="sigma2 of Quadratic is not known"):
        certify(sgd_nonconvex, sgd(one, point(1.0), 5, 0.1)())
