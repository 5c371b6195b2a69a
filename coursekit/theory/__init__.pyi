from .catalog import THEOREMS, by_id
from .certificate import Certificate, certify
from .convex import gd_convex, gd_convex_exact, gd_strongly_convex, gd_strongly_convex_values, gg_proposition_1
from .descent_lemma import descent_lemma
from .line_search import armijo_line_search, exact_line_search
from .momentum import (
    heavy_ball_optimal,
    heavy_ball_stability,
    nesterov_convex,
    nesterov_optimal,
    nesterov_parameters,
    nesterov_stability,
    polyak_parameters,
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
from .steepest import dual_exponent, steepest_direction, steepest_step
from .taylor import first_order_remainder, second_order_remainder
from .theorem import Assumption, Points, Sharp, Sides, Theorem
from .worst_cases import CubicWell, Zigzag

__all__ = [
    "THEOREMS",
    "Assumption",
    "Certificate",
    "CubicWell",
    "Points",
    "Sharp",
    "Sides",
    "Theorem",
    "Zigzag",
    "affine_invariance",
    "armijo_line_search",
    "bfgs_secant",
    "bfgs_terminates",
    "by_id",
    "certify",
    "cocoercivity",
    "descent_lemma",
    "dual_exponent",
    "exact_line_search",
    "first_order_remainder",
    "gd_by_mode",
    "gd_convex",
    "gd_convex_exact",
    "gd_nonconvex",
    "gd_nonconvex_sharp",
    "gd_pl",
    "gd_strongly_convex",
    "gd_strongly_convex_values",
    "gg_proposition_1",
    "gradient_below_gap",
    "heavy_ball_optimal",
    "heavy_ball_stability",
    "nesterov_convex",
    "nesterov_optimal",
    "nesterov_parameters",
    "nesterov_stability",
    "newton_quadratic_rate",
    "optimal_fixed_step",
    "pl_theorem_1",
    "polyak_parameters",
    "quadratic_upper_bound",
    "second_order_remainder",
    "smoothness_equivalences",
    "steepest_direction",
    "steepest_step",
    "strong_convexity_implies",
    "tdl_theorem_461",
]
