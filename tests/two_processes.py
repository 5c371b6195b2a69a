"""What each of two processes does in ``test_data_parallel.py``; one is spawned, so this imports little."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import torch
from torch import Tensor, distributed, nn

from coursekit.distributed import average_gradients
from coursekit.optim import AdamW

STEPS, BATCH, RARE = 12, 12, 2
OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adamw": lambda p: AdamW(p, lr=0.01),
    "torch's": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True),
}
# How the examples of a mini-batch are shared out: all of them, or the part of each process.
SHARES = {"whole": [slice(0, BATCH)], "equal": [slice(0, 6), slice(6, 12)], "unequal": [slice(0, 3), slice(3, 12)],
          "one idle": [slice(0, 0), slice(0, 12)]}  # fmt: skip


def average(params: Sequence[Tensor], examples: int) -> None:
    """What :func:`average_gradients` would be without weights."""
    for p in params:
        if p.requires_grad:
            p.grad = torch.zeros_like(p) if p.grad is None else p.grad
            distributed.all_reduce(p.grad)
            p.grad /= distributed.get_world_size()


class Network(nn.Module):
    """One layer is used for the first RARE examples of a mini-batch only, one never."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last, self.rare, self.unused = (nn.Linear(4, 4).double() for _ in range(4))
        self.last.weight = nn.Parameter(torch.randn(4, 4).double().t())  # not contiguous
        self.last.bias.requires_grad_(False)

    def forward(self, x: Tensor, rare: int) -> Tensor:
        out = self.last(torch.tanh(self.first(x)))
        return torch.cat([self.rare(out[:rare]), out[rare:]]) if rare else out


def train(name: str, share: slice, exchange: Callable[[Sequence[Tensor], int], None] | None) -> Tensor:
    """The path of all parameters on this share of each mini-batch, one row per step."""
    net = Network()
    params = list(net.parameters())
    optimizer = OPTIMIZERS[name](params)
    draw = torch.Generator().manual_seed(1)
    rows = []
    for _ in range(STEPS):
        x, y = torch.randn(2, BATCH, 4, generator=draw, dtype=torch.float64)[..., share, :]
        optimizer.zero_grad()
        if len(x):
            nn.functional.mse_loss(net(x, max(RARE - share.start, 0)), y).backward()
        if exchange:
            exchange(params, len(x))
        optimizer.step()
        rows.append(torch.cat([p.detach().flatten() for p in params]))
    return torch.stack(rows)


def work(rank: int, folder: str) -> dict:
    """Train in every way, together with the process of the other rank; returns and saves the paths."""
    distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2, timeout=timedelta(seconds=60)
    )
    try:
        paths: dict = {(name, how): train(name, shares[rank], average_gradients)
                       for name in OPTIMIZERS for how, shares in SHARES.items() if how != "whole"}  # fmt: skip
        for how in ("equal", "unequal"):
            paths["plain mean", how] = train("torch's", SHARES[how][rank], average)
            paths["none", how] = train("torch's", SHARES[how][rank], None)
        try:
            average_gradients([torch.ones(1, requires_grad=True)], 0)
        except ValueError as error:
            paths["told"] = str(error)
    finally:
        distributed.destroy_process_group()
    torch.save(paths, Path(folder) / f"{rank}.pt")
    return paths
