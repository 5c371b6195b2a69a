"""The references of the section on momentum against torch's SGD and numpy's roots."""

import numpy as np
import pytest
import torch

from coursekit.grading.exercise import Assignment, Item

from .conftest import SEED


def item(assignment: Assignment, name: str) -> Item:
    return next(item for item in assignment.items if item.id == name)


@pytest.mark.parametrize("lookahead", [False, True])
def test_momentum_step_is_a_step_of_torch_sgd_and_not_of_its_nesterov(
    smoothness: Assignment, lookahead: bool
) -> None:
    step = item(smoothness, "momentum_step")
    gaps = []
    for case in step.hidden_cases(SEED):
        w, v, g, eta, beta = case.arguments
        theirs = torch.nn.Parameter(w.clone())
        theirs.grad = g.clone()
        sgd = torch.optim.SGD([theirs], lr=eta, momentum=beta, nesterov=lookahead and beta > 0)
        sgd.state[theirs]["momentum_buffer"] = v.clone()
        sgd.step()
        point, _ = smoothness.reference(step)(w, v, g, eta, beta)
        gaps.append(float((point - theirs.detach()).abs().max()))
    assert (max(gaps) > 1e-3) if lookahead else (max(gaps) < 1e-15)


def test_mode_rate_is_the_largest_of_numpys_roots(smoothness: Assignment) -> None:
    rate = item(smoothness, "mode_rate")
    for seed in (SEED, b"1", b"2"):
        for case in rate.hidden_cases(seed):
            eta_lambda, beta = case.arguments
            roots = np.roots([1.0, -(1 + beta - eta_lambda), beta])
            largest = float(np.abs(roots).max())
            assert smoothness.reference(rate)(eta_lambda, beta) == pytest.approx(largest, rel=1e-10)
