"""The items of chapter 5: references against scipy, autograd and enumeration; other correct programs pass."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from scipy import linalg, optimize, stats
from torch import Tensor

from coursekit.grading.exercise import Assignment, Case, load
from coursekit.grading.objective import counted
from coursekit.grading.public import recordings
from coursekit.grading.release import faults
from coursekit.problems import Quadratic

from .conftest import EXERCISES
from .oracle import SEEDS, item_of, rejected

SAM = load(EXERCISES / "sam")


def hidden(name: str) -> list[Case]:
    return [case for seed in SEEDS for case in item_of(SAM, name).hidden_cases(seed)]


def reference(name: str) -> Callable[..., Any]:
    return SAM.reference(item_of(SAM, name))


def quantile(assignment: Assignment) -> tuple[float, float]:
    """The cohort's level and factor, as the statement has them."""
    text = next(cell.source for cell in assignment.master.notebook.cells if "with a margin" in cell.source)
    level, _, rest = text.partition("For an interval of ")[2].partition(" %")
    return float(level) / 100, float(rest.partition("}=")[2].partition("$")[0])


def test_other_cohorts_have_other_constants_and_no_faults() -> None:
    years = (load(EXERCISES / "sam", bytes([seed])) for seed in range(9))
    found = {quantile(year): year for year in years}
    assert sorted(level for level, _ in found) == [0.9, 0.95, 0.99]
    for (level, z), year in found.items():
        assert z == pytest.approx(stats.norm.ppf((1 + level) / 2), abs=5e-4)
        only = replace(year, items=(item_of(year, "trace_interval"),))
        assert faults(only, recordings(only)) == []


def test_lanczos_is_the_tridiagonal_form_of_lapack() -> None:
    ours = reference("lanczos")
    for case in hidden("lanczos"):
        objective, w, v, m = case.arguments
        f = objective.oracle().problem
        H = torch.autograd.functional.hessian(f.value, w).numpy()
        Q, _ = np.linalg.qr(np.column_stack([v.numpy(), np.eye(len(v))]))
        T = linalg.hessenberg(Q.T @ H @ Q)  # Householder keeps the first vector, which fixes all others
        alpha, beta = ours(counted(f), w, v, m)
        np.testing.assert_allclose(alpha, np.diag(T)[:m], rtol=1e-8, atol=1e-9)
        np.testing.assert_allclose(beta, np.abs(np.diag(T, 1))[: m - 1], rtol=1e-8, atol=1e-9)


def test_trace_interval_is_right_over_all_signs_and_has_scipys_margin() -> None:
    case = hidden("trace_interval")[0]
    objective, w, _ = case.arguments
    f = objective.oracle().problem
    Z = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0], dtype=torch.float64)] * len(w))
    estimate, margin = reference("trace_interval")(counted(f), w, Z)
    H = torch.autograd.functional.hessian(f.value, w).numpy()
    assert float(estimate) == pytest.approx(np.trace(H), rel=1e-12)
    samples = np.einsum("ki,ij,kj->k", Z, H, Z)
    assert float(margin) == pytest.approx(quantile(SAM)[1] * stats.sem(samples), rel=1e-12)


@pytest.mark.parametrize("c", [0.4, 1.0, 3.0])
def test_rescaled_sharpness_is_that_of_a_relu_network(c: float) -> None:
    generator = torch.Generator().manual_seed(0)
    X, y = torch.randn(9, 2, generator=generator), torch.randn(9, generator=generator)

    def loss(w: Tensor) -> Tensor:
        return (torch.relu(X.double() @ w[:6].reshape(3, 2).T) @ w[6:] - y).square().mean()

    w = torch.randn(9, generator=generator, dtype=torch.float64)
    there = torch.cat([c * w[:6], w[6:] / c])
    torch.testing.assert_close(loss(there), loss(w))
    here, H = (torch.autograd.functional.hessian(loss, x) for x in (w, there))
    largest, trace = reference("rescaled_sharpness")(here, 6, c)
    torch.testing.assert_close(largest.item(), float(np.linalg.eigvalsh(H.numpy())[-1]), rtol=1e-12, atol=0)
    torch.testing.assert_close(trace.item(), float(np.trace(H.numpy())), rtol=1e-12, atol=0)


def in_ball(g: np.ndarray, rho: float) -> np.ndarray:
    """The u of Euclidean length at most rho with the largest gᵀu, by sequential quadratic programming."""
    found = optimize.minimize(
        lambda u: -g @ u,
        rho * np.sign(g) / len(g),
        jac=lambda u: -g,
        constraints={"type": "ineq", "fun": lambda u: rho**2 - u @ u, "jac": lambda u: -2 * u},
        method="SLSQP",
        options={"ftol": 1e-15, "maxiter": 500},
    )
    return np.asarray(found.x)


def in_polytope(g: np.ndarray, rho: float, p: float) -> np.ndarray:
    """The same in the 1-norm or the largest absolute value, by linear programming."""
    corners = np.array(list(itertools.product((-1.0, 1.0), repeat=len(g)))) if p == 1 else np.eye(len(g))
    found = optimize.linprog(-g, corners, np.full(len(corners), rho), bounds=[(-rho, rho)] * len(g))
    return np.asarray(found.x)


def test_ascent_solves_the_program_of_each_ball() -> None:
    ours = reference("ascent")
    for case in hidden("ascent"):
        g, rho, p = case.arguments
        best = (in_ball(g.numpy(), rho) if p == 2 else in_polytope(g.numpy(), rho, p)) if g.any() else 0 * g
        np.testing.assert_allclose(ours(g, rho, p), best, rtol=1e-4, atol=1e-6)


def test_sam_step_is_two_steps_of_torch_sgd() -> None:
    ours = reference("sam_step")
    for case in hidden("sam_step"):
        objective, w, rho, eta = case.arguments
        f = objective.oracle().problem
        theirs = torch.nn.Parameter(w.clone())
        f.value(theirs).backward()
        assert theirs.grad is not None
        up = torch.nn.functional.normalize(theirs.grad, dim=0) * rho
        there = (w + up).requires_grad_()
        (theirs.grad,) = torch.autograd.grad(f.value(there), there)
        torch.optim.SGD([theirs], lr=eta).step()
        point = ours(counted(f), w, rho, eta)
        torch.testing.assert_close(point, theirs.detach(), rtol=1e-12, atol=1e-14)


def test_asam_ascent_solves_the_program_of_its_ball() -> None:
    ours = reference("asam_ascent")
    for case in hidden("asam_ascent"):
        w, g, rho, floor = case.arguments
        T = np.abs(w.numpy()) + floor
        best = T * in_ball(T * g.numpy(), rho)
        np.testing.assert_allclose(ours(w, g, rho, floor), best, rtol=1e-4, atol=1e-6)


def test_selected_gradient_takes_the_examples_that_numpy_sorts_last() -> None:
    ours = reference("selected_gradient")
    for case in hidden("selected_gradient"):
        before, after, G, k = case.arguments
        last = np.argsort((after - before).numpy())[-k:]
        np.testing.assert_allclose(ours(*case.arguments), G.numpy()[last].mean(0), rtol=1e-12, atol=1e-14)


def test_difference_is_welchs_of_scipy() -> None:
    ours = reference("difference")
    for case in hidden("difference"):
        theirs = stats.ttest_ind(*case.arguments, equal_var=False)
        gap, error, freedom = (float(x) for x in ours(*case.arguments))
        assert (gap / error, freedom) == pytest.approx((theirs.statistic, theirs.df), rel=1e-11)


def lanczos(f: Any, w: Tensor, v: Tensor, m: int) -> tuple[Tensor, Tensor]:
    rows = [v / (v @ v) ** 0.5]
    T = v.new_zeros(m + 1, m + 1)
    for i in range(m):
        u, Q = f.hvp(w, rows[-1]), torch.stack(rows)
        T[i, i] = rows[-1].dot(u)
        for _ in range(2):
            u = u - Q.T @ (Q @ u)
        T[i, i + 1] = u.norm()
        rows.append(u / T[i, i + 1])
    return T.diagonal()[:m], T.diagonal(1)[: m - 1]


def trace_interval(f: Any, w: Tensor, Z: Tensor) -> tuple[Tensor, Tensor]:
    s, k, z = w.new_zeros(len(Z)), len(Z), quantile(SAM)[1]
    for j in range(k):
        s[j] = (Z[j] * f.hvp(w, Z[j])).sum()
    mean = s.sum() / k
    return mean, z * (((s - mean) ** 2).sum() / (k * (k - 1))) ** 0.5


def rescaled_sharpness(H: Tensor, n: int, c: float) -> tuple[Tensor, Tensor]:
    A = torch.diag(torch.tensor([1 / c] * n + [c] * (len(H) - n), dtype=H.dtype))
    H = A.inverse().inverse() @ H @ A
    return torch.linalg.eigvals(H).real.max(), H.diagonal().sum()


def ascent(g: Tensor, rho: float, p: float) -> Tensor:
    if p == 1:
        return torch.where(g.abs() == g.norm(math.inf), rho * torch.sign(g), torch.zeros_like(g))
    return rho * g.sign() if p == math.inf else rho * torch.nn.functional.normalize(g, dim=0)


def asam_ascent(w: Tensor, g: Tensor, rho: float, floor: float) -> Tensor:
    T = torch.diag(abs(w) + floor)
    return rho * (T @ T @ g) / (g @ T @ T @ g) ** 0.5


def selected_gradient(before: Tensor, after: Tensor, G: Tensor, k: int) -> Tensor:
    ranked = sorted(range(len(G)), key=lambda i: float(before[i] - after[i]))
    return sum((G[i] for i in ranked[:k]), torch.zeros_like(G[0])) / k


def difference(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    v = torch.stack([((x - x.mean()) ** 2).sum() / (len(x) - 1) / len(x) for x in (a, b)])
    n = torch.tensor([len(a), len(b)], dtype=a.dtype)
    return a.mean() - b.mean(), v.sum() ** 0.5, v.sum() ** 2 / (v**2 / (n - 1)).sum()


def sam_step(f: Any, w: Tensor, rho: float, eta: float) -> Tensor:
    def gradient(at: Tensor) -> Tensor:  # by backpropagation: two values and two gradients
        at = at.clone().requires_grad_()
        f(at).backward()
        assert at.grad is not None
        return at.grad

    g = gradient(w)
    return w - eta * gradient(w + rho * torch.nn.functional.normalize(g, dim=0))


@pytest.mark.parametrize(
    "program",
    [lanczos, trace_interval, rescaled_sharpness, ascent, sam_step, asam_ascent, selected_gradient, difference],
)
def test_another_correct_program_passes(program: Callable[..., Any]) -> None:
    assert rejected(SAM, program.__name__, program) == []


def test_a_third_gradient_or_a_product_too_many_is_refused() -> None:
    f = counted(Quadratic(torch.ones(3, dtype=torch.float64)))
    reference("sam_step")(f, torch.ones(3, dtype=torch.float64), 0.1, 0.1)
    assert f.calls.gradients == 2

    def wasteful(name: str, ask: str, *more: str) -> Callable[..., Any]:
        ours = reference(name)

        def program(f: Any, w: Tensor, *rest: Any) -> Any:
            getattr(f, ask)(w, *[w] * len(more))
            return ours(f, w, *rest)

        return program

    for name, *ask in (("sam_step", "grad"), ("lanczos", "hvp", "v"), ("trace_interval", "hvp", "v")):
        assert all("are enough" in reason for reason in rejected(SAM, name, wasteful(name, *ask)))
        assert rejected(SAM, name, wasteful(name, *ask))
