"""Two-layer networks against the definition written as loops, Monte Carlo, scipy, and what is proved of them."""

import math

import numpy as np
import pytest
import torch
from scipy import optimize

from coursekit import descend
from coursekit.problems import QuadraticNetwork, ReLUNetwork
from coursekit.rules import gradient_descent

pytestmark = pytest.mark.usefixtures("device")

f64 = torch.float64


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=f64)


def signs(k: int) -> torch.Tensor:
    return torch.tensor([1.0, -1.0], dtype=f64).repeat(k // 2)


def lbfgs_end(problem: QuadraticNetwork, seed: int) -> float:
    def value_and_grad(w: np.ndarray) -> tuple[float, np.ndarray]:
        f, g = problem.value_and_grad(torch.tensor(w))
        return float(f), g.numpy(force=True)

    start = problem.random_start(seed).numpy(force=True)
    options = {"maxiter": 5000, "maxfun": 10000, "ftol": 0, "gtol": 1e-11}
    return optimize.minimize(value_and_grad, start, jac=True, method="L-BFGS-B", options=options).fun


def test_the_outputs_are_those_of_a_plain_loop(device: torch.device) -> None:
    X, y, v = random(5, 3), random(5, seed=1), random(4, seed=2)
    quadratic = QuadraticNetwork(X.to(device), y.to(device), v.to(device))
    relu = ReLUNetwork(X.to(device), y.to(device), 4)
    w = random(2, 12, seed=3)
    W = w.reshape(2, 4, 3)
    for run in range(2):
        for i in range(5):
            a = [float(W[run, j] @ X[i]) for j in range(4)]
            loop = sum(float(v[j]) * a[j] ** 2 for j in range(4))
            assert float(quadratic.outputs(w.to(device))[run, i]) == pytest.approx(loop)
            loop = sum(float(relu.v[j]) * max(0.0, a[j]) for j in range(4))
            assert float(relu.outputs(w.to(device))[run, i]) == pytest.approx(loop)
    assert relu.v.abs().tolist() == [0.5] * 4
    residual = quadratic.outputs(w.to(device)) - y.to(device)
    torch.testing.assert_close(quadratic.value(w.to(device)), (residual**2).sum(-1) / 10)


def test_examples_are_the_rows_of_the_data() -> None:
    X, y = random(6, 3), random(6, seed=1)
    net, w = ReLUNetwork(X, y, 8), random(24, seed=3)
    each = net.per_example_grads(w)
    torch.testing.assert_close(each.mean(0), net.grad(w))
    again = ReLUNetwork(X[2:3], y[2:3], 8)
    torch.testing.assert_close(each[2], again.grad(w))
    torch.testing.assert_close(net.on(torch.tensor([0, 4])).grad(w), each[[0, 4]].mean(0))


def test_enough_mixed_signs_leave_no_bad_minimum_and_one_sign_does() -> None:
    d = 4
    X, y = random(30, d), random(30, seed=1)
    benign = QuadraticNetwork(X, y, signs(2 * d))
    i, j = np.triu_indices(d)
    features = (X[:, i] * X[:, j]).numpy(force=True)  # by hand: the best symmetric M
    best = np.linalg.lstsq(features, y.numpy(force=True))[1][0] / 60
    assert float(benign.f_star) == pytest.approx(best, rel=1e-10)
    assert [lbfgs_end(benign, seed) for seed in range(8)] == pytest.approx([best] * 8, rel=1e-7)
    assert QuadraticNetwork(X, y, torch.ones(8, dtype=f64)).f_star is None
    assert lbfgs_end(QuadraticNetwork(X, y, torch.ones(8, dtype=f64)), 0) > 1.02 * best
    few = QuadraticNetwork(X[: d * (d + 1) // 2], y[: d * (d + 1) // 2], signs(2 * d))
    assert float(few.f_star) < 1e-25
    one_more = QuadraticNetwork(X[: d * (d + 1) // 2 + 1], y[: d * (d + 1) // 2 + 1], signs(2 * d))
    assert float(one_more.f_star) > 1e-6


def test_the_gram_matrix_tends_to_its_limit_as_the_width_grows() -> None:
    X = torch.nn.functional.normalize(random(8, 5))
    y = torch.sign(random(8, seed=1))
    draws = (random(200000, 5, seed=2) @ X.T > 0).double()  # the definition, by Monte Carlo
    by_sampling = X @ X.T * (draws.T @ draws) / len(draws)
    torch.testing.assert_close(ReLUNetwork(X, y, 1).limit_gram(), by_sampling, rtol=0, atol=0.005)
    far = [
        np.mean([float((net.gram(net.random_start(s)) - net.limit_gram()).norm()) for s in range(4)])
        for net in (ReLUNetwork(X, y, m) for m in (100, 1600))
    ]
    assert far[0] / far[1] == pytest.approx(4, rel=0.4)  # like 1/√m
    net = ReLUNetwork(X, y, 7)
    w = net.random_start()
    rows = torch.stack([torch.autograd.functional.jacobian(lambda w, i=i: net.outputs(w)[i], w) for i in range(8)])
    torch.testing.assert_close(net.gram(w), rows @ rows.T)


def test_a_wide_relu_network_fits_any_labels_at_the_rate_of_its_gram_matrix() -> None:
    X = torch.nn.functional.normalize(random(10, 8))
    y = torch.sign(random(10, seed=1))
    moved = []
    for width in (200, 3200):
        net = ReLUNetwork(X, y, width)
        lam = torch.linalg.eigvalsh(net.limit_gram())
        eta = float(len(y) / lam[-1])
        start = net.random_start()
        run = descend(net, gradient_descent, start, 600, record=("f", "w"), eta=eta)
        moved.append(float((run.w[-1] - start).norm() / start.norm()))
        last = torch.linalg.eigvalsh(net.gram(run.w[-1]))[0]
        late = int((run.f > 1e-20).sum()) - 1
        rate = math.log(float(run.f[late - 50] / run.f[late])) / 50
        assert float(run.f.min()) < 1e-8
        assert rate == pytest.approx(-2 * math.log1p(-float(eta * last / len(y))), rel=0.1)
    assert moved[0] / moved[1] == pytest.approx(4, rel=0.3)  # like 1/√m
