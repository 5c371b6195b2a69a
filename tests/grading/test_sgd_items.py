"""The items of chapter 3: references against torch, enumeration and closed forms; other correct programs pass."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from coursekit.grading.exercise import Assignment, Case, load
from coursekit.grading.public import recordings
from coursekit.grading.release import faults

from .conftest import EXERCISES
from .oracle import SEEDS, item_of, rejected

SGD = load(EXERCISES / "sgd")


def hidden(name: str) -> list[Case]:
    return [case for seed in SEEDS for case in item_of(SGD, name).hidden_cases(seed)]


def reference(name: str, assignment: Assignment = SGD) -> Callable[..., Any]:
    return assignment.reference(item_of(assignment, name))


def cohorts(*seeds: bytes) -> list[Assignment]:
    """The assignment of other years, with only the item whose constant changes."""
    years = (load(EXERCISES / "sgd", seed) for seed in seeds)
    return [replace(year, items=(item_of(year, "growth"),)) for year in years]


def constant(assignment: Assignment) -> float:
    """The c of the cohort's step c/(mu (t + kappa)), as the solution has it."""
    return float(assignment.master.solutions["growth"].partition("abs(1 - ")[2].partition(" *")[0])


def test_other_cohorts_have_other_constants_and_no_faults() -> None:
    years = {constant(year): year for year in cohorts(*(bytes([seed]) for seed in range(12)))}
    assert sorted(years) == [1.5, 2, 2.5, 3]
    for year in years.values():
        assert faults(year, recordings(year)) == []


def test_batch_variance_is_that_of_the_finite_population_formula() -> None:
    for case in hidden("batch_variance"):
        G, b, replacement = case.arguments
        n = len(G)
        shrunk = 1.0 if replacement else (n - b) / (n - 1)
        expected = np.trace(np.atleast_2d(np.cov(G.numpy(), rowvar=False, bias=True))) / b * shrunk
        ours = reference("batch_variance")(*case.arguments)
        assert float(ours) == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_weighted_gradient_has_the_full_gradient_as_its_mean() -> None:
    generator = torch.Generator().manual_seed(0)
    G = torch.randn(6, 3, generator=generator, dtype=torch.float64)
    p = torch.rand(6, generator=generator, dtype=torch.float64)
    p /= p.sum()
    ours = reference("weighted_gradient")
    for draws in (1, 2):
        mean = torch.zeros(3, dtype=torch.float64)
        for i in map(list, itertools.product(range(6), repeat=draws)):
            mean += p[i].prod() * ours(G[i], p[i], 6)
        torch.testing.assert_close(mean, G.mean(0), rtol=0, atol=1e-15)


def test_one_epoch_is_that_of_torch_with_a_data_loader() -> None:
    for case in hidden("one_epoch"):
        w, X, y, order, size, eta = case.arguments
        theirs = torch.nn.Parameter(w.clone())
        sgd = torch.optim.SGD([theirs], lr=eta)
        examples = torch.utils.data.TensorDataset(X, y)
        for rows, targets in torch.utils.data.DataLoader(examples, size, sampler=order.tolist()):
            sgd.zero_grad()
            (torch.nn.functional.mse_loss(rows @ theirs, targets) / 2).backward()
            sgd.step()
        torch.testing.assert_close(
            reference("one_epoch")(*case.arguments), theirs.detach(), rtol=1e-13, atol=1e-14
        )


def test_expected_loss_is_the_mean_over_all_outcomes_of_fair_coins() -> None:
    lam, sigma2, w_0 = (torch.tensor(x, dtype=torch.float64) for x in ([1.0, 4.0], [0.5, 2.0], [3.0, -1.0]))
    eta, T, losses = 0.3, 3, []
    for coins in itertools.product((-1.0, 1.0), repeat=2 * T):
        w = w_0
        for signs in torch.tensor(coins, dtype=torch.float64).reshape(T, 2):
            w = w - eta * (lam * w + sigma2.sqrt() * signs)
        losses.append((lam * w * w).sum() / 2)
    mean = torch.stack(losses).mean()
    torch.testing.assert_close(reference("expected_loss")(lam, sigma2, w_0, eta, T), mean, rtol=1e-13, atol=0)


def test_growth_is_a_binomial_coefficient() -> None:
    # The product of (100 - t)/t over t = 1, ..., k is the binomial coefficient 99 over k, and largest at k = 49.
    c = constant(SGD)
    assert reference("growth")(100 / c, 1.0, 0.0, 99) == pytest.approx(math.comb(99, 49), rel=1e-11)
    assert reference("growth")(100 / c, 1.0, 0.0, 7) == pytest.approx(math.comb(99, 7), rel=1e-11)


def test_critical_batch_is_variance_over_squared_mean_of_every_batch_listed() -> None:
    G = torch.randn(5, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    norms = [
        np.mean([G[list(B)].mean(0).square().sum().item() for B in itertools.product(range(5), repeat=b)])
        for b in (1, 3)
    ]
    expected = float(G.var(0, correction=0).sum() / G.mean(0).square().sum())
    assert reference("critical_batch")(*norms, 1, 3) == pytest.approx(expected, rel=1e-12)


def test_quantize_is_unbiased_and_lands_on_the_grid_of_numpy() -> None:
    g = torch.randn(7, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    ours = reference("quantize")
    for levels in (1, 4):
        grid = np.linspace(float(g.min()), float(g.max()), levels + 1)
        u = (torch.arange(2000, dtype=torch.float64) + 0.5) / 2000
        sent = torch.stack([ours(g, levels, x.expand(7)) for x in u])
        assert np.abs(sent.numpy()[..., None] - grid).min(-1).max() < 1e-15
        torch.testing.assert_close(sent.mean(0), g, rtol=0, atol=float(grid[1] - grid[0]) / 2000)


def test_feedback_step_sends_the_k_largest_and_loses_nothing() -> None:
    for case in hidden("feedback_step"):
        w, e, g, eta, k = case.arguments
        point, rest = reference("feedback_step")(w, e, g, eta, k)
        theirs = torch.nn.Parameter(w - e)
        theirs.grad = g
        torch.optim.SGD([theirs], lr=eta).step()
        torch.testing.assert_close(point - rest, theirs.detach(), rtol=0, atol=1e-15)
        largest = np.argsort(-np.abs((e + eta * g).numpy()))[:k]
        assert set(np.flatnonzero((w - point).numpy())) == set(largest)
        assert not rest[largest.copy()].any()


def batch_variance(G: Tensor, b: int, replacement: bool) -> Tensor:
    n = len(G)
    one = ((G - G.sum(0) / n) ** 2).sum() / n
    return one / b if replacement else one / b * (n - b) / (n - 1)


def weighted_gradient(g: Tensor, p: Tensor, n: int) -> Tensor:
    return torch.einsum("bd,b->d", g, 1 / p) / (n * len(p))


def one_epoch(w: Tensor, X: Tensor, y: Tensor, order: Tensor, size: int, eta: float) -> Tensor:
    w = w.clone()
    for start in range(0, len(order), size):
        total = torch.zeros_like(w)
        batch = order[start : start + size].tolist()
        for i in batch:
            total += (X[i].dot(w) - y[i]) * X[i]
        w -= eta * total / len(batch)
    return w


def expected_loss(lam: Tensor, sigma2: Tensor, w_0: Tensor, eta: float, T: int) -> Tensor:
    decay = (1 - eta * lam) ** (2 * T)
    floor = eta * sigma2 / (lam * (2 - eta * lam))
    return 0.5 * torch.dot(lam, floor + decay * (w_0**2 - floor))


def critical_batch(m_1: float, m_2: float, b_1: int, b_2: int) -> float:
    (grad2, sigma2) = np.linalg.solve([[1, 1 / b_1], [1, 1 / b_2]], [m_1, m_2]).tolist()
    return math.inf if grad2 <= 0 else 0.0 if sigma2 < 0 else float(sigma2 / grad2)


def quantize(g: Tensor, levels: int, u: Tensor) -> Tensor:
    low, high = torch.aminmax(g)
    if low == high:
        return g
    place = levels * (g - low) / (high - low)
    level = torch.where(u < place % 1, place.ceil(), place.floor())
    return low + level * (high - low) / levels


def feedback_step(w: Tensor, e: Tensor, g: Tensor, eta: float, k: int) -> tuple[Tensor, Tensor]:
    p = e.clone()
    p += eta * g
    kept = p.abs() >= p.abs().sort(descending=True).values[k - 1]
    return torch.where(kept, w - p, w), p.masked_fill(kept, 0.0)


@pytest.mark.parametrize(
    "program",
    [batch_variance, weighted_gradient, one_epoch, expected_loss, critical_batch, quantize, feedback_step],
)
def test_another_correct_program_passes(program: Callable[..., Any]) -> None:
    assert rejected(SGD, program.__name__, program) == []


def test_a_growth_from_logarithms_passes_and_that_of_another_cohort_does_not() -> None:
    def of(c: float) -> Callable[..., Any]:
        def growth(lam: float, mu: float, kappa: float, T: int) -> float:
            t = np.arange(1, T + 1)
            return float(np.exp(max(0.0, np.log(np.abs(1 - c * lam / (mu * (t + kappa)))).cumsum().max())))

        return growth

    assert rejected(SGD, "growth", of(constant(SGD))) == []
    assert rejected(SGD, "growth", of(constant(SGD) + 0.5))


def test_a_program_that_leaves_torch_is_told_so() -> None:
    def weighted_gradient(g: Tensor, p: Tensor, n: int) -> Any:
        return (g / (n * p)[:, None]).mean(0).numpy()

    assert "got a ndarray" in rejected(SGD, "weighted_gradient", weighted_gradient)[0]
