"""The references of "Quadratics and the condition number" against a loop of torch's SGD and a search by scipy."""

import torch
from scipy.optimize import minimize_scalar

from coursekit.grading.exercise import Assignment

from .conftest import SEED


def test_after_steps_is_where_torchs_loop_arrives(smoothness: Assignment) -> None:
    item = next(item for item in smoothness.items if item.id == "after_steps")
    short = [case for case in item.hidden_cases(SEED) if case.arguments[-1] < 1000]
    assert len(short) >= 3
    for case in short:
        A, w_star, w_0, eta, t = case.arguments
        w = torch.nn.Parameter(w_0.clone())
        sgd = torch.optim.SGD([w], lr=eta)
        for _ in range(t):
            sgd.zero_grad()
            ((w - w_star) @ A @ (w - w_star) / 2).backward()
            sgd.step()
        found = smoothness.reference(item)(A, w_star, w_0, eta, t)
        torch.testing.assert_close(found, w.detach(), rtol=1e-12, atol=1e-12)
        assert (smoothness.reference(item)(A, w_star, w_0, 1.01 * eta, t) - w).abs().max() > 1e-4


def test_best_step_is_what_a_search_finds(practice: Assignment) -> None:
    item = next(item for item in practice.items if item.id == "best_step")
    for case in item.hidden_cases(SEED):
        (A,) = case.arguments
        identity = torch.eye(len(A), dtype=A.dtype)

        def norm(eta: float, A: torch.Tensor = A, identity: torch.Tensor = identity) -> float:
            return float(torch.linalg.matrix_norm(identity - eta * A, 2))

        top = float(torch.linalg.matrix_norm(A, 2))
        best = minimize_scalar(norm, bounds=(0, 2 / top), method="bounded", options={"xatol": 1e-10 / top})
        eta, rho = practice.reference(item)(A)
        assert abs(float(eta) * top - best.x * top) < 1e-5
        assert abs(float(rho) - best.fun) < 1e-5
