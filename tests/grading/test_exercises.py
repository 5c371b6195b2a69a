"""The references against oracles that are not ours, and every mutant against the hidden and the public checks."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import coursekit
from coursekit.grading.exercise import Assignment, Item, Mutant, load
from coursekit.grading.observe import observe
from coursekit.grading.recording import record

from .conftest import SEED, SMOOTHNESS

MUTANTS = [(item, mutant) for item in load(SMOOTHNESS).items for mutant in item.mutants]
mutants = pytest.mark.parametrize(("item", "mutant"), MUTANTS, ids=[f"{i.id}: {m.new}" for i, m in MUTANTS])


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


@mutants
def test_hidden_checks_reject_the_mutant_for_any_seed(smoothness: Assignment, item: Item, mutant: Mutant) -> None:
    for seed in (SEED, b"1", b"2", b"3", b"4"):
        hidden = record(smoothness, item, item.hidden_cases(seed))
        outcomes = next(outcomes for hint, outcomes in hidden.mutants if hint == mutant.hint)
        assert not hidden.judge(outcomes).right
        assert hidden.judge(hidden.reference).right


@mutants
def test_self_check_names_the_mutant(smoothness: Assignment, item: Item, mutant: Mutant) -> None:
    result = coursekit.check(f"smoothness.{item.id}", smoothness.reference(item, mutant))
    assert (result.status, result.hint) == ("not passed", mutant.hint)


@pytest.mark.parametrize("place", [0, 1])
def test_self_check_passes_the_reference(smoothness: Assignment, place: int) -> None:
    item = smoothness.items[place]
    assert coursekit.check(f"smoothness.{item.id}", smoothness.reference(item))
