"""256 seeds of mini-batch SGD on an MLP: `python benchmarks/seeds.py`.

64-32-10 tanh network on the digits, cross-entropy, 100 steps, batches of 32 in reshuffled epochs: every seed has
its own start and its own mini-batches. Ours is one call of `descend`, eager and with `compile=True`, compiled
beforehand, and draws its mini-batches; its peer is the loop that one writes with torch.optim.SGD, fed the same
mini-batches. In each round ours runs whole and the peer a few seeds; a ratio is that
of CPU times within a round, the peer's scaled up to all seeds, and the figure is the median over the rounds. The
bar: at least 11 times faster.
"""

import statistics
import time
from collections.abc import Callable

import torch
from torch import nn

from coursekit import data, descend
from coursekit.oracles import Epochs
from coursekit.problems import Network
from coursekit.rules import gradient_descent

SEEDS, STEPS, SIZE, ETA, LOOPED, ROUNDS = 256, 100, 32, 0.1, 4, 5


def mlp(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 10))


X, Y = (part.to(torch.float32) for part in data.digits())
labels = Y.argmax(1)
problem = Network(mlp(0), X, labels, nn.functional.cross_entropy)
starts = torch.stack([nn.utils.parameters_to_vector(mlp(seed).parameters()).detach() for seed in range(SEEDS)])
oracle = Epochs(problem, SIZE, seed=0)


def ours(compile: bool = False) -> torch.Tensor:
    run = descend(
        oracle, gradient_descent, starts, STEPS, record=("w",), record_every=STEPS, compile=compile, eta=ETA
    )
    return run.w[-1]


def loop(batches: list[torch.Tensor]) -> torch.Tensor:
    ends = []
    for seed in range(LOOPED):
        module = mlp(seed)
        optimizer = torch.optim.SGD(module.parameters(), lr=ETA)
        for batch in batches:
            chosen = batch[seed]
            optimizer.zero_grad()
            nn.functional.cross_entropy(module(X[chosen]), labels[chosen]).backward()
            optimizer.step()
        ends.append(nn.utils.parameters_to_vector(module.parameters()).detach())
    return torch.stack(ends)


def seconds(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before


def main() -> None:
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, 1 thread, CPU time, {SEEDS} seeds x {STEPS} steps of {SIZE} examples")
    again = oracle.fresh()
    batches = [again.indices(starts) for _ in range(STEPS)]
    looped, before = loop(batches), time.perf_counter()
    for name, ends in {"descend": ours(), "compiled": ours(compile=True)}.items():
        print(f"largest difference of {name} from torch.optim: {(ends[:LOOPED] - looped).abs().max():.1e}")
    print(f"compiled in {time.perf_counter() - before:.1f} s")
    candidates = {"descend": ours, "compiled": lambda: ours(compile=True), "torch.optim": lambda: loop(batches)}
    rounds = [{name: seconds(work) for name, work in candidates.items()} for _ in range(ROUNDS)]
    print("| | seconds | torch.optim / it |")
    print("|---|---|---|")
    for taken in rounds:
        taken["torch.optim"] *= SEEDS / LOOPED
    for name in candidates:
        ratio = statistics.median(taken["torch.optim"] / taken[name] for taken in rounds)
        print(f"| {name} | {statistics.median(taken[name] for taken in rounds):.2f} | {ratio:.1f} |")


if __name__ == "__main__":
    main()
