"""Every method on every problem against scipy, the recorded iteration counts, and what a run reports."""

from functools import cache, partial

import numpy as np
import pytest
import torch
from scipy import optimize

from coursekit import data, descend
from coursekit.methods import (
    Direction,
    Method,
    Run,
    armijo,
    bfgs,
    damped_newton,
    full_step,
    gradient_descent_with,
    lbfgs,
    minimize,
    newton,
    newton_cg,
    regularized_newton,
    wolfe,
)
from coursekit.problems import (
    DoubleWell,
    LeastSquares,
    LogisticRegression,
    PLSine,
    Problem,
    Quadratic,
    Rosenbrock,
    tanh_network,
)
from coursekit.rules import gradient_descent
from coursekit.stopping import gradient_below, value_change_below
from coursekit.theory import certify, descent_lemma

from .test_line_search import vector
from .test_newton import random

pytestmark = pytest.mark.usefixtures("device")

f64 = torch.float64
bowl = Quadratic(vector(1.0, 10.0))
cancer = data.breast_cancer()
PROBLEMS: dict[str, tuple[Problem, torch.Tensor]] = {
    "quadratic": (Quadratic(torch.logspace(0, 1.5, 20, dtype=f64), w_star=random(20)), torch.zeros(20, dtype=f64)),
    "least squares": (LeastSquares(*data.diabetes()), torch.zeros(10, dtype=f64)),
    "logistic": (LogisticRegression(*cancer, ridge=1e-2), torch.zeros(30, dtype=f64)),
    "rosenbrock": (Rosenbrock(), vector(-1.2, 1.0)),
    "rosenbrock, far": (Rosenbrock(), vector(2.0, -3.0)),
    "double well": (DoubleWell(), vector(-0.6, 0.3)),
    "pl sine": (PLSine(), vector(3.0)),
}
ANYWHERE = [
    regularized_newton(),
    newton_cg(),
    bfgs(),
    lbfgs(),
    gradient_descent_with(armijo),
    gradient_descent_with(wolfe),
]
CONVEX = [newton(), damped_newton()]  # elsewhere they may stop at a saddle, or cycle: see test_newton
SLOW = ("least squares", "rosenbrock", "rosenbrock, far")  # gradient descent takes 3000 to 20000 steps
PAIRS = [
    *((m, n) for m in ANYWHERE for n in PROBLEMS if not ("descent" in m.name and n in SLOW)),
    *((m, n) for m in CONVEX for n in ("quadratic", "least squares", "logistic", "rosenbrock")),
]


def by_scipy(problem: Problem, start: torch.Tensor, method: str, **options):
    """scipy.optimize on the same function, stopped by the gradient alone."""

    def value_and_grad(w: np.ndarray) -> tuple[float, np.ndarray]:
        f, g = problem.value_and_grad(torch.tensor(w))
        return float(f), g.numpy(force=True)

    if method in ("Newton-CG", "trust-exact"):
        options["hess"] = lambda w: problem.hessian(torch.tensor(w)).numpy(force=True)
    return optimize.minimize(value_and_grad, start.numpy(force=True), jac=True, method=method, **options)


@cache
def minimizer(name: str) -> torch.Tensor:
    problem, start = PROBLEMS[name]
    return torch.tensor(by_scipy(problem, start, "trust-exact", options={"gtol": 1e-10}).x)


@pytest.mark.parametrize(("method", "name"), PAIRS, ids=lambda v: getattr(v, "name", v))
def test_same_minimizer_as_scipy(method: Method, name: str) -> None:
    problem, start = PROBLEMS[name]
    run = minimize(problem, method, start, 5000)
    assert run.converged
    assert float(run.grad_norm[-1]) <= 1e-8
    torch.testing.assert_close(run.w[-1], minimizer(name), rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize(
    ("ours", "theirs", "options"),
    [
        (bfgs(), "BFGS", {"gtol": 1e-8}),
        (lbfgs(memory=10), "L-BFGS-B", {"gtol": 1e-8, "ftol": 0, "maxcor": 10}),
        (newton_cg(), "Newton-CG", {"xtol": 1e-12}),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_gradients_asked_compare_with_scipys(ours: Method, theirs: str, options: dict) -> None:
    counts = []
    for problem, start in PROBLEMS.values():
        run, peer = minimize(problem, ours, start, 5000), by_scipy(problem, start, theirs, options=options)
        counts.append((run.calls.gradients, peer.njev))
    mine, scipys = np.array(counts).T
    assert mine.sum() <= 1.25 * scipys.sum(), counts
    assert (mine <= 2 * scipys + 5).all(), counts


class Scaled(Problem):
    """c f(w): the same problem in other units."""

    def __init__(self, problem: Problem, c: float) -> None:
        self.inner, self.c, self.dim = problem, c, problem.dim

    def value(self, w: torch.Tensor) -> torch.Tensor:
        return self.c * self.inner.value(w)


@pytest.mark.parametrize("name", ["quadratic", "logistic", "rosenbrock"])
def test_bfgs_needs_the_same_work_in_other_units_and_scipys_does_not(name: str) -> None:
    problem, start = PROBLEMS[name]
    ours, theirs = [], []
    for c in (1e-3, 1.0, 1e3):
        scaled = Scaled(problem, c)
        ours.append(minimize(scaled, bfgs(), start, 1000, stop=gradient_below(1e-6 * c)).calls.gradients)
        theirs.append(by_scipy(scaled, start, "BFGS", options={"gtol": 1e-6 * c, "norm": 2}).njev)
    assert max(ours) <= 1.4 * min(ours)
    assert max(ours) <= max(theirs)


@pytest.mark.parametrize(
    ("ridge", "method", "steps"),
    [(1e-2, newton(), 8), (1e-2, bfgs(), 88), (1e-2, lbfgs(), 29), (1e-3, newton(), 9), (1e-3, lbfgs(), 64)],
    ids=lambda v: getattr(v, "name", v),
)
def test_steps_on_real_data_as_measured_before(ridge: float, method: Method, steps: int) -> None:
    run = minimize(LogisticRegression(*cancer, ridge=ridge), method, torch.zeros(30, dtype=f64), 500)
    assert abs(run.T - steps) <= 0.1 * steps


def test_care_for_rounding_takes_the_gradient_below_what_f_can_show(monkeypatch) -> None:
    problem, start = PROBLEMS["logistic"]
    assert minimize(problem, bfgs(), start, 200, stop=gradient_below(1e-10)).converged
    monkeypatch.setattr("coursekit.methods.line_search.ROUNDING", 0)
    careless = minimize(problem, bfgs(), start, 200, stop=gradient_below(1e-10))
    assert "no step met the Wolfe conditions" in careless.why


@pytest.mark.parametrize("start", [(-1.2, 1.0), (0.0, 0.0), (2.0, -3.0), (-2.0, 2.0), (1.5, 3.0)], ids=str)
def test_rosenbrock_takes_tens_of_steps_with_curvature_and_thousands_without(start: tuple[float, float]) -> None:
    w = vector(*start)
    assert minimize(Rosenbrock(), damped_newton(), w).T <= 25
    assert minimize(Rosenbrock(), bfgs(), w).T <= 45
    assert float(minimize(Rosenbrock(), gradient_descent_with(armijo), w, 200).grad_norm.min()) > 1e-3


def test_a_network_is_a_problem_like_any_other() -> None:
    net = tanh_network(*data.digits(40), hidden=[4])
    peer = by_scipy(net, net.start, "L-BFGS-B", options={"gtol": 0, "ftol": 0, "maxiter": 100})
    run = minimize(net, lbfgs(), net.start, 100)
    assert float(run.f[-1]) <= 1.02 * peer.fun < 0.5 * float(run.f[0])
    assert run.calls.gradients <= 1.1 * peer.njev
    free = minimize(net, newton_cg(most=10), net.start, 20)
    assert float(free.curvature.min()) < 0
    assert bool((free.f.diff() < 0).all())
    assert free.calls.hvps <= 200  # of a Hessian with 310 rows


def test_a_run_keeps_its_path_and_its_bill() -> None:
    run = minimize(bowl, damped_newton(), vector(1.0, 1.0), 3, stop=None)
    assert run.T == 1  # the second search finds no decrease: the gradient is zero
    assert "must be negative, got" in run.why
    assert (run.w.shape, run.f.shape, run.grad_norm.shape) == ((2, 2), (2,), (2,))
    assert (run.eta.shape, run.curvature.shape, len(run.spent)) == ((1,), (1,), 2)
    torch.testing.assert_close(run.f, bowl.value(run.w))
    torch.testing.assert_close(run.grad_norm, bowl.grad(run.w).norm(dim=-1))
    assert (run.spent[0].gradients, run.spent[0].hvps) == (1, 0)
    assert (run.calls.gradients, run.calls.values, run.calls.hvps) == (2, 1, 4)
    assert repr(run).startswith("damped newton on Quadratic: 1 steps, 2 gradients, 1 values, 4 Hessian products")


def test_a_run_is_a_record_like_that_of_descend() -> None:
    steps = minimize(bowl, gradient_descent_with(partial(full_step, eta=0.15)), vector(1.0, 1.0), 20, stop=None)
    run = descend(bowl, gradient_descent, vector(1.0, 1.0), 20, record=("w", "f", "grad_norm"), eta=0.15)
    assert steps.records.keys() == run.records.keys()
    for name in (*run.records, "eta"):
        torch.testing.assert_close(getattr(steps, name), getattr(run, name), rtol=1e-12, atol=1e-14)
    assert (steps.T, int(steps.stopped), bool(steps.diverged)) == (run.T, int(run.stopped), bool(run.diverged))
    assert steps.calls.gradients == run.calls.gradients == 21
    with pytest.raises(AttributeError, match="'g' was not recorded"):
        _ = steps.g


def test_a_certificate_accepts_what_meets_its_assumptions_and_nothing_else() -> None:
    def run(method: Method, problem: Problem = bowl) -> Run:
        return minimize(problem, method, vector(1.0, 1.0), 60)

    careful = gradient_descent_with(partial(armijo, c1=0.5))  # then eta <= 1/L along each step taken here
    steps = run(careful, Quadratic(vector(4.0, 4.0)))
    assert float(steps.eta.max()) < 2 / 4
    certificate = certify(descent_lemma, steps)
    assert certificate
    assert certificate.steps == steps.T
    wrong = certify(descent_lemma, steps, L=0.4)
    assert not wrong
    assert not wrong.refused  # violated, by measurement
    too_long = gradient_descent_with(partial(full_step, eta=0.2))
    assert certify(descent_lemma, run(too_long)).refused.startswith("step")
    for method in (newton(), bfgs(), lbfgs()):
        assert "gradient descent" in certify(descent_lemma, run(method)).refused


def test_stopping_criteria_are_those_of_descend() -> None:
    method = gradient_descent_with(armijo)
    run = minimize(bowl, method, vector(1.0, 1.0), 500, stop=gradient_below(1e-3))
    assert run.grad_norm[-1] <= 1e-3 < run.grad_norm[-2]
    run = minimize(bowl, method, vector(1.0, 1.0), 500, stop=value_change_below(1e-3))
    changes = run.f.diff().abs()
    assert changes[-1] <= 1e-3 < changes[:-1].min()
    at_rest = minimize(bowl, method, vector(0.0, 0.0))
    assert (at_rest.T, at_rest.converged, at_rest.calls.values) == (0, True, 0)
    cut = minimize(bowl, method, vector(1.0, 1.0), 2)
    assert (cut.T, cut.converged, cut.why) == (2, False, "all 2 steps are used")


def test_a_diverged_run_is_reported() -> None:
    class Further(Direction):
        def __call__(self, oracle, w, g):
            return 1e200 * g

    run = minimize(bowl, Method("further", Further, newton().search), vector(1.0, 1.0))
    assert run.diverged
    assert run.why == "f or its gradient is no longer finite"


def test_a_direction_of_the_wrong_sign_is_refused_with_the_reason() -> None:
    class Uphill(Direction):
        def __call__(self, oracle, w, g):
            return g

    run = minimize(bowl, Method("uphill", Uphill, armijo), vector(1.0, 1.0))
    assert (run.T, run.converged) == (0, False)
    assert "direction must point downhill: the slope gᵀp must be negative, got 101" in run.why


@pytest.mark.parametrize("method", [*ANYWHERE, *CONVEX], ids=lambda m: m.name)
def test_dtype_is_the_callers(method: Method) -> None:
    run = minimize(Quadratic(torch.tensor([1.0, 10.0])), method, torch.ones(2), 20, stop=gradient_below(1e-4))
    assert {run.w.dtype, run.f.dtype, run.grad_norm.dtype, run.eta.dtype, run.curvature.dtype} == {torch.float32}


@pytest.mark.parametrize("method", [*ANYWHERE, *CONVEX], ids=lambda m: m.name)
def test_runs_where_the_problem_is(method: Method, device: torch.device) -> None:
    run = minimize(bowl, method, vector(1.0, 1.0), 10)
    assert {x.device.type for x in (run.w, run.f, run.eta, run.curvature, run.stopped)} == {device.type}
    on_cpu = minimize(bowl.to("cpu"), method, vector(1.0, 1.0).cpu(), 10)
    torch.testing.assert_close(run.w.cpu(), on_cpu.w)


@pytest.mark.parametrize(
    ("start", "steps", "told"),
    [
        (torch.ones(3, 2, dtype=f64), 1, r"start must be one point of shape \(2,\), got \(3, 2\)"),
        (torch.ones(3, dtype=f64), 1, "start must have 2 coordinates"),
        (vector(1.0, float("nan")), 1, "start must be finite"),
        (vector(1.0, 1.0), -1, "steps must be at least 0, got -1"),
    ],
)
def test_bad_input_is_refused_at_the_door(start: torch.Tensor, steps: int, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        minimize(bowl, newton(), start, steps)
