"""Perturbed gradient descent: when it pushes, how it draws, and that it leaves the saddle where descent stays."""

import math

import pytest
import torch
from scipy import stats
from torch import nn

from coursekit import Trajectory, descend
from coursekit.methods import Perturbed
from coursekit.methods.perturbed import uniform_in_ball
from coursekit.oracles import AdditiveNoise, MiniBatch
from coursekit.problems import DoubleWell, Network, Quadratic
from coursekit.rules import adam, gradient_descent
from tests.habits import no_waiting

pytestmark = pytest.mark.usefixtures("device")

f64 = torch.float64
SADDLE = DoubleWell(tilt=0)  # strict, at the origin; minima -1/4 at (±1, 0)
RUNS = 300


def pushed(problem=SADDLE, radius: float = 0.1, seed: int = 0) -> Perturbed:
    return Perturbed(problem, radius, below=1e-3, wait=50, seed=seed)


@pytest.mark.parametrize("rule", [gradient_descent, adam], ids=lambda r: r.name)
def test_it_leaves_a_strict_saddle_where_the_rule_alone_stays(rule, device) -> None:
    start = torch.tensor([0.0, 1.0], dtype=f64, device=device).expand(RUNS, 2)  # on the way into the saddle
    alone = descend(SADDLE, rule, start, 400, eta=0.1, record=("w", "f"))
    assert bool((alone.w[-1, :, 0] == 0).all())
    perturbed = descend(pushed(), rule, start, 400, eta=0.1, record=("w", "f"))
    assert bool((perturbed.f[-1] < -0.24).all())  # with 300 of 300, a rate below 0.987 has a chance of 2 %
    right = float((perturbed.w[-1, :, 0] > 0).double().mean())
    assert abs(right - 0.5) < 3 * math.sqrt(0.25 / RUNS)  # both minima, equally often
    assert perturbed.calls.gradients == 401


def test_a_push_that_misses_the_way_down_does_not_help() -> None:
    class Sideways(Perturbed):
        def alter(self, g: torch.Tensor) -> torch.Tensor:
            return super().alter(g) * torch.tensor([0.0, 1.0], dtype=f64)

    run = descend(
        Sideways(SADDLE, 0.1, below=1e-3, wait=50), gradient_descent, torch.zeros(RUNS, 2, dtype=f64), 400
    )
    assert bool((run.f[-1] > -1e-3).all())


def test_it_breaks_a_symmetry_that_every_example_shares() -> None:
    """Hidden units that start alike stay alike, in gradient descent and with the noise of mini-batches too."""
    draw = torch.Generator().manual_seed(0)
    X = torch.randn(40, 3, generator=draw, dtype=f64)
    module = nn.Sequential(nn.Linear(3, 4, bias=False), nn.Tanh(), nn.Linear(4, 1, bias=False)).double()
    network = Network(module, X, (X[:, :1] * X[:, 1:2]).sin() + X[:, 2:], nn.functional.mse_loss)

    def run(oracle) -> Trajectory:
        start = torch.full((5, network.dim), 0.5, dtype=f64)
        return descend(oracle, gradient_descent, start, 600, eta=0.2, record=("w", "f"), record_every=600)

    def unlike(run: Trajectory) -> torch.Tensor:
        return run.w[-1, :, :12].reshape(5, 4, 3).std(1).norm(dim=-1)

    alone, batches = run(network), run(MiniBatch(network, 8))
    assert unlike(alone).max() < 1e-12
    assert unlike(batches).max() < 1e-12
    assert (batches.w[-1] - alone.w[-1]).abs().max() > 1e-3  # noise there is
    perturbed = run(Perturbed(network, 0.1, below=0.02, wait=50))
    assert unlike(perturbed).min() > 0.1
    assert bool((perturbed.f[-1] < 0.8 * alone.f[-1]).all())


def test_it_pushes_where_the_gradient_is_small_and_then_waits() -> None:
    flat = Quadratic(torch.zeros(3, dtype=f64))
    run = descend(
        Perturbed(flat, 0.5, below=0.0, wait=4), gradient_descent, torch.ones(2, 3, dtype=f64), 12, record=("g",)
    )
    assert [t for t in range(13) if bool((run.g[t] != 0).all())] == [0, 5, 10]
    assert bool((run.g.norm(dim=-1) <= 0.5).all())
    steep = descend(pushed(), gradient_descent, torch.ones(2, dtype=f64) / 2, 3, record=("w",), eta=0.1)
    exact = descend(SADDLE, gradient_descent, torch.ones(2, dtype=f64) / 2, 3, record=("w",), eta=0.1)
    assert torch.equal(steep.w, exact.w)


def test_runs_of_a_batch_wait_each_for_itself() -> None:
    problem = Quadratic(torch.tensor([1.0], dtype=f64))
    start = torch.tensor([[1.0], [1e-9]], dtype=f64)
    run = descend(
        Perturbed(problem, 0.1, below=1e-6, wait=99), gradient_descent, start, 40, eta=0.5, record=("w", "g")
    )
    noise = run.g - run.w
    first = [int(noise[:, i].abs().argmax()) for i in (0, 1)]
    assert first == [20, 0]  # 2⁻²⁰ is the first power below 1e-6


@pytest.mark.parametrize("dim", [1, 2, 5])
def test_the_push_is_uniform_in_the_ball(dim: int, device: torch.device) -> None:
    draw = torch.Generator(device).manual_seed(1)
    xi = uniform_in_ball(torch.empty(4000, dim, dtype=f64), draw).cpu()
    r = xi.norm(dim=-1)
    assert stats.kstest(r**dim, "uniform").pvalue > 1e-3
    assert stats.kstest(r ** (dim + 1), "uniform").pvalue < 1e-3  # another law would be seen
    # Archimedes: each coordinate of a uniform direction has (x + 1)/2 ~ Beta((d - 1)/2, (d - 1)/2).
    if dim > 1:
        x = (xi[:, 0] / r + 1) / 2
        assert stats.kstest(x, stats.beta((dim - 1) / 2, (dim - 1) / 2).cdf).pvalue > 1e-3


def test_a_push_waits_for_no_device() -> None:
    oracle, w = pushed(), torch.zeros(5, 2, dtype=f64)
    with no_waiting():
        for _ in range(3):
            oracle.value_and_grad(w)


def test_the_same_seed_gives_the_same_run() -> None:
    start = torch.zeros(2, dtype=f64)
    one, two = pushed(), pushed(seed=1)
    runs = [descend(oracle, gradient_descent, start, 60, record=("w",)).w for oracle in (one, one, two)]
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])
    answers = [one.value_and_grad(start)[1] for _ in range(2)] + [one.fresh().value_and_grad(start)[1]]
    assert torch.equal(answers[0], answers[2])  # pushed again at once, where the used oracle waits
    assert not answers[1].any()


def test_bad_input_is_refused_at_the_door() -> None:
    for bad in ({"radius": -1}, {"below": math.nan}, {"wait": -1}):
        (name,) = bad
        with pytest.raises(ValueError, match=rf"{name} must lie in \[0, inf\), got"):
            Perturbed(SADDLE, **{"radius": 1.0, "below": 1.0, "wait": 1, **bad})
    with pytest.raises(ValueError, match="Perturbed must be the outermost oracle"):
        AdditiveNoise(pushed(), 0.1).value_and_grad(torch.zeros(2, dtype=f64))
