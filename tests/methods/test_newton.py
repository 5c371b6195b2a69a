"""Newton and its repairs: closed forms, convergence order, invariance, saddles, and what breaks without repair."""

import math
from functools import partial

import numpy as np
import pytest
import torch
from scipy import sparse

from coursekit import data
from coursekit.methods import (
    armijo,
    damped_newton,
    full_step,
    gradient_descent_with,
    minimize,
    newton,
    newton_cg,
    regularized_newton,
)
from coursekit.oracles import Oracle
from coursekit.problems import LogisticRegression, Problem, Quadratic, Rosenbrock

from .test_line_search import Of, vector

pytestmark = pytest.mark.usefixtures("device")

f64 = torch.float64
saddle = Quadratic(vector(1.0, -1.0))
two_wells = Of(2, lambda w: w[..., 0] ** 2 / 2 - w[..., 1] ** 2 / 2 + w[..., 1] ** 4 / 4)
ALL = {m.name: m for m in (newton(), damped_newton(), regularized_newton(), newton_cg())}


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=f64)


class Mapped(Problem):
    """f(A w): the same problem in other coordinates."""

    def __init__(self, problem: Problem, A: torch.Tensor) -> None:
        self.inner, self.A, self.dim = problem, A, problem.dim

    def value(self, w: torch.Tensor) -> torch.Tensor:
        return self.inner.value(w @ self.A.T)


@pytest.mark.parametrize("name", [n for n in ALL if n != "newton-cg"])
def test_one_step_solves_a_quadratic(name: str) -> None:
    basis = torch.linalg.qr(random(8, 8))[0]
    bowl = Quadratic(torch.logspace(-2, 3, 8, dtype=f64), w_star=random(8, seed=1), basis=basis)
    run = minimize(bowl, ALL[name], random(8, seed=2), 1, stop=None)
    torch.testing.assert_close(run.w[1], bowl.w_star, rtol=1e-10, atol=1e-10)
    assert float(run.eta) == 1
    assert run.calls.hvps == 8


def test_errors_square_where_the_curvature_is_positive_and_shrink_by_two_thirds_where_it_is_not() -> None:
    run = minimize(Of(1, lambda w: (w.exp() - w)[..., 0]), newton(), vector(1.0), 5, stop=None)
    errors, w = [], 1.0
    for _ in range(5):  # w - (eʷ - 1)/eʷ, by hand
        w = w - 1 + math.exp(-w)
        errors.append(w)
    np.testing.assert_allclose(run.w[1:4, 0].cpu(), errors[:3], rtol=1e-12)
    order = run.w[:5, 0].log().diff()
    assert bool(((order[1:] / order[:-1])[1:] - 2).abs().max() < 0.3)
    flat = minimize(Of(1, lambda w: (w**4)[..., 0]), newton(), vector(1.0), 20, stop=None)
    torch.testing.assert_close(flat.w[1:] / flat.w[:-1], torch.full((20, 1), 2 / 3, dtype=f64))


def test_quadratic_convergence_on_logistic_regression_where_gradient_descent_has_none() -> None:
    problem, start = LogisticRegression(*data.breast_cancer(), ridge=1e-2), torch.zeros(30, dtype=f64)
    run = minimize(problem, newton(), start)
    assert (run.converged, run.T) == (True, 8)
    best = minimize(problem, newton(), start, 12, stop=None).w[-1]
    error = (run.w - best).norm(dim=-1)[3:]
    ratio = error[1:-1] / error[:-2] ** 2
    assert float(ratio.max() / ratio.min()) < 3
    descent = minimize(problem, gradient_descent_with(armijo), start, 200)
    slow = (descent.w - best).norm(dim=-1)[100:]
    assert float((slow[1:] / slow[:-1]).min()) > 0.9


@pytest.mark.parametrize("seed", range(5))
def test_newton_does_not_see_the_coordinates_and_gradient_descent_does(seed: int) -> None:
    A, start = random(2, 2, seed=seed) + 2 * torch.eye(2, dtype=f64), vector(-1.2, 1.0)
    for method in (newton(), damped_newton()):
        plain = minimize(Rosenbrock(), method, start, 20, stop=None)
        mapped = minimize(Mapped(Rosenbrock(), A), method, torch.linalg.solve(A, start), 20, stop=None)
        torch.testing.assert_close(mapped.w @ A.T, plain.w, rtol=1e-6, atol=1e-8)
    descent = gradient_descent_with(partial(full_step, eta=1e-4))
    plain = minimize(Rosenbrock(), descent, start, 20)
    mapped = minimize(Mapped(Rosenbrock(), A), descent, torch.linalg.solve(A, start), 20)
    assert not torch.allclose(mapped.w @ A.T, plain.w, rtol=1e-2)


def test_newton_lands_on_the_saddle_and_damping_says_why_it_cannot_go_on() -> None:
    run = minimize(saddle, newton(), vector(2.0, 1.0))
    assert (run.w[-1].tolist(), run.converged) == ([0, 0], True)
    stuck = minimize(saddle, damped_newton(), vector(0.5, 1.0))
    assert (stuck.T, stuck.converged) == (0, False)
    assert "direction must point downhill: the slope gᵀp must be negative, got 0.75" in stuck.why


@pytest.mark.parametrize("name", ["regularized newton", "newton-cg"])
def test_repaired_newton_leaves_the_saddle_from_every_start(name: str) -> None:
    starts = torch.rand(30, 2, generator=torch.Generator().manual_seed(0), dtype=f64) - 0.5
    lowest: list[float] = []
    for start in starts:
        run = minimize(two_wells, ALL[name], start)
        assert run.converged
        assert bool((run.f.diff() <= 1e-15).all())
        assert run.w[-1].abs().tolist() == pytest.approx([0, 1], abs=1e-7)
        curvature = torch.linalg.eigvalsh(two_wells.hessian(run.w[:-1]))[:, 0]
        lowest.append(float(run.curvature.min()))
        if name == "regularized newton":
            torch.testing.assert_close(run.curvature, curvature)
        else:  # a curvature along some direction is never below the lowest eigenvalue
            assert bool((run.curvature >= curvature - 1e-12).all())
    assert min(lowest) < -0.5
    plain = [minimize(two_wells, newton(), start).w[-1].norm() < 1e-6 for start in starts]
    assert sum(plain) > 20


def test_levenbergs_shift_lifts_the_lowest_eigenvalue_to_the_floor() -> None:
    lam, g = vector(-3.0, 1.0, 10.0), vector(1.0, 1.0, 1.0)
    bent = Quadratic(lam)
    p = regularized_newton(floor=0.1).direction()(Oracle(bent), g / lam, g)
    torch.testing.assert_close(p, -g / vector(1.0, 5.0, 14.0))
    flat = regularized_newton(floor=0.1).direction()
    p = flat(Oracle(Quadratic(vector(0.0, 10.0))), g[:2], vector(0.0, 5.0))
    torch.testing.assert_close(p, vector(0, -5 / 11))


def test_truncated_cg_solves_as_well_as_it_promises() -> None:
    problem = LogisticRegression(*data.breast_cancer(), ridge=1e-3)
    for scale in (0.1, 1.0, 3.0):
        w = scale * random(30)
        g, H = problem.grad(w), problem.hessian(w)
        oracle = Oracle(problem)
        p = newton_cg().direction()(oracle, w, g)
        norm = float(g.norm())
        limit = min(0.5, math.sqrt(norm)) * norm
        assert float((H @ p + g).norm()) <= limit
        taken = oracle.calls.hvps
        for most in (1, taken, taken + 1):
            cut = newton_cg(most).direction()(Oracle(problem), w, g)
            theirs, left = sparse.linalg.cg(
                H.numpy(force=True), -g.numpy(force=True), rtol=0, atol=limit, maxiter=most
            )
            np.testing.assert_allclose(cut.cpu(), theirs, rtol=1e-8, atol=1e-10)
            assert (left == 0) == (most > taken)  # scipy looks at the residual before each of its steps


def test_a_singular_hessian_is_reported() -> None:
    run = minimize(Of(2, lambda w: w[..., 0] ** 2 / 2 + w[..., 1]), newton(), vector(1.0, 1.0))
    assert "the Hessian is singular" in run.why


def test_pure_newton_may_cycle_or_diverge_and_the_run_says_so() -> None:
    run = minimize(Of(1, lambda w: torch.sqrt(1 + w * w)[..., 0]), newton(), vector(1.1), 50)
    torch.testing.assert_close(run.w[1:4, 0], -(run.w[:3, 0] ** 3))  # closed form: w ← -w³
    assert not run.converged
    assert minimize(Of(1, lambda w: torch.sqrt(1 + w * w)[..., 0]), damped_newton(), vector(1.1), 50).converged


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: regularized_newton(floor=0), r"floor must lie in \(0, 1\], got 0"),
        (lambda: newton_cg(most=0), "most must be at least 1, got 0"),
    ],
)
def test_bad_options_are_refused_at_the_door(make, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        make()
