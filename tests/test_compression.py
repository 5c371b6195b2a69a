"""Compressed gradients: what is unbiased is so by enumeration, what is biased is seen to be, bounds are exact."""

import itertools
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit import descend
from coursekit.distributed import Compressed, quantized, random_k, top_k
from coursekit.problems import Quadratic
from coursekit.rules import gradient_descent
from tests.habits import no_waiting

pytestmark = pytest.mark.usefixtures("device")

f64 = torch.float64
G = torch.tensor([3.0, -4.0, 0.5, 0.0, 1.0], dtype=f64)
MANY = 40_000


def samples(compressor) -> torch.Tensor:
    return compressor(G.expand(MANY, -1), torch.Generator(G.device).manual_seed(0))


def assert_mean(x: torch.Tensor, mean: torch.Tensor) -> None:
    """Within 4.5 standard errors, and exactly where nothing varies."""
    error = x.std(0) / MANY**0.5
    assert bool(((x.mean(0) - mean).abs() <= 4.5 * error + 1e-12).all())


def test_top_k() -> None:
    assert top_k(G, k=2).tolist() == [3, -4, 0, 0, 0]
    batch = torch.stack([G, G.flip(0)])
    assert torch.equal(top_k(batch, k=2), torch.stack([top_k(G, k=2), top_k(G.flip(0), k=2)]))
    assert (top_k(G, k=2) - G).norm() ** 2 <= (1 - 2 / 5) * G.norm() ** 2


def test_random_k_is_unbiased_by_enumeration() -> None:
    x = samples(partial(random_k, k=2))
    every = {tuple(row) for row in x.tolist()}
    pairs = [
        [v * 2.5 if i in chosen else 0.0 for i, v in enumerate(G.tolist())]
        for chosen in itertools.combinations(range(5), 2)
    ]
    assert every == {tuple(row) for row in pairs}  # all ten, and no other
    table = torch.tensor(pairs, dtype=f64)
    torch.testing.assert_close(table.mean(0), G)
    torch.testing.assert_close(((table - G) ** 2).sum(-1).mean(), (5 / 2 - 1) * G.norm() ** 2)
    assert_mean(x, G)  # and they come equally often


@pytest.mark.parametrize("levels", [1, 3, 100])
def test_quantized_is_unbiased_and_within_its_bound(levels: int) -> None:
    x = samples(partial(quantized, levels=levels))
    place = x / G.norm() * levels
    torch.testing.assert_close(place, place.round(), rtol=0, atol=1e-9)
    assert bool(((place - G / G.norm() * levels).abs() < 1).all())
    assert_mean(x, G)
    # Of two neighbours p apart from the lower one, the variance is p (1 - p), exactly.
    p = (levels * G.abs() / G.norm()) % 1
    exact = (p * (1 - p)).sum() * (G.norm() / levels) ** 2
    measured = ((x - G) ** 2).sum(-1)
    assert_mean(measured[:, None], exact)
    assert exact <= min(5 / levels**2, 5**0.5 / levels) * G.norm() ** 2


def test_a_bias_would_be_seen() -> None:
    for biased in (
        lambda g, generator: top_k(g, k=2),
        lambda g, generator: random_k(g, generator, k=2) * 2 / 5,  # the factor dim/k forgotten
        lambda g, generator: (3 * g / G.norm()).trunc() * G.norm() / 3,  # always the lower level
    ):
        with pytest.raises(AssertionError):
            assert_mean(samples(biased), G)


@settings(deadline=None, derandomize=True)
@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=6), st.integers(1, 6))
def test_sizes(g: list[float], k: int) -> None:
    vector, draw = torch.tensor(g, dtype=f64), torch.Generator(G.device).manual_seed(0)
    k = min(k, len(g))
    assert int((top_k(vector, k=k) != 0).sum()) <= k
    assert int((random_k(vector, draw, k=k) != 0).sum()) <= k
    assert bool(quantized(vector, draw, levels=k).isfinite().all())
    assert torch.equal(top_k(vector, k=len(g)), vector)
    torch.testing.assert_close(random_k(vector, draw, k=len(g)), vector)


BOWL = Quadratic(torch.tensor([1.0, 1.5, 2.0], dtype=f64), w_star=torch.tensor([1.0, 2.0, 3.0], dtype=f64))


class Shared(Compressed):
    """Two workers with gradients g + a and g - a, each compressed by itself: what a server receives on average."""

    def alter(self, g: torch.Tensor) -> torch.Tensor:
        a = torch.tensor([[10.0, 0.0, 0.0], [-10.0, 0.0, 0.0]], dtype=f64)
        return super().alter(g + a).mean(0)


def end(oracle, steps: int = 1500) -> torch.Tensor:
    return descend(oracle, gradient_descent, torch.zeros(3, dtype=f64), steps, eta=0.01, record=("w",)).w[-1]


def test_top_1_of_two_workers_never_arrives_and_error_feedback_does() -> None:
    """Each worker sends its large first entry only, and both cancel: the bias does not average out."""
    greedy = partial(top_k, k=1)
    plain = end(Shared(BOWL, greedy))
    assert BOWL.value(plain) > 5
    repaired = end(Shared(BOWL, greedy, feedback=True))
    assert BOWL.value(repaired) < 0.05


def test_unbiased_compression_converges_and_counts_as_one_gradient() -> None:
    """The noise is as long as the gradient, so it dies out at the minimum: no floor."""
    for compressor in (partial(random_k, k=1), partial(quantized, levels=1)):
        run = descend(Compressed(BOWL, compressor), gradient_descent, torch.zeros(8, 3, dtype=f64), 400, eta=0.1)
        assert run.f[-1].max() < 1e-6 * run.f[0].max()
        assert run.calls.gradients == 401


def test_compression_waits_for_no_device() -> None:
    for compressor in (partial(top_k, k=1), partial(random_k, k=1), partial(quantized, levels=2)):
        oracle, w = Compressed(BOWL, compressor, feedback=True), torch.zeros(4, 3, dtype=f64)
        with no_waiting():
            for _ in range(2):
                oracle.value_and_grad(w)


def test_each_run_starts_afresh() -> None:
    oracle = Compressed(BOWL, partial(quantized, levels=3), feedback=True)
    assert torch.equal(end(oracle, 50), end(oracle, 50))


def test_values_and_curvature_are_the_problems_own() -> None:
    oracle, w = Compressed(BOWL, partial(top_k, k=1)), torch.ones(3, dtype=f64)
    assert oracle.value(w) == BOWL.value(w)
    assert torch.equal(oracle.hvp(w, w), BOWL.hvp(w, w))


def test_bad_settings_are_refused() -> None:
    draw = torch.Generator()
    for call in (lambda: top_k(G, k=6), lambda: random_k(G, draw, k=6)):
        with pytest.raises(ValueError, match=r"k must lie in \[1, 5\], got 6"):
            call()
    with pytest.raises(ValueError, match="levels must be at least 1, got 0"):
        quantized(G, draw, levels=0)
