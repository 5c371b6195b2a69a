"""Theorems about functions, on real data, at their edges, and where they are attained."""

import math

import pytest
import torch
from scipy.optimize import linprog

from coursekit import data
from coursekit.methods import damped_newton, minimize
from coursekit.problems import Huber, LogisticRegression, PLSine, Quadratic, Rosenbrock, Softplus
from coursekit.theory import (
    CubicWell,
    Points,
    Theorem,
    by_id,
    certify,
    cocoercivity,
    dual_exponent,
    first_order_remainder,
    gradient_below_gap,
    quadratic_upper_bound,
    second_order_remainder,
    smoothness_equivalences,
    steepest_direction,
    steepest_step,
    strong_convexity_implies,
)

from .broken import f64, point
from .broken_functions import from_zero, pairs

X, y = data.breast_cancer()
cancer = LogisticRegression(X, y, ridge=0.01)
solved = minimize(cancer, damped_newton(), torch.zeros(cancer.dim, dtype=f64), 50, stop=None)
minimum = {"f_star": float(solved.f[-1]), "w_star": solved.w[-1]}
# |σ''| ≤ 1/(6√3), so the Hessian of the mean logistic loss changes by at most this much per unit of length.
rho = float((X.norm(dim=1) ** 3).mean() / (6 * math.sqrt(3)))


@pytest.mark.parametrize("size", [1e-3, 1.0, 30.0])
@pytest.mark.parametrize(
    ("theorem", "constants"),
    [
        (first_order_remainder, {}),
        (second_order_remainder, {"rho": rho}),
        (smoothness_equivalences, {}),
        (quadratic_upper_bound, {}),
        (cocoercivity, {}),
        (gradient_below_gap, {"f_star": minimum["f_star"]}),
        (strong_convexity_implies, minimum),
    ],
    ids=lambda value: value.id if isinstance(value, Theorem) else "",
)
def test_holds_on_tumour_records(theorem: Theorem, constants: dict, size: float) -> None:
    certificate = certify(theorem, pairs(cancer, size), **constants)
    assert certificate
    assert certificate.tightness[2] <= 1
    assert "pairs" in str(certificate)


@pytest.mark.parametrize(
    "theorem", [first_order_remainder, smoothness_equivalences, quadratic_upper_bound, gradient_below_gap]
)
def test_attained_on_a_parabola_and_valid_without_convexity(theorem: Theorem) -> None:
    attained = certify(theorem, pairs(Quadratic(point(3.0))))
    assert attained
    assert attained.tightness[2] == pytest.approx(1, abs=1e-12)
    assert certify(theorem, pairs(PLSine(), 5.0))


def test_the_lower_side_is_part_of_smoothness_and_not_of_the_upper_bound() -> None:
    cap = pairs(Quadratic(point(-10.0, 1.0)))
    assert certify(quadratic_upper_bound, cap, L=1.0)  # it never curves up by more than 1
    assert not certify(smoothness_equivalences, cap, L=1.0)
    assert certify(smoothness_equivalences, cap, L=10.0)


@pytest.mark.parametrize("problem", [Huber(), Softplus(), Quadratic(point(2.0)), Quadratic(point(0.0, 2.0))])
def test_cocoercivity_at_its_edges(problem) -> None:
    assert certify(cocoercivity, pairs(problem, 3.0))


def test_strong_convexity_at_mu_equal_to_L_is_attained() -> None:
    certificate = certify(strong_convexity_implies, pairs(Quadratic(point(2.0, 2.0))))
    assert certificate
    assert certificate.tightness == pytest.approx((1, 1, 1), abs=1e-12)


def test_the_second_order_remainder_on_a_cubic_a_quadratic_and_rosenbrock() -> None:
    cubic = certify(second_order_remainder, from_zero(CubicWell(0, 2)), rho=2.0)
    assert cubic.tightness == pytest.approx((1, 1, 1), abs=1e-9)
    assert certify(second_order_remainder, pairs(Quadratic(point(1.0, 10.0))), rho=0.0)
    # Third derivatives of Rosenbrock on |x|, |y| ≤ 3: 24 b x and -4 b, so this bounds the change of the Hessian.
    box = pairs(Rosenbrock(1.0), 0.5)
    assert certify(second_order_remainder, box, rho=24 * 3 + 4 * 3.0)


@pytest.mark.parametrize("p", [1.0, 1.1, 2.0, 4.0, 50.0, math.inf])
def test_the_steepest_step_in_every_norm(p: float) -> None:
    certificate = certify(steepest_direction, pairs(cancer), p=p)
    assert certificate
    assert certificate.tightness[2] == pytest.approx(1, abs=1e-9)  # the second inequality: the step reaches it
    g = cancer.grad(pairs(cancer).w)
    step = steepest_step(g, p, 0.3)
    assert torch.allclose(step.norm(p, dim=-1), torch.tensor(0.3, dtype=f64))
    assert float(steepest_step(torch.zeros(3, dtype=f64), p).norm()) == 0


@pytest.mark.parametrize("p", [1.0, math.inf])
def test_the_steepest_step_against_a_linear_program(p: float) -> None:
    g = torch.tensor([0.3, -2.0, 1.1], dtype=f64)
    if p == 1:  # s = u - v with u, v ≥ 0 and Σ(u + v) ≤ 1
        best = linprog([*g.tolist(), *(-g).tolist()], A_ub=[[1.0] * 6], b_ub=[1.0]).fun
    else:
        best = linprog(g.tolist(), bounds=[(-1, 1)] * 3).fun
    assert float(g @ steepest_step(g, p)) == pytest.approx(best, abs=1e-9)


def test_dual_exponents_and_bad_norms() -> None:
    assert [dual_exponent(p) for p in (1, 2, math.inf)] == [math.inf, 2, 1]
    with pytest.raises(ValueError, match=r"p must lie in \[1, inf\], got 0.5"):
        steepest_step(torch.ones(2), 0.5)


def test_points_are_checked_at_the_door() -> None:
    with pytest.raises(ValueError, match="w must have 2 coordinates"):
        Points(Rosenbrock(), torch.ones(3, 1), torch.ones(3, 1))
    with pytest.raises(ValueError, match=r"w and v must be \(n, ..., dim\)"):
        Points(Rosenbrock(), torch.ones(3, 2), torch.ones(4, 2))
    with pytest.raises(ValueError, match="rho of Rosenbrock is not known"):
        certify(by_id("taylor-second-order"), pairs(Rosenbrock()))
