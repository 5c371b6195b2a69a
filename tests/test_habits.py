"""The watch itself: it catches each planted wait, and lets honest work pass."""

import pytest
import torch

from .habits import Waited, no_waiting

x = torch.tensor([1.0, -2.0, 3.0])
PLANTED = {
    "item": lambda: x[0].item(),
    "float": lambda: float(x.sum()),
    "int": lambda: int(x[0]),
    "bool": lambda: bool(x.any()),
    "if": lambda: 1 if x[0] > 0 else 0,
    "max of two": lambda: max(x[0], x[1]),
    "isfinite in an assert": lambda: torch.isfinite(x).all().item(),
    "tolist": lambda: x.tolist(),
    "numpy": lambda: x.numpy(),
    "cpu": lambda: x.cpu(),
    "nonzero": lambda: x.nonzero(),
    "where with one argument": lambda: torch.where(x > 0),
    "mask": lambda: x[x > 0],
    "assignment through a mask": lambda: x.clone().__setitem__(x > 0, 0.0),
    "unique": lambda: x.unique(),
    "equal": lambda: torch.equal(x, x),
    "allclose": lambda: torch.allclose(x, x),
    "another device": lambda: x.to("meta"),
    "clip_grad_norm_ that raises": lambda: torch.nn.utils.clip_grad_norm_([p], 1.0, error_if_nonfinite=True),
}
p = torch.nn.Parameter(torch.ones(2))
p.grad = torch.ones(2)


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_wait_is_caught(name: str) -> None:
    PLANTED[name]()
    with pytest.raises(Waited), no_waiting():
        PLANTED[name]()


def test_a_wait_inside_backward_is_caught() -> None:
    class Peek(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * float(g.sum())

    w = x.clone().requires_grad_(True)
    f = Peek.apply(w).sum()
    with pytest.raises(Waited), no_waiting():
        f.backward()


def test_honest_work_passes() -> None:
    def f(w):
        return (w.tanh() ** 2).sum()

    with no_waiting():
        w = x.clone().requires_grad_(True)
        (g,) = torch.autograd.grad(f(w), w)
        w = torch.where(g > 0, w - 0.1 * g, w)
        torch.vmap(f)(w.expand(4, 3)).to(torch.float64)
        x[torch.tensor([2, 0])].norm().clamp(max=1.0)
        torch.zeros(3)[1] = x[0]
        torch.optim.SGD([p], momentum=0.9).step()
