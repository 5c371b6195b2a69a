"""Every rule and every method on every problem with a minimum: how much of f(w₀) - f* is left at the end.

The tables below are complete: a rule, method or problem that is in the package and not in its table fails
``test_the_tables_are_complete``, which says where to add it. A pair that does not get there is listed with its
reason, and fails when the reason no longer holds.
"""

import pytest
import torch

from coursekit import data, descend, methods, problems, rules
from coursekit.methods import Method, minimize
from coursekit.problems import Problem
from coursekit.rules import Rule, rule

pytestmark = pytest.mark.usefixtures("device")

f64 = torch.float64


def vector(*entries: float) -> torch.Tensor:
    return torch.tensor(entries, dtype=f64)


X, Y = data.diabetes()
# Each problem with a start from which the minimum lies ahead.
PROBLEMS: dict[str, tuple[Problem, torch.Tensor]] = {
    "quadratic": (problems.Quadratic(vector(1, 10), w_star=vector(0.5, -1)), vector(1.5, 1)),
    "semidefinite quadratic": (problems.Quadratic(vector(0, 10)), vector(1.5, 1)),
    "application 1": (problems.Application(1), vector(1, 0)),
    "application 2": (problems.Application(2), vector(1, 1)),
    "rosenbrock": (problems.Rosenbrock(), vector(-1.2, 1)),
    "double well": (problems.DoubleWell(), vector(-0.6, 0.3)),
    "strict saddle": (problems.DoubleWell(0.0), vector(0.01, 0.5)),
    "flat saddle": (problems.FlatSaddle(), vector(0.5, 0.3)),
    "monkey saddle": (problems.MonkeySaddle(), vector(-0.3, 0.1)),
    "deep linear": (problems.DeepLinear(3), vector(0.3, 0.5, 0.7)),
    "inflection": (problems.Inflection(), vector(-0.5)),
    "pl sine": (problems.PLSine(), vector(3)),
    "huber": (problems.Huber(0.7), vector(2)),
    "pseudo-huber": (problems.PseudoHuber(), vector(2)),
    "quartic": (problems.Quartic(), vector(1)),
    "softplus": (problems.Softplus(), vector(0)),
    "halving trap": (problems.HalvingTrap(), vector(3)),
    "heavy ball trap": (problems.HeavyBallTrap(), vector(3.3)),
    "least squares": (problems.LeastSquares(X, Y), torch.zeros(10, dtype=f64)),
    "quadratic network": (
        problems.QuadraticNetwork(X[:3, :2], Y[:3], vector(1, 1, -1, -1)),
        vector(0.5, 0.1, 0.2, 0.5, -0.2, 0.4, 0.3, 0.3),
    ),
}
NO_KNOWN_MINIMUM = {
    "FiniteSum": "what mini-batches need, no problem by itself",
    "LogisticRegression": "f* has no closed form; against scikit-learn in tests/problems and tests/methods",
    "Needle": "its minimum is one on the cube only; tests/problems/test_counterexamples.py",
    "SmoothNeedle": "its minimum is one on the cube only; tests/problems/test_counterexamples.py",
    "OnlineLinear": "its minimum is one on [-1, 1] only; tests/problems/test_counterexamples.py",
    "Network": "f* is not known; tests/methods/test_minimize.py",
    "ReLUNetwork": "f* is not known; tests/problems/test_two_layer.py",
}

VALLEY = "the floor of the valley takes more steps"
# A rule, with the best of these step sizes, leaves at most 1 % of the gap after 150 steps; 5 % in the valley.
ETAS = torch.logspace(-3.5, 0.5, 9, dtype=f64)
RULES: dict[str, dict[str, str]] = {  # rule -> the problems where it leaves more, and why
    "accelerated": {},
    "adagrad": {},
    "adagrad_norm": {"rosenbrock": VALLEY},
    "adagrad_predictable": {
        "rosenbrock": VALLEY,
        "heavy ball trap": "its first step is η g/σ: to survive that, η is too small for what follows",
    },
    "adagrad_printed": {},
    "adam": {},
    "adam_eps_inside": {},
    "adam_printed": dict.fromkeys(PROBLEMS, "its first step is infinite"),
    "adam_scalar": {},
    "adam_uncorrected": {},
    "adamw": {},
    "amgt": {},
    "amsgrad": {},
    "gradient_descent": {},
    "heavy_ball": {},
    "heavy_ball_difference": {},
    "lion": {},
    "nesterov": {},
    "rmsprop": {},
    "rmsprop_printed": {},
    "sign_descent": {
        "rosenbrock": VALLEY,
        "quadratic network": "all its steps have one length: it hovers around the minimum",
    },
}

SINGULAR = "H p = -g has no solution, or many"
STATIONARY = "p = -H⁻¹g goes to any stationary point, and uphill if need be; damping only notices"
BENT = dict.fromkeys(
    ("strict saddle", "flat saddle", "monkey saddle", "deep linear", "inflection", "pl sine", "quadratic network"),
    STATIONARY,
) | dict.fromkeys(("semidefinite quadratic", "huber"), SINGULAR)
QUADRATICS = ("quadratic", "semidefinite quadratic", "application 1", "application 2", "least squares")
FAST, SLOW = 1e-6, 0.02
# factory -> its methods, each with what it may leave after 300 steps and the problems where it leaves more
METHODS: dict[str, list[tuple[Method, float, dict[str, str]]]] = {
    "newton": [(methods.newton(), FAST, BENT | {"pseudo-huber": "the step is w ← -w³"})],
    "damped_newton": [(methods.damped_newton(), FAST, BENT)],
    "regularized_newton": [(methods.regularized_newton(), FAST, {})],
    "newton_cg": [(methods.newton_cg(), FAST, {})],
    "bfgs": [(methods.bfgs(), FAST, {})],
    "lbfgs": [(methods.lbfgs(), FAST, {})],
    "full_adagrad": [(methods.full_adagrad(eta=0.5), SLOW, {})],
    "gradient_descent_with": [
        (methods.gradient_descent_with(methods.halving), SLOW, {}),
        (methods.gradient_descent_with(methods.armijo), SLOW, {}),
        (methods.gradient_descent_with(methods.wolfe), SLOW, {}),
        (
            methods.gradient_descent_with(methods.exact),
            SLOW,
            {name: "the search is exact on quadratics only" for name in PROBLEMS if name not in QUADRATICS},
        ),
    ],
}
ALL_METHODS = [entry for made in METHODS.values() for entry in made]


def left(problem: Problem, f: torch.Tensor) -> float:
    """The part of f(w₀) - f* that is left at the end, in the best run of the batch."""
    f_star = float(problem.f_star)
    return float(((f[-1] - f_star) / (f[0] - f_star)).nan_to_num(torch.inf).min())


def left_by_rule(the_rule: Rule, name: str) -> float:
    problem, start = PROBLEMS[name]
    return left(problem, descend(problem, the_rule, start, 150, eta=ETAS, record=("f",)).f)


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("name", RULES)
def test_rule_on_problem(name: str, problem: str) -> None:
    rest, reason = left_by_rule(getattr(rules, name), problem), RULES[name].get(problem)
    reached = rest <= (0.05 if problem == "rosenbrock" else 0.01)
    assert reached == (reason is None), f"{rest:.2g} of the gap is left; reason in the table: {reason}"


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize(("method", "most", "reasons"), ALL_METHODS, ids=lambda v: getattr(v, "name", ""))
def test_method_on_problem(method: Method, most: float, reasons: dict[str, str], name: str) -> None:
    problem, start = PROBLEMS[name]
    rest, reason = left(problem, minimize(problem, method, start, 300).f), reasons.get(name)
    assert (rest <= most) == (reason is None), f"{rest:.2g} of the gap is left; reason in the table: {reason}"


@rule(eta=0.1)
def uphill(w, g, state, scalars, h):
    return h.eta * g, ()


@rule(eta=0.1)
def hardly_moving(w, g, state, scalars, h):
    return -1e-6 * h.eta * g, ()


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("wrong", [uphill, hardly_moving], ids=lambda r: r.name)
def test_a_wrong_rule_reaches_nothing(wrong: Rule, problem: str) -> None:
    assert left_by_rule(wrong, problem) > 0.2


def test_the_tables_are_complete() -> None:
    for table, known, found in (
        ("RULES", set(RULES), {n for n in rules.__all__ if isinstance(getattr(rules, n), Rule)}),
        (
            "METHODS",
            set(METHODS),
            {n for n in methods.__all__ if getattr(getattr(methods, n), "__annotations__", {}).get("return")
             in ("Method", Method)},
        ),
        (
            "PROBLEMS, or NO_KNOWN_MINIMUM,",
            {type(problem).__name__ for problem, _ in PROBLEMS.values()} | set(NO_KNOWN_MINIMUM),
            {n for n in problems.__all__ if isinstance(getattr(problems, n), type)
             and issubclass(getattr(problems, n), Problem)} - {"Problem"},
        ),
    ):  # fmt: skip
        assert not found - known, f"add {', '.join(sorted(found - known))} to {table} of tests/test_matrix.py"
        assert not known - found - {"FiniteSum"}, (
            f"{sorted(known - found)} of {table} are no longer in the package"
        )
