"""Shampoo against a transcription of its paper (scipy's matrix powers) and a recorded run of pytorch_optimizer."""

import numpy as np
import pytest
import torch
from scipy.linalg import fractional_matrix_power

from coursekit import methods, optim
from coursekit.methods import minimize
from coursekit.optim import shampoo
from coursekit.problems import Rosenbrock
from tests.optim.recorded.record import path, recorded

pytestmark = pytest.mark.usefixtures("device")

f64 = torch.float64


def test_a_recorded_peer() -> None:
    first, second = recorded("Shampoo")  # a vector, a matrix and a tensor of three axes
    ours = path(lambda p: optim.Shampoo(p, lr=0.1, eps=1e-3))
    torch.testing.assert_close(ours, first, rtol=0, atol=1e-11)
    ours = path(lambda p: optim.Shampoo(p, lr=0.3, eps=0.1))
    torch.testing.assert_close(ours, second, rtol=0, atol=1e-12)


def test_a_wrong_exponent_would_be_seen(monkeypatch) -> None:
    right = shampoo.inverse_root
    monkeypatch.setattr(shampoo, "inverse_root", lambda M, p, eps: right(M, p / 2, eps))
    first = recorded("Shampoo")[0]
    assert (path(lambda p: optim.Shampoo(p, lr=0.1, eps=1e-3)) - first).abs().max() > 0.1


def gradients(*shape: int, steps: int = 7) -> torch.Tensor:
    return torch.randn(steps, *shape, generator=torch.Generator().manual_seed(2), dtype=f64)


def moved(G: torch.Tensor, **options) -> torch.Tensor:
    """Where steps along given gradients lead, from zero."""
    W = torch.zeros_like(G[0])
    optimizer = optim.Shampoo([W], **options)
    for g in G:
        W.grad = g
        optimizer.step()
    return W


@pytest.mark.parametrize("every", [1, 3])
def test_the_paper(every: int) -> None:
    """Algorithm 1 of Gupta, Koren and Singer (2018), with roots computed every so many steps."""
    G = gradients(4, 3)
    L, R, W = 0.1 * np.eye(4), 0.1 * np.eye(3), np.zeros((4, 3))
    for t, g in enumerate(G.numpy(force=True)):
        L, R = L + g @ g.T, R + g.T @ g
        if t % every == 0:
            left, right = fractional_matrix_power(L, -0.25), fractional_matrix_power(R, -0.25)
        W -= 0.5 * left @ g @ right
    torch.testing.assert_close(moved(G, lr=0.5, eps=0.1, every=every), torch.tensor(W), rtol=0, atol=1e-12)


def test_the_default_root_is_of_every_step() -> None:
    G = gradients(4, 3)
    assert torch.equal(moved(G), moved(G, every=1))
    assert (moved(G) - moved(G, every=3)).abs().max() > 1e-2


def test_on_a_vector_it_is_full_matrix_adagrad() -> None:
    start = torch.tensor([-1.2, 1.0], dtype=f64)
    run = minimize(Rosenbrock(), methods.full_adagrad(0.3, eps=1e-4), start, 20)
    w = start.clone().requires_grad_()
    optimizer = optim.Shampoo([w], lr=0.3)
    for _ in range(20):
        w.grad = Rosenbrock().grad(w.detach())
        optimizer.step()
    torch.testing.assert_close(w.detach(), run.w[-1], rtol=0, atol=1e-13)


def test_a_scalar_is_a_vector_of_one() -> None:
    G = gradients(1)
    assert torch.equal(moved(G[:, 0]), moved(G)[0])


def test_half_precision_is_refused_before_anything_moves() -> None:
    w, half = torch.ones(2), torch.ones(2, dtype=torch.bfloat16)
    w.grad, half.grad = torch.ones(2), torch.ones(2, dtype=torch.bfloat16)
    optimizer = optim.Shampoo([w, half])
    with pytest.raises(ValueError, match=r"parameters must be float32 or float64 for shampoo, got torch.bfloat16"):
        optimizer.step()
    assert torch.equal(w, torch.ones(2))
    assert not optimizer.state


def test_a_zero_gradient_moves_nothing_even_at_eps_zero() -> None:
    assert torch.equal(moved(torch.zeros(2, 3, 2), eps=0.0), torch.zeros(3, 2))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"every": 0}, r"every must lie in \[1, inf\), got 0"),
        ({"compile": True}, "compile must be False for shampoo, got True"),
    ],
)
def test_bad_options_are_refused_at_the_door(options: dict, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        optim.Shampoo([torch.ones(1)], **options)
