"""Federated averaging: one local step is gradient descent; more have a fixed point of their own."""

import pytest
import torch

from coursekit import descend
from coursekit.distributed import LocalSteps
from coursekit.problems import LeastSquares, Rosenbrock
from coursekit.rules import gradient_descent
from tests.habits import no_waiting

pytestmark = pytest.mark.usefixtures("device")

f64 = torch.float64
draw = torch.Generator().manual_seed(0)
X = torch.randn(12, 3, generator=draw, dtype=f64)
y = torch.randn(12, generator=draw, dtype=f64)
PROBLEM = LeastSquares(X, y)
CLIENTS = [torch.tensor([0, 1, 2, 3, 4, 5, 6]), torch.tensor([11, 7, 9]), torch.tensor([8, 10])]  # of unequal size
STARTS = torch.randn(4, 3, generator=draw, dtype=f64)
ETA = 0.05


def path(clients, local: int, rounds: int = 50, start: torch.Tensor = STARTS) -> torch.Tensor:
    oracle = LocalSteps(PROBLEM, clients, steps=local, eta=ETA)
    return descend(oracle, gradient_descent, start, rounds, eta=ETA, record=("w",)).w


def test_one_local_step_is_gradient_descent() -> None:
    there = descend(PROBLEM, gradient_descent, STARTS, 50, eta=ETA, record=("w",)).w
    assert (path(CLIENTS, 1) - there).abs().max() < 1e-12
    assert (path(CLIENTS, 2) - there).abs().max() > 1e-2


def test_a_round_is_the_mean_of_the_clients_own_descents() -> None:
    ends = [
        descend(PROBLEM.on(c), gradient_descent, STARTS, 4, eta=ETA, record=("w",)).w[-1] * len(c) / 12
        for c in CLIENTS
    ]
    torch.testing.assert_close(path(CLIENTS, 4, 1)[1], sum(ends), rtol=0, atol=1e-14)


def test_the_fixed_point_of_many_local_steps() -> None:
    """w_c = w*_c + (I - ηH_c)^K (w - w*_c), so w solves Σ_c p_c (I - (I - ηH_c)^K)(w - w*_c) = 0."""
    K, eye = 5, torch.eye(3, dtype=f64)
    A, b = torch.zeros(3, 3, dtype=f64), torch.zeros(3, dtype=f64)
    for c in CLIENTS:
        H = X[c].T @ X[c] / len(c)
        w_c = torch.linalg.pinv(X[c]) @ y[c]
        step = (eye - torch.linalg.matrix_power(eye - ETA * H, K)) * len(c) / 12
        A, b = A + step, b + step @ w_c
    fixed = torch.linalg.solve(A, b)
    away = (path(CLIENTS, K, 120) - fixed).norm(dim=-1)
    assert bool((away[-1] < 1e-3 * away[0]).all())
    torch.testing.assert_close(path(CLIENTS, K, 2, fixed)[-1], fixed, rtol=0, atol=1e-14)
    assert (fixed - PROBLEM.w_star).norm() > 0.01


def test_equal_clients_agree_with_the_whole() -> None:
    """Each client holds a copy of the same examples: local steps are just steps, K of them a round."""
    twice = LeastSquares(torch.cat([X, X]), torch.cat([y, y]))
    oracle = LocalSteps(twice, [torch.arange(12), torch.arange(12, 24)], steps=5, eta=ETA)
    rounds = descend(oracle, gradient_descent, STARTS, 20, eta=ETA, record=("w",)).w
    there = descend(twice, gradient_descent, STARTS, 100, eta=ETA, record=("w",)).w[::5]
    torch.testing.assert_close(rounds, there, rtol=0, atol=1e-12)


def test_a_round_waits_for_no_device() -> None:
    oracle = LocalSteps(PROBLEM, CLIENTS, steps=2, eta=ETA)
    with no_waiting():
        oracle.value_and_grad(STARTS)


def test_calls_are_counted() -> None:
    run = descend(LocalSteps(PROBLEM, CLIENTS, steps=4, eta=ETA), gradient_descent, STARTS, 9, eta=ETA)
    assert (run.calls.gradients, run.calls.examples) == (10 * 4 * 3, 10 * 4 * 12)
    torch.testing.assert_close(run.f[0], PROBLEM.value(STARTS))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"problem": Rosenbrock()}, "is not a mean over examples"),
        ({"clients": CLIENTS[:2]}, "clients must share out the examples 0 to 11, none empty"),
        ({"clients": [*CLIENTS, torch.tensor([0])]}, "clients must share out the examples"),
        ({"clients": [*CLIENTS, torch.tensor([], dtype=torch.long)]}, "clients must share out the examples"),
        ({"steps": 0}, "steps must be at least 1, got 0"),
        ({"eta": 0.0}, r"eta must lie in \(0, inf\), got 0.0"),
    ],
)
def test_bad_input_is_refused_at_the_door(options: dict, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        LocalSteps(**{"problem": PROBLEM, "clients": CLIENTS, "steps": 1, "eta": ETA, **options})
