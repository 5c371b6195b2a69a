"""The stored worst cases: proofs that hold, functions that attain them, and theorems that agree with them."""

import json
import re
import subprocess
import sys
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

from coursekit import descend
from coursekit.problems import Huber, Problem, Quadratic
from coursekit.rules import gradient_descent
from coursekit.theory import Zigzag, by_id
from coursekit.theory.performance_estimation import (
    HORIZONS,
    STATEMENTS,
    Point,
    Statement,
    evaluate,
    pl,
    prove,
    stored,
    verify,
    worst_case,
    worst_cases,
)
from coursekit.theory.performance_estimation.statements import CLASSES
from coursekit.theory.performance_estimation.stored import FILE

from .broken import f64, point

MU = 0.1
CLOSE = 1e-6
EVERY = pytest.mark.parametrize("statement", STATEMENTS.values(), ids=STATEMENTS)
parabola = Quadratic(point(MU))


def worst_function(statement: Statement, T: int) -> tuple[Problem, float]:
    """A function on which the statement's two sides are equal, or as near as is known, and where to start."""
    if statement.functions == "convex":
        return Huber(4 / ((T + 2) * (T + 3)) if statement.behind else 1 / (2 * T + 1)), 1.0
    if statement.functions == "bounded below":
        return Zigzag(T), 0.0
    if statement.functions == "smooth":
        return (Zigzag(T - 1), 0.0) if T > 1 else (Quadratic(point(1.0)), 1.0)
    return parabola, 1.0


def sides(
    statement: Statement, problem: Problem, start: torch.Tensor, T: int
) -> tuple[float, float, torch.Tensor]:
    """(initial, measured, points of the run): the statement's symbols, filled with the numbers of one run."""
    points = statement.points(T)
    f, b, w_star = [], [start - problem.w_star], problem.w_star
    w = []
    for t in range(T + 1):
        w.append(w_star + sum(float(c) * v for c, v in zip(points[str(t)].w, b, strict=False)))
        value, g = problem.value_and_grad(w[-1])
        f.append(float(value))
        b.append(g)
    numbers = np.array(f), torch.stack(b).numpy()
    measured = [evaluate(m, *numbers) for m in statement.measured(points)]
    return evaluate(statement.initial(points), *numbers), min(measured), torch.stack(w)


@EVERY
def test_numpy_verifies_every_stored_proof(statement: Statement) -> None:
    for T in HORIZONS:
        proof = prove(statement.id, T)
        assert proof.holds, (T, proof)
        assert proof.eigenvalue > -1e-15  # there is room: nothing hangs on the tolerance


def changed(certificate: dict[str, Any], name: str, pair: str, factor: float) -> dict[str, Any]:
    multipliers = {key: dict(entries) for key, entries in certificate["multipliers"].items()}
    multipliers[name][pair] *= factor
    return {**certificate, "multipliers": multipliers}


@EVERY
def test_a_proof_with_anything_changed_is_rejected(statement: Statement) -> None:
    for T in HORIZONS:
        certificate = stored(statement.id, T)
        broken = [
            {**certificate, "rate": certificate["rate"] * 0.99},
            {**certificate, "weights": [0.99 * a for a in certificate["weights"]]},
            *(
                changed(certificate, name, pair, factor)
                for name, entries in certificate["multipliers"].items()
                for pair in entries
                for factor in (0.0, 0.99, 1.01)
            ),
        ]
        assert not any(statement.prove(**b).holds for b in broken)


@EVERY
def test_a_proof_is_of_its_own_number_of_steps_only(statement: Statement) -> None:
    for T in HORIZONS[1:]:
        before = {**stored(statement.id, T - 1), "T": T}
        if len(before["weights"]) < len(stored(statement.id, T)["weights"]):
            with pytest.raises(ValueError, match="one weight for each"):
                statement.prove(**before)
        else:
            assert not statement.prove(**before).holds


@pytest.mark.parametrize(
    ("id", "elsewhere"),
    [
        ("gd-convex", {"eta": 0.99}),
        ("gd-convex", {"functions": "smooth"}),
        ("gd-distance", {"functions": "convex"}),
        ("gd-values", {"functions": "convex"}),
        ("gd-values", {"eta": 0.99}),
        ("gd-gradients", {"eta": 0.99}),
        ("nesterov-convex", {"rule": gradient_descent}),
        ("heavy-ball-strongly-convex", {"beta": 0.5}),
    ],
)
def test_a_proof_is_of_its_own_method_and_functions_only(id: str, elsewhere: dict[str, Any]) -> None:
    other = Statement(**{**vars(STATEMENTS[id]), **elsewhere})
    assert not any(other.prove(**stored(id, T)).holds for T in (3, 10))


def test_a_negative_multiplier_is_rejected_even_if_all_adds_up() -> None:
    points = STATEMENTS["gd-pl"].points(1)
    gap = pl(points["0"], points["*"], MU)  # ≥ 0; that it is ≤ 0 too is false, and what λ = -1 would prove
    proof = verify(points, CLASSES["PL"], 0 * gap, [gap], 0.0, [1.0], {"pl": {"0 *": -1.0}})
    assert proof._replace(multiplier=0).holds
    assert proof.multiplier == -1
    assert not proof.holds


@EVERY
def test_functions_attain_what_is_called_exact_and_none_exceeds_any(statement: Statement) -> None:
    for T in HORIZONS:
        problem, start = worst_function(statement, T)
        initial, measured, _ = sides(statement, problem, point(start), T)
        rate = stored(statement.id, T)["rate"]
        assert measured <= rate * initial
        # Heavy ball's bound is attained for T up to 5; later the parabola of curvature μ is not the worst.
        if statement.exact or (statement.rule.name == "heavy_ball" and T <= 5):
            assert measured == pytest.approx(rate * initial, rel=CLOSE)
        elif T > 5:
            assert measured < 0.99 * rate * initial


@EVERY
def test_the_symbols_are_the_run_that_descend_makes(statement: Statement) -> None:
    problem, start, T = Quadratic(point(MU, 0.4, 1.0), w_star=point(1.0, 2.0, 3.0)), point(-2.0, 5.0, 4.0), 7
    h = {name: getattr(statement, name) for name in statement.rule.defaults}
    run = descend(problem, statement.rule, start, T, record=("w",), **h)
    expected = run.w.clone()
    if statement.behind:
        expected[-1] = run.w[-2] - statement.eta * problem.grad(run.w[-2])
    assert torch.allclose(sides(statement, problem, start, T)[2], expected, atol=1e-12)


line = torch.linspace(-5, 2, 57, dtype=f64)[:, None]
square = torch.cartesian_prod(*[torch.linspace(-2, 2, 7, dtype=f64)] * 2)
bowl = Quadratic(point(MU, 1.0))


@pytest.mark.parametrize(
    ("functions", "name", "problem", "w", "wrong"),
    [
        ("convex", "interpolation", Huber(0.5), line, ({"L": 0.9}, {"mu": 0.01})),
        ("strongly convex", "interpolation", bowl, square, ({"L": 0.9}, {"mu": 0.11})),
        ("smooth", "interpolation", Zigzag(3), line, ({"L": 0.9}, {"mu": -0.9})),
        ("bounded below", "minimum", Zigzag(3), line, ({"L": 0.9},)),
        ("PL", "pl", bowl, square, ({"mu": 0.11},)),
    ],
)
def test_the_inequalities_hold_on_functions_of_the_class_and_no_better_ones_do(
    functions: str, name: str, problem: Problem, w: torch.Tensor, wrong: tuple[dict[str, float], ...]
) -> None:
    inequality: Any = CLASSES[functions][name]
    e, f = np.eye(4), np.eye(3, 19)
    i, j, star = Point(e[0], e[2], f[0]), Point(e[1], e[3], f[1]), Point(0 * e[0], 0 * e[0], 0 * f[0])
    values, slopes = problem.value_and_grad(w)
    gap, place, slope = (values - float(problem.f_star)).numpy(), (w - problem.w_star).numpy(), slopes.numpy()

    def least(inequality: Any) -> float:
        quantity = inequality(i, j if name == "interpolation" else star)
        return min(
            evaluate(quantity, np.array([gap[a], gap[b], 0.0]), np.stack([place[a], place[b], slope[a], slope[b]]))
            for a in range(len(w))
            for b in range(len(w))
        )

    assert least(inequality) >= -1e-12
    for constants in wrong:
        assert least(partial(inequality, **constants)) < -1e-4


# What the literature has, for L = 1.
CLOSED_FORMS = {
    "gd-convex": lambda T: 1 / (4 * T + 2),  # Drori and Teboulle 2014
    "gd-distance": lambda T: (1 - MU) ** (2 * T),
    "gd-distance-best-step": lambda T: ((1 - MU) / (1 + MU)) ** (2 * T),
    "gd-values": lambda T: (1 - MU) ** (2 * T),  # de Klerk, Glineur and Taylor 2017
    "gd-values-best-step": lambda T: ((1 - MU) / (1 + MU)) ** (2 * T),
    "gd-gradients": lambda T: 4 / (3 * T - 1),
    "gd-gradients-above-minimum": lambda T: 4 / (3 * T + 2),  # Abbaszadehpeivasti, de Klerk and Zamani 2022
    "nesterov-convex": lambda T: 2 / ((T + 2) * (T + 3)),  # Taylor, Hendrickx and Glineur 2017b, Table 1
    "gd-pl": lambda T: ((2 - 2 * MU) / (2 + MU)) ** T,  # Abbaszadehpeivasti, de Klerk and Zamani 2023
}


@pytest.mark.parametrize("id", CLOSED_FORMS)
def test_the_stored_rates_are_the_closed_forms_rounded_up(id: str) -> None:
    for T in HORIZONS:
        assert 1 <= stored(id, T)["rate"] / CLOSED_FORMS[id](T) < 1 + CLOSE


# PEPit 0.5.1's values of heavy ball at T = 2 and 5, computed before and apart from the stored ones.
def test_heavy_ball_is_bounded_as_published() -> None:
    assert stored("heavy-ball-strongly-convex", 2)["rate"] == pytest.approx(0.75349314, rel=CLOSE)
    assert stored("heavy-ball-strongly-convex", 5)["rate"] == pytest.approx(0.30684567, rel=CLOSE)
    loose = [case.loose for case in worst_cases("heavy-ball-strongly-convex")]
    assert loose[1] == pytest.approx(1.197755, rel=CLOSE)
    assert loose[4] == pytest.approx(2.521727, rel=CLOSE)


@pytest.mark.parametrize(
    "id", ["gd-convex", "gg-proposition-1", "gd-nonconvex", "gd-pl", "pl-theorem-1", "nesterov-convex"]
)
def test_how_loose_the_theorems_say_they_are_is_what_is_stored(id: str) -> None:
    theorem = by_id(id)
    assert theorem.sharp
    for case in worst_cases(id):
        rule = STATEMENTS["nesterov-convex" if id == "nesterov-convex" else "gd-convex"].rule
        run = descend(bowl, rule, point(1.0, 1.0), case.T, record=("w", "f", "grad_norm"), eta=1.0)
        claimed = theorem.sharp.loose(
            run, {"L": 1.0, "mu": MU, "pl": MU, "f_star": 0.0, "w_star": point(0.0, 0.0)}
        )
        assert claimed == pytest.approx(case.loose, rel=CLOSE)
        assert theorem.sharp.exact == case.exact


@pytest.mark.parametrize(
    ("id", "eta"),
    [
        ("gd-convex-exact", 1.0),
        ("gd-nonconvex-sharp", 1.0),
        *((f"gd-strongly-convex{of}", eta) for of in ("", "-values") for eta in (1.0, 2 / 1.1)),
    ],
)
def test_the_theorems_that_are_called_exact_are(id: str, eta: float) -> None:
    for case in worst_cases(id, eta):
        assert case.exact
        assert case.loose == pytest.approx(1, rel=CLOSE)


def test_the_printed_bound_of_tdl_is_up_to_one_and_a_half_times_loose() -> None:
    assert [c.loose for c in worst_cases("tdl-theorem-4-6-1")] == pytest.approx(
        [(3 * T - 1) / (2 * T) for T in HORIZONS], rel=CLOSE
    )


def test_what_is_not_stored_is_refused() -> None:
    with pytest.raises(ValueError, match=r"T must be one of 1, 2.*got 11"):
        worst_case("gd-convex", 11)
    with pytest.raises(ValueError, match=r"eta must be one of 1\.0, 1\.81.*got 0\.5"):
        worst_case("gd-strongly-convex", 1, eta=0.5)
    with pytest.raises(ValueError, match=r"id must be one of gd-convex, .*got 'adam'"):
        worst_case("adam", 1)
    with pytest.raises(ValueError, match="statement must be one of"):
        prove("adam", 1)


def test_the_data_say_what_made_them() -> None:
    data = json.loads(FILE.read_text())
    made_with = data.pop("made with")
    assert made_with.keys() == {"PEPit", "cvxpy", "clarabel", "numpy"}
    assert all(re.fullmatch(r"\d+(\.\d+)+", version) for version in made_with.values())
    assert (data.pop("L"), data.pop("mu")) == (1.0, MU)
    assert data.keys() == STATEMENTS.keys()
    assert FILE.stat().st_size < 50_000


def test_the_check_needs_numpy_alone() -> None:
    code = (
        "import sys, coursekit.theory.performance_estimation.verify; print({'torch', 'PEPit'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert found.strip() == "set()"
