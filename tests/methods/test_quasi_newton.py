"""Quasi-Newton: the secant equation, scipy's own updates, termination on quadratics, and what skipping saves."""

import numpy as np
import pytest
import torch
from scipy import optimize

from coursekit.methods import armijo, bfgs, exact, gradient_descent_with, lbfgs, minimize
from coursekit.problems import Quadratic

from .test_line_search import vector
from .test_newton import random, two_wells

pytestmark = pytest.mark.usefixtures("device")

f64 = torch.float64


def pairs(n: int, dim: int = 6):
    """Steps and changes of gradient of a strongly convex function: y = H_i s with a new H_i each time."""
    for i in range(n):
        root, s = random(dim, dim, seed=i), random(dim, seed=100 + i)
        yield s, root @ (root.T @ s) + s


def test_secant_equation_and_symmetry_hold_to_rounding() -> None:
    full, limited = bfgs().direction(), lbfgs(memory=3).direction()
    for s, y in pairs(10):
        full.learn(s, y)
        limited.learn(s, y)
        torch.testing.assert_close(full.B @ y, s, rtol=1e-11, atol=1e-11)
        torch.testing.assert_close(limited.times(y), s, rtol=1e-11, atol=1e-11)
        torch.testing.assert_close(full.B, full.B.T, rtol=0, atol=1e-13)
        assert float(torch.linalg.eigvalsh(full.B)[0]) > 0
    assert not torch.allclose(full.B @ next(pairs(1))[1], next(pairs(1))[0], rtol=1e-3)  # older pairs are let go


def test_bfgs_matrix_against_scipys() -> None:
    ours, theirs = bfgs().direction(), optimize.BFGS()
    theirs.initialize(6, "inv_hess")
    for s, y in pairs(10):
        ours.learn(s, y)
        theirs.update(s.numpy(force=True), y.numpy(force=True))
        np.testing.assert_allclose(ours.B.cpu(), theirs.get_matrix(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("memory", [1, 4, 20])
def test_two_loops_against_scipys_product(memory: int) -> None:
    ours = lbfgs(memory).direction()
    learned = list(pairs(10))
    s, y = learned[-1]
    learned[-1] = (s, y * (s @ y) / (y @ y))  # so that sᵀy = yᵀy: scipy's product starts at the identity
    for s, y in learned:
        ours.learn(s, y)
    theirs = optimize.LbfgsInvHessProduct(
        *(np.array([p[i].numpy(force=True) for p in learned[-memory:]]) for i in (0, 1))
    )
    v = random(6, seed=9)
    np.testing.assert_allclose(ours.times(v).cpu(), theirs.matvec(v.numpy(force=True)), rtol=1e-10)
    assert len(ours.pairs) == min(memory, 10)


@pytest.mark.parametrize("dim", [2, 5, 10])
def test_with_exact_search_a_quadratic_takes_as_many_steps_as_dimensions(dim: int) -> None:
    basis = torch.linalg.qr(random(dim, dim))[0]
    bowl = Quadratic(torch.logspace(0, 1, dim, dtype=f64), basis=basis)
    start = random(dim, seed=1)
    for method in (bfgs(exact), lbfgs(memory=dim, search=exact)):
        run = minimize(bowl, method, start, dim, stop=None)
        assert float(run.f[-1] / run.f[0]) < 1e-18
        assert float(run.f[-2] / run.f[0]) > 1e-10  # and not fewer
    assert float(minimize(bowl, gradient_descent_with(exact), start, dim).f[-1]) > 1e-6


def test_steps_do_not_grow_with_the_condition_number() -> None:
    taken = []
    for kappa in (1e1, 1e3, 1e5):
        bowl = Quadratic(torch.logspace(0, np.log10(kappa), 20, dtype=f64))
        run = minimize(bowl, bfgs(exact), random(20), 60, stop=None)
        taken.append(int((run.f > 1e-8).sum()))
    assert max(taken) <= 24
    bowl = Quadratic(torch.logspace(0, 5, 20, dtype=f64))
    assert float(minimize(bowl, gradient_descent_with(exact), random(20), 1000).f[-1]) > 1e-3


def test_without_the_skip_rule_a_nonconvex_run_breaks_and_ours_goes_on() -> None:
    # Armijo's search does not look at the slope where it lands, so sᵀy may be negative between the two wells.
    broken = 0
    for start in torch.rand(20, 2, generator=torch.Generator().manual_seed(0), dtype=f64) - 0.5:
        for make in (bfgs, lbfgs):
            careless = minimize(two_wells, make(search=armijo, least_cosine=-1.0), start)
            broken += not careless.converged and "direction must point downhill" in careless.why
            run = minimize(two_wells, make(search=armijo), start)
            assert run.converged
            assert run.w[-1].abs().tolist() == pytest.approx([0, 1], abs=1e-7)
    assert broken >= 10


def test_a_skipped_pair_leaves_everything_as_it_was() -> None:
    s = vector(1.0, 2.0)
    for method in (bfgs(), lbfgs()):
        direction = method.direction()
        direction.learn(s, -s)
        assert not direction.learned
        direction.learn(s, 2 * s)
        before = direction.times(vector(1.0, 0.0))
        direction.learn(s, vector(-2.0, 1.0))  # at a right angle: no curvature seen
        assert torch.equal(direction.times(vector(1.0, 0.0)), before)


def test_every_run_starts_with_an_empty_memory() -> None:
    bowl, method = Quadratic(vector(1.0, 10.0)), bfgs()
    first, second = (minimize(bowl, method, vector(1.0, 1.0)) for _ in range(2))
    assert torch.equal(first.w, second.w)
    assert float((first.w[1] - first.w[0]).norm()) <= 1 + 1e-12


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: lbfgs(memory=0), "memory must be at least 1, got 0"),
        (lambda: bfgs(least_cosine=1.0), r"least_cosine must lie in \[-1, 1\), got 1.0"),
        (lambda: lbfgs(least_cosine=float("nan")), r"least_cosine must lie in \[-1, 1\), got nan"),
    ],
)
def test_bad_options_are_refused_at_the_door(make, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        make()
