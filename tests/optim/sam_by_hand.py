"""What the tests of the SAM family share: training by closures, and by two calls of autograd.grad."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from coursekit.optim import ASAM, SAM
from tests.optim.side_by_side import Network, batch, loss_at, two_groups

every_wrapper = pytest.mark.parametrize("wrap", [SAM, ASAM], ids=lambda c: c.__name__)


def flat(net: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in net.parameters()])


def closure_of(net: Network, step: int):
    def closure() -> Tensor:
        loss = loss_at(net, step)
        loss.backward()
        return loss

    return closure


def train(make, steps=range(20), net: Network | None = None) -> Tensor:
    """All parameters after every step, with a closure on side_by_side's network."""
    net = net or Network()
    optimizer = make(net)
    path = []
    for step in steps:
        optimizer.step(closure_of(net, step))
        path.append(flat(net))
    return torch.stack(path)


def by_hand(make, epsilon) -> Tensor:
    """The same from two calls of autograd.grad; epsilon(weights, gradients) is a list."""
    net = Network()
    base, path = make(net), []
    for step in range(20):
        weights = [p for p in net.parameters() if p.requires_grad]
        g = torch.autograd.grad(loss_at(net, step), weights, allow_unused=True)
        weights, g = zip(*((w, x) for w, x in zip(weights, g, strict=True) if x is not None), strict=True)
        with torch.no_grad():
            old = [w.clone() for w in weights]
            for w, e in zip(weights, epsilon(net, weights, g), strict=True):
                w += e
        up = torch.autograd.grad(loss_at(net, step), weights)
        base.zero_grad()
        with torch.no_grad():
            for w, x, o in zip(weights, up, old, strict=True):
                w.copy_(o)
                w.grad = x
        base.step()
        path.append(flat(net))
    return torch.stack(path)


def sgd(net: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(two_groups(net), lr=0.05, momentum=0.9)


def norm(g, order: float = 2) -> Tensor:
    return torch.cat([x.flatten() for x in g]).norm(order)


class Normed(nn.Module):
    """With batch norm, in single precision."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.layers = nn.Sequential(
                nn.Linear(4, 8), nn.BatchNorm1d(8, momentum=None), nn.ReLU(), nn.Linear(8, 3)
            )

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x.float())

    def loss(self, step: int) -> Tensor:
        x, y = batch(step)
        return mse_loss(self(x), y.float())
