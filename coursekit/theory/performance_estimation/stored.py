"""The stored worst cases: their proofs, checked anew, and how loose the textbook's bounds are against them."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import torch

from ...descend import descend
from ...problems import Quadratic
from ..convex import gd_convex, gd_convex_exact, gd_strongly_convex, gd_strongly_convex_values, gg_proposition_1
from ..momentum import nesterov_convex
from ..nonconvex import gd_nonconvex, gd_nonconvex_sharp, tdl_theorem_461
from ..polyak_lojasiewicz import gd_pl, pl_theorem_1
from ..theorem import Evidence, Theorem
from .statements import MU, STATEMENTS, L, Statement
from .verify import Proof, evaluate

FILE = Path(__file__).with_name("certificates.json")
HORIZONS = range(1, 11)


class WorstCase(NamedTuple):
    """After T steps: the rate that is proved, whether it is the exact worst case, and the textbook's rate.

    A rate is rounded up, by less than a millionth, so that the rounding of its proof cannot matter.
    """

    T: int
    rate: float
    exact: bool
    textbook: float

    @property
    def loose(self) -> float:
        """How many times the textbook's constant is too large; if the rate is not exact, at least that many."""
        return self.textbook / self.rate


def stored(statement: str, T: int) -> dict[str, Any]:
    """The rate of a statement after T steps, its weights and its multipliers. ValueError lists what there is."""
    _check("statement", statement, STATEMENTS)
    _check("T", T, HORIZONS)
    certificate: dict[str, Any] = _data()[statement][T - 1]
    return certificate


def prove(statement: str, T: int) -> Proof:
    """Check the stored proof of a statement, with numpy alone. Errors as in :func:`stored`."""
    certificate = stored(statement, T)
    return STATEMENTS[statement].prove(**certificate)


def worst_case(id: str, T: int, eta: float | None = None) -> WorstCase:
    """The worst case of a theorem, by its id, after T steps of size eta; L = 1 and μ = 0.1.

    The step is 1/L unless given, and 1/(2L) for ``heavy-ball-strongly-convex``. Where a theorem bounds a
    distance, the rates are of its square. ValueError lists what there is.
    """
    _check("id", id, _BOUNDS)
    about, textbook = _BOUNDS[id]
    by_eta = {STATEMENTS[name].eta: STATEMENTS[name] for name in about}
    eta = next(iter(by_eta)) if eta is None else eta
    _check("eta", eta, by_eta)
    statement = by_eta[eta]
    return WorstCase(T, stored(statement.id, T)["rate"], statement.exact, textbook(statement, T))


def worst_cases(id: str, eta: float | None = None) -> list[WorstCase]:
    """:func:`worst_case` for every horizon that is stored."""
    return [worst_case(id, T, eta) for T in HORIZONS]


@cache
def _data() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(FILE.read_text())
    return data


def _check(name: str, given: Any, allowed: Collection[Any]) -> None:
    if given not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(str, allowed))}, got {given!r}")


AsRate = Callable[[float, float, Evidence], float]


def _promised(theorem: Theorem, as_rate: AsRate, statement: Statement, T: int) -> float:
    """What the theorem object promises on some run, as a rate of the statement."""
    bowl = Quadratic(torch.tensor([MU, L], dtype=torch.float64))
    start = torch.ones(2, dtype=torch.float64)
    h = {name: getattr(statement, name) for name in statement.rule.defaults}
    run = descend(bowl, statement.rule, start, T, record=("w", "f", "grad_norm"), **h)
    known = {"L": L, "mu": MU, "pl": MU, "f_star": 0.0, "w_star": torch.zeros_like(start)}
    right = float(theorem.sides(run, known).right[-1])
    b = torch.cat([run.w[:1], bowl.grad(run.w)])
    return as_rate(right, evaluate(statement.initial(statement.points(T)), run.f.numpy(), b.numpy()), run)


def _share(right: float, initial: float, run: Evidence) -> float:
    return right / initial


def _square(right: float, initial: float, run: Evidence) -> float:
    return right**2 / initial


def _share_of_range(right: float, initial: float, run: Evidence) -> float:
    """If |f| ≤ M, it falls by at most 2M."""
    return right / float(2 * run.f.abs().max())


# Which statements a bound is about, and its rate.
_BOUNDS: dict[str, tuple[tuple[str, ...], Callable[[Statement, int], float]]] = {
    theorem.id: (statements, partial(_promised, theorem, as_rate))
    for theorem, statements, as_rate in (
        (gd_convex, ("gd-convex",), _share),
        (gd_convex_exact, ("gd-convex",), _share),
        (gg_proposition_1, ("gd-convex",), _share),
        (gd_strongly_convex, ("gd-distance", "gd-distance-best-step"), _square),
        (gd_strongly_convex_values, ("gd-values", "gd-values-best-step"), _share),
        (gd_nonconvex, ("gd-gradients",), _share),
        (gd_nonconvex_sharp, ("gd-gradients-above-minimum",), _share),
        (tdl_theorem_461, ("gd-gradients",), _share_of_range),
        (gd_pl, ("gd-pl",), _share),
        (pl_theorem_1, ("gd-pl",), _share),
        (nesterov_convex, ("nesterov-convex",), _share),
    )
} | {
    # No theorem of the book; Ghadimi, Feyzmahdavian and Johansson 2015, theorem 4.
    "heavy-ball-strongly-convex": (("heavy-ball-strongly-convex",), lambda s, T: float((1 - s.eta * MU) ** T)),
}
