from .adagrad import adagrad_diagonal, adagrad_norm_exact, adagrad_norm_noise
from .amgt import amgt_exact, amgt_inexact, amgt_nonconvex, amgt_shifted, chung_lemma
from .catalog import THEOREMS, by_id
from .certificate import Certificate, certify
from .convex import gd_convex, gd_convex_exact, gd_strongly_convex, gd_strongly_convex_values, gg_proposition_1
from .descent_lemma import descent_lemma
from .inexact import inexact_gradient, inexact_gradient_pl
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
from .networks import negative_curvature, quadratic_activation, wide_networks
from .newton import affine_invariance, newton_quadratic_rate
from .noise import example_variance, second_moment, variance
from .nonconvex import gd_nonconvex, gd_nonconvex_sharp, tdl_theorem_461
from .online import amsgrad_regret
from .polyak_lojasiewicz import gd_pl, pl_ball, pl_theorem_1
from .quadratics import gd_by_mode, optimal_fixed_step
from .quasi_newton import bfgs_secant, bfgs_terminates
from .saddles import saddle_escape_probability, saddle_escape_time
from .sam import asam_invariance, sam_first_order, sam_maximizer, swp_unbiased
from .sampling import minibatch_variance, minibatch_variance_without
from .sgd import (
    sgd_batch_size,
    sgd_decaying,
    sgd_nonconvex,
    sgd_nonconvex_tuned,
    sgd_second_moment,
    tdl_theorem_462,
)
from .sgd_convex import (
    sgd_convex_averaged,
    sgd_convex_smooth,
    sgd_noise_floor,
    sgd_noise_floor_quadratic,
    sgd_pl_decaying,
    sgd_strongly_convex,
)
from .smoothness import (
    cocoercivity,
    gradient_below_gap,
    quadratic_upper_bound,
    smoothness_equivalences,
    strong_convexity_implies,
)
from .steepest import dual_exponent, steepest_direction, steepest_step
from .taylor import first_order_remainder, second_order_remainder
from .theorem import Assumption, Points, Rate, Sequence, Sharp, Sides, Theorem
from .worst_cases import CubicWell, Zigzag

__all__ = [
    "THEOREMS",
    "Assumption",
    "Certificate",
    "CubicWell",
    "Points",
    "Rate",
    "Sequence",
    "Sharp",
    "Sides",
    "Theorem",
    "Zigzag",
    "adagrad_diagonal",
    "adagrad_norm_exact",
    "adagrad_norm_noise",
    "affine_invariance",
    "amgt_exact",
    "amgt_inexact",
    "amgt_nonconvex",
    "amgt_shifted",
    "amsgrad_regret",
    "armijo_line_search",
    "asam_invariance",
    "bfgs_secant",
    "bfgs_terminates",
    "by_id",
    "certify",
    "chung_lemma",
    "cocoercivity",
    "descent_lemma",
    "dual_exponent",
    "exact_line_search",
    "example_variance",
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
    "inexact_gradient",
    "inexact_gradient_pl",
    "minibatch_variance",
    "minibatch_variance_without",
    "negative_curvature",
    "nesterov_convex",
    "nesterov_optimal",
    "nesterov_parameters",
    "nesterov_stability",
    "newton_quadratic_rate",
    "optimal_fixed_step",
    "pl_ball",
    "pl_theorem_1",
    "polyak_parameters",
    "quadratic_activation",
    "quadratic_upper_bound",
    "saddle_escape_probability",
    "saddle_escape_time",
    "sam_first_order",
    "sam_maximizer",
    "second_moment",
    "second_order_remainder",
    "sgd_batch_size",
    "sgd_convex_averaged",
    "sgd_convex_smooth",
    "sgd_decaying",
    "sgd_noise_floor",
    "sgd_noise_floor_quadratic",
    "sgd_nonconvex",
    "sgd_nonconvex_tuned",
    "sgd_pl_decaying",
    "sgd_second_moment",
    "sgd_strongly_convex",
    "smoothness_equivalences",
    "steepest_direction",
    "steepest_step",
    "strong_convexity_implies",
    "swp_unbiased",
    "tdl_theorem_461",
    "tdl_theorem_462",
    "variance",
    "wide_networks",
]
