"""Projections: scipy's solver, the inequality that characterizes them, and projected gradient descent."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from coursekit import descend
from coursekit.methods.projections import ball, box, l1_ball, simplex
from coursekit.problems import Quadratic
from coursekit.rules import gradient_descent
from tests.habits import no_waiting

pytestmark = pytest.mark.usefixtures("device")

f64 = torch.float64
DIM = 4
CENTER = torch.tensor([1.0, 0.0, -1.0, 2.0], dtype=f64)
CORNERS = torch.eye(DIM, dtype=f64)
LOW, HIGH = torch.tensor([-1.0, -1.0, 0.0, 0.5], dtype=f64), 0.5
draw = torch.Generator().manual_seed(0)


def normal(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=draw, dtype=f64)


def on_the_simplex(n: int) -> torch.Tensor:
    e = torch.rand(n, DIM, generator=draw, dtype=f64).log().neg()
    return e / e.sum(-1, keepdim=True)


def anywhere(n: int) -> torch.Tensor:
    return torch.rand(n, 1, generator=draw, dtype=f64)


# A projection, and points of its set that are drawn without it.
SETS = {
    "ball": lambda: (
        ball(2.0, CENTER),
        CENTER + 2 * anywhere(200) * torch.nn.functional.normalize(normal(200, DIM), dim=-1),
    ),
    "box": lambda: (box(LOW, HIGH), LOW + (HIGH - LOW) * torch.rand(200, DIM, generator=draw, dtype=f64)),
    "simplex": lambda: (simplex(3.0), 3 * torch.cat([CORNERS, on_the_simplex(200)])),
    "l1 ball": lambda: (
        l1_ball(1.5),
        1.5 * torch.cat([CORNERS, -CORNERS, anywhere(200) * on_the_simplex(200) * normal(200, DIM).sign()]),
    ),
}
every_set = pytest.mark.parametrize("name", SETS)
points = st.lists(st.floats(-50, 50), min_size=DIM, max_size=DIM).map(lambda x: torch.tensor(x, dtype=f64))


def largest_angle(project, members: torch.Tensor, w: torch.Tensor) -> float:
    """max over y of ⟨w - Pw, y - Pw⟩: at most 0 for all y in the set, if and only if Pw is the projection."""
    p = project(w)
    return float(((members - p) @ (w - p)).max())


@every_set
@settings(deadline=None, derandomize=True)
@given(w=points, v=points)
def test_nearest_idempotent_nonexpansive(name: str, w: torch.Tensor, v: torch.Tensor) -> None:
    project, members = SETS[name]()
    assert largest_angle(project, members, w) <= 1e-10
    torch.testing.assert_close(project(project(w)), project(w), rtol=0, atol=1e-12)
    assert (project(w) - project(v)).norm() <= (w - v).norm() + 1e-12
    assert torch.equal(project(torch.stack([w, v])), torch.stack([project(w), project(v)]))


@every_set
def test_members_stay(name: str) -> None:
    project, members = SETS[name]()
    with no_waiting():
        there = project(members)
    torch.testing.assert_close(there, members, rtol=0, atol=1e-14)


def test_a_map_into_the_set_that_is_no_projection_is_seen() -> None:
    def scaled(w: torch.Tensor) -> torch.Tensor:
        return w * (1.5 / w.abs().sum()).clamp_max(1)

    assert largest_angle(scaled, SETS["l1 ball"]()[1], torch.tensor([4.0, 3.0, 0.0, 0.0], dtype=f64)) > 0.1


CONSTRAINTS = {
    "ball": [{"type": "ineq", "fun": lambda x: 4 - ((x - CENTER.numpy(force=True)) ** 2).sum()}],
    "simplex": [{"type": "eq", "fun": lambda x: x.sum() - 3}, {"type": "ineq", "fun": lambda x: x}],
}


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_against_scipy(name: str) -> None:
    project, members = SETS[name]()
    inside = members[0].numpy(force=True)
    for w in 3 * normal(5, DIM):
        there = minimize(
            lambda x, w=w: ((x - w.numpy(force=True)) ** 2).sum(), inside, method="SLSQP",
            constraints=CONSTRAINTS[name], options={"ftol": 1e-14, "maxiter": 500},
        )  # fmt: skip
        torch.testing.assert_close(project(w), torch.tensor(there.x), rtol=0, atol=1e-6)


@every_set
def test_projected_gradient_descent_ends_at_the_constrained_minimum(name: str) -> None:
    """There w = P(w - g/L), and the gradient makes no obtuse angle with any way into the set."""
    project, members = SETS[name]()
    problem = Quadratic(torch.tensor([1.0, 2.0, 4.0, 8.0], dtype=f64), w_star=5 * torch.ones(DIM, dtype=f64))
    starts = 10 * normal(3, DIM)
    run = descend(problem, gradient_descent, starts, 300, eta=1 / 8, record=("w",), project=project)
    assert torch.equal(run.w[0], starts)  # the start is taken as it is
    w = run.w[-1]
    torch.testing.assert_close(w, w[:1].expand(3, DIM), rtol=0, atol=1e-9)
    assert float(((members - w[0]) @ problem.grad(w[0])).min()) >= -1e-6
    assert float((members - w[0]).norm(dim=-1).min()) < 3
    assert (w[0] - 5).abs().max() > 0.5  # the free minimum lies outside


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: ball(0.0), r"radius must lie in \(0, inf\), got 0.0"),
        (lambda: l1_ball(float("nan")), r"radius must lie in \(0, inf\), got nan"),
        (lambda: simplex(-1.0), r"total must lie in \(0, inf\), got -1.0"),
        (lambda: box(1.0, LOW), "low must be at most high, got 1.0 and"),
    ],
)
def test_bad_sets_are_refused_at_the_door(make, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        make()
