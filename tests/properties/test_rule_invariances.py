"""What a rule does not see: the scale of the gradient, the choice of axes, its neighbours in a batch."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit import descend, rules
from coursekit.problems import Quadratic
from coursekit.rules import (
    Rule,
    adagrad,
    adagrad_norm,
    adam,
    adam_eps_inside,
    adam_scalar,
    adam_uncorrected,
    amgt,
    amsgrad,
    gradient_descent,
    heavy_ball,
    heavy_ball_difference,
    lion,
    nesterov,
    rmsprop,
    rmsprop_printed,
    rule,
    sign_descent,
)

pytestmark = pytest.mark.usefixtures("device")

F64 = torch.float64
few = settings(max_examples=15, deadline=None, derandomize=True)
ALL = [made for name in rules.__all__ if isinstance(made := getattr(rules, name), Rule)]


def vectors(numbers):
    return st.lists(numbers, min_size=4, max_size=4).map(lambda x: torch.tensor(x, dtype=F64))


spectra = vectors(st.floats(0.5, 10))
starts = vectors(st.one_of(st.floats(-2, -0.1), st.floats(0.1, 2)))


# The controls, which must differ, run from one point that nothing singles out.
LAM, START = torch.tensor([0.7, 2.1, 5.3, 9.4], dtype=F64), torch.tensor([1.3, -0.4, 0.9, -1.7], dtype=F64)


def path(problem: Quadratic, made: Rule, start: torch.Tensor, **hyper) -> torch.Tensor:
    return descend(problem, made, start, 30, record=("w",), **{"eta": 0.01, **hyper}).w


def hyper_of(made: Rule, **wanted) -> dict:
    return {name: value for name, value in wanted.items() if name in made.defaults}


BLIND = [
    adam, amsgrad, adam_uncorrected, adam_eps_inside, adam_scalar, adagrad, adagrad_norm, rmsprop, rmsprop_printed,
    sign_descent, lion,
]  # fmt: skip


# A power of two scales every product, sum and root without rounding: the paths must be equal, bit for bit.
@pytest.mark.parametrize("made", BLIND, ids=lambda r: r.name)
@given(spectra, starts, st.integers(-20, 20))
@few
def test_the_scale_of_the_gradient_is_not_seen_at_eps_zero(made, lam, start, k):
    hyper = hyper_of(made, eps=0.0)
    small, large = (path(Quadratic(c * lam), made, start, **hyper) for c in (1.0, 2.0**k))
    assert torch.equal(small, large)


@pytest.mark.parametrize(
    ("made", "hyper"),
    [(r, {"eps": 0.1}) for r in BLIND if "eps" in r.defaults]
    + [(gradient_descent, {}), (heavy_ball, {}), (nesterov, {}), (amgt, {"eps": 0.0})],
    ids=lambda x: x.name if isinstance(x, Rule) else "",
)
@pytest.mark.parametrize("k", [-3, 3])
def test_it_is_seen_with_eps_without_scaling_and_by_a_variance(made, hyper, k):
    small, large = (path(Quadratic(c * LAM), made, START, **hyper) for c in (1.0, 2.0**k))
    assert (small - large).abs().max() > 1e-5


@given(spectra, starts, st.integers(-20, 20))
@few
def test_adagrad_does_not_see_the_scale_of_one_coordinate(lam, start, k):  # GG-6.1-fair
    one, other = (path(Quadratic(c), adagrad, start, eps=0.0) for c in (lam, first_times(2.0**k, lam)))
    assert torch.equal(one, other)


def test_adagrad_norm_does():
    one, other = (path(Quadratic(c), adagrad_norm, START, eps=0.0) for c in (LAM, first_times(8.0, LAM)))
    assert (one - other).abs().max() > 1e-3


def first_times(factor, lam):
    return torch.cat([factor * lam[:1], lam[1:]])


TURNS = [
    gradient_descent, heavy_ball, heavy_ball_difference, nesterov, adagrad_norm, rmsprop_printed, adam_scalar
]  # fmt: skip
STAYS = [adagrad, rmsprop, adam, amsgrad, sign_descent, lion, amgt]


def turning_gap(made, lam, start, seed):
    """The distance between the turned path on f and the path on the turned f."""
    basis = torch.linalg.qr(torch.randn(4, 4, generator=torch.Generator().manual_seed(seed), dtype=F64)).Q
    hyper = hyper_of(made, eps=1e-3)
    straight = path(Quadratic(lam), made, start, **hyper)
    turned = path(Quadratic(lam, basis=basis), made, basis @ start, **hyper)
    return float((straight @ basis.T - turned).abs().max())


@pytest.mark.parametrize("made", TURNS, ids=lambda r: r.name)
@given(spectra, starts, st.integers(0, 1000))
@few
def test_rules_with_one_step_for_all_coordinates_turn_with_the_axes(made, lam, start, seed):
    assert turning_gap(made, lam, start, seed) < 1e-12


@pytest.mark.parametrize("made", STAYS, ids=lambda r: r.name)
def test_rules_with_a_step_for_each_do_not(made):
    assert turning_gap(made, LAM, START, 0) > 1e-3


@given(spectra, starts, st.floats(1e-4, 0.5), st.floats(0, 0.99))
@few
def test_both_forms_of_heavy_ball_are_one_method(lam, start, eta, beta):
    one, other = (
        path(Quadratic(lam), made, start, eta=eta, beta=beta) for made in (heavy_ball, heavy_ball_difference)
    )
    torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9 * float(one.abs().max()))


def test_a_slightly_other_beta_is_another_method():
    one, other = (path(Quadratic(LAM), heavy_ball, START, beta=beta) for beta in (0.9, 0.9001))
    assert (one - other).abs().max() > 1e-6


def batch_gap(made, lam, several, etas):
    problem = Quadratic(lam)
    together = path(problem, made, several, eta=etas)
    alone = [path(problem, made, w, eta=float(e)) for w, e in zip(several, etas, strict=True)]
    return float((together - torch.stack(alone, 1)).abs().nan_to_num().max())


@pytest.mark.parametrize("made", ALL, ids=lambda r: r.name)
@given(spectra, st.lists(starts, min_size=3, max_size=3).map(torch.stack), vectors(st.floats(1e-3, 0.05)))
@few
def test_a_batch_runs_as_its_members_do_alone(made, lam, several, etas):
    assert batch_gap(made, lam, several, etas[:3]) < 1e-12


def test_a_rule_that_looks_at_its_neighbours_would_be_seen():
    @rule(eta=0.1)
    def leaky(w, g, state, scalars, h):
        return -h.eta * g / (1 + g.abs().mean()), ()

    assert batch_gap(leaky, LAM, torch.stack([START, 2 * START]), torch.tensor([0.01, 0.02], dtype=F64)) > 1e-3
