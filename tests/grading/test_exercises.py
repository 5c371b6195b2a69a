"""The references against oracles that are not ours, and every mutant against the hidden and the public checks."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import coursekit
from coursekit.grading.exercise import Assignment, Item, load
from coursekit.grading.observe import observe
from coursekit.grading.recording import record

from .conftest import EXERCISES, SEED

ASSIGNMENTS = [load(master.parent) for master in sorted(EXERCISES.glob("*/master.md"))]
ITEMS = [(assignment, item) for assignment in ASSIGNMENTS for item in assignment.items]
items = pytest.mark.parametrize(("assignment", "item"), ITEMS, ids=[f"{a.name}.{i.id}" for a, i in ITEMS])


def test_gd_step_is_the_step_of_torch_sgd(smoothness: Assignment) -> None:
    item = smoothness.items[0]
    for case in item.hidden_cases(SEED):
        w, g, eta = case.arguments
        theirs = torch.nn.Parameter(w.clone())
        theirs.grad = g.clone()
        torch.optim.SGD([theirs], lr=eta).step()
        torch.testing.assert_close(smoothness.reference(item)(w, g, eta), theirs.detach(), rtol=0, atol=1e-15)


def test_estimate_L_reaches_the_largest_eigenvalue_of_numpy(smoothness: Assignment) -> None:
    item = smoothness.items[1]
    converged = [
        c for c in item.hidden_cases(SEED) if c.part == "eigenvalues of both signs" and c.arguments[2] >= 60
    ]
    assert converged
    for case in converged:
        H, v, steps = case.arguments
        L, eta = smoothness.reference(item)(H, v, steps)
        largest = np.abs(np.linalg.eigvalsh(H.numpy())).max()
        assert abs(float(L) - largest) < 1e-9 * largest
        assert abs(float(eta) * largest - 1) < 1e-9


def test_another_correct_program_passes(smoothness: Assignment) -> None:
    def estimate(H: torch.Tensor, v: torch.Tensor, steps: int) -> tuple[torch.Tensor, torch.Tensor]:
        v = v.clone()
        for _ in range(steps):
            v = torch.einsum("ij,i->j", H, v)
            v *= 1 / (v * v).sum() ** 0.5
        L = (v * (H.T @ v)).sum().abs() / (v * v).sum()
        return L, L**-1

    item = smoothness.items[1]
    for seed in range(20):
        hidden = record(smoothness, item, item.hidden_cases(bytes([seed])))
        assert hidden.judge(tuple(observe(estimate, case.arguments) for case in hidden.cases)).right
    assert coursekit.check("smoothness.estimate_L", estimate)


def test_hidden_cases_depend_on_the_seed_and_on_nothing_else(smoothness: Assignment) -> None:
    item = smoothness.items[0]
    first, again, other = (item.hidden_cases(seed)[0].arguments[0] for seed in (SEED, SEED, b"another seed"))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@items
def test_hidden_checks_reject_every_mutant_for_any_seed(assignment: Assignment, item: Item) -> None:
    for seed in (SEED, b"1", b"2"):
        hidden = record(assignment, item, item.hidden_cases(seed))
        assert hidden.judge(hidden.reference).right
        assert [hint for hint, outcomes in hidden.mutants if hidden.judge(outcomes).right] == []


@items
def test_self_check_passes_the_reference_and_names_every_mutant(assignment: Assignment, item: Item) -> None:
    name = f"{assignment.name}.{item.id}"
    assert coursekit.check(name, assignment.reference(item))
    for mutant in item.mutants:
        result = coursekit.check(name, assignment.reference(item, mutant))
        assert (result.status, result.hint) == ("not passed", mutant.hint)
