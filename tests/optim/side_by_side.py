"""One small network trained twice, by an optimizer of ours and by its peer: what every comparison here uses."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from coursekit.optim import RuleOptimizer, named

# Every optimizer that is a rule of the book and nothing else.
CLASSES = [c for c in vars(named).values() if isinstance(c, type) and issubclass(c, RuleOptimizer)]
Make = Callable[[nn.Module], torch.optim.Optimizer]
f64 = torch.float64


class Network(nn.Module):
    """Tied, frozen and non-contiguous weights, and one parameter that gets no gradient in every other step."""

    def __init__(self) -> None:
        super().__init__()
        draw = torch.Generator().manual_seed(3)

        def normal(*shape: int) -> Tensor:
            return torch.randn(*shape, generator=draw, dtype=f64) / 2

        self.tied = nn.Linear(4, 4).double()
        self.tied.weight = nn.Parameter(normal(4, 4))
        self.again = nn.Linear(4, 4).double()
        self.again.weight = self.tied.weight
        self.crooked = nn.Parameter(normal(6, 4).t()[:, ::2])
        self.frozen = nn.Parameter(normal(3), requires_grad=False)
        self.rare = nn.Parameter(normal(3))
        with torch.no_grad():
            for p in (self.tied.bias, self.again.bias):
                p.copy_(normal(4))

    def forward(self, x: Tensor, step: int = 0) -> Tensor:
        out = self.again(torch.tanh(self.tied(x))) @ self.crooked + self.frozen
        return out if step % 2 else out * self.rare


def one_group(net: nn.Module) -> list[Any]:
    return list(net.parameters())


def two_groups(net: nn.Module) -> list[Any]:
    biases = [p for name, p in net.named_parameters() if name.endswith("bias")]
    rest = [p for name, p in net.named_parameters() if not name.endswith("bias")]
    return [{"params": biases, "lr": 0.003}, {"params": rest}]


def batch(step: int) -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(100 + step)
    return torch.randn(8, 4, generator=draw, dtype=f64), torch.randn(8, 3, generator=draw, dtype=f64)


def loss_at(net: Network, step: int) -> Tensor:
    x, y = batch(step)
    return functional.mse_loss(net(x, step), y)


def train(
    make: Make,
    steps: Iterable[int] = range(100),
    net: Network | None = None,
    after: Callable[[torch.optim.Optimizer], Any] | None = None,
) -> Tensor:
    """All parameters after every step, shape (steps, parameters); ``after`` makes a scheduler of the optimizer."""
    net = net or Network()
    optimizer = make(net)
    scheduler = after(optimizer) if after else None
    path = []
    for step in steps:
        optimizer.zero_grad()
        loss_at(net, step).backward()
        optimizer.step()
        if scheduler is not None:
            scheduler.step()
        path.append(torch.cat([p.detach().flatten() for p in net.parameters()]))
    return torch.stack(path)


def gap(ours: Make, theirs: Make, **options: Any) -> float:
    """The largest distance between two paths of 100 steps."""
    difference = (train(ours, **options) - train(theirs, **options)).abs().max()
    return float(difference.nan_to_num(torch.inf))
