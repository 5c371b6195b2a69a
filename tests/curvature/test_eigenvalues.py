"""Lanczos against dense eigenvalues, scipy and closed forms; what its residual says is true."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.linalg import LinearOperator, eigsh
from torch.func import jacrev

from coursekit import data, descend
from coursekit.curvature import Operator, eigenpairs, hessian_of, largest_curvature, smoothness_along
from coursekit.curvature.lanczos import Lanczos
from coursekit.problems import Quadratic, tanh_network
from coursekit.rules import gradient_descent

from ..habits import Waited, no_waiting

pytestmark = pytest.mark.usefixtures("device")

f64 = torch.float64
SCIPY = {"magnitude": "LM", "largest": "LA", "smallest": "SA"}


def quadratic(eigenvalues: list[float] | torch.Tensor) -> Operator:
    """The Hessian of a quadratic in a random orthonormal basis."""
    lam = torch.as_tensor(eigenvalues, dtype=f64)
    basis = torch.linalg.qr(torch.randn(len(lam), len(lam), generator=torch.manual_seed(1), dtype=f64)).Q
    return hessian_of(Quadratic(lam, basis=basis), torch.zeros(len(lam), dtype=f64))


@pytest.mark.parametrize("which", SCIPY)
def test_against_scipy_and_the_dense_hessian(which: str, device: torch.device) -> None:
    net = tanh_network(*(t.to(device) for t in data.digits(40)), hidden=[3])
    H = hessian_of(net, net.start)
    found = eigenpairs(H, 3, which, tol=1e-9)
    assert found.converged
    assert found.products == H.calls.hvps < net.dim

    full = jacrev(jacrev(net.value))(net.start).cpu()
    A = LinearOperator(full.shape, matvec=lambda v: full.numpy(force=True) @ v, dtype=np.float64)
    values = eigsh(A, 3, which=SCIPY[which], tol=1e-12, v0=np.ones(net.dim))[0]
    key = {"magnitude": -abs(values), "largest": -values, "smallest": values}[which]
    np.testing.assert_allclose(found.values.cpu(), values[key.argsort()], rtol=1e-8)
    exact = torch.linalg.eigvalsh(full)
    for value in found.values.cpu():
        assert float((exact - value).abs().min()) < 1e-9
    # the residual is the one of the vectors that are handed out
    v = found.vectors.cpu()
    torch.testing.assert_close(v @ v.mT, torch.eye(3, dtype=f64, device="cpu"), rtol=0, atol=1e-12)
    seen = (v @ full - found.values.cpu()[:, None] * v).norm(dim=-1)
    torch.testing.assert_close(seen, found.residuals.cpu(), rtol=0, atol=1e-12)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.floats(-10, 10).map(lambda x: round(x, 2)), min_size=2, max_size=12, unique=True),
    st.sampled_from([1e-1, 1e-3, 1e-6]),
)
def test_within_its_residual_of_each_value_lies_an_eigenvalue(eigenvalues: list[float], tol: float) -> None:
    found = eigenpairs(quadratic(eigenvalues), 2, tol=tol)
    exact = torch.tensor(eigenvalues, dtype=f64)
    for value, residual in zip(found.values, found.residuals, strict=True):
        assert float((exact - value).abs().min()) <= float(residual) + 1e-12


def test_the_stop_is_the_stated_accuracy() -> None:
    H = quadratic(torch.linspace(0, 1, 150))
    loose, tight = eigenpairs(H, tol=1e-2), eigenpairs(H, tol=1e-8)
    assert loose.converged
    assert tight.converged
    assert loose.products < tight.products
    assert 1e-8 < float(loose.residuals[0] / loose.values[0]) <= 1e-2
    cut = eigenpairs(H, tol=1e-8, most=5)
    assert not cut.converged
    assert cut.products == 5
    assert float(cut.residuals[0]) > 1e-8


def test_a_multiple_eigenvalue_is_seen_once() -> None:
    found = eigenpairs(quadratic([5, 5, 3, -1, -1]), 3, "largest", tol=1e-10)
    torch.testing.assert_close(found.values, torch.tensor([5, 3, -1], dtype=f64))
    assert found.products == 3
    for check_every in (1, 3):
        alone = eigenpairs(quadratic([2, 2, 2]), 2, check_every=check_every)
        assert alone.values.tolist() == pytest.approx([2])
        assert not alone.converged
        assert alone.products == check_every


def test_the_wanted_end_comes_first() -> None:
    H = quadratic([-9, -1, 0.5, 2, 5])
    for which, values in {"magnitude": [-9, 5, 2], "largest": [5, 2, 0.5], "smallest": [-9, -1, 0.5]}.items():
        assert eigenpairs(H, 3, which, tol=1e-10).values.tolist() == pytest.approx(values)


def test_an_operator_that_is_not_symmetric_is_refused() -> None:
    A = torch.randn(20, 20, generator=torch.manual_seed(0), dtype=f64)
    symmetric = A + A.mT
    assert eigenpairs(Operator(symmetric.matmul, torch.zeros(20, dtype=f64)), tol=1e-10).converged
    with pytest.raises(ValueError, match="not symmetric"):
        eigenpairs(Operator((symmetric + 1e-2 * A).matmul, torch.zeros(20, dtype=f64)), tol=1e-10)
    noise = Operator(lambda v: symmetric @ v + 1e-2 * torch.randn_like(v), torch.zeros(20, dtype=f64))
    with pytest.raises(ValueError, match="same loss"):
        eigenpairs(noise, tol=1e-10)


def test_rows_stay_orthonormal_where_plain_lanczos_loses_them() -> None:
    H = quadratic(torch.cat([torch.logspace(-6, 0, 99), torch.tensor([100.0])]))
    lanczos = Lanczos(H, torch.ones(100, dtype=f64))
    for _ in range(60):
        lanczos.extend()
    torch.testing.assert_close(lanczos.Q @ lanczos.Q.mT, torch.eye(60, dtype=f64), rtol=0, atol=1e-13)

    q, before, beta, plain = torch.full((100,), 0.1, dtype=f64), torch.zeros(100, dtype=f64), 0.0, []
    for _ in range(60):
        plain.append(q)
        u = H.hvp(q) - beta * before
        u = u - (u @ q) * q
        before, beta = q, float(u.norm())
        q = u / beta
    rows = torch.stack(plain)
    assert float((rows @ rows.mT - torch.eye(60, dtype=f64)).abs().max()) > 0.1


def test_nothing_is_read_back_between_checks(monkeypatch: pytest.MonkeyPatch, device: torch.device) -> None:
    net = tanh_network(*(t.to(device) for t in data.digits(20)), hidden=[3])
    H = hessian_of(net, net.start)
    extend, checks = Lanczos.extend, []
    ritz = Lanczos.ritz

    def watched(self: Lanczos) -> None:
        with no_waiting():
            extend(self)

    monkeypatch.setattr(Lanczos, "extend", watched)
    monkeypatch.setattr(Lanczos, "ritz", lambda self, m: checks.append(len(self)) or ritz(self, m))
    found = eigenpairs(H, tol=1e-10, check_every=4)
    assert found.converged
    assert checks == list(range(4, 4 * math.ceil(found.products / 4) + 1, 4))

    H = Operator(lambda v: v * float(v.norm()), torch.zeros(3, device=device))
    with pytest.raises(Waited):
        eigenpairs(H)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": 0}, r"k must lie in \[1, 4\], got 0"),
        ({"k": 5}, r"k must lie in \[1, 4\], got 5"),
        ({"which": "top"}, "which must be"),
        ({"tol": 0}, "tol must be positive"),
        ({"k": 3, "most": 2}, "most must be at least k = 3"),
        ({"check_every": 0}, "check_every must be at least 1"),
    ],
)
def test_bad_options(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        eigenpairs(quadratic([1, 2, 3, 4]), **options)


def test_no_batch_and_no_nan() -> None:
    with pytest.raises(ValueError, match=r"batch of shape \(2,\)"):
        eigenpairs(Operator(lambda v: v, torch.zeros(2, 3)))
    with pytest.raises(ValueError, match="finite numbers"):
        eigenpairs(Operator(lambda v: v * torch.nan, torch.zeros(3)))
    with pytest.raises(ValueError, match="steps must be at least 1"):
        largest_curvature(Quadratic(torch.ones(3)), torch.zeros(3), steps=0)


def test_every_point_of_a_batch_against_the_dense_hessian(device: torch.device) -> None:
    net = tanh_network(*(t.to(device) for t in data.digits(30)), hidden=[2])
    noise = torch.randn(3, net.dim, generator=torch.manual_seed(0), dtype=f64).to(device)
    w = net.start + 0.3 * noise
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
    value, residual = largest_curvature(net, run.w[:2], steps=3)
    few = smoothness_along(net, run.w[:2], points=2, steps=3)
    assert float(few) == pytest.approx(float((value + residual).max()))  # Lanczos comes from below
    assert L.shape == (20,)
    assert bool((secant <= L).all())
