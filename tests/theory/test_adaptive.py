"""AdaGrad, AMSGrad, AMGT and Chung's lemma: real data, edges, and the ledger's numbers."""

from functools import partial

import numpy as np
import pytest
import torch

from coursekit import data, descend
from coursekit.oracles import AdditiveNoise, MiniBatch
from coursekit.problems import Application, LeastSquares, Quadratic
from coursekit.rules import adagrad_norm, adagrad_predictable, adam, amsgrad, gradient_descent
from coursekit.schedules import strongly_convex
from coursekit.theory import (
    Sequence,
    adagrad_diagonal,
    adagrad_norm_exact,
    adagrad_norm_noise,
    amgt_exact,
    amgt_inexact,
    amgt_nonconvex,
    amgt_shifted,
    amsgrad_regret,
    certify,
    chung_lemma,
    second_moment,
)

from .broken import f64, point
from .broken_adaptive import box, drop, exact, lifted, online, recursion, several, slide, slip
from .broken_noise import sgd
from .test_functions import cancer

patients = LeastSquares(*data.diabetes())
origin = torch.zeros(10, dtype=f64)


@pytest.mark.parametrize("eta", [1e-3, 0.1, 10.0])
@pytest.mark.parametrize("T", [1, 60])
def test_adagrad_norm_needs_no_L(eta: float, T: int) -> None:
    for f in (patients, cancer):
        run = exact(f, torch.zeros(f.dim, dtype=f64), T, eta=eta, eps=0.0)()
        assert certify(adagrad_norm_exact, run, M=float(run.f.max() - run.f.min()))
    oracle = MiniBatch(several, 4)
    run = sgd(oracle, origin, T, eta, sigma=0, seeds=200, method=adagrad_norm)()
    M, G2 = float((run.f.amax(0) - run.f.amin(0)).max()), float(second_moment(oracle, run.w).max())
    assert certify(adagrad_norm_noise, run, M=M, G2=G2)


def test_adagrad_is_attained_on_a_slope() -> None:
    assert certify(adagrad_norm_exact, slide(), M=3.0).tightness == pytest.approx((1, 1, 1))
    assert certify(adagrad_norm_noise, slip(), M=3.01, G2=9.02).power > 0.98
    assert certify(adagrad_diagonal, drop(), M=3.0).tightness == pytest.approx((1, 1, 1))


def test_the_dimension_in_the_diagonal_theorem() -> None:
    run = lifted()
    assert torch.allclose(run.grad_norm, torch.ones_like(run.grad_norm))
    M = float(run.f.max() - run.f.min())
    assert 1 < M < 1.94
    certificate = certify(adagrad_diagonal, run, M=1.94, L=2.0, waive=("unbiased",))
    assert certificate
    # Most of the budget d L/2 log₂(1 + S/σ²) is used up: the form that the data decide is within a factor 3.
    sides = adagrad_diagonal.sides(run, {"M": 1.94, "L": 2.0})
    used = sides.right[-1, 0, 1] - sides.left[-1, 0, 1]
    spent = torch.arange(1, run.T + 1, dtype=f64).rsqrt().sum()
    assert float(spent / (spent + used)) > 1 / 3
    batches = sgd(
        MiniBatch(several, 4), origin, 30, 0.1, sigma=0, seeds=100, method=adagrad_predictable, scale=4.0
    )()
    assert certify(adagrad_diagonal, batches, M=float((batches.f.amax(0) - batches.f.amin(0)).max()))


@pytest.mark.parametrize("T", [1, 300])
def test_regret(T: int) -> None:
    run = online(amsgrad, T)()
    certificate = certify(amsgrad_regret, run, **box)
    assert certificate
    # The regret against -1, added up by hand.
    losses = np.array([4.0, -1.0, -1.0])[np.arange(T) % 3]
    regret = losses @ (run.w[:-1, 0].numpy() + 1)
    sides = amsgrad_regret.sides(run, {"r": 1.0, "G": 4.0})
    if T == 300:
        assert float(sides.left[-1]) == pytest.approx(regret, rel=1e-9)
        late = online(adam, 1200)().w[300:1200, 0].numpy() + 1
        assert (np.tile([4.0, -1.0, -1.0], 300) @ late) / 900 == pytest.approx(1.33, abs=0.05)


def test_chung_in_three_regimes() -> None:
    for beta, limit in ((2.0, 0.99989), (3.0, 0.49999)):
        a = recursion(beta, 1.0, int(beta), 100_000)().a
        assert float(a[-1]) * (100_000 + beta) == pytest.approx(limit, abs=2e-4)
    for beta in (0.2, 0.5, 1.0, 1.5, 4.0):
        for gamma in (0.0, 0.1, 10.0):
            for k0 in (2, 4, 40):
                if k0 >= beta:
                    k = {"beta": beta, "gamma": gamma, "k0": k0}
                    assert certify(chung_lemma, recursion(beta, gamma, k0)(), **k)
                    assert certify(chung_lemma, recursion(beta, gamma, k0, 1)(), **k)
    with pytest.raises(ValueError, match="at least two floats"):
        Sequence(point(1.0))
    with pytest.raises(ValueError, match="beta is not known: give it"):
        certify(chung_lemma, recursion(2.0, 1.0, 2)())


def test_chung_on_the_squared_distance_of_sgd() -> None:
    """With steps 1/t on w²/2 and unit noise, E w_{k+1}² = (1 - 1/k)² E w_k² + 1/k²; here k = t."""
    noise = AdditiveNoise(Quadratic(point(1.0)), 1.0)
    run = descend(
        noise, gradient_descent, torch.zeros(20_000, 1, dtype=f64), 60, record=("w",), eta=lambda t: 1 / t
    )
    square = (run.w[..., 0] ** 2).mean(1)
    a = [0.0]
    for k in range(1, 61):
        a.append((1 - 1 / k) ** 2 * a[-1] + 1 / k**2)
    assert torch.allclose(square, point(*a), rtol=0.05)
    assert certify(chung_lemma, Sequence(point(*a[1:])), beta=2.0, gamma=2.0, k0=2)


def test_steps_of_amgt_on_its_own_applications_and_on_patients() -> None:
    for f, start in ((Application(1), point(2.0, -1.0)), (Application(2), point(2.0, -1.0)), (patients, origin)):
        mu, kappa = float(f.mu), float(f.L) / float(f.mu)
        for T in (1, 80):
            shifted = exact(f, start, T, gradient_descent, eta=partial(strongly_convex, mu=mu, kappa=kappa))()
            assert certify(amgt_shifted, shifted)
            if f is not patients:
                run = exact(f, start, T, gradient_descent, eta=partial(strongly_convex, mu=mu))()
                assert certify(amgt_exact, run)
    round_bowl = Quadratic(point(1.0, 1.0))  # μ = L
    run = exact(round_bowl, point(1.0, 2.0), 9, gradient_descent, eta=lambda t: 1 / (t + 1))()
    assert certify(amgt_shifted, run).tightness == pytest.approx((1, 1, 1))


def test_the_transient_is_as_long_as_stated() -> None:
    kappa = 99.5
    run = exact(Quadratic(point(1.0, kappa)), point(0.0, 1.0), 49, gradient_descent, eta=lambda t: 1 / t)()
    certificate = certify(amgt_exact, run)
    assert certificate.tightness == pytest.approx((1, 1, 1))
    assert np.log10(float(run.w[-1].norm())) == pytest.approx(28.6, abs=0.1)


def test_errors_that_fade_and_steps_without_convexity() -> None:
    f = Quadratic(point(1.0, 3.0))
    run = exact(f, point(1.0, 1.0), 100, gradient_descent, eta=lambda t: 1 / t)()
    largest = float(f.grad(run.w).norm(dim=-1).max()) * 1.001
    assert certify(amgt_inexact, run, delta=0.0, D=float(run.w.norm(dim=-1).max()) * 1.001, G=largest)
    for T in (1, 60):
        noisy = sgd(cancer, torch.zeros(cancer.dim, dtype=f64), T, lambda t: 1 / t, sigma=0.5, seeds=100)()
        G2 = float(second_moment(noisy.oracle, noisy.w).max())
        assert certify(amgt_nonconvex, noisy, G2=G2, f_star=0.0)
