"""Every problem: derivatives against finite differences, constants against what they claim, bad input."""

import numpy as np
import pytest
import torch
from sklearn import linear_model
from torch import nn

from coursekit import data
from coursekit.problems import (
    Application,
    DoubleWell,
    Huber,
    LeastSquares,
    LogisticRegression,
    Network,
    PLSine,
    Problem,
    Quadratic,
    Rosenbrock,
    Softplus,
    tanh_network,
)

f64 = torch.float64


def rotation(d: int) -> torch.Tensor:
    return torch.linalg.qr(torch.randn(d, d, generator=torch.Generator().manual_seed(1), dtype=f64))[0]


PROBLEMS = {
    "quadratic": Quadratic(torch.tensor([1.0, 10.0, -2.0], dtype=f64), w_star=torch.ones(3, dtype=f64)),
    "rotated quadratic": Quadratic(torch.tensor([0.5, 2.0, 7.0], dtype=f64), basis=rotation(3)),
    "rosenbrock": Rosenbrock(),
    "double well": DoubleWell(),
    "pl sine": PLSine(),
    "application 1": Application(1),
    "application 2": Application(2),
    "softplus": Softplus(),
    "huber": Huber(0.7),
    "least squares": LeastSquares(*data.diabetes()),
    "logistic": LogisticRegression(*data.breast_cancer(), ridge=0.01),
    "network": tanh_network(*data.digits(20), hidden=[3]),
}


def points(problem: Problem, n: int = 4) -> torch.Tensor:
    return torch.randn(n, problem.dim, generator=torch.Generator().manual_seed(0), dtype=f64)


@pytest.mark.parametrize("name", PROBLEMS)
def test_gradient_is_the_finite_difference(name: str) -> None:
    problem = PROBLEMS[name]
    w, v, e = points(problem), points(problem).roll(1, 0), 1e-6
    slope = (problem.value(w + e * v) - problem.value(w - e * v)) / (2 * e)
    torch.testing.assert_close((problem.grad(w) * v).sum(-1), slope, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", PROBLEMS)
def test_hvp_is_the_finite_difference_of_the_gradient(name: str) -> None:
    problem = PROBLEMS[name]
    w, v, e = points(problem), points(problem).roll(1, 0), 1e-6
    change = (problem.grad(w + e * v) - problem.grad(w - e * v)) / (2 * e)
    torch.testing.assert_close(problem.hvp(w, v), change, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["quadratic", "rotated quadratic", "rosenbrock", "network"])
def test_hessian_against_torch(name: str) -> None:
    problem = PROBLEMS[name]
    w = points(problem, 2)
    H = problem.hessian(w)
    assert H.shape == (2, problem.dim, problem.dim)
    torch.testing.assert_close(H[1], torch.autograd.functional.hessian(problem.value, w[1]), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_batch_is_its_members(name: str) -> None:
    problem = PROBLEMS[name]
    w = points(problem, 6).reshape(2, 3, -1)
    f, g = problem.value_and_grad(w)
    assert f.shape == (2, 3)
    assert g.shape == w.shape
    torch.testing.assert_close(f[1, 2], problem.value(w[1, 2]))
    torch.testing.assert_close(g[1, 2], problem.grad(w[1, 2]))


@pytest.mark.parametrize("name", [n for n, p in PROBLEMS.items() if p.L is not None])
def test_stated_smoothness_bounds_every_curvature_and_is_attained(name: str) -> None:
    problem = PROBLEMS[name]
    w = torch.cat([3 * points(problem, 300), torch.zeros(1, problem.dim, dtype=f64)])
    largest = torch.linalg.eigvalsh(problem.hessian(w)).abs().max()
    assert 0.95 * float(problem.L) <= float(largest) <= float(problem.L) * (1 + 1e-12)


@pytest.mark.parametrize("name", [n for n, p in PROBLEMS.items() if p.w_star is not None])
def test_stated_minimizer(name: str) -> None:
    problem = PROBLEMS[name]
    f, g = problem.value_and_grad(problem.w_star)
    assert float(f) == pytest.approx(float(problem.f_star), abs=1e-12)
    assert float(g.norm()) < 1e-12
    assert bool((problem.value(points(problem, 100)) > f).all())


def test_least_squares_against_sklearn() -> None:
    X, y = data.diabetes()
    fit = linear_model.LinearRegression(fit_intercept=False).fit(X.numpy(), y.numpy())
    np.testing.assert_allclose(LeastSquares(X, y).w_star, fit.coef_, rtol=1e-9)


def test_logistic_regression_against_sklearn() -> None:
    X, y = data.breast_cancer()
    problem = LogisticRegression(X, y, ridge=0.01)
    fit = linear_model.LogisticRegression(C=1 / (0.01 * len(y)), fit_intercept=False, tol=1e-12, max_iter=1000)
    w = torch.tensor(fit.fit(X.numpy(), y.numpy()).coef_[0])
    assert float(problem.grad(w).norm()) < 1e-6
    assert float(LogisticRegression(X, y, ridge=0.02).grad(w).norm()) > 1e-3
    lowest = torch.linalg.eigvalsh(problem.hessian(1e3 * points(problem)))[:, 0]
    assert bool((lowest >= float(problem.mu) * (1 - 1e-9)).all())


def test_breast_cancer_is_real_and_standardized() -> None:
    X, y = data.breast_cancer()
    assert X.shape == (569, 30)
    torch.testing.assert_close(X.std(0, correction=0), torch.ones(30, dtype=f64))
    assert float(X.mean(0).abs().max()) < 1e-12
    assert (int((y == 1).sum()), int((y == -1).sum())) == (357, 212)


def test_network_is_the_module_and_leaves_it_alone() -> None:
    X, Y = data.digits(20)
    module = nn.Sequential(nn.Linear(64, 3, dtype=f64), nn.Tanh(), nn.Linear(3, 10, dtype=f64))
    before = [p.detach().clone() for p in module.parameters()]
    problem = Network(module, X, Y, nn.functional.mse_loss)
    torch.testing.assert_close(problem.value(problem.start), nn.functional.mse_loss(module(X), Y).detach())
    problem.value_and_grad(problem.start + 1)
    assert all(torch.equal(p, q) for p, q in zip(module.parameters(), before, strict=True))


def test_seed_decides_the_start_and_nothing_else_does() -> None:
    X, Y = data.digits(20)
    state = torch.random.get_rng_state()
    a, b = (tanh_network(X, Y, seed=s).start for s in (0, 1))
    assert torch.equal(a, tanh_network(X, Y, seed=0).start)
    assert not torch.equal(a, b)
    assert torch.equal(state, torch.random.get_rng_state())


def test_digits_are_real_and_centred() -> None:
    X, Y = data.digits()
    assert X.shape == (1797, 64)
    assert float(X.mean(0).abs().max()) < 1e-12
    assert float(X.std()) == pytest.approx(1)
    assert bool((Y.sum(1) == 1).all())
    assert torch.equal(data.digits(50)[0], data.digits(50)[0])


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Quadratic(torch.tensor([1, 2])), "eigenvalues must be a finite vector of floats"),
        (lambda: Quadratic(torch.ones(2), basis=torch.eye(3)), r"basis must have shape \(2, 2\), got \(3, 3\)"),
        (lambda: Application(3), "number must be 1 or 2, got 3"),
        (lambda: Rosenbrock(-1), "b must be positive, got -1"),
        (lambda: Huber(0), "c must be positive, got 0"),
        (lambda: LeastSquares(torch.ones(3, 2), torch.ones(2)), r"X must be \(n, d\) and y \(n,\)"),
        (lambda: LogisticRegression(torch.ones(3, 2), torch.ones(2)), r"X must be \(n, d\) and y \(n,\)"),
        (lambda: LogisticRegression(torch.ones(2, 1), torch.tensor([0, 1])), r"y must hold labels -1 and 1 only"),
        (
            lambda: LogisticRegression(torch.ones(2, 1), torch.ones(2), ridge=-1),
            "ridge must be at least 0, got -1",
        ),
        (lambda: Network(nn.Tanh(), torch.ones(1), torch.ones(1), nn.functional.mse_loss), "no parameters"),
        (lambda: data.digits(5000), r"n must lie in \[1, 1797\], got 5000"),
    ],
)
def test_bad_input_is_refused_at_the_door(make, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        make()
