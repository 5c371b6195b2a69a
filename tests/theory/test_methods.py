"""Line searches, Newton, BFGS and momentum against their theorems."""

from functools import partial

import numpy as np
import pytest
import torch
from scipy.optimize import rosen_hess

from coursekit import data, descend
from coursekit.methods import armijo, bfgs, damped_newton, exact, gradient_descent_with, minimize, newton
from coursekit.methods.quasi_newton import BFGS
from coursekit.problems import Application, DoubleWell, Huber, LeastSquares, PLSine, Problem, Quadratic, Rosenbrock
from coursekit.rules import accelerated, heavy_ball, nesterov
from coursekit.theory import (
    CubicWell,
    affine_invariance,
    armijo_line_search,
    bfgs_secant,
    bfgs_terminates,
    certify,
    exact_line_search,
    heavy_ball_optimal,
    heavy_ball_stability,
    nesterov_convex,
    nesterov_optimal,
    nesterov_parameters,
    nesterov_stability,
    newton_quadratic_rate,
    polyak_parameters,
)
from coursekit.theory.momentum import largest_root

from .broken import f64, point
from .test_functions import cancer, minimum, rho

patients = LeastSquares(*data.diabetes())
origin = torch.zeros(10, dtype=f64)


@pytest.mark.parametrize("kappa", [1.0, 2.0, 20.0, 1e4])
def test_exact_line_search_is_attained_from_kappa_one(kappa: float) -> None:
    run = minimize(Quadratic(point(1.0, kappa)), gradient_descent_with(exact), point(kappa, 1.0), 15)
    certificate = certify(exact_line_search, run)
    assert certificate
    if kappa > 1:
        assert certificate.tightness == pytest.approx((1, 1, 1), abs=1e-6)


@pytest.mark.parametrize("problem", [patients, Application(1), Application(2)])
def test_exact_line_search_on_data_and_on_the_applications(problem: Problem) -> None:
    start = torch.ones(problem.dim, dtype=f64)
    assert certify(exact_line_search, minimize(problem, gradient_descent_with(exact), start, 100))


@pytest.mark.parametrize(
    "options", [{}, {"c1": 0.5}, {"c1": 0.95}, {"shrink": 0.7, "first": 8.0}, {"first": 1e-3}]
)
@pytest.mark.parametrize("name", ["cancer", "sine", "steep"])
def test_armijo(name: str, options: dict) -> None:
    problem, start = {
        "cancer": (cancer, torch.zeros(cancer.dim, dtype=f64)),
        "sine": (PLSine(), point(4.0)),
        "steep": (Quadratic(point(1.0, 1e4)), point(1.0, 1.0)),
    }[name]
    assert certify(
        armijo_line_search, minimize(problem, gradient_descent_with(partial(armijo, **options)), start, 60)
    )


def test_newton_doubles_its_digits() -> None:
    class Exponential(Problem):
        """e^w - w, with its minimum at 0; its Hessian e^w is e^r-Lipschitz where |w| ≤ r."""

        dim = 1
        w_star = torch.zeros(1, dtype=f64)

        def value(self, w: torch.Tensor) -> torch.Tensor:
            return w[..., 0].exp() - w[..., 0]

    run = minimize(Exponential(), newton(), point(0.3), 5, stop=None)
    certificate = certify(newton_quadratic_rate, run, mu=1.0, rho=float(np.exp(0.3)))
    assert certificate
    digits = -run.w[:4, 0].abs().log10()
    assert bool((digits[1:] >= 2 * digits[:-1]).all())


def test_newton_on_data_at_the_edge_of_its_range_and_on_its_worst_case() -> None:
    w_star = minimum["w_star"]
    edge = 0.01 / (2 * rho)
    away = torch.randn(cancer.dim, generator=torch.Generator().manual_seed(0), dtype=f64)
    run = minimize(cancer, newton(), w_star + edge * away / away.norm() * (1 - 1e-9), 5, stop=None)
    assert certify(newton_quadratic_rate, run, rho=rho, w_star=w_star)
    worst = certify(newton_quadratic_rate, minimize(CubicWell(2, 3), newton(), point(1 / 3), 4), mu=2.0, rho=3.0)
    assert worst
    assert worst.tightness == pytest.approx((1, 1, 1), abs=1e-6)


@pytest.mark.parametrize("method", [newton(), damped_newton()], ids=lambda m: m.name)
@pytest.mark.parametrize("problem", [Rosenbrock(), DoubleWell(), cancer], ids=lambda p: p.name)
def test_newton_does_not_notice_a_change_of_coordinates(problem: Problem, method) -> None:
    generator = torch.Generator().manual_seed(1)
    d = problem.dim
    A = torch.eye(d, dtype=f64) + torch.randn(d, d, generator=generator, dtype=f64) / (2 * d)
    b = torch.randn(d, generator=generator, dtype=f64)
    run = minimize(problem, method, torch.full((d,), 0.1 if problem is cancer else 0.9, dtype=f64), 5, stop=None)
    assert certify(affine_invariance, run, A=A, b=b)
    # The chain rule that it rests on, with scipy's Hessian of Rosenbrock.
    if isinstance(problem, Rosenbrock):
        assert np.allclose(problem.hessian(b).numpy(), rosen_hess(b.numpy()))


def test_bfgs_learns_and_ends() -> None:
    searched = minimize(cancer, bfgs(), torch.zeros(cancer.dim, dtype=f64), 80)
    certificate = certify(bfgs_secant, searched)
    assert certificate
    assert "both sides are equal" in str(certificate)
    assert certify(bfgs_terminates, minimize(patients, bfgs(exact), origin, 10, stop=None))
    twice = Quadratic(torch.tensor([1.0, 1.0, 5.0, 5.0, 5.0], dtype=f64))  # two distinct eigenvalues: two steps
    run = minimize(twice, bfgs(exact), torch.arange(1.0, 6.0, dtype=f64), 5)
    assert run.T == 2
    assert certify(bfgs_terminates, run)
    one = minimize(Quadratic(point(3.0)), bfgs(exact), point(1.0), 1)
    assert certify(bfgs_terminates, one)


def test_after_d_steps_bfgs_knows_the_inverse_hessian() -> None:
    lam = torch.linspace(1, 9, 5, dtype=f64)
    run = minimize(Quadratic(lam), bfgs(exact), torch.ones(5, dtype=f64), 5, stop=None)
    direction, g = BFGS(0.0), run.problem.grad(run.w)
    for s, y in zip(run.w.diff(dim=0), g.diff(dim=0), strict=True):
        direction.learn(s, y)
    assert torch.allclose(direction.B, torch.diag(1 / lam), atol=1e-6)


@pytest.mark.parametrize(
    ("method", "theorem"), [(heavy_ball, heavy_ball_stability), (nesterov, nesterov_stability)]
)
def test_the_stable_range_of_momentum(method, theorem) -> None:
    beta, eta_lam = torch.cartesian_prod(
        torch.linspace(0, 0.99, 6, dtype=f64), torch.linspace(0.02, 4.1, 69, dtype=f64)
    ).T
    limit = 2 * (1 + beta) if method is heavy_ball else (2 + 2 * beta) / (1 + 2 * beta)
    shrink = 1 if method is heavy_ball else 1 - eta_lam
    s, p = ((1 + beta) * shrink - (eta_lam if method is heavy_ball else 0), beta * shrink)
    radius = [np.abs(np.roots([1, -a, b])).max() for a, b in zip(s.tolist(), p.tolist(), strict=True)]
    assert np.allclose(largest_root(s, p), radius, atol=1e-7)
    clear = (eta_lam - limit).abs() > 1e-9
    assert bool(((torch.tensor(radius) < 1) == (eta_lam < limit))[clear].all())

    one = Quadratic(point(1.0), w_star=point(0.0))
    assert certify(theorem, descend(one, method, point(1.0), 150, record=("w",), eta=eta_lam, beta=beta))
    for at in (0.5, 0.999999, 1.0, 1.000001):  # just under, at and just over the limit
        edge = descend(one, method, point(1.0), 200, record=("w",), eta=at * limit, beta=beta)
        assert certify(theorem, edge)
        assert bool((edge.w[-1, :, 0].abs() >= 1).all()) == (at >= 1)
    assert certify(theorem, descend(patients, method, origin, 200, record=("w",), eta=0.4, beta=0.9))


@pytest.mark.parametrize("kappa", [1.0, 4.0, 100.0, 1e4])
def test_momentum_with_its_optimal_parameters(kappa: float) -> None:
    f, starts = Quadratic(torch.linspace(1, kappa, 6, dtype=f64)), torch.eye(6, dtype=f64)
    root = kappa**0.5
    for method, theorem, parameters in (
        (heavy_ball, heavy_ball_optimal, polyak_parameters),
        (nesterov, nesterov_optimal, nesterov_parameters),
    ):
        beta = (root - 1) / (root + 1)
        eta = float(parameters({"L": kappa, "mu": 1.0})[0])
        beta = beta**2 if method is heavy_ball else beta
        run = descend(f, method, starts, 400, record=("w",), eta=eta, beta=beta)
        certificate = certify(theorem, run)
        assert certificate
        plain = run.w[:, 0 if method is nesterov else -1].norm(dim=-1)
        if kappa > 1 and method is heavy_ball:
            assert certificate.tightness[2] == pytest.approx(1, abs=1e-6)
        if kappa == 100 and method is heavy_ball:
            assert float(plain[400]) / (9 / 11) ** 400 == pytest.approx(728, rel=1e-3)
        if kappa == 100 and method is nesterov:
            assert float(plain[50]) / 0.9**50 == pytest.approx(1 + 50 / 11, rel=1e-6)


def test_momentum_on_data() -> None:
    k = {"L": float(patients.L or 0), "mu": float(patients.mu or 0)}
    root = (k["L"] / k["mu"]) ** 0.5
    beta = (root - 1) / (root + 1)
    for method, theorem, parameters, b in (
        (heavy_ball, heavy_ball_optimal, polyak_parameters, beta**2),
        (nesterov, nesterov_optimal, nesterov_parameters, beta),
    ):
        run = descend(patients, method, origin, 300, record=("w",), eta=float(parameters(k)[0]), beta=b)
        assert certify(theorem, run)


@pytest.mark.parametrize("T", [1, 2, 5, 10, 100])
def test_nesterov_on_the_function_that_is_worst_for_it(T: int) -> None:
    worst = Huber(4 / ((T + 2) * (T + 3)))
    certificate = certify(nesterov_convex, descend(worst, accelerated, point(1.0), T, record=("w",), eta=1.0))
    assert certificate
    # The bound is (T+2)(T+3)/(T+1)² times the exact worst case, which this function attains.
    assert certificate.tightness[2] * certificate.loose == pytest.approx(1, abs=1e-9)
    published = {1: 0.16666667, 5: 0.03571429, 10: 0.01282051}  # PEPit 0.5.1
    if T in published:
        assert 2 / (T + 1) ** 2 / certificate.loose == pytest.approx(published[T], rel=1e-6)


@pytest.mark.parametrize("eta_L", [0.01, 0.5, 1.0])
def test_nesterov_on_data(eta_L: float) -> None:
    for problem, constants in ((patients, {}), (cancer, minimum)):
        start = torch.zeros(problem.dim, dtype=f64)
        run = descend(problem, accelerated, start, 100, record=("w",), eta=eta_L / float(problem.L or 1))
        assert certify(nesterov_convex, run, **constants)
