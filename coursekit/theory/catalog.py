"""All theorems, by id, in the order of the book."""

from __future__ import annotations

from .adagrad import adagrad_diagonal, adagrad_norm_exact, adagrad_norm_noise
from .amgt import amgt_exact, amgt_inexact, amgt_nonconvex, amgt_shifted, chung_lemma
from .convex import gd_convex, gd_convex_exact, gd_strongly_convex, gd_strongly_convex_values, gg_proposition_1
from .descent_lemma import descent_lemma
from .inexact import inexact_gradient, inexact_gradient_pl
from .line_search import armijo_line_search, exact_line_search
from .momentum import (
    heavy_ball_optimal,
    heavy_ball_stability,
    nesterov_convex,
    nesterov_optimal,
    nesterov_stability,
)
from .networks import quadratic_activation, wide_networks
from .newton import affine_invariance, newton_quadratic_rate
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
    pl_ball,
    gd_by_mode,
    optimal_fixed_step,
    heavy_ball_stability,
    heavy_ball_optimal,
    nesterov_stability,
    nesterov_optimal,
    nesterov_convex,
    minibatch_variance,
    minibatch_variance_without,
    sgd_nonconvex,
    sgd_nonconvex_tuned,
    sgd_second_moment,
    tdl_theorem_462,
    sgd_decaying,
    amgt_nonconvex,
    sgd_batch_size,
    sgd_noise_floor,
    sgd_noise_floor_quadratic,
    chung_lemma,
    sgd_pl_decaying,
    sgd_strongly_convex,
    sgd_convex_averaged,
    sgd_convex_smooth,
    inexact_gradient,
    inexact_gradient_pl,
    adagrad_norm_exact,
    adagrad_norm_noise,
    adagrad_diagonal,
    amsgrad_regret,
    amgt_exact,
    amgt_shifted,
    amgt_inexact,
    sam_maximizer,
    sam_first_order,
    swp_unbiased,
    asam_invariance,
    saddle_escape_time,
    saddle_escape_probability,
    quadratic_activation,
    wide_networks,
)


def by_id(id: str) -> Theorem:
    """The theorem of that id. ValueError lists the ids there are."""
    for theorem in THEOREMS:
        if theorem.id == id:
            return theorem
    raise ValueError(f"id must be one of {', '.join(t.id for t in THEOREMS)}, got {id!r}")
