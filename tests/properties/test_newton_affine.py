"""Newton's method does not see the coordinates: on f(A v) its iterates are those on f(w), mapped by w = A v."""

from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit import data
from coursekit.methods import Method, damped_newton, full_step, gradient_descent_with, minimize, newton
from coursekit.problems import (
    DeepLinear,
    DoubleWell,
    LogisticRegression,
    Problem,
    PseudoHuber,
    Quartic,
    Rosenbrock,
)
from tests.methods.test_newton import Mapped

pytestmark = pytest.mark.usefixtures("device")

f64 = torch.float64
X, y = data.breast_cancer()
PROBLEMS: dict[str, Problem] = {
    "rosenbrock": Rosenbrock(),
    "double well": DoubleWell(),
    "deep linear": DeepLinear(3),
    "quartic": Quartic(a=1.0),
    "pseudo-huber": PseudoHuber(),
    "logistic": LogisticRegression(X[:, :4], y, ridge=0.01),
}
descent = gradient_descent_with(partial(full_step, eta=1e-3))
numbers = st.floats(-1, 1).map(lambda x: round(x, 3))


def orthogonal(seed: int, dim: int) -> torch.Tensor:
    return torch.linalg.qr(torch.randn(dim, dim, generator=torch.Generator().manual_seed(seed), dtype=f64))[0]


def largest_difference(
    problem: Problem, method: Method, A: torch.Tensor, start: torch.Tensor, steps: int
) -> float:
    """Between the path on f and the mapped path on f(A v), against the size of the path."""
    plain = minimize(problem, method, start, steps, stop=None).w
    mapped = minimize(Mapped(problem, A), method, torch.linalg.solve(A, start), steps, stop=None).w
    steps = min(len(plain), len(mapped))
    return float((mapped[:steps] @ A.T - plain[:steps]).abs().max() / plain[:steps].abs().max().clamp_min(1))


maps = given(
    name=st.sampled_from(sorted(PROBLEMS)),
    seeds=st.tuples(st.integers(0, 999), st.integers(0, 999)),
    stretch=st.lists(st.floats(-1.5, 1.5), min_size=4, max_size=4),
    entries=st.lists(numbers, min_size=4, max_size=4),
)


@pytest.mark.parametrize("method", [newton(), damped_newton()], ids=lambda m: m.name)
@settings(max_examples=40, deadline=None, derandomize=True)
@maps
def test_newton_does_not_see_the_coordinates(method, name, seeds, stretch, entries) -> None:
    problem = PROBLEMS[name]
    d = problem.dim
    # Stretched up to a thousandfold: what rounding makes of more is not the method's doing.
    A = orthogonal(seeds[0], d) @ torch.diag(10 ** torch.tensor(stretch[:d], dtype=f64)) @ orthogonal(seeds[1], d)
    assert largest_difference(problem, method, A, torch.tensor(entries[:d], dtype=f64), 3) < 1e-6


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    name=st.sampled_from(sorted(PROBLEMS)),
    seed=st.integers(0, 999),
    entries=st.lists(numbers, min_size=4, max_size=4),
)
def test_gradient_descent_does_not_see_a_rotation(name, seed, entries) -> None:
    problem = PROBLEMS[name]
    start = torch.tensor(entries[: problem.dim], dtype=f64)
    assert largest_difference(problem, descent, orthogonal(seed, problem.dim), start, 20) < 1e-10


@pytest.mark.parametrize("name", PROBLEMS)
def test_gradient_descent_sees_a_stretched_axis(name: str) -> None:
    problem = PROBLEMS[name]
    A = torch.diag(torch.linspace(2, 5, problem.dim, dtype=f64))
    start = torch.linspace(0.5, 0.9, problem.dim, dtype=f64)
    assert largest_difference(problem, descent, A, start, 20) > 1e-3
    assert largest_difference(problem, newton(), A, start, 3) < 1e-9
