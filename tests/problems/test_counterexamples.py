"""What each saddle and counterexample is there to show, and the neighbour on which it does not show."""

import math
from functools import partial

import numpy as np
import pytest
import torch

from coursekit import descend
from coursekit.methods import armijo, gradient_descent_with, halving, minimize, newton
from coursekit.oracles import Epochs
from coursekit.problems import (
    DeepLinear,
    DoubleWell,
    FlatSaddle,
    HalvingTrap,
    HeavyBallTrap,
    Inflection,
    MonkeySaddle,
    Needle,
    OnlineLinear,
    Problem,
    PseudoHuber,
    Quadratic,
    Quartic,
    SmoothNeedle,
)
from coursekit.rules import adam, amsgrad, gradient_descent, heavy_ball

pytestmark = pytest.mark.usefixtures("device")

f64 = torch.float64
POLYAK = {"eta": 1 / 9, "beta": 4 / 9}


def vector(*entries: float) -> torch.Tensor:
    return torch.tensor(entries, dtype=f64)


def first_true(reached: torch.Tensor) -> torch.Tensor:
    """The first index along the first axis at which the entry is true."""
    assert bool(reached.any(0).all())
    return reached.to(torch.int8).argmax(0)


def test_simple_decrease_takes_halving_to_a_cycle_that_armijo_avoids() -> None:
    run = minimize(HalvingTrap(), gradient_descent_with(halving), vector(3.0), 45, stop=None)
    k = torch.arange(46, dtype=f64)
    torch.testing.assert_close(run.w[:, 0], (-1) ** k * (1 + 2 * 0.5**k), rtol=0, atol=1e-15)
    assert run.eta.tolist() == [1.0] * 45
    assert bool((run.f.diff() < 0).all())
    assert float(run.f[-1]) == pytest.approx(1)
    repaired = minimize(HalvingTrap(), gradient_descent_with(partial(armijo, c1=0.1)), vector(3.0))
    assert (repaired.T, repaired.w[-1].tolist()) == (4, [0.0])


def three_cycle() -> np.ndarray:
    """The fixed triple of x_{k+1} = x_k - η f'(x_k) + β (x_k - x_{k-1}) with slopes 25x, 25x, 25x - 24."""
    eta, beta = POLYAK["eta"], POLYAK["beta"]
    shift = np.roll(np.eye(3), 1, axis=1)  # x_{k+1}
    return np.linalg.solve(shift - np.eye(3) * (1 + beta - 25 * eta) + beta * shift.T, [0, 0, 24 * eta])


def test_heavy_ball_cycles_on_a_strongly_convex_function(device: torch.device) -> None:
    trap, start = HeavyBallTrap(), vector(3.3).to(device)
    cycle = three_cycle()
    np.testing.assert_allclose(cycle, [0.647, -1.802, 2.116], atol=5e-4)
    w = descend(trap, heavy_ball, start, 300, record=("w",), **POLYAK).w[-3:, 0].cpu()
    np.testing.assert_allclose(np.roll(w, -int((w - cycle[0]).abs().argmin())), cycle, atol=1e-13)
    for rule, options in (
        (gradient_descent, {"eta": 2 / 26}),
        (heavy_ball, {"eta": 1 / 25, "beta": 4 / 9}),
        (heavy_ball, {"eta": 1 / 25, "beta": 0.9}),
    ):
        assert float(descend(trap, rule, start, 600, record=("w",), **options).w[-1].abs()) < 1e-10
    bowl = Quadratic(vector(1.0, 25.0).to(device))
    assert float(descend(bowl, heavy_ball, start.expand(2), 300, record=("w",), **POLYAK).w[-1].norm()) < 1e-10


@pytest.mark.parametrize(("C", "beta2"), [(4.0, 1 / 17), (3.0, 0.1)])
def test_adam_ends_at_the_worst_point_and_amsgrad_does_not(C: float, beta2: float) -> None:
    problem = OnlineLinear(C)
    oracle = Epochs(problem, 1, shuffle=False)
    ends = [
        descend(
            oracle,
            rule,
            vector(0.0),
            1000,
            record=("w",),
            project=lambda w: w.clamp(-1, 1),
            eta=lambda t: 0.5 / math.sqrt(t),
            beta1=0.0,
            beta2=beta2,
        ).w[-30:]
        for rule in (adam, amsgrad)
    ]
    assert float(ends[0].min()) > 0.9
    assert float(ends[1].max()) < -0.9
    regret = problem.value(ends[0]).mean() - float(problem.f_star)
    assert float(regret) > 0.9 * 2 * (C - 2) / 3


def test_gradient_descent_tends_to_an_inflection_from_an_open_set_of_starts() -> None:
    starts = torch.linspace(0.1, 0.9, 9, dtype=f64)[:, None]
    w = descend(Inflection(), gradient_descent, starts, 4000, record=("w",), eta=0.1).w[:, :, 0]
    assert bool((w > 0).all())
    np.testing.assert_allclose(w[-1] * 0.1 * 4000, np.ones(9), rtol=0.05)  # w' = -w²: w = 1/(ηt)
    below = descend(Inflection(), gradient_descent, -starts, 500, record=("w",), eta=0.1).w[-1]
    torch.testing.assert_close(below, -torch.ones_like(below))


def test_a_positive_semidefinite_hessian_is_not_enough_for_a_minimum() -> None:
    for problem in (FlatSaddle(), Inflection()):
        zero = torch.zeros(problem.dim, dtype=f64)
        assert float(problem.grad(zero).norm()) == 0
        assert float(torch.linalg.eigvalsh(problem.hessian(zero)).min()) == 0
        near = zero.clone()
        near[-1] = -1e-2
        assert float(problem.value(near)) < float(problem.value(zero))


def escape_times(problem: Problem, away: torch.Tensor, radii: torch.Tensor, steps: int) -> np.ndarray:
    """Steps of gradient descent until the distance from 0 is 0.1, from each radius along ``away``."""
    run = descend(problem, gradient_descent, radii[:, None] * away, steps, record=("w",), eta=0.05)
    return first_true(run.w.norm(dim=-1) >= 0.1).numpy(force=True)


def test_a_strict_saddle_is_left_in_logarithmic_time_and_a_monkey_saddle_is_not() -> None:
    radii = torch.logspace(-2, -8, 7, dtype=f64)
    strict = escape_times(DoubleWell(0.0), vector(1.0, 0.0), radii, 500)
    slope = np.polyfit(np.log(1 / radii.numpy(force=True)), strict, 1)[0]
    assert slope == pytest.approx(1 / math.log1p(0.05), rel=0.02)
    radii = torch.logspace(-2, -3, 5, dtype=f64)
    flat = escape_times(MonkeySaddle(), vector(-1.0, 0.0), radii, 7000)
    order = np.polyfit(np.log(1 / radii.numpy(force=True)), np.log(flat), 1)[0]
    assert order == pytest.approx(1, abs=0.05)  # r' = 3r²: time 1/(3ηr)
    assert flat[-1] > 10 * strict[-1]
    on_the_ridge = descend(DoubleWell(0.0), gradient_descent, vector(0.0, 0.5), 500, record=("w",), eta=0.05).w[-1]
    assert float(on_the_ridge.norm()) < 1e-9


def test_deep_linear_networks_keep_their_symmetry_and_wait_on_a_plateau() -> None:
    net = DeepLinear(2)
    same, opposite = vector(0.3, 0.3), vector(0.3, -0.3)
    w = descend(net, gradient_descent, torch.stack([same, opposite]), 2000, record=("w",), eta=0.1).w
    assert bool((w[:, 0, 0] == w[:, 0, 1]).all())
    assert bool((w[:, 1, 0] == -w[:, 1, 1]).all())
    torch.testing.assert_close(w[-1], torch.stack([net.w_star, vector(0.0, 0.0)]), rtol=0, atol=1e-12)

    eigenvalues = [torch.linalg.eigvalsh(DeepLinear(d, y=2.0).hessian(torch.zeros(d, dtype=f64))) for d in (2, 3)]
    assert [e.tolist() for e in eigenvalues] == [[-2, 2], [0, 0, 0]]

    scales = torch.tensor([0.1, 0.01], dtype=f64)[:, None]
    plateau = [
        first_true(descend(DeepLinear(d), gradient_descent, scales.expand(2, d), 1500, eta=0.1).f < 0.1).tolist()
        for d in (2, 3)
    ]
    assert plateau[0][1] - plateau[0][0] == pytest.approx(math.log(10) / math.log(1.1), abs=1)  # logarithmic
    assert plateau[1][1] > 5 * plateau[1][0]  # like 1/scale


def test_flatness_of_one_and_the_same_network() -> None:
    net = DeepLinear(2)
    for a in (1.0, 4.0, 20.0):
        H = net.hessian(vector(a, 1 / a))
        assert float(net.value(vector(a, 1 / a))) == pytest.approx(0, abs=1e-30)
        assert float(H.trace()) == pytest.approx(a * a + 1 / (a * a))
        assert float(torch.linalg.det(H)) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("kind", [Needle, SmoothNeedle])
def test_only_queries_inside_the_ball_see_the_needle(kind) -> None:
    draw = torch.Generator().manual_seed(0)
    queries = torch.rand(20000, 2, generator=draw, dtype=f64)
    problem = kind(vector(0.3, 0.6), radius=0.2)
    plain = (problem.grad(queries) == 0.5).all(-1)
    inside = (queries - problem.p.center).norm(dim=-1) < 0.2
    assert bool((plain == ~inside).all())
    volume = math.pi * 0.2**2
    assert float(inside.double().mean()) == pytest.approx(volume, abs=4 * math.sqrt(volume / 20000))
    hidden = kind(torch.full((20,), 0.5, dtype=f64), radius=0.25, depth=6.0)
    blind = torch.rand(20000, 20, generator=draw, dtype=f64)
    assert bool((hidden.grad(blind) == 0.5).all())  # the ball has volume 2.3e-14
    start = problem.p.center + vector(0.1, 0.1)
    if kind is SmoothNeedle:
        found = descend(problem, gradient_descent, start, 300, record=("w",), eta=1 / float(problem.L)).w[-1]
        torch.testing.assert_close(found, problem.w_star)


def test_newton_diverges_on_one_convex_function_and_crawls_on_another() -> None:
    w = minimize(PseudoHuber(), newton(), vector(1.1), 5, stop=None).w[:, 0]
    torch.testing.assert_close(w[1:], -(w[:-1] ** 3))
    assert float(w[-1].abs()) > 1e9
    w = minimize(Quartic(), newton(), vector(1.0), 20, stop=None).w[:, 0]
    torch.testing.assert_close(w[1:] / w[:-1], torch.full((20,), 2 / 3, dtype=f64))
    w = minimize(Quartic(a=1.0), newton(), vector(0.1), 3, stop=None).w[:, 0]
    assert float(w[-1].abs()) < 1e-12


def test_the_one_over_mu_k_step_falls_as_one_over_k_whatever_mu() -> None:
    for mu in (0.1, 1.0, 8.0):
        run = descend(
            Quartic(a=mu, b=mu),
            gradient_descent,
            vector(0.5),
            20000,
            record=("w",),
            eta=lambda t, mu=mu: 1 / (mu * t),
        )
        assert float(run.w[-1].abs() * 20001) == pytest.approx(0.12267, rel=1e-3)
