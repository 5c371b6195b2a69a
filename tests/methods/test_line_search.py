"""Line searches: closed forms, the Wolfe conditions checked on scipy's functions, and steps that must fail."""

import math
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy import optimize

from coursekit.methods import NoStep, armijo, exact, full_step, gradient_descent_with, halving, minimize, wolfe
from coursekit.oracles import Oracle
from coursekit.problems import Problem, Quadratic, Rosenbrock

pytestmark = pytest.mark.usefixtures("device")

f64 = torch.float64
SEARCHES = (full_step, halving, armijo, wolfe, exact)


class Of(Problem):
    """A problem from a formula of w alone."""

    def __init__(self, dim, formula) -> None:
        self.dim, self.p, self.formula = dim, SimpleNamespace(), lambda w, p: formula(w)


def vector(*entries: float) -> torch.Tensor:
    return torch.tensor(entries, dtype=f64)


def search_from(search, problem, w, direction=None, **options):
    oracle = Oracle(problem)
    f, g = oracle.value_and_grad(w)
    oracle.calls.gradients = 0
    return search(oracle, w, f, g, -g if direction is None else direction, **options), oracle.calls


def wolfe_holds(f, df, w, p, eta, c1=1e-4, c2=0.9, strong=True) -> tuple[bool, bool]:
    """Sufficient decrease and curvature condition, in numpy."""
    slope, there = df(w) @ p, df(w + eta * p) @ p
    decrease = f(w + eta * p) <= f(w) + c1 * eta * slope
    return bool(decrease), bool(abs(there) <= c2 * abs(slope) if strong else there >= c2 * slope)


def rosenbrock_rays(n: int = 40):
    """Random points and downhill directions of every length, 1e-3 to 1e3."""
    rng = np.random.default_rng(0)
    for _ in range(n):
        w, p = rng.normal(size=2), rng.normal(size=2) * 10.0 ** rng.uniform(-3, 3)
        yield w, -p * np.sign(optimize.rosen_der(w) @ p)


@pytest.mark.parametrize("strong", [True, False])
@pytest.mark.parametrize("c2", [0.9, 0.1, 0.001])
def test_wolfe_steps_meet_both_conditions(c2: float, strong: bool) -> None:
    for w, p in rosenbrock_rays():
        step, _ = search_from(wolfe, Rosenbrock(), torch.tensor(w), torch.tensor(p), c2=c2, strong=strong)
        assert wolfe_holds(optimize.rosen, optimize.rosen_der, w, p, step.eta, 1e-4, c2, strong) == (True, True)
        np.testing.assert_allclose(step.w.cpu(), w + step.eta * p, rtol=1e-15)
        np.testing.assert_allclose(step.f.cpu(), optimize.rosen(step.w.numpy(force=True)), rtol=1e-12)
        np.testing.assert_allclose(
            step.g.cpu(), optimize.rosen_der(step.w.numpy(force=True)), rtol=1e-9, atol=1e-9
        )


def test_wolfe_asks_no_more_than_scipy() -> None:
    ours = theirs = 0
    for w, p in rosenbrock_rays():
        ours += search_from(wolfe, Rosenbrock(), torch.tensor(w), torch.tensor(p), c2=0.1)[1].gradients
        eta, values, *_ = optimize.line_search(optimize.rosen, optimize.rosen_der, w, p, c2=0.1, maxiter=60)
        assert wolfe_holds(optimize.rosen, optimize.rosen_der, w, p, eta, c2=0.1) == (True, True)
        theirs += values
    assert ours <= theirs


def test_the_checker_rejects_steps_that_break_either_condition() -> None:
    f, df = lambda w: float(w @ w / 2), lambda w: w
    w, p = np.ones(2), -np.ones(2)
    assert wolfe_holds(f, df, w, p, 1.0) == (True, True)
    assert wolfe_holds(f, df, w, p, 1.9999) == (False, False)  # a decrease, but not a sufficient one
    assert wolfe_holds(f, df, w, p, 0.01) == (True, False)  # too short
    assert wolfe_holds(f, df, w, p, 1.95, strong=False) == (True, True)
    assert wolfe_holds(f, df, w, p, 1.95) == (True, False)  # f rises too steeply for the strong condition


@pytest.mark.parametrize("c1", [1e-4, 0.1, 0.5, 0.95])
def test_armijo_takes_the_first_sufficient_step_and_no_tiny_one(c1: float) -> None:
    rng = torch.Generator().manual_seed(0)
    for _ in range(50):
        lam = 10 ** (6 * torch.rand(5, generator=rng, dtype=f64) - 2)
        problem, w = Quadratic(lam), torch.randn(5, generator=rng, dtype=f64)
        step, calls = search_from(armijo, problem, w, c1=c1)
        start, H = w.numpy(force=True), np.diag(lam.numpy(force=True))
        ray = (lambda w, H=H: w @ H @ w / 2), (lambda w, H=H: H @ w), start, -H @ start
        sufficient = [wolfe_holds(*ray, eta, c1)[0] for eta in (step.eta, 2 * step.eta)]
        assert sufficient == [True, False] or (step.eta, sufficient[0]) == (1.0, True)
        assert step.eta >= min(1, (1 - c1) / float(problem.L)) * (1 - 1e-12)
        assert step.eta == 0.5 ** (calls.values - 1)


@pytest.mark.parametrize("L", [0.5, 1.0, 3.0, 10.0, 1e3, 1e6])
def test_number_of_halvings_in_closed_form(L: float) -> None:
    _, calls = search_from(halving, Quadratic(vector(L)), vector(1.0))
    assert calls.values - 1 == max(0, math.floor(math.log2(L / 2)) + 1)


def test_simple_decrease_is_not_enough_and_armijo_is() -> None:
    # f'(w) = 2w for |w| ≤ 1, (3w + sgn w)/2 beyond: 1.5-strongly convex and 2-smooth.
    kinked = Of(1, lambda w: torch.where(w.abs() <= 1, w * w, 0.75 * w * w + w.abs() / 2 - 0.25)[..., 0])
    stuck = minimize(kinked, gradient_descent_with(halving), vector(3.0), 40)
    assert bool((stuck.eta == 1).all())
    assert bool((stuck.f.diff() < 0).all())
    assert float(stuck.f[-1]) == pytest.approx(1, abs=1e-9)
    assert float(stuck.grad_norm[-1]) == pytest.approx(2, abs=1e-9)
    mended = minimize(kinked, gradient_descent_with(partial(armijo, c1=0.1)), vector(3.0), 40)
    assert (mended.converged, mended.T) == (True, 4)


def test_rounding_stops_the_simple_decrease_and_no_other() -> None:
    raised = Of(2, lambda w: 1 + (w * w * vector(1.0, 10.0)).sum(-1) / 2)
    stuck = minimize(raised, gradient_descent_with(halving), vector(1.0, 1.0), 1000)
    assert not stuck.converged
    assert "did not decrease enough in 60 trials" in stuck.why
    assert float(stuck.grad_norm[-1]) > 1e-8
    for search in (armijo, wolfe, exact):
        assert minimize(raised, gradient_descent_with(search), vector(1.0, 1.0), 1000).converged


@pytest.mark.parametrize("search", [armijo, wolfe], ids=lambda s: s.__name__)
@pytest.mark.parametrize(("L", "eta"), [(1.5, 1.0), (1.79, 1.0), (1.81, None), (3.9, None)])
def test_where_rounding_hides_f_the_slope_judges_as_f_would(search, L: float, eta: float | None) -> None:
    # f = 1 + L w²/2 is 1.0 in every digit near 0; exactly, η = 1 decreases it enough if L ≤ 2 (1 - c₁) = 1.8.
    flat = Of(1, lambda w: 1 + L / 2 * (w * w)[..., 0])
    step, _ = search_from(search, flat, vector(1e-9), c1=0.1)
    assert (step.eta == 1.0) == (eta == 1.0)
    assert 1 - step.eta * L / 2 >= 0.1


@pytest.mark.parametrize("kappa", [2.0, 10.0, 100.0])
def test_exact_search_zigzags_at_the_known_rate(kappa: float) -> None:
    bowl, start = Quadratic(vector(1.0, kappa)), vector(kappa, 1.0)
    run = minimize(bowl, gradient_descent_with(exact), start, 10)
    factor = ((kappa - 1) / (kappa + 1)) ** 2
    torch.testing.assert_close(run.f[1:] / run.f[:-1], torch.full((10,), factor, dtype=f64))
    legs = run.w.diff(dim=0)
    turns = (legs[1:] * legs[:-1]).sum(-1) / (legs[1:].norm(dim=-1) * legs[:-1].norm(dim=-1))
    assert float(turns.abs().max()) < 1e-10
    other = minimize(bowl, gradient_descent_with(exact), vector(kappa, 0.5), 10)  # not the worst start
    assert bool((other.f[1:] / other.f[:-1] < factor * (1 - 1e-9)).all())


def test_exact_search_is_scipys_minimizer_on_the_ray() -> None:
    lam, w, p = vector(1.0, 4.0, 9.0), vector(1.0, -2.0, 0.5), vector(-1.0, 1.0, 0.3)
    step, calls = search_from(exact, Quadratic(lam), w, p)
    best = optimize.minimize_scalar(lambda eta: float(Quadratic(lam).value(w + eta * p)), tol=1e-12).x
    assert step.eta == pytest.approx(best, rel=1e-7)
    assert (calls.hvps, calls.gradients, calls.values) == (1, 1, 0)


def test_exact_search_refuses_what_has_no_closed_form() -> None:
    with pytest.raises(NoStep, match=r"pᵀHp must be positive, got -9"):
        search_from(exact, Quadratic(vector(-1.0)), vector(3.0))
    with pytest.raises(NoStep, match="exact needs a quadratic: its step left"):
        search_from(exact, Rosenbrock(), vector(-1.2, 1.0))


@pytest.mark.parametrize("search", [armijo, wolfe, halving], ids=lambda s: s.__name__)
def test_a_step_out_of_the_domain_is_shortened(search) -> None:
    barrier = Of(1, lambda w: (w - torch.log(w))[..., 0])  # NaN for w < 0
    step, _ = search_from(search, barrier, vector(2.0), vector(-1.0), first=1000.0)
    assert 0 < float(step.w) < 2
    assert bool(step.g.isfinite().all())


def test_a_gradient_that_is_not_a_number_counts_as_too_far() -> None:
    cliff = Of(1, lambda w: torch.where(w > 0, w - w.sqrt(), torch.full_like(w, -5.0))[..., 0])
    assert bool(cliff.grad(vector(-1.0)).isnan())  # though f = -5 there, a decrease
    step, _ = search_from(wolfe, cliff, vector(2.0), vector(-1.0), first=1000.0)
    assert 0 < float(step.w) < 2


def test_a_ray_without_a_bottom_ends_with_a_reason() -> None:
    falling = Of(1, lambda w: w[..., 0])
    with pytest.raises(NoStep, match="no step met the Wolfe conditions in 30 trials"):
        search_from(wolfe, falling, vector(0.0), most=30)


@pytest.mark.parametrize("search", [halving, armijo, wolfe, exact], ids=lambda s: s.__name__)
def test_a_wrong_sign_is_refused(search) -> None:
    w = vector(1.0, 1.0)
    with pytest.raises(NoStep, match=r"direction must point downhill: the slope gᵀp must be negative, got 5"):
        search_from(search, Quadratic(vector(1.0, 2.0)), w, vector(1.0, 2.0))


@pytest.mark.parametrize("search", SEARCHES, ids=lambda s: s.__name__)
def test_shapes_are_checked_at_the_door(search) -> None:
    bowl, w = Quadratic(vector(1.0, 2.0)), vector(1.0, 1.0)
    with pytest.raises(ValueError, match=r"direction must have the shape of w, \(2,\), got \(1,\)"):
        search_from(search, bowl, w, vector(1.0))
    with pytest.raises(ValueError, match=r"w must be one point of shape \(dim,\), got \(3, 2\)"):
        search_from(search, bowl, w.expand(3, 2))


@pytest.mark.parametrize(
    ("search", "options", "told"),
    [
        (armijo, {"c1": 1.0}, r"c1 must lie in \(0, 1\), got 1.0"),
        (armijo, {"shrink": 1.5}, r"shrink must lie in \(0, 1\), got 1.5"),
        (armijo, {"first": -1.0}, r"first must lie in \(0, inf\), got -1.0"),
        (halving, {"most": 0}, "most must be at least 1, got 0"),
        (wolfe, {"c1": 0.0}, r"c1 must lie in \(0, 1\), got 0.0"),
        (wolfe, {"c1": 0.5, "c2": 0.4}, r"c2 must lie in \(0.5, 1\), got 0.4"),
        (wolfe, {"first": math.nan}, r"first must lie in \(0, inf\), got nan"),
        (full_step, {"eta": 0.0}, r"eta must lie in \(0, inf\), got 0.0"),
    ],
)
def test_options_are_checked_at_the_door(search, options: dict, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        search_from(search, Quadratic(vector(1.0)), vector(1.0), **options)
