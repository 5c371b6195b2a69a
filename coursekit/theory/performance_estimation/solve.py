"""Find the worst cases and their proofs anew: ``python -m coursekit.theory.performance_estimation.solve``.

Needs the extra ``[pep]`` and a minute. PEPit states each problem with inequalities of its own, CLARABEL solves it,
and nothing is written unless ``verify`` accepts it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import cvxpy
import numpy as np
from PEPit import PEP, Expression
from PEPit.functions import SmoothQuadraticLojasiewiczFunctionCheap, SmoothStronglyConvexFunction
from tqdm import tqdm

from .statements import CLASSES, MU, STATEMENTS, L, Statement
from .stored import FILE, HORIZONS
from .verify import Array

Wanted = Callable[[str, str], bool]
Named = dict[tuple[str, str], float]  # (inequality, pair): multiplier

# PEPit's names of the inequalities.
NAMES = {
    "smoothness_strong_convexity": "interpolation",
    "smoothness": "interpolation",
    "upper_quadratic_lojasiewicz": "minimum",
    "quadratic_lojasiewicz": "pl",
}
MUS = {"convex": 0.0, "strongly convex": MU}

# Few inequalities make a short proof: of these sets of pairs, the first that reaches the value of all pairs.
PAIRS: tuple[Wanted, ...] = (
    lambda i, j: i == "*" or (j != "*" and int(j) == int(i) + 1),
    lambda i, j: "*" in (i, j),
)

# The solver is asked for the worst case of measured + SLACK Σ ‖b_k‖²: then its S has room for its own rounding.
SLACK = 1e-9
CLOSE = 1e-5  # that exact is the solver's value of all pairs, where they are many
DROPPED = 1e-8  # a multiplier this small is a zero of the solver's
SOLVER = {"solver": cvxpy.CLARABEL, "tol_gap_abs": 1e-11, "tol_gap_rel": 1e-11, "tol_feas": 1e-11, "verbose": 0}


def solve(statement: Statement, T: int, wanted: Wanted, slack: float = 0.0) -> tuple[float, list[float], Named]:
    """The worst case under the inequalities of the wanted pairs, and the weights and multipliers of its proof."""
    convex = statement.functions in MUS
    parent: Any = SmoothStronglyConvexFunction if convex else SmoothQuadraticLojasiewiczFunctionCheap
    inequalities: list[tuple[str, str, Any]] = []

    class Chosen(parent):
        def add_class_constraints(self) -> None:
            super().add_class_constraints()
            for c in self.list_of_class_constraints:
                name, i, j = re.findall(r"IC_Function_\d+_(\w+)\((.+), (.+)\)", c.get_name())[0]
                name = NAMES[name]
                if name in CLASSES[statement.functions] and (name != "interpolation" or wanted(i, j)):
                    inequalities.append((name, f"{i} {j}", c))
            self.list_of_class_constraints[:] = [c for _, _, c in inequalities]

    problem, points = PEP(), statement.points(T)
    f = problem.declare_function(Chosen, mu=MUS.get(statement.functions, MU), L=L)
    w_star, f_star = f.stationary_point(name="*"), f.list_of_points[0][2]
    b, values = [problem.set_initial_point() - w_star], []
    for t in range(T + 1):
        w = sum((float(c) * v for c, v in zip(points[str(t)].w, b, strict=False)), w_star)
        w.set_name(str(t))
        g, value = f.oracle(w)
        b.append(g)
        values.append(value - f_star)

    def translated(quantity: Array) -> Any:
        Q = quantity[T + 1 :].reshape(T + 2, T + 2)
        linear = [float(c) * value for c, value in zip(quantity, values, strict=False) if c]
        return sum(linear + [float(Q[k, l]) * (b[k] * b[l]) for k, l in np.argwhere(Q)])

    worst, initial = Expression(), translated(statement.initial(points)) <= 1
    bounded = b if convex else b[1:]
    measured = [worst <= translated(m) + slack * sum(v * v for v in bounded) for m in statement.measured(points)]
    for constraint in (initial, *measured):
        problem.add_constraint(constraint)
    problem.set_performance_metric(worst)
    problem.solve(**SOLVER)
    return (
        initial.eval_dual(),
        [m.eval_dual() for m in measured],
        {(name, pair): c.eval_dual() for name, pair, c in inequalities},
    )


def balanced(statement: Statement, T: int, rate: float, weights: list[float], named: Named) -> dict[str, Any]:
    """The proof with its weights and multipliers moved, by next to nothing, to where the linear part is zero."""
    points = statement.points(T)
    inequality = CLASSES[statement.functions]
    named = {key: multiplier for key, multiplier in named.items() if multiplier > DROPPED}
    quantities = [
        *statement.measured(points),
        *(inequality[name](*(points[label] for label in pair.split())) for name, pair in named),
    ]
    x = np.array([*weights, *named.values()])
    A = np.vstack([np.array(quantities).T[: T + 1], np.arange(len(x)) < len(weights)])
    off = A @ x - [*rate * statement.initial(points)[: T + 1], 1]
    x = np.round(x - np.linalg.lstsq(A, off)[0], 14)
    multipliers: dict[str, dict[str, float]] = {name: {} for name, _ in named}
    for (name, pair), multiplier in zip(named, x[len(weights) :].tolist(), strict=True):
        multipliers[name][pair] = multiplier
    return {"T": T, "rate": rate, "weights": x[: len(weights)].tolist(), "multipliers": multipliers}


def certificate(statement: Statement, T: int) -> dict[str, Any]:
    """A proof of the worst case with few inequalities. RuntimeError if none is found that ``verify`` accepts."""
    worst = solve(statement, T, lambda i, j: True)[0]
    for wanted in PAIRS:
        found = balanced(statement, T, *solve(statement, T, wanted, SLACK))
        proof = statement.prove(**found)
        if abs(found["rate"] / worst - 1) <= CLOSE and proof.holds:
            return found
    raise RuntimeError(f"{statement.id}, T = {T}: worst case {worst}, but found {found['rate']} with {proof}")


def main() -> None:
    """Write the data file."""
    lines = []
    for statement in tqdm(STATEMENTS.values()):
        rows = [json.dumps(certificate(statement, T)) for T in HORIZONS]
        lines.append(f'"{statement.id}": [\n' + ",\n".join(rows) + "\n]")
    made_with = {name: version(name) for name in ("PEPit", "cvxpy", "clarabel", "numpy")}
    header = json.dumps({"made with": made_with, "L": L, "mu": MU})[1:-1]
    FILE.write_text("{" + header + ",\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
