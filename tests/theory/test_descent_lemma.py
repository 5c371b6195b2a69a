"""The descent lemma's certificate: holds where it must, at the edges too, and rejects every negative control."""

import pytest
import torch

from coursekit import data, descend
from coursekit.curvature import smoothness_along
from coursekit.problems import LeastSquares, PLSine, Quadratic, tanh_network
from coursekit.rules import gradient_descent, heavy_ball, rule
from coursekit.theory import THEOREMS, by_id, certify, descent_lemma

f64 = torch.float64
bowl = Quadratic(torch.tensor([1.0, 10.0], dtype=f64))
start = torch.tensor([1.0, 1.0], dtype=f64)


@pytest.mark.parametrize("eta_L", [1e-6, 0.5, 1.0, 1.5, 1.999])
@pytest.mark.parametrize("name", ["bowl", "diabetes", "sine"])
def test_holds_over_the_whole_stated_range(name: str, eta_L: float) -> None:
    problem, w = {
        "bowl": (bowl, start),
        "diabetes": (LeastSquares(*data.diabetes()), torch.zeros(10, dtype=f64)),
        "sine": (PLSine(), torch.linspace(-9, 9, 181, dtype=f64)[:, None]),
    }[name]
    run = descend(problem, gradient_descent, w, 200, eta=eta_L / float(problem.L))
    certificate = certify(descent_lemma, run)
    assert certificate
    assert certificate.steps == 200
    assert certificate.tightness[2] <= 1 + 1e-6


def test_holds_on_a_network_with_the_curvature_of_each_segment() -> None:
    net = tanh_network(*data.digits(100), hidden=[8])
    run = descend(net, gradient_descent, net.start, 40, eta=0.2, record=("w", "f", "grad_norm"))
    certificate = certify(descent_lemma, run, L=smoothness_along(net, run.w, steps=12))
    assert certificate
    assert "estimated step by step" in str(certificate)


@pytest.mark.parametrize("eta_L", [0.1, 1.0, 1.9])
def test_attained_on_a_parabola(eta_L: float) -> None:
    parabola = Quadratic(torch.tensor([3.0], dtype=f64))
    run = descend(parabola, gradient_descent, torch.ones(1, dtype=f64), 1, eta=eta_L / 3)
    certificate = certify(descent_lemma, run)
    assert certificate
    assert certificate.tightness == pytest.approx((1, 1, 1), abs=1e-9)


@pytest.mark.parametrize("eta_L", [0.1, 1.0, 1.5, 1.9])
def test_an_L_that_is_ten_percent_too_small_is_rejected_by_measurement(eta_L: float) -> None:
    run = descend(bowl, gradient_descent, start, 50, eta=eta_L / 10)
    certificate = certify(descent_lemma, run, L=9.0)
    assert not certificate
    assert certificate.violated_at == 0
    assert "VIOLATED at step 0" in str(certificate)


@pytest.mark.parametrize("eta_L", [2.0, 2.1, 5.0])
def test_a_step_at_or_past_the_limit_is_refused_by_the_predicate(eta_L: float) -> None:
    run = descend(bowl, gradient_descent, start, 20, eta=eta_L / 10)
    certificate = certify(descent_lemma, run)
    assert not certificate
    assert "0 < η < 2/L" in certificate.refused


def test_past_the_limit_f_rises_exactly_where_the_steep_direction_is_met() -> None:
    starts = torch.tensor([[1.0, 1.0], [1.0, 0.0]], dtype=f64)
    run = descend(bowl, gradient_descent, starts, 60, eta=2.1 / 10)
    assert float(run.f[-1, 0]) > float(run.f[0, 0])
    assert bool((run.f[:, 1].diff() < 0).all())
    assert certify(descent_lemma, run, waive=["step"])  # the inequality itself holds for every step


def test_another_method_is_refused() -> None:
    run = descend(bowl, heavy_ball, start, 20, eta=0.1)
    assert "gradient descent" in certify(descent_lemma, run).refused


def test_a_biased_gradient_is_rejected_by_measurement() -> None:
    @rule(eta=0.1)
    def biased(w, g, state, scalars, h):
        return -h.eta * (g - 0.5), ()

    run = descend(bowl, biased, start, 50, eta=0.1)
    assert not certify(descent_lemma, run, waive=["gradient descent"])


def test_a_run_that_left_the_numbers_is_not_certified() -> None:
    run = descend(bowl, gradient_descent, start, 2000, eta=5.0)
    assert not certify(descent_lemma, run, waive=["step"])


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"waive": ["convexity"]}, "descent-lemma has the assumptions"),
        ({"mu": 1.0}, "descent-lemma has the assumptions"),
    ],
)
def test_bad_questions_are_refused_at_the_door(options: dict, told: str) -> None:
    run = descend(bowl, gradient_descent, start, 1, eta=0.1)
    with pytest.raises(ValueError, match=told):
        certify(descent_lemma, run, **options)


def test_missing_records_and_unknown_constants_are_named() -> None:
    with pytest.raises(ValueError, match=r"the run lacks \['grad_norm'\]"):
        certify(descent_lemma, descend(bowl, gradient_descent, start, 1, record=("f",)))
    net = tanh_network(*data.digits(10), hidden=[1])
    with pytest.raises(ValueError, match="L of Network is not known: give it"):
        certify(descent_lemma, descend(net, gradient_descent, net.start, 1))


def test_the_catalog() -> None:
    assert [by_id(t.id) for t in THEOREMS] == list(THEOREMS)
    with pytest.raises(ValueError, match="id must be one of taylor-first-order"):
        by_id("nothing")
