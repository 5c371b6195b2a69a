"""Means over examples: chosen examples and per-example gradients, against autograd on the data themselves."""

from itertools import combinations, product

import numpy as np
import pytest
import torch
from sklearn import linear_model
from torch import Tensor, nn

from coursekit import data
from coursekit.problems import LeastSquares, LogisticRegression, Network
from coursekit.problems.problem import FiniteSum

pytestmark = pytest.mark.usefixtures("device")

f64 = torch.float64
generator = torch.Generator().manual_seed(3)
n, d = 6, 3
X = torch.randn(n, d, generator=generator, dtype=f64)
y = torch.randn(n, generator=generator, dtype=f64)
signs, labels = y.sign(), torch.tensor([0, 1, 1, 0, 2, 2])
module = nn.Sequential(nn.Linear(d, 2, dtype=f64), nn.Tanh(), nn.Linear(2, 3, dtype=f64))


def example_of_network(w: Tensor, i: int) -> Tensor:
    parameters, used = {}, 0
    for name, p in module.named_parameters():
        parameters[name] = w[used : used + p.numel()].reshape(p.shape)
        used += p.numel()
    return nn.functional.cross_entropy(
        torch.func.functional_call(module, parameters, X[i : i + 1]), labels[i : i + 1]
    )


# each problem, and the loss of its i-th example written down a second time
SUMS = {
    "least squares": (LeastSquares(X, y), lambda w, i: (X[i] @ w - y[i]) ** 2 / 2),
    "ridge": (LeastSquares(X, y, ridge=0.3), lambda w, i: (X[i] @ w - y[i]) ** 2 / 2 + 0.15 * w @ w),
    "logistic": (
        LogisticRegression(X, signs, ridge=0.2),
        lambda w, i: (1 + (-signs[i] * (X[i] @ w)).exp()).log() + 0.1 * w @ w,
    ),
    "network": (Network(module, X, labels, nn.functional.cross_entropy), example_of_network),
}


def points(problem: FiniteSum, *batch: int) -> Tensor:
    return torch.randn(*batch, problem.dim, generator=torch.Generator().manual_seed(0), dtype=f64)


def by_hand(name: str, w: Tensor, indices: Tensor) -> tuple[Tensor, Tensor]:
    """Mean loss over these examples at one point, and its gradient, by plain autograd."""
    w = w.clone().requires_grad_(True)
    f = torch.stack([SUMS[name][1](w, i) for i in indices.tolist()]).mean()
    return f.detach(), torch.autograd.grad(f, w)[0]


@pytest.mark.parametrize("name", SUMS)
def test_chosen_examples_one_set_for_each_run(name: str) -> None:
    problem = SUMS[name][0]
    w = points(problem, 2, 4)
    indices = torch.randint(n, (2, 4, 3), generator=torch.Generator().manual_seed(1))
    part = problem.on(indices)
    f, g = part.value_and_grad(w)
    for i, j in product(range(2), range(4)):
        f_hand, g_hand = by_hand(name, w[i, j], indices[i, j])
        torch.testing.assert_close(f[i, j], f_hand, rtol=1e-12, atol=1e-14)
        torch.testing.assert_close(g[i, j], g_hand, rtol=1e-12, atol=1e-14)
    assert not torch.allclose(f, problem.on(indices.roll(1, 0)).value(w))  # the sets of other runs
    assert (part.n, part.L, part.w_star) == (3, None, None)
    assert problem.n == n


@pytest.mark.parametrize("name", SUMS)
def test_second_derivatives_of_chosen_examples(name: str) -> None:
    problem = SUMS[name][0]
    w, indices = points(problem, 4), torch.tensor([[0, 1], [2, 2], [3, 5], [4, 0]])
    H, v = problem.on(indices).hessian(w), points(problem, 4).roll(1, 0)
    for i in range(4):
        here = torch.autograd.functional.hessian(
            lambda w, i=i: torch.stack([SUMS[name][1](w, j) for j in indices[i].tolist()]).mean(), w[i]
        )
        torch.testing.assert_close(H[i], here, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(problem.on(indices).hvp(w, v), (H @ v[..., None])[..., 0], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", SUMS)
@pytest.mark.parametrize("batch", [(), (2,), (2, 1)], ids=str)
def test_per_example_gradients_are_a_loop_of_autograd(name: str, batch: tuple[int, ...]) -> None:
    problem = SUMS[name][0]
    w = points(problem, *batch)
    grads = problem.per_example_grads(w)
    assert grads.shape == (*batch, n, problem.dim)
    loop = torch.stack(
        [
            torch.stack([by_hand(name, u, torch.tensor([i]))[1] for i in range(n)])
            for u in w.reshape(-1, problem.dim)
        ]
    ).reshape(grads.shape)
    torch.testing.assert_close(grads, loop, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(grads.mean(-2), problem.grad(w), rtol=1e-12, atol=1e-14)
    assert not torch.allclose(grads, loop.roll(1, -2))


@pytest.mark.parametrize("name", SUMS)
def test_per_example_gradients_of_chosen_examples(name: str) -> None:
    problem = SUMS[name][0]
    w, indices = points(problem, 2), torch.tensor([[0, 5, 5], [1, 2, 3]])
    every = problem.per_example_grads(w)
    chosen = torch.stack([every[i, indices[i]] for i in range(2)])
    torch.testing.assert_close(problem.on(indices).per_example_grads(w), chosen, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", SUMS)
@pytest.mark.parametrize("b", [1, 2, 4, n])
def test_mini_batch_gradients_are_unbiased_with_the_stated_variance_over_all_batches(name: str, b: int) -> None:
    problem = SUMS[name][0]
    w = points(problem)
    every = problem.per_example_grads(w)
    mean = every.mean(0)
    variance = (every - mean).square().sum(-1).mean()

    def over(sets) -> tuple[Tensor, Tensor]:
        g = problem.on(torch.tensor(list(sets))).grad(w.expand(len(list(sets)), -1))
        return g.mean(0), (g - mean).square().sum(-1).mean()

    bias, spread = over(list(combinations(range(n), b)))
    torch.testing.assert_close(bias, mean, rtol=1e-11, atol=1e-13)
    torch.testing.assert_close(spread, variance / b * (n - b) / (n - 1), rtol=1e-10, atol=1e-13)
    if b <= 4:
        bias, spread = over(list(product(range(n), repeat=b)))
        torch.testing.assert_close(bias, mean, rtol=1e-11, atol=1e-13)
        torch.testing.assert_close(spread, variance / b, rtol=1e-10, atol=1e-13)
    if b > 1:  # the two formulas are told apart
        assert not torch.allclose(variance / b, variance / b * (n - b) / (n - 1))


def test_a_loss_summed_over_the_examples_would_be_biased() -> None:
    def summed(outputs: Tensor, targets: Tensor) -> Tensor:
        return nn.functional.cross_entropy(outputs, targets, reduction="sum")

    problem = Network(module, X, labels, summed)
    pairs = torch.tensor(list(combinations(range(n), 2)))
    mean = problem.on(pairs).grad(problem.start.expand(len(pairs), -1)).mean(0)
    torch.testing.assert_close(mean, problem.grad(problem.start) * 2 / n)


def test_ridge_against_sklearn_and_numpy() -> None:
    A, b = data.diabetes()
    problem = LeastSquares(A, b, ridge=0.01)
    fit = linear_model.Ridge(alpha=0.01 * len(b), fit_intercept=False, solver="cholesky").fit(
        A.numpy(force=True), b.numpy(force=True)
    )
    np.testing.assert_allclose(problem.w_star.numpy(force=True), fit.coef_, rtol=1e-9)
    eigenvalues = np.linalg.eigvalsh(A.numpy(force=True).T @ A.numpy(force=True) / len(b)) + 0.01
    np.testing.assert_allclose([float(problem.mu), float(problem.L)], eigenvalues[[0, -1]], rtol=1e-10)
    assert problem.pl.value == problem.mu.value
    assert (
        float(problem.grad(problem.w_star).norm()) < 1e-12 < float(LeastSquares(A, b).grad(problem.w_star).norm())
    )


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda f: f.on(torch.tensor([0.0])), r"indices must be integers of shape \(..., b\), got torch.float32"),
        (lambda f: f.on(torch.ones(n, dtype=torch.bool)), "indices must be integers"),
        (lambda f: f.on(torch.tensor(1)), "indices must be integers"),
        (lambda f: f.on(torch.tensor([[0], [1]])).on(torch.tensor([0])), "indices have been chosen already"),
        (lambda f: LeastSquares(X, y, ridge=-1), "ridge must be at least 0, got -1"),
    ],
)
def test_bad_input_is_refused_at_the_door(make, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        make(SUMS["ridge"][0])
