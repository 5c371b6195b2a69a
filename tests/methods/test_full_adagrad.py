"""Full-matrix AdaGrad: scipy's matrix root, torch's AdaGrad where they coincide, and rotations."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import pinv, sqrtm

from coursekit import descend
from coursekit.methods import full_adagrad, minimize
from coursekit.methods.full_adagrad import inverse_root
from coursekit.problems import Quadratic, Rosenbrock
from coursekit.rules import adagrad

pytestmark = pytest.mark.usefixtures("device")

f64 = torch.float64
START = torch.tensor([-1.2, 1.0], dtype=f64)


def by_the_paper(gradient, w, eta: float, eps: float, steps: int) -> np.ndarray:
    G, rows = eps * np.eye(len(w)), [w]
    for _ in range(steps):
        g = gradient(w)
        G = G + np.outer(g, g)
        w = w - eta * pinv(np.real(sqrtm(G)), atol=1e-6 * np.sqrt(np.trace(G))) @ g
        rows.append(w)
    return np.array(rows)


@pytest.mark.parametrize("eps", [1e-3, 0.0])  # at 0 the first matrix, g gᵀ, is singular
def test_the_paper(eps: float) -> None:
    run = minimize(Rosenbrock(), full_adagrad(0.3, eps=eps), START, 30)
    want = by_the_paper(
        lambda w: Rosenbrock().grad(torch.tensor(w)).numpy(force=True), START.numpy(force=True), 0.3, eps, 30
    )
    torch.testing.assert_close(run.w, torch.tensor(want), rtol=0, atol=1e-8)
    diagonal = descend(Rosenbrock(), adagrad, START, 30, eta=0.3, record=("w",))
    assert (run.w - diagonal.w).abs().max() > 0.1


def test_in_one_dimension_it_is_adagrad() -> None:
    w = torch.ones(1, dtype=f64, requires_grad=True)
    peer = torch.optim.Adagrad([w], lr=0.1, eps=0.0)
    problem = Quadratic(torch.tensor([3.0], dtype=f64))
    run = minimize(problem, full_adagrad(0.1, eps=0.0), torch.ones(1, dtype=f64), 50)
    for _ in range(50):
        w.grad = problem.grad(w.detach())
        peer.step()
    torch.testing.assert_close(run.w[-1], w.detach(), rtol=0, atol=1e-14)


@settings(deadline=None, derandomize=True)
@given(st.floats(0, 6.3), st.floats(0.3, 100))
def test_a_rotated_problem_gives_the_rotated_path(angle: float, kappa: float) -> None:
    c, s = np.cos(angle), np.sin(angle)
    Q = torch.tensor([[c, -s], [s, c]], dtype=f64)
    lam, method = torch.tensor([1.0, kappa], dtype=f64), full_adagrad(0.5, eps=1e-2)
    straight = minimize(Quadratic(lam), method, START, 10)
    turned = minimize(Quadratic(lam, basis=Q), method, Q @ START, 10)
    torch.testing.assert_close(turned.w, straight.w @ Q.mT, rtol=0, atol=1e-7)


def test_the_diagonal_rule_does_not_rotate() -> None:
    Q = torch.tensor([[0.6, -0.8], [0.8, 0.6]], dtype=f64)
    lam = torch.tensor([1.0, 20.0], dtype=f64)
    straight = descend(Quadratic(lam), adagrad, START, 10, eta=0.5, record=("w",))
    turned = descend(Quadratic(lam, basis=Q), adagrad, Q @ START, 10, eta=0.5, record=("w",))
    assert (turned.w - straight.w @ Q.mT).abs().max() > 0.1


@pytest.mark.parametrize("p", [1, 2, 4, 6])
def test_roots(p: int) -> None:
    X = torch.randn(5, 3, generator=torch.Generator().manual_seed(0), dtype=f64)
    M = X @ X.mT
    root = inverse_root(M, p, 0.0)
    torch.testing.assert_close(torch.linalg.matrix_power(root, p), torch.linalg.pinv(M, hermitian=True))
    shifted = inverse_root(M, p, 0.1)
    eye = torch.eye(5, dtype=f64)
    torch.testing.assert_close(torch.linalg.matrix_power(shifted, p) @ (M + 0.1 * eye), eye)


def test_bad_eps_is_refused_at_the_door() -> None:
    with pytest.raises(ValueError, match=r"eps must lie in \[0, inf\), got -1"):
        full_adagrad(eps=-1)
