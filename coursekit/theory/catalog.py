"""All theorems, by id, in the order of the book."""

from __future__ import annotations

from .convex import gd_convex, gd_convex_exact, gd_strongly_convex, gd_strongly_convex_values, gg_proposition_1
from .descent_lemma import descent_lemma
from .line_search import armijo_line_search, exact_line_search
from .momentum import (
    heavy_ball_optimal,
    heavy_ball_stability,
    nesterov_convex,
    nesterov_optimal,
    nesterov_stability,
)
from .newton import affine_invariance, newton_quadratic_rate
from .nonconvex import gd_nonconvex, gd_nonconvex_sharp, tdl_theorem_461
from .polyak_lojasiewicz import gd_pl, pl_theorem_1
from .quadratics import gd_by_mode, optimal_fixed_step
from .quasi_newton import bfgs_secant, bfgs_terminates
from .smoothness import (
    cocoercivity,
    gradient_below_gap,
    quadratic_upper_bound,
    smoothness_equivalences,
    strong_convexity_implies,
)
from .steepest import steepest_direction
from .taylor import first_order_remainder, second_order_remainder
from .theorem import Theorem

THEOREMS: tuple[Theorem, ...] = (
    first_order_remainder,
    second_order_remainder,
    steepest_direction,
    exact_line_search,
    armijo_line_search,
    newton_quadratic_rate,
    affine_invariance,
    bfgs_secant,
    bfgs_terminates,
    smoothness_equivalences,
    quadratic_upper_bound,
    cocoercivity,
    gradient_below_gap,
    strong_convexity_implies,
    descent_lemma,
    gd_nonconvex,
    gd_nonconvex_sharp,
    tdl_theorem_461,
    gd_convex,
    gd_convex_exact,
    gg_proposition_1,
    gd_strongly_convex,
    gd_strongly_convex_values,
    gd_pl,
    pl_theorem_1,
    gd_by_mode,
    optimal_fixed_step,
    heavy_ball_stability,
    heavy_ball_optimal,
    nesterov_stability,
    nesterov_optimal,
    nesterov_convex,
)


def by_id(id: str) -> Theorem:
    """The theorem of that id. ValueError lists the ids there are."""
    for theorem in THEOREMS:
        if theorem.id == id:
            return theorem
    raise ValueError(f"id must be one of {', '.join(t.id for t in THEOREMS)}, got {id!r}")
