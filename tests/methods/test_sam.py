"""SAM's perturbation against scipy, enumeration and finite differences; the oracles against autograd by hand."""

import math
from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize
from torch import Tensor, nn

from coursekit.descend import descend
from coursekit.methods import asam, sam
from coursekit.oracles import AdditiveNoise, MiniBatch, Oracle
from coursekit.problems import LeastSquares, Network, Quadratic, Rosenbrock
from coursekit.rules import adam, ascent, gradient_descent, heavy_ball, normalizer, sharpest, thinned
from tests.habits import Waited, no_waiting

pytestmark = pytest.mark.usefixtures("device")

f64 = torch.float64
NORMS = [1, 1.5, 2, 3, math.inf]
draw = torch.Generator().manual_seed(2)
GRADIENTS = torch.randn(4, 5, generator=draw, dtype=f64)


def epsilon(g: Tensor, p: float, rho: float = 0.1) -> Tensor:
    """What the rule makes of gradients (..., dim)."""
    rule, h = ascent(p), SimpleNamespace(rho=rho)
    return rule(g, g, (), rule.scalars_along(1, g, g, (), h), h)[0]


def largest(g: np.ndarray, p: float, rho: float) -> float:
    """max gᵀε over ‖ε‖_p ≤ ρ by scipy: a linear program in (ε, |ε|) for p = 1, box for p = ∞, else SLSQP."""
    n = len(g)
    if p == math.inf:
        return -linprog(-g, bounds=[(-rho, rho)] * n).fun
    if p == 1:
        both = np.block([[np.eye(n), -np.eye(n)], [-np.eye(n), -np.eye(n)]])
        A = np.vstack([both, np.r_[np.zeros(n), np.ones(n)]])
        b = np.r_[np.zeros(2 * n), rho]
        return -linprog(np.r_[-g, np.zeros(n)], A, b, bounds=[(None, None)] * n + [(0, None)] * n).fun
    inside = {"type": "ineq", "fun": lambda u: 1 - (abs(u) ** p).sum()}
    u = minimize(lambda u: -g @ u, g / abs(g).sum(), constraints=inside, method="SLSQP", tol=1e-14).x
    return float(rho * g @ u)


@pytest.mark.parametrize("p", NORMS)
def test_the_perturbation_maximizes_the_linearized_loss(p: float) -> None:
    def shortfall(e: Tensor) -> float:
        best = torch.tensor([largest(g.numpy(force=True), p, 0.1) for g in GRADIENTS], dtype=f64)
        return float((best - (GRADIENTS * e).sum(-1)).abs().max())

    e = epsilon(GRADIENTS, p)
    torch.testing.assert_close(e.norm(p, dim=-1), torch.full((4,), 0.1, dtype=f64), rtol=1e-12, atol=0)
    assert shortfall(e) < 1e-7
    assert shortfall(-e) > 0.1
    if p not in (1, math.inf):  # the exponent q in place of q - 1, scaled back into the ball
        wrong = GRADIENTS.sign() * GRADIENTS.abs() ** (p / (p - 1))
        assert shortfall(0.1 * wrong / wrong.norm(p, dim=-1, keepdim=True)) > 1e-4


def test_for_p_1_the_largest_share_and_no_gradient_gives_no_step() -> None:
    g = torch.tensor([[3, -3, 1], [0, 0, 0]], dtype=f64)
    assert torch.equal(epsilon(g, 1), torch.tensor([[0.05, -0.05, 0], [0, 0, 0]], dtype=f64))
    for p in NORMS:
        assert torch.equal(epsilon(g, p)[1], torch.zeros(3, dtype=f64))


@pytest.mark.parametrize("p", [1, 1.05, 1.5, 3, 20, math.inf])
@pytest.mark.parametrize("scale", [1e-15, 1e15])
def test_powers_stay_in_the_range_of_float32(p: float, scale: float) -> None:
    g = GRADIENTS.to(torch.float32)
    torch.testing.assert_close(epsilon(scale * g, p), epsilon(g, p), rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("p", [0.5, -1, math.nan])
def test_what_is_no_norm_is_refused(p: float) -> None:
    with pytest.raises(ValueError, match=r"p must lie in \[1, inf\]"):
        ascent(p)


def test_bad_options_are_refused() -> None:
    f = Rosenbrock()
    with pytest.raises(ValueError, match=r"rho must lie in \[0, inf\), got -1"):
        sam(f, -1)
    with pytest.raises(ValueError, match=r"floor must lie in \[0, inf\), got nan"):
        asam(f, floor=math.nan)
    with pytest.raises(ValueError, match=r"beta must lie in \(0, 1\], got 0"):
        sam(f, beta=0)


def by_hand(f: Rosenbrock, w: Tensor, rho: float, adaptive: bool) -> Tensor:
    """∇f(w + ε), transcribed from Foret et al. (2021), eq. 2, and Kwon et al. (2021), eq. 8."""
    g = f.grad(w)
    T = w.abs() + 0.01 if adaptive else torch.ones_like(w)
    return f.grad(w + rho * T**2 * g / (T * g).norm())


@pytest.mark.parametrize("adaptive", [False, True])
@pytest.mark.parametrize(
    ("rule", "peer", "options", "theirs"),
    [
        (heavy_ball, torch.optim.SGD, {"eta": 1e-4, "beta": 0.9}, {"lr": 1e-4, "momentum": 0.9}),
        (adam, torch.optim.Adam, {"eta": 1e-2}, {"lr": 1e-2}),
    ],
)
def test_any_rule_descends_with_it(adaptive: bool, rule, peer, options, theirs) -> None:
    f, start = Rosenbrock(), torch.tensor([-1.2, 1.0], dtype=f64)
    w = start.clone().requires_grad_()
    optimizer = peer([w], **theirs)
    for _ in range(50):
        w.grad = by_hand(f, w.detach(), 0.2, adaptive)
        optimizer.step()
    run = descend((asam if adaptive else sam)(f, 0.2), rule, start, 50, record=("w", "f"), **options)
    torch.testing.assert_close(run.w[-1], w.detach(), rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(run.f, f.value(run.w), rtol=0, atol=0)
    assert run.calls.gradients == 2 * 51
    plain = descend(f, rule, start, 50, record=("w",), **options)
    assert (plain.w[-1] - w.detach()).norm() > 1e-3


def test_many_radii_at_once(device: torch.device) -> None:
    f = Quadratic(torch.tensor([1.0, 10], dtype=f64, device=device))
    start, rho = torch.ones(2, dtype=f64, device=device), torch.tensor([0.0, 0.1, 1], dtype=f64, device=device)

    def run(rho: Tensor | float, start: Tensor):
        return descend(sam(f, rho), gradient_descent, start, 20, record=("w",), eta=0.05)

    many = run(rho, start.expand(3, 2))
    for i, r in enumerate(rho.tolist()):
        one = run(r, start)
        torch.testing.assert_close(many.w[:, i], one.w, rtol=1e-12, atol=1e-14)
    assert (many.w[-1, 0] - many.w[-1, 1]).norm() > 1e-3


def test_with_a_constant_radius_it_ends_in_a_cycle() -> None:
    L, eta, rho = 2.0, 0.3, 0.05  # GG-SAM-conv: |w| = ηLρ / (2 - ηL)
    f = Quadratic(torch.tensor([L], dtype=f64))
    w = descend(sam(f, rho), gradient_descent, torch.ones(1, dtype=f64), 300, record=("w",), eta=eta).w
    expected = torch.tensor([eta * L * rho / (2 - eta * L)], dtype=f64)
    torch.testing.assert_close(w[-2:].abs(), expected.expand(2, 1), rtol=1e-12, atol=0)
    assert w[-1] * w[-2] < 0


def regression() -> LeastSquares:
    data = torch.Generator().manual_seed(0)
    return LeastSquares(torch.randn(20, 3, generator=data, dtype=f64), torch.randn(20, generator=data, dtype=f64))


def test_both_gradients_are_of_one_mini_batch() -> None:
    f, w = regression(), torch.ones(4, 3, dtype=f64)
    chosen = MiniBatch(f, 5, seed=7).indices(w)
    part = f.on(chosen)

    def answer(first, second) -> Tensor:
        return second.grad(w + epsilon(first.grad(w), 2, rho=0.5))

    value, g = sam(MiniBatch(f, 5, seed=7), 0.5).value_and_grad(w)
    torch.testing.assert_close(g, answer(part, part), rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(value, part.value(w), rtol=0, atol=0)
    assert (g - answer(part, f)).abs().max() > 0.01  # of two mini-batches it is something else
    noisy = sam(AdditiveNoise(f, 1.0, seed=3), 0.5)
    assert (noisy.value_and_grad(w)[1] - noisy.value_and_grad(w)[1]).abs().max() > 0.01
    fixed = noisy.draw(w)
    assert torch.equal(fixed.value_and_grad(w)[1], fixed.value_and_grad(w)[1])


@pytest.mark.parametrize("p", [1.5, 2, 3])
@pytest.mark.parametrize("wrap", [sam, asam])
def test_through_epsilon_the_gradient_is_exact(p: float, wrap) -> None:
    f, w = Rosenbrock(), torch.tensor([[0.3, -0.4], [1.5, 2.0]], dtype=f64)
    oracle = wrap(f, 0.05, p, through=True)

    def perturbed(w: Tensor) -> Tensor:
        return f.value(w + oracle.epsilon(w, f.grad(w)))

    step = 1e-5 * torch.eye(2, dtype=f64)
    finite = torch.stack([(perturbed(w + s) - perturbed(w - s)) / 2e-5 for s in step], -1)
    torch.testing.assert_close(oracle.value_and_grad(w)[1], finite, rtol=1e-7, atol=1e-7)
    assert not torch.allclose(wrap(f, 0.05, p).value_and_grad(w)[1], finite, rtol=1e-3)
    assert oracle.calls.hvps == 1


def relu_network() -> Network:
    data = torch.Generator().manual_seed(1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        module = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 2)).double()
    x, y = torch.randn(12, 3, generator=data, dtype=f64), torch.randn(12, 2, generator=data, dtype=f64)
    return Network(module, x, y, nn.functional.mse_loss)


NET = relu_network()


def rescaled(a: float) -> Tensor:
    """The same function: the first layer times a, the weights of the second divided by a."""
    w = {name: x.clone() for name, x in NET.parameters_at(NET.start).items()}
    for name, factor in (("0.weight", a), ("0.bias", a), ("2.weight", 1 / a)):
        w[name] *= factor
    return torch.cat([x.flatten() for x in w.values()])


def perturbed_loss(wrap, w: Tensor, p: float, **options) -> Tensor:
    return NET.value(w + wrap(NET, 0.1, p, **options).epsilon(w, NET.grad(w)))


@settings(max_examples=40, deadline=None)
@given(a=st.floats(1e-3, 1e3), p=st.sampled_from(NORMS))
def test_asam_does_not_see_how_two_layers_share_their_scale(a: float, p: float) -> None:
    torch.testing.assert_close(NET.value(rescaled(a)), NET.value(NET.start), rtol=1e-10, atol=0)
    here, there = (perturbed_loss(asam, w, p, floor=0.0) for w in (NET.start, rescaled(a)))
    torch.testing.assert_close(there, here, rtol=1e-8, atol=0)


@pytest.mark.parametrize("p", NORMS)
def test_sam_does(p: float) -> None:
    assert abs(perturbed_loss(sam, rescaled(5.0), p) / perturbed_loss(sam, NET.start, p) - 1) > 0.02


def test_asam_stays_in_its_ball_and_nothing_beats_it() -> None:
    w, g = GRADIENTS.roll(1, 0), GRADIENTS
    points = torch.randn(20_000, 1, 5, generator=torch.Generator().manual_seed(9), dtype=f64)
    for p in NORMS:
        e, T = asam(Quadratic(torch.ones(5, dtype=f64)), 0.3, p).epsilon(w, g), normalizer(w, 0.01)
        torch.testing.assert_close((e / T).norm(p, dim=-1), torch.full((4,), 0.3, dtype=f64))
        others = 0.3 * T * points / points.norm(p, dim=-1, keepdim=True)
        gain = (g * others).sum(-1) / (g * e).sum(-1)
        assert 0.5 < gain.max() <= 1 + 1e-12


def test_the_mask_is_unbiased(device: torch.device) -> None:
    beta, e = 0.3, torch.tensor([1.0, -2.0, 4.0], dtype=f64)
    masks = torch.tensor(list(product((0.0, 1.0), repeat=3)), dtype=f64)
    likely = (beta**masks * (1 - beta) ** (1 - masks)).prod(-1)
    possible = masks * e / beta
    torch.testing.assert_close(likely @ possible, e)
    torch.testing.assert_close(likely @ possible.square().sum(-1), e.square().sum() / beta)  # it leaves the ball
    n = 40_000
    seen = thinned(e.expand(n, 3), beta, torch.Generator(device).manual_seed(0))
    which = (seen[:, None] == possible).all(-1)
    assert which.any(-1).all()
    deviation = (which.double().mean(0) - likely) / (likely * (1 - likely) / n).sqrt()
    assert deviation.abs().max() < 4
    assert thinned(e, 1.0) is e


def test_a_masked_oracle_keeps_its_mask_within_a_draw() -> None:
    f, w = Quadratic(torch.ones(4, dtype=f64)), torch.ones(1000, 4, dtype=f64)
    oracle = sam(f, 0.1, beta=0.5, seed=1)
    step = oracle.value_and_grad(w)[1] - w  # the Hessian is the identity
    assert torch.allclose(step.unique(), torch.tensor([0, 0.1], dtype=f64))  # ρ g/‖g‖ / β
    assert abs(float(step.mean()) - 0.05) < 4 * 0.05 / 4000**0.5
    assert torch.equal(oracle.fresh().value_and_grad(w)[1] - w, step)
    assert not torch.equal(oracle.value_and_grad(w)[1] - w, step)


def test_the_examples_that_rise_most() -> None:
    rise = torch.tensor([[0.3, -1, 2, 0.1], [5, 4, 3, 2]])
    assert torch.equal(sharpest(rise, 0.5).sort().values, torch.tensor([[0, 2], [0, 1]]))
    assert torch.equal(sharpest(rise, 0.01), torch.tensor([[2], [0]]))
    assert sharpest(torch.zeros(10), 0.7).shape == (7,)


def test_a_step_reads_nothing_back(device: torch.device) -> None:
    f, w = Rosenbrock(), torch.ones(3, 2, dtype=f64, device=device) / 2
    for oracle in (sam(f), sam(f, p=1), asam(f, p=3), sam(f, beta=0.5), sam(f, through=True)):
        with no_waiting():
            oracle.value_and_grad(w)

    class Waiting(Oracle):
        def value_and_grad(self, w: Tensor) -> tuple[Tensor, Tensor]:
            f, g = super().value_and_grad(w)
            return f, g / float(g.norm())

    with no_waiting(), pytest.raises(Waited):
        sam(Waiting(f)).value_and_grad(w)
