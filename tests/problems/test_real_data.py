"""The problems on real data against scikit-learn, and the data themselves."""

import numpy as np
import pytest
import torch
from sklearn import linear_model

from coursekit import data
from coursekit.problems import LeastSquares, LogisticRegression

pytestmark = pytest.mark.usefixtures("device")

f64 = torch.float64


def test_least_squares_against_sklearn() -> None:
    X, y = data.diabetes()
    fit = linear_model.LinearRegression(fit_intercept=False).fit(X.numpy(force=True), y.numpy(force=True))
    np.testing.assert_allclose(LeastSquares(X, y).w_star.numpy(force=True), fit.coef_, rtol=1e-9)


def test_logistic_regression_against_sklearn() -> None:
    X, y = data.breast_cancer()
    problem = LogisticRegression(X, y, ridge=0.01)
    fit = linear_model.LogisticRegression(C=1 / (0.01 * len(y)), fit_intercept=False, tol=1e-12, max_iter=1000)
    w = torch.tensor(fit.fit(X.numpy(force=True), y.numpy(force=True)).coef_[0])
    assert float(problem.grad(w).norm()) < 1e-6
    assert float(LogisticRegression(X, y, ridge=0.02).grad(w).norm()) > 1e-3
    lowest = torch.linalg.eigvalsh(
        problem.hessian(1e3 * torch.randn(4, 30, generator=torch.Generator().manual_seed(0), dtype=f64))
    )[:, 0]
    assert bool((lowest >= float(problem.mu) * (1 - 1e-9)).all())


def test_breast_cancer_is_real_and_standardized() -> None:
    X, y = data.breast_cancer()
    assert X.shape == (569, 30)
    torch.testing.assert_close(X.std(0, correction=0), torch.ones(30, dtype=f64))
    assert float(X.mean(0).abs().max()) < 1e-12
    assert (int((y == 1).sum()), int((y == -1).sum())) == (357, 212)


def test_digits_are_real_and_centred() -> None:
    X, Y = data.digits()
    assert X.shape == (1797, 64)
    assert float(X.mean(0).abs().max()) < 1e-12
    assert float(X.std()) == pytest.approx(1)
    assert bool((Y.sum(1) == 1).all())
    assert torch.equal(data.digits(50)[0], data.digits(50)[0])
