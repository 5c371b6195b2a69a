"""LAMB against a transcription of its paper in numpy, and against a recorded run of pytorch_optimizer.

Ours differs from that package on purpose: it corrects both averages for their start at zero, as the paper's
Algorithm 2 does (theirs divides the finished step by 1 - β₁ᵗ, unless adam_debias is set), it counts decoupled
weight decay in the trust ratio, and it does not cap ‖w‖ at 10. Without decay and ε the corrections cancel out.
"""

import numpy as np
import pytest
import torch

from coursekit import optim
from tests.optim.recorded.record import SHAPES, STEPS, path, recorded

pytestmark = pytest.mark.usefixtures("device")

SIZES = [int(np.prod(shape)) for shape in SHAPES]


def by_the_paper(lr=0.02, b1=0.9, b2=0.999, eps=1e-6, wd=0.3, ratio=True, corrected=True) -> torch.Tensor:
    """Algorithm 2 of You et al. (2020), layer by layer, with φ(z) = z."""
    i = np.arange(sum(SIZES))
    rows = []
    w = 1 / (1 + i)
    m, v = 0 * w, 0 * w
    for t in range(1, STEPS + 1):
        g = np.sinh(w - np.sin(i)) + w - np.cos(i)
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
        m_hat, v_hat = (m / (1 - b1**t), v / (1 - b2**t)) if corrected else (m, v)
        r = m_hat / (np.sqrt(v_hat) + eps) + wd * w
        for layer in np.split(i, np.cumsum(SIZES)[:-1]):
            trust = np.linalg.norm(w[layer]) / np.linalg.norm(r[layer]) if ratio else 1
            w[layer] -= lr * trust * r[layer]
        rows.append(w.copy())
    return torch.tensor(np.array(rows))


def test_the_paper() -> None:
    ours = path(lambda p: optim.LAMB(p, lr=0.02, wd=0.3))
    torch.testing.assert_close(ours, by_the_paper(), rtol=0, atol=1e-14)
    for wrong in ({"ratio": False}, {"corrected": False}, {"wd": 0.0}, {"b1": 0.8}):
        assert (ours - by_the_paper(**wrong)).abs().max() > 1e-3


def test_a_recorded_peer() -> None:
    first, second = recorded("Lamb")
    options = {"lr": 0.02, "wd": 0.0, "eps": 1e-15}
    torch.testing.assert_close(path(lambda p: optim.LAMB(p, **options)), first, rtol=0, atol=1e-13)
    ours = path(lambda p: optim.LAMB(p, beta1=0.5, beta2=0.9, **options))
    torch.testing.assert_close(ours, second, rtol=0, atol=1e-13)
    assert (path(lambda p: optim.AdamW(p, **options)) - first).abs().max() > 1e-2  # no trust ratio


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e6])
def test_each_step_is_eta_times_as_long_as_its_layer(scale: float) -> None:
    layers = [torch.full((3, 2), scale), torch.arange(4.0) * scale]
    before = [w.norm() for w in layers]
    for w in layers:
        w.grad = torch.randn(w.shape, generator=torch.Generator().manual_seed(1)) / scale
    start = [w.clone() for w in layers]
    optim.LAMB(layers, lr=0.01).step()
    for w, w0, norm in zip(layers, start, before, strict=True):
        torch.testing.assert_close((w - w0).norm(), 0.01 * norm, rtol=1e-5, atol=0)


def test_weights_of_zero_move_as_adamw_and_a_gradient_of_zero_moves_nothing() -> None:
    zero, still = torch.zeros(3), torch.ones(3)
    zero.grad, still.grad = torch.tensor([1.0, -2.0, 3.0]), torch.zeros(3)
    optim.LAMB([zero, still], lr=0.01, wd=0.0).step()
    torch.testing.assert_close(zero, torch.tensor([-0.01, 0.01, -0.01]), rtol=1e-5, atol=0)
    assert torch.equal(still, torch.ones(3))
