"""One SAM, ASAM and ESAM step beside plain SGD and the peers: `python benchmarks/sam_step.py [--peer PATH]`.

A step is a whole training step on one mini-batch of 128: the gradients are cleared, computed as often as the
method asks, and the base, torch's SGD with momentum, steps. Every candidate takes its steps in every round (5 of
the MLP, 1 of the CNN), in turn; a figure is the median over the rounds of the ratio of CPU times within a round.
pytorch_optimizer's SAM is measured when it is installed, davda54/sam when --peer names sam.py of a checkout.
"""

import argparse
import importlib.util
import runpy
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from optim_step import Step, measure, ratio
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from coursekit.optim import ASAM, ESAM, SAM

BATCH = 128
BASE = {"lr": 0.01, "momentum": 0.9}


def mlp() -> tuple[nn.Module, Tensor]:
    """85,002 parameters in 6 tensors."""
    widths = (64, 256), (256, 256), (256, 10)
    layers = [layer for i, o in widths for layer in (nn.Linear(i, o), nn.ReLU())]
    net = nn.Sequential(*layers[:-1])
    return net, torch.randn(BATCH, 64)


def cnn() -> tuple[nn.Module, Tensor]:
    """Three convolutions and a linear layer on 28 x 28 images."""
    net = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10),
    )  # fmt: skip
    return net, torch.randn(BATCH, 1, 28, 28)


class Task:
    """A network of its own and one mini-batch."""

    def __init__(self, make: Callable[[], tuple[nn.Module, Tensor]]) -> None:
        torch.manual_seed(0)
        self.net, self.x = make()
        self.y = torch.randint(10, (BATCH,))

    def gradient(self) -> Tensor:
        """The closure: loss and backward."""
        loss = cross_entropy(self.net(self.x), self.y)
        loss.backward()
        return loss

    def losses(self, chosen: Tensor | None) -> Tensor:
        """Of the chosen examples, or of all."""
        x, y = (self.x, self.y) if chosen is None else (self.x[chosen], self.y[chosen])
        return cross_entropy(self.net(x), y, reduction="none")

    def sgd(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.net.parameters(), **BASE)


def plain(task: Task, gradients: int, steps: bool) -> Step:
    """Some gradients, with or without one SGD step: what no method around SGD can undercut."""
    sgd = task.sgd()

    def step() -> None:
        for _ in range(gradients):
            sgd.zero_grad()
            task.gradient()
        if steps:
            sgd.step()

    return step


def theirs(task: Task, optimizer: Any) -> Step:
    """The peers take the first gradient outside of their step."""

    def step() -> None:
        optimizer.zero_grad()
        task.gradient()
        optimizer.step(task.gradient)

    return step


def candidates(make: Callable[[], tuple[nn.Module, Tensor]], peers: dict[str, Any]) -> dict[str, Step]:
    def task() -> Task:
        return Task(make)

    steps = {
        "SGD": plain(task(), 1, steps=True),
        "2 gradients": plain(task(), 2, steps=False),
        "2 gradients + SGD": plain(task(), 2, steps=True),
    }
    ours = {"SAM": SAM, "ASAM": ASAM, "SAM, p = 3": partial(SAM, p=3)}
    for name, wrap in ours.items():
        one = task()
        steps[f"our {name}"] = partial(wrap(one.sgd()).step, one.gradient)
    for beta, gamma in ((0.6, 0.5), (1.0, 0.5), (0.6, 1.0)):
        one = task()
        esam = ESAM(one.sgd(), beta=beta, gamma=gamma)
        steps[f"our ESAM, beta {beta:g}, gamma {gamma:g}"] = partial(esam.step, one.losses)
    for peer, made in peers.items():
        for name, adaptive in {"SAM": False, "ASAM": True}.items():
            one = task()
            optimizer = made(one.net.parameters(), torch.optim.SGD, adaptive=adaptive, **BASE)
            steps[f"{peer}'s {name}"] = theirs(one, optimizer)
    return steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", help="sam.py of a checkout of davda54/sam")
    parser.add_argument("--only", choices=("mlp", "cnn"), help="this network")
    parser.add_argument("--rounds", type=int, default=150)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    peers = {"davda54": runpy.run_path(args.peer)["SAM"]} if args.peer else {}
    if importlib.util.find_spec("pytorch_optimizer"):
        from pytorch_optimizer import SAM as theirs_too

        peers["pytorch_optimizer"] = theirs_too
    print(f"torch {torch.__version__}, {args.threads} threads, CPU time")
    print("bars: SAM/SGD 2.0, ASAM/SGD 2.1, both less than the peers; ESAM/SAM 0.95 on the CNN")
    print("| network | step | ms | of SGD | of our SAM |")
    print("|---|---|---|---|---|")
    for make in {"mlp": (mlp,), "cnn": (cnn,)}.get(args.only, (mlp, cnn)):
        seconds = measure(candidates(make, peers), args.rounds, each=5 if make is mlp else 1)
        for name, times in seconds.items():
            middle = sorted(times)[len(times) // 2]
            print(
                f"| {make.__name__} | {name} | {middle * 1e3:.2f} | {ratio(seconds, name, 'SGD'):.2f} "
                f"| {ratio(seconds, name, 'our SAM'):.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
