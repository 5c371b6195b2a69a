"""What a certificate says beyond "holds": means over seeds and their power, runs that stopped, thinned records."""

import re
from dataclasses import replace

import pytest
import torch

from coursekit import data, descend
from coursekit.claims import load
from coursekit.oracles import AdditiveNoise
from coursekit.plain import plain
from coursekit.problems import LeastSquares, Quadratic
from coursekit.rules import gradient_descent
from coursekit.stopping import gradient_below
from coursekit.theory import (
    THEOREMS,
    Sides,
    Theorem,
    certify,
    descent_lemma,
    gd_convex,
    gd_strongly_convex,
    optimal_fixed_step,
)

from .broken import f64, point

SIGMA, ETA, SEEDS = 0.5, 0.3, 4000


def _exact_second_moment(run, k) -> Sides:
    """SGD on w²/2 with additive noise: E w_t² = q^t w_0² + η²σ² (1 - q^t)/(1 - q) with q = (1-η)²."""
    t = torch.arange(1, run.T + 1, dtype=f64)[:, None]
    q = (1 - ETA) ** 2
    right = q**t * run.w[0, 0] ** 2 + ETA**2 * SIGMA**2 * (1 - q**t) / (1 - q)
    return Sides(left=run.w[1:, :, 0] ** 2, right=right, scale=right, over_seeds=True)


second_moment = Theorem(
    id="second-moment",
    kind="lemma",
    title="Second moment",
    chapter=3,
    statement="",
    source="",
    assumptions=(),
    constants=(),
    needs=("w",),
    sides=_exact_second_moment,
)


def noisy(seeds: int = SEEDS, T: int = 20):
    oracle = AdditiveNoise(Quadratic(point(1.0)), SIGMA)
    return descend(oracle, gradient_descent, torch.ones(seeds, 1, dtype=f64), T, record=("w",), eta=ETA)


def test_a_true_statement_about_a_mean_is_not_refuted_and_says_what_would_be() -> None:
    certificate = certify(second_moment, noisy())
    assert certificate
    assert "not refuted on 20 steps by the mean of 4000 runs" in str(certificate)
    assert f"a bound below {certificate.power:.3f} times this one would be refuted" in str(certificate)
    assert 0.8 < certificate.power < 1


def test_its_power_is_what_it_says() -> None:
    run = noisy()
    power = certify(second_moment, run).power
    for factor, holds in ((power * 1.001, True), (power * 0.999, False)):

        def sides(run, k, factor=factor) -> Sides:
            honest = _exact_second_moment(run, k)
            return replace(honest, right=factor * honest.right)

        assert bool(certify(replace(second_moment, sides=sides), run)) == holds
    assert "REFUTED by the mean of 4000 runs" in str(certify(replace(second_moment, sides=sides), run))


def test_a_true_statement_is_refuted_as_rarely_as_stated() -> None:
    """200 independent experiments of 400 runs: at a risk of 0.001 each, more than 3 false alarms mean a bug."""
    alarms = 0
    for seed in range(200):
        oracle = AdditiveNoise(Quadratic(point(1.0)), SIGMA, seed=seed)
        run = descend(oracle, gradient_descent, torch.ones(400, 1, dtype=f64), 5, record=("w",), eta=ETA)
        alarms += not certify(second_moment, run)
    assert alarms <= 3


def test_a_lower_bound_is_put_above_what_was_measured() -> None:
    run = descend(Quadratic(point(1.0, 4.0)), gradient_descent, point(1.0, 1.0), 3, eta=0.3, record=("w", "f"))
    certificate = certify(optimal_fixed_step, run)
    assert "bound / measured: median" in str(certificate)
    # The factors are 0.7 and -0.2, and the bound's is 3/5.
    assert certificate.tightness == pytest.approx([(6 / 7) ** t for t in (3, 2, 1)], rel=1e-12)
    assert "measured / bound: median" in str(certify(gd_strongly_convex, run))


def test_too_few_seeds_are_no_evidence() -> None:
    with pytest.raises(ValueError, match="at least 100 runs on the batch axis, got 99"):
        certify(second_moment, noisy(99, 1))


def test_a_noisy_oracle_is_not_gradient_descent() -> None:
    assert "gradient descent" in certify(descent_lemma, noisy_records()).refused


def noisy_records():
    oracle = AdditiveNoise(Quadratic(point(1.0)), SIGMA)
    return descend(oracle, gradient_descent, point(1.0), 5, eta=ETA)


def test_a_run_that_stopped_is_judged_up_to_there() -> None:
    patients = LeastSquares(*data.diabetes())
    starts = torch.stack([torch.zeros(10, dtype=f64), patients.w_star + 1e-3])
    run = descend(
        patients, gradient_descent, starts, 300, eta=1 / float(patients.L), stop=gradient_below(1e-2),
        record=("w", "f", "grad_norm"),
    )  # fmt: skip
    assert int(run.stopped.min()) < run.T
    assert certify(descent_lemma, run)  # standing still is no step, so no decrease is owed
    assert certify(gd_strongly_convex, run)


def test_a_thinned_record_is_refused_at_the_door() -> None:
    run = descend(Quadratic(point(1.0)), gradient_descent, point(1.0), 10, record_every=5)
    with pytest.raises(ValueError, match="needs every step; the run recorded only each 5-th"):
        certify(descent_lemma, run)


def test_no_steps_are_no_evidence() -> None:
    run = descend(Quadratic(point(1.0)), gradient_descent, point(1.0), 0, record=("w", "f"), eta=0.5)
    with pytest.raises(ValueError, match="at least one step"):
        certify(gd_convex, run)


def test_a_run_that_leaves_the_numbers_in_its_last_step_is_not_certified() -> None:
    f = Quadratic(point(1.0))
    run = descend(f, gradient_descent, point(1e130), 1, eta=1e30, record=("w", "f", "grad_norm"))
    assert bool(run.f[0].isfinite())
    assert not bool(run.f[1].isfinite())
    assert not certify(descent_lemma, run, waive=["step"])


def test_rounding_near_a_minimizer_away_from_zero_is_no_violation() -> None:
    f = Quadratic(point(3.0, 1.0), w_star=point(5.0, -7.0))
    run = descend(f, gradient_descent, point(1.0, 2.0), 400, record=("w", "f", "grad_norm"), eta=0.5)
    assert certify(descent_lemma, run)


@pytest.mark.parametrize("theorem", THEOREMS, ids=lambda t: t.id)
def test_every_theorem_states_itself_in_full(theorem: Theorem) -> None:
    assert theorem.kind in ("lemma", "theorem", "proposition")
    assert theorem.chapter in range(1, 7)
    assert theorem.statement.count("$$") % 2 == 0
    assert theorem.statement.replace("$$", "").count("$") % 2 == 0
    for assumption in theorem.assumptions:
        assert "\\" not in plain(assumption.text), plain(assumption.text)
    for cell in vars(theorem.rate).values() if theorem.rate else ():
        assert cell.count("$") % 2 == 0
        assert "|" not in cell  # it would end the cell of a table
    claims = re.findall(r"\b(?:KH|TDL|GG|PL|AMGT)-[\w.-]*\w", theorem.source)
    assert set(claims) <= load().keys()
