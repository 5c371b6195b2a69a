"""The rates of gradient descent: real data, edges, worst cases, and the published exact values."""

from dataclasses import replace

import pytest
import torch

from coursekit import data, descend, schedules
from coursekit.curvature import smoothness_along
from coursekit.methods import armijo, gradient_descent_with, minimize
from coursekit.problems import LeastSquares, PLSine, Problem, Quadratic, tanh_network
from coursekit.rules import gradient_descent
from coursekit.theory import (
    Theorem,
    Zigzag,
    certify,
    descent_lemma,
    gd_by_mode,
    gd_convex,
    gd_convex_exact,
    gd_nonconvex,
    gd_nonconvex_sharp,
    gd_pl,
    gd_strongly_convex,
    gd_strongly_convex_values,
    gg_proposition_1,
    optimal_fixed_step,
    pl_ball,
    pl_theorem_1,
    tdl_theorem_461,
)

from .broken import f64, point
from .broken_rates import Shifted, gd, huber
from .test_functions import cancer, minimum

patients = LeastSquares(*data.diabetes())
everywhere = torch.linspace(-9, 9, 181, dtype=f64)[:, None]
EVERY = (gd_nonconvex, gd_nonconvex_sharp, tdl_theorem_461, gd_convex, gd_convex_exact, gg_proposition_1,
         gd_strongly_convex, gd_strongly_convex_values, gd_pl, pl_theorem_1)  # fmt: skip
UP_TO_ONE = (gd_nonconvex_sharp, gd_convex, gd_convex_exact, pl_theorem_1)
AT_ONE = (tdl_theorem_461, gg_proposition_1)
BELOW_TWO = (gd_nonconvex, gd_strongly_convex, gd_strongly_convex_values, gd_pl)


def known(theorem: Theorem, problem: Problem) -> dict:
    return {k: v for k, v in minimum.items() if k in theorem.constants} if problem is cancer else {}


@pytest.mark.parametrize("problem", [patients, cancer], ids=lambda p: p.name)
@pytest.mark.parametrize("eta_L", [1e-3, 0.5, 1.0, 1.5, 1.999, 2.0])
def test_on_real_data_each_theorem_holds_in_its_range_and_is_refused_outside(
    problem: Problem, eta_L: float
) -> None:
    run = gd(problem, torch.zeros(problem.dim, dtype=f64), 200, eta_L)()
    for theorem in EVERY:
        inside = (
            (theorem in UP_TO_ONE and eta_L <= 1)
            or (theorem in AT_ONE and eta_L == 1)
            or (theorem in BELOW_TWO and eta_L < 2)
        )
        certificate = certify(theorem, run, **known(theorem, problem))
        assert bool(certificate) == inside, certificate
        assert inside or "step" in certificate.refused


@pytest.mark.parametrize("eta_L", [0.1, 1.0])
def test_without_convexity(eta_L: float) -> None:
    run = gd(PLSine(), everywhere, 200, eta_L)()
    for theorem in (gd_nonconvex, gd_nonconvex_sharp, gd_pl, pl_theorem_1, pl_ball):
        assert certify(theorem, run)
    assert "convexity" in certify(gd_convex, run).refused


@pytest.mark.parametrize("eta_L", [1e-3, 0.3, 1.0, 1.7, 1.999])
def test_the_path_under_pl_is_no_longer_than_its_bound(eta_L: float) -> None:
    certificate = certify(pl_ball, gd(Quadratic(point(3.0)), point(2.0), 50, eta_L)())
    assert certificate
    # On a parabola, by hand: one step goes ηL and brings us 1 - |1 - ηL| closer, in units of the distance.
    first = eta_L * (1 - eta_L / 2) / (1 - abs(1 - eta_L))
    assert certificate.tightness[2] == pytest.approx(first, rel=1e-6)


@pytest.mark.parametrize("T", [1, 2, 100])
def test_mu_equal_to_L_and_a_single_step(T: float) -> None:
    for eta_L in (0.3, 1.0, 1.999):
        run = gd(Quadratic(point(3.0, 3.0), w_star=point(5.0, -1.0)), point(1.0, 2.0), T, eta_L)()
        for theorem in BELOW_TWO:
            certificate = certify(theorem, run)
            assert certificate
            if eta_L != 1 and T <= 2:  # at 1/L both sides are zero; in the long run both are rounding
                assert certificate.tightness[2] == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("T", [1, 5, 20, 100])
@pytest.mark.parametrize("eta_L", [0.1, 1.0])
def test_the_worst_cases_attain_the_exact_constants(T: int, eta_L: float) -> None:
    convex = certify(gd_convex_exact, huber(T, eta_L)())
    zigzag = certify(gd_nonconvex_sharp, gd(Zigzag(T, eta_L / 2, L=2.0, G=3.0), point(0.0), T, eta_L)())
    for certificate in (convex, zigzag):
        assert certificate
        assert certificate.tightness[2] == pytest.approx(1, abs=1e-9)


def test_the_zigzag_is_as_smooth_as_it_says() -> None:
    f = Zigzag(4, eta=0.4, L=2.0, G=3.0)
    w = torch.linspace(-8, 2, 20001, dtype=f64)[:, None]
    slopes = f.grad(w)[:, 0].diff() / w[:, 0].diff()
    assert float(slopes.abs().max()) == pytest.approx(2.0, abs=1e-6)
    rises = (f.grad(w)[1:, 0] + f.grad(w)[:-1, 0]) / 2 * w[:, 0].diff()
    assert torch.allclose(f.value(w)[1:] - f.value(w)[0], rises.cumsum(0), atol=1e-6)
    assert float(f.value(w).min()) == pytest.approx(0, abs=1e-6)
    assert float(f.value(f.w_star)) == 0
    with pytest.raises(ValueError, match="eta in"):
        Zigzag(4, eta=0.6, L=2.0)


# Worst cases that performance estimation found (PEPit 0.5.1, CLARABEL), for L = 1, μ = 0.1 and a unit start.
PUBLISHED = {
    gd_convex_exact: {1: 0.16666667, 5: 0.04545455, 10: 0.02380952},
    gd_nonconvex_sharp: {1: 0.8, 5: 0.23529411, 10: 0.125},
    gd_strongly_convex_values: {1: 0.81, 5: 0.34867844, 10: 0.12157665},
}


@pytest.mark.parametrize("theorem", PUBLISHED, ids=lambda t: t.id)
def test_the_exact_constants_are_the_published_worst_cases(theorem: Theorem) -> None:
    for T, worst in PUBLISHED[theorem].items():
        if theorem is gd_strongly_convex_values:
            run = gd(Quadratic(point(0.1, 1.0)), point(1.0, 1.0), T)()
            start = run.f[0]
        else:
            run = gd(Zigzag(T) if theorem is gd_nonconvex_sharp else Quadratic(point(1.0)), point(1.0), T)()
            start = run.f[0] if theorem is gd_nonconvex_sharp else 1.0
        constants = {name: float(getattr(run.problem, name) or 0) for name in ("L", "mu", "f_star")}
        sides = theorem.sides(run, {**constants, "w_star": torch.zeros(1, dtype=f64)})
        assert float(sides.right[-1] / start) == pytest.approx(worst, rel=1e-6)


def test_how_loose_a_constant_is_stands_in_the_certificate() -> None:
    run = huber(20)()
    assert certify(gg_proposition_1, run).loose == pytest.approx(8 + 4 / 20)
    assert "this constant is 8.2 times loose: the exact worst case is LR²/(4T + 2)" in str(
        certify(gg_proposition_1, run)
    )
    assert certify(gd_convex, run).loose == pytest.approx(2 + 1 / 20)
    # PEPit's ratios of 2L/(n + 1) to the exact worst case, at n = 1, 5 and 10, which are n + 1 gradients
    for T, loose in ((1, 1), (2, 1.25), (6, 1.416667), (11, 1.454545)):
        run = gd(PLSine(), point(3.0), T)()
        assert certify(gd_nonconvex, run).loose == pytest.approx(loose, rel=1e-6)
    # PEPit's relaxation for PL at n = 1 and 3, μ/L = 0.1
    for T, worst in ((1, 0.85714286), (3, 0.62973761)):
        run = gd(Quadratic(point(0.1, 1.0)), point(1.0, 1.0), T)()
        assert 0.9**T / certify(gd_pl, run).loose == pytest.approx(worst, rel=1e-7)


def test_tdl_theorem_461_is_attained_by_one_step() -> None:
    certificate = certify(tdl_theorem_461, gd(Shifted(point(3.0)), point(2.0), 1)())
    assert certificate
    assert certificate.tightness[2] == pytest.approx(1, abs=1e-12)
    assert certificate.loose == pytest.approx(1, abs=1e-12)
    assert "this constant" not in str(certificate)


def test_nothing_is_called_once_loose() -> None:
    exact = certify(gd_nonconvex, gd(PLSine(), point(3.0), 1)())
    assert exact.loose == pytest.approx(1, abs=1e-12)
    for loose in (1 - 1e-12, 1.004):
        assert "this constant is sharp to three digits: " in str(replace(exact, loose=loose))
    assert "this constant is 1.01 times loose: " in str(replace(exact, loose=1.006))
    smaller = certify(gd_pl, gd(Quadratic(point(1e-3, 1.0)), point(1.0, 1.0), 1)())
    assert 1 < smaller.loose < 1.001
    assert "this constant" not in str(smaller)
    assert "this constant is at least 1.01 times loose: " in str(replace(smaller, loose=1.006))


def test_a_network_with_the_curvature_of_each_segment() -> None:
    net = tanh_network(*data.digits(100), hidden=[8])
    run = descend(net, gradient_descent, net.start, 40, eta=0.2, record=("w", "f", "grad_norm"))
    assert certify(gd_nonconvex, run, L=smoothness_along(net, run.w, steps=12))


def test_steps_that_change_are_fine_for_the_lemma_and_refused_where_they_must_be_constant() -> None:
    searched = minimize(cancer, gradient_descent_with(armijo), torch.zeros(cancer.dim, dtype=f64), 50)
    eta = 1.5 / float(patients.L)
    start = torch.zeros(10, dtype=f64)
    scheduled = descend(patients, gradient_descent, start, 50, eta=lambda t: eta * schedules.inverse_sqrt(t))
    assert certify(descent_lemma, scheduled)
    assert "step" in certify(gd_nonconvex, scheduled).refused
    assert bool(certify(descent_lemma, searched)) == bool((searched.eta * float(cancer.L) < 2).all())
    with pytest.raises(ValueError, match="constant size"):
        certify(gd_nonconvex, scheduled, waive=["step"])


@pytest.mark.parametrize("eta_L", [0.3, 1.0, 1.9, 2.0, 2.1])
def test_mode_by_mode(eta_L: float) -> None:
    run = gd(patients, torch.ones(10, dtype=f64), 100, eta_L)()
    assert certify(gd_by_mode, run)
    assert certify(optimal_fixed_step, run)
    flat = Quadratic(point(0.0, 0.5, 4.0))
    assert certify(gd_by_mode, gd(flat, torch.ones(3, dtype=f64), 100, eta_L)())


@pytest.mark.parametrize("kappa", [1.0, 10.0, 1e4])
def test_no_step_of_a_grid_beats_the_optimal_one(kappa: float) -> None:
    f = Quadratic(point(1.0, kappa))
    grid = torch.linspace(0.01, 2.2, 200, dtype=f64)
    swept = descend(f, gradient_descent, point(1.0, 1.0), 30, record=("w",), eta=grid / kappa)
    assert certify(optimal_fixed_step, swept)
    best = descend(f, gradient_descent, point(1.0, 1.0), 30, record=("w",), eta=2 / (1 + kappa))
    certificate = certify(optimal_fixed_step, best)
    assert certificate
    if kappa > 1:
        assert certificate.tightness == pytest.approx((1, 1, 1), abs=1e-9)
