"""The references of the section on smoothness against autograd's Hessian and against lines drawn by hand."""

from collections.abc import Callable
from typing import Any

import torch

from coursekit.grading.exercise import Assignment, Item

from .conftest import SEED


def item(assignment: Assignment, name: str) -> Item:
    return next(item for item in assignment.items if item.id == name)


def test_logistic_L_is_the_norm_of_autograds_hessian_at_zero_and_nowhere_exceeded(smoothness: Assignment) -> None:
    answer = item(smoothness, "logistic_L")
    for case in answer.hidden_cases(SEED):
        X, ridge = case.arguments
        L = smoothness.reference(answer)(X, ridge)

        def f(w: torch.Tensor, X: torch.Tensor = X, ridge: float = ridge) -> torch.Tensor:
            return torch.nn.functional.softplus(-X @ w).mean() + ridge / 2 * w @ w

        def norm(w: torch.Tensor, f: Callable[..., torch.Tensor] = f) -> torch.Tensor:
            return torch.linalg.matrix_norm(torch.autograd.functional.hessian(f, w), 2)

        origin = X.new_zeros(X.shape[1])
        torch.testing.assert_close(L, norm(origin), rtol=1e-12, atol=0)
        assert norm(origin + 1) < L


def test_upper_bound_agrees_with_f_to_first_order_and_has_curvature_L(practice: Assignment) -> None:
    answer = item(practice, "upper_bound")
    for case in answer.hidden_cases(SEED):
        f_w, g, L, w, _ = case.arguments

        def parabola(v: torch.Tensor, given: tuple[Any, ...] = (f_w, g, L, w)) -> torch.Tensor:
            return practice.reference(answer)(*given, v)

        assert abs(float(parabola(w)) - f_w) < 1e-15
        torch.testing.assert_close(torch.autograd.functional.jacobian(parabola, w), g)
        hessian = torch.autograd.functional.hessian(parabola, w + 1)
        torch.testing.assert_close(hessian, L * torch.eye(len(w), dtype=w.dtype))


def test_secant_L_never_exceeds_L_and_reaches_it_along_an_eigenvector(practice: Assignment) -> None:
    secant = practice.reference(item(practice, "secant_L"))
    curvatures = torch.tensor([1.0, -3.0, 2.0], dtype=torch.float64)
    w = torch.randn(20, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert 1 < secant(w, curvatures * w) < 3
    steep = w * torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64)
    torch.testing.assert_close(secant(steep, curvatures * steep).item(), 3.0)
