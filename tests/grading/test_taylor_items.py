"""The references of chapter 1 against autograd, numpy, scipy, and the definitions themselves."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from scipy.optimize import BFGS
from scipy.sparse.linalg import LinearOperator, cg

from coursekit.grading.exercise import Assignment, Case, load
from coursekit.grading.objective import CountedHere
from coursekit.grading.observe import observe

from .conftest import EXERCISES, SEED


@pytest.fixture(scope="module")
def taylor() -> Assignment:
    return load(EXERCISES / "taylor")


def answered(assignment: Assignment, name: str) -> Iterator[tuple[Case, Any]]:
    """The reference's answers to the hidden cases of two seeds; an objective becomes a function of its own."""
    item = next(item for item in assignment.items if item.id == name)
    for case in (*item.hidden_cases(SEED), *item.hidden_cases(b"another")):
        outcome = observe(assignment.reference(item), case.arguments)
        assert outcome.failure is None
        yield case, outcome.value


def close(got: Any, want: Any, atol: float = 1e-10) -> None:
    torch.testing.assert_close(got, torch.as_tensor(want), rtol=1e-9, atol=atol)


def test_dense_backward_is_autograds(taylor: Assignment) -> None:
    for case, found in answered(taylor, "dense_backward"):
        *inputs, G = (x.clone().requires_grad_(True) for x in case.arguments)
        X, W, b = inputs
        theirs = torch.autograd.grad(torch.nn.functional.linear(X, W, b).tanh(), inputs, G)
        for mine, want in zip(found, theirs, strict=True):
            close(mine, want)
        assert not torch.allclose(found[0], 2 * theirs[0])


def test_remainder_order_is_that_of_the_first_derivative_that_is_left(taylor: Assignment) -> None:
    for case, found in answered(taylor, "remainder_order"):
        exact = {"quadratics: exactly 2": (2, 1e-6), "about 2": (2, 0.5), "higher orders": (3, 0.1)}
        order, slack = exact[case.part]
        assert abs(found - order) < slack, case.part


def test_steepest_is_the_best_of_many_directions(taylor: Assignment) -> None:
    random = np.random.default_rng(0)
    for case, found in answered(taylor, "steepest"):
        g, p = case.arguments[0].numpy(), case.arguments[1]
        dual = {1.0: math.inf, 2.0: 2.0, math.inf: 1.0}[p]
        assert np.linalg.norm(found, p) == pytest.approx(1, abs=1e-12)
        assert float(found.numpy() @ g) == pytest.approx(-np.linalg.norm(g, dual))  # Hoelder's bound is reached
        others = random.normal(size=(500, len(g)))
        others /= np.linalg.norm(others, p, axis=1, keepdims=True)
        assert (others @ g).min() >= float(found.numpy() @ g)


def test_armijo_holds_at_the_step_and_not_at_twice_the_step(taylor: Assignment) -> None:
    c = float(taylor.master.solutions["armijo"].split("f_w + ")[1].split(" * eta")[0])
    longer = 0
    for case, eta in answered(taylor, "armijo"):
        f, (_, w, d) = CountedHere(case.arguments[0].oracle()), case.arguments
        slope = float(f.grad(w) @ d)

        def enough(eta: float, f: Any = f, w: Any = w, d: Any = d, slope: float = slope) -> bool:
            return float(f(w + eta * d) - f(w)) <= c * eta * slope

        assert slope < 0
        assert enough(eta)
        assert eta == 1 or not enough(2 * eta)
        longer += eta < 1 and float(f(w + 2 * eta * d)) < float(f(w))
    assert longer >= 2  # a search that accepts any decrease would have stopped too early


def test_safe_newton_is_newton_where_it_can_be_and_always_falls(taylor: Assignment) -> None:
    for case, d in answered(taylor, "safe_newton"):
        g, H, delta = case.arguments
        if case.part == "positive definite":
            close(d, -np.linalg.solve(H.numpy(), g.numpy()))
        if case.part != "flat directions":  # |H| is the root of H squared
            lam, Q = np.linalg.eigh(H.numpy() @ H.numpy())
            close(d, -(Q / np.sqrt(lam)) @ Q.T @ g.numpy())
        assert g @ d < 0
        assert d.norm() <= g.norm() / delta * (1 + 1e-12)
        if case.part == "negative curvature":
            assert np.abs(d.numpy() + np.linalg.solve(H.numpy(), g.numpy())).max() > 1e-3


def test_newton_cg_is_scipys_cg(taylor: Assignment) -> None:
    for case, found in answered(taylor, "newton_cg"):
        objective, w, steps = case.arguments
        f = CountedHere(objective.oracle())

        def product(v: Any, f: Any = f, w: Any = w) -> Any:
            return f.hvp(w, torch.from_numpy(v.reshape(-1).copy())).numpy()

        H = LinearOperator((len(w), len(w)), matvec=product, dtype=np.float64)
        d, _ = cg(H, -f.grad(w).numpy(), maxiter=steps, rtol=0.0)
        close(found, w + torch.from_numpy(d), atol=1e-9)
        shorter, _ = cg(H, -f.grad(w).numpy(), maxiter=steps - 1, rtol=0.0) if steps > 1 else (0 * d, 0)
        assert np.abs(shorter - d).max() > 1e-6


def scipys_update(B: Any, s: Any, y: Any) -> Any:
    theirs = BFGS()
    theirs.initialize(len(s), "inv_hess")
    theirs.H, theirs.first_iteration = B.copy(), False
    theirs.update(s, y)
    return theirs.get_matrix()


def test_bfgs_update_is_scipys_and_satisfies_the_secant_equation(taylor: Assignment) -> None:
    for case, found in answered(taylor, "bfgs_update"):
        B, s, y = case.arguments
        if case.part == "no positive curvature":
            assert torch.equal(found, B)
            continue
        close(found, scipys_update(B.numpy(), s.numpy(), y.numpy()))
        close(found @ y, s)


def test_lbfgs_direction_is_that_of_scipys_matrix(taylor: Assignment) -> None:
    for case, found in answered(taylor, "lbfgs_direction"):
        g, S, Y = (x.numpy() for x in case.arguments)
        B = np.eye(len(g)) * (S[-1] @ Y[-1] / (Y[-1] @ Y[-1]) if len(S) else 1.0)
        for s, y in zip(S, Y, strict=True):
            B = scipys_update(B, s, y)
        close(found, -B @ g)
