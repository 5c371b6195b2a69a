"""AdaHessian against a transcription of its paper in numpy, and against a recorded run of pytorch_optimizer.

On purpose ours averages the diagonal over each kernel of a convolution, as the paper does and that package does
not: the vector and the matrix of the recorded problem go the same way, the tensor of three axes another.
"""

import copy
import itertools

import numpy as np
import pytest
import torch

from coursekit import optim
from coursekit.optim import adahessian
from tests.habits import no_waiting
from tests.optim.recorded.record import STEPS, path, recorded

pytestmark = pytest.mark.usefixtures("device")

f64 = torch.float64
AVERAGED = slice(8, 16)  # the place of the tensor of three axes


def by_the_paper(lr=0.1, b1=0.9, b2=0.999, eps=1e-4, power=1.0, wd=0.0, averaged=True) -> torch.Tensor:
    """Algorithm 1 of Yao et al. (2021) with the exact diagonal, averaged over the last of three axes."""
    i = np.arange(16)
    w = 1 / (1 + i)
    m, v, rows = 0 * w, 0 * w, []
    for t in range(1, STEPS + 1):
        g, D = np.sinh(w - np.sin(i)) + w - np.cos(i), np.cosh(w - np.sin(i)) + 1
        if averaged:
            D[AVERAGED] = D[AVERAGED].reshape(4, 2).mean(1).repeat(2)
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * D**2
        w = w - lr * (m / (1 - b1**t) / (np.sqrt(v / (1 - b2**t)) ** power + eps) + wd * w)
        rows.append(w)
    return torch.tensor(np.array(rows))


OTHER = {"power": 0.5, "wd": 0.1}


def test_the_paper() -> None:
    ours = path(lambda p: optim.AdaHessian(p, lr=0.1))
    torch.testing.assert_close(ours, by_the_paper(), rtol=0, atol=1e-14)
    again = path(lambda p: optim.AdaHessian(p, lr=0.1, beta1=0.5, beta2=0.9, **OTHER))
    torch.testing.assert_close(again, by_the_paper(b1=0.5, b2=0.9, **OTHER), rtol=0, atol=1e-14)
    for wrong in ({"power": 0.5}, {"averaged": False}, {"b2": 0.9}, {"wd": 0.1}):
        assert (ours - by_the_paper(**wrong)).abs().max() > 1e-3


def test_a_recorded_peer() -> None:
    first, second = recorded("AdaHessian")
    same = slice(0, AVERAGED.start)
    ours = path(lambda p: optim.AdaHessian(p, lr=0.1, eps=1e-16))
    torch.testing.assert_close(ours[:, same], first[:, same], rtol=0, atol=1e-14)
    assert (ours[:, AVERAGED] - first[:, AVERAGED]).abs().max() > 1e-3
    ours = path(lambda p: optim.AdaHessian(p, lr=0.2, eps=1e-16, beta1=0.8, beta2=0.9, **OTHER))
    torch.testing.assert_close(ours[:, same], second[:, same], rtol=0, atol=1e-14)


def test_the_mean_over_all_probes_is_the_diagonal() -> None:
    H = torch.tensor([[3.0, 1.0, -2.0], [1.0, -1.0, 0.5], [-2.0, 0.5, 2.0]], dtype=f64)
    signs = torch.tensor(list(itertools.product([-1.0, 1.0], repeat=3)), dtype=f64)
    w = torch.zeros(3, dtype=f64)
    D = torch.stack([adahessian.curvature(w, z, H @ z) for z in signs])
    torch.testing.assert_close(D.mean(0), H.diagonal())
    assert D.std(0).min() > 1  # one probe is far from it


def stepped(loss, params: list[torch.Tensor], **options) -> torch.optim.Optimizer:
    for p in params:
        p.requires_grad_()
    optimizer = optim.AdaHessian([{"params": [p]} for p in params], **options)
    for p, g in zip(params, torch.autograd.grad(loss(*params), params, create_graph=True), strict=True):
        p.grad = g
    optimizer.step()
    return optimizer


@pytest.mark.parametrize("maximize", [False, True])
def test_at_power_one_it_is_newton_and_at_power_zero_gradient_descent(maximize: bool) -> None:
    h, sign = torch.tensor([1.0, 4.0, 9.0], dtype=f64), -1 if maximize else 1

    def after(power: float) -> torch.Tensor:
        w = torch.ones(3, dtype=f64)
        options = {"eps": 0.0, "power": power, "maximize": maximize, "l2": 2.0}
        stepped(lambda w: sign * (h * w * w).sum() / 2, [w], lr=0.5, **options)
        return w.detach()

    torch.testing.assert_close(after(1.0), torch.full((3,), 0.5, dtype=f64))
    torch.testing.assert_close(after(0.0), 1 - 0.5 * (h + 2))


def test_a_step_waits_for_no_device() -> None:
    w = torch.ones(3, 2, dtype=f64)
    optimizer = stepped(lambda w: (w**4).sum(), [w])
    w.grad = None
    (w.grad,) = torch.autograd.grad((w**4).sum(), [w], create_graph=True)
    with no_waiting():
        optimizer.step()


def test_curvature_between_groups_adds_no_noise() -> None:
    a, b = torch.ones(1, dtype=f64), torch.ones(1, dtype=f64)
    optimizer = stepped(lambda a, b: (a * a + 3 * b * b + 10 * a * b).sum(), [a, b])
    assert [float(optimizer.state[p]["D"]) for p in (a, b)] == [2, 6]


def test_l2_counts_and_a_straight_line_has_no_curvature() -> None:
    straight, curved = torch.ones(2, dtype=f64), torch.ones(2, dtype=f64)
    optimizer = stepped(lambda s, c: s.sum() + (c**4).sum(), [straight, curved], l2=0.5)
    assert [optimizer.state[p]["D"].tolist() for p in (straight, curved)] == [[0.5, 0.5], [12.5, 12.5]]


def test_a_step_frees_the_graph() -> None:
    w = torch.ones(2, dtype=f64)
    stepped(lambda w: (w**4).sum(), [w])
    assert w.grad is not None
    assert not w.grad.requires_grad


def test_a_saved_run_goes_on_as_if_never_stopped() -> None:
    def steps(w: torch.Tensor, optimizer: torch.optim.Optimizer) -> None:
        for _ in range(5):
            (w.grad,) = torch.autograd.grad(((w @ w) ** 2), [w], create_graph=True)
            optimizer.step()

    w = torch.tensor([1.0, -2.0, 0.5], dtype=f64, requires_grad=True)
    optimizer = optim.AdaHessian([w])
    steps(w, optimizer)
    twin = w.detach().clone().requires_grad_()
    other = optim.AdaHessian([twin], lr=1.0)
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for point, its in ((w, optimizer), (twin, other)):
        torch.manual_seed(0)  # the probes are torch's random numbers
        steps(point, its)
    assert torch.equal(w, twin)


@pytest.mark.filterwarnings("ignore:Using backward")  # torch warns of the graph that a step frees
def test_a_closure_and_a_missing_graph() -> None:
    w = torch.tensor([1.0, 2.0], dtype=f64, requires_grad=True)
    optimizer = optim.AdaHessian([w])

    def closure(create_graph: bool) -> torch.Tensor:
        optimizer.zero_grad()
        loss = (w**4).sum()
        loss.backward(create_graph=create_graph)
        return loss

    with pytest.raises(ValueError, match=r"needs the graph of the gradients: loss.backward\(create_graph=True\)"):
        optimizer.step(lambda: closure(False))
    assert w.tolist() == [1, 2]
    assert not optimizer.state
    assert optimizer.step(lambda: closure(True)).detach() == 17
    assert w.tolist() != [1, 2]
    with pytest.raises(ValueError, match=r"power must lie in \[0, 1\], got 2"):
        optim.AdaHessian([w], power=2)
