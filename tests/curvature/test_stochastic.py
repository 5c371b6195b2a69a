"""Trace and diagonal: the exact variance of random signs, and what the interval covers over many seeds."""

import pytest
import torch
from scipy.stats import binomtest, norm, ttest_1samp
from torch import Tensor

from coursekit import data
from coursekit.curvature import Estimate, Operator, diagonal, hessian_of, rademacher, trace
from coursekit.problems import Quadratic, tanh_network

from ..habits import no_waiting

pytestmark = pytest.mark.usefixtures("device")

f64 = torch.float64
SEEDS, PROBES = 4000, 10


def matrix() -> Tensor:
    A = torch.randn(30, 30, generator=torch.manual_seed(0), dtype=f64)
    return A @ A.mT + 20 * torch.diag(torch.arange(30.0, dtype=f64))


def many(A: Tensor, sign: float = 1) -> Estimate:
    """The estimate of one matrix with as many seeds as the batch is long."""
    return trace(Operator(lambda v: sign * v @ A, torch.zeros(SEEDS, 30, dtype=f64)), PROBES)


def coverage_agrees(covered: Tensor, low: float = 0.93, high: float = 0.97) -> bool:
    """Does the frequency's own 99.9 % interval lie in what is allowed about the nominal 0.95?"""
    interval = binomtest(int(covered.sum()), len(covered)).proportion_ci(0.999)
    return low <= interval.low and interval.high <= high


def test_the_interval_covers_as_often_as_it_says() -> None:
    A = matrix()
    found = many(A)
    assert found.samples.shape == (PROBES, SEEDS)
    miss = (found.value - A.trace()).abs()
    assert coverage_agrees(miss <= found.margin())
    # the same check rejects Student's interval of another level, the normal one, and a wrong sign
    assert not coverage_agrees(miss <= found.margin(0.9))
    assert not coverage_agrees(miss <= norm.ppf(0.975) * found.samples.std(0) / PROBES**0.5)
    wrong = many(A, sign=-1)
    assert not coverage_agrees((wrong.value - A.trace()).abs() <= wrong.margin())


def test_the_interval_is_student_s() -> None:
    samples = [1.0, 2.0, 4.0, 9.0]
    low, high = ttest_1samp(samples, 0).confidence_interval(0.9)
    found = Estimate(torch.tensor(samples, dtype=f64))
    assert float(found.value - found.margin(0.9)) == pytest.approx(low)
    assert float(found.value + found.margin(0.9)) == pytest.approx(high)


def test_the_variance_of_a_sample_is_known() -> None:
    A = matrix()
    samples = many(A).samples.flatten()
    exact = 2 * (A.square().sum() - A.diagonal().square().sum())
    spread = ((samples - A.trace()).square() - exact).std() / len(samples) ** 0.5
    error = (samples - A.trace()).square().mean() - exact
    assert float(error.abs()) < 4 * float(spread)
    gaussian = 2 * A.square().sum()  # the variance with normal probes
    assert float((gaussian - exact).abs()) > 40 * float(spread)


def test_a_diagonal_is_exact(device: torch.device) -> None:
    H = hessian_of(Quadratic(torch.tensor([3.0, -1.0, 5.0], device=device)), torch.zeros(3, device=device))
    found = trace(H, 2)
    assert float(found.value) == 7
    assert float(found.margin()) == 0
    assert found.samples.device.type == device.type
    assert diagonal(H.hvp, rademacher(H, 1)).tolist() == [3, -1, 5]
    assert H.calls.hvps == 3


def test_the_diagonal_has_the_errors_it_should() -> None:
    A = matrix()
    H = Operator(lambda v: v @ A, torch.zeros(SEEDS, 30, dtype=f64))
    errors = diagonal(H.hvp, rademacher(H, PROBES)) - A.diagonal()
    deviation = ((A.square().sum(-1) - A.diagonal().square()) / PROBES).sqrt()
    assert float((errors.mean(0) / deviation).abs().max()) < 4 / SEEDS**0.5
    torch.testing.assert_close(errors.std(0), deviation, rtol=0.06, atol=0)


def test_on_a_network() -> None:
    net = tanh_network(*data.digits(30), hidden=[3])
    H = hessian_of(net, net.start)
    with no_waiting():
        found = trace(H, 200)
        rough = diagonal(H.hvp, rademacher(H, 200))
    exact = net.hessian(net.start)
    assert abs(float(found.value - exact.trace())) < 2 * float(found.margin())
    assert float(rough.sum()) == pytest.approx(float(found.value))
    assert "200 probes" in repr(found)
    assert float(torch.corrcoef(torch.stack([rough, exact.diagonal()]))[0, 1]) > 0.8


def test_probes_are_fair_signs_and_follow_the_seed() -> None:
    H = Operator(lambda v: v, torch.zeros(SEEDS, dtype=f64))
    one, two = rademacher(H, 2, seed=3)
    assert bool((one.abs() == 1).all())
    assert abs(float(one.mean())) < 4 / SEEDS**0.5
    assert abs(float((one * two).mean())) < 4 / SEEDS**0.5
    assert torch.equal(next(rademacher(H, 1, seed=3)), one)
    assert not torch.equal(next(rademacher(H, 1, seed=4)), one)


def test_an_interval_needs_two_probes_and_a_level() -> None:
    H = Operator(lambda v: v, torch.zeros(3, dtype=f64))
    with pytest.raises(ValueError, match="at least 2 probes"):
        trace(H, 1).margin()
    with pytest.raises(ValueError, match=r"\(0, 1\), got 95"):
        trace(H, 2).margin(95)
    assert repr(trace(H, 1)) == "3 (1 probe, no interval)"
    assert repr(many(matrix())) == "Estimate of (4000,) values from 10 probes"
