"""One optimizer step, ours beside torch's: `python benchmarks/optim_step.py [--quick]`.

Every candidate takes one step per round (20 of the small size, whose steps are short for the clock), in turn; a
figure is the median over the rounds of the ratio of CPU times within a round. "best" is torch's fastest of
for-loop, foreach and fused, "default" what torch picks by itself. "limit" is the time that memory needs for the
bytes of a step, at the better of the bandwidths of a copy and an in-place product measured in the same rounds.
Lion's peer is pytorch_optimizer, when it is installed: in an environment of its own, without its dependencies.
A figure beyond its bar is marked with !.
"""

import argparse
import gc
import importlib.util
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

from coursekit import optim

Step = Callable[[], object]
SIZES: dict[str, list[tuple[int, ...]]] = {
    "10M in 60": [(512, 352)] * 40 + [(256, 600)] * 19 + [(11_520,)],
    "100k in 6": [(784, 96), (96,), (96, 256), (256,), (256, 10), (10,)],
}
# ours, torch's peer, options of the peer, floats moved per parameter
METHODS: dict[str, tuple[type[optim.RuleOptimizer], Any, dict[str, Any], int]] = {
    "SGD": (optim.GradientDescent, torch.optim.SGD, {}, 3),
    "momentum": (optim.HeavyBall, torch.optim.SGD, {"momentum": 0.9}, 5),
    "Adam": (optim.Adam, torch.optim.Adam, {}, 7),
    "AdamW": (optim.AdamW, torch.optim.AdamW, {}, 7),
    "RMSprop": (optim.RMSprop, torch.optim.RMSprop, {}, 5),
    "Adagrad": (optim.Adagrad, torch.optim.Adagrad, {}, 5),
    "Lion": (optim.Lion, None, {}, 5),
}
QUICK = ("SGD", "momentum", "Adam")
# What is wanted at most: compile/best for each size, with exceptions, then eager/default and compile/limit.
BARS = {"10M in 60": {"": 1.05, "SGD": 1.15, "Lion": 0.7}, "100k in 6": {"": 1.3, "SGD": 2.0, "Lion": 0.7}}
EAGER_BAR, LIMIT_BAR = {"10M in 60": 1.5}, {"10M in 60": 1.3}


Numbers = list[tuple[torch.Tensor, torch.Tensor]]


def parameters(numbers: Numbers) -> list[torch.nn.Parameter]:
    """New parameters with a gradient each, in the same memory for all candidates: where it lies counts at 10M."""
    made = [torch.nn.Parameter(w) for w, _ in numbers]
    for p, (_, g) in zip(made, numbers, strict=True):
        p.grad = g
    return made


def peers(method: str, numbers: Numbers) -> dict[str, Step]:
    """The other side's ways to take this step."""
    _, peer, options, _ = METHODS[method]
    if peer is None:
        if importlib.util.find_spec("pytorch_optimizer") is None:
            return {}
        from pytorch_optimizer import Lion

        return {"default": Lion(parameters(numbers), lr=1e-4).step}
    steps: dict[str, Step] = {"default": peer(parameters(numbers), lr=1e-4, **options).step}
    for way in ({"foreach": False}, {"foreach": True}, {"fused": True}):
        try:
            optimizer = peer(parameters(numbers), lr=1e-4, **options, **way)
            optimizer.step()
        except (RuntimeError, TypeError):  # torch has no fused RMSprop
            continue
        name = "for-loop" if way == {"foreach": False} else next(iter(way))
        steps[name] = optimizer.step
    return steps


def measure(steps: dict[str, Step], rounds: int, each: int) -> dict[str, list[float]]:
    """CPU seconds of every candidate in every round; the order turns from round to round."""
    names = list(steps)
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for i in range(rounds + 2):
        for name in names[i % len(names) :] + names[: i % len(names)]:
            before = time.process_time()
            for _ in range(each):
                steps[name]()
            if i >= 2:
                seconds[name].append((time.process_time() - before) / each)
    return seconds


def ratio(seconds: dict[str, list[float]], ours: str, peer: str) -> float:
    return statistics.median(a / b for a, b in zip(seconds[ours], seconds[peer], strict=True))


def against(figure: float, bar: float | None) -> str:
    """A figure with its bar."""
    if bar is None:
        return f"{figure:.2f}"
    return f"{figure:.2f} of {bar:g}{' !' if figure > bar else ''}"


def row(method: str, size: str, rounds: int) -> str:
    """One line of the table."""
    ours, _, _, floats = METHODS[method]
    shapes = SIZES[size]
    numbers = [(torch.randn(shape), torch.randn(shape)) for shape in shapes]
    known = peers(method, numbers)
    a, b = (torch.randn(sum(torch.Size(s).numel() for s in shapes)) for _ in range(2))
    compiled = ours(parameters(numbers), lr=1e-4, compile=True)
    before = time.perf_counter()
    compiled.step()
    start = time.perf_counter() - before
    seconds = measure(
        known
        | {"eager": ours(parameters(numbers), lr=1e-4).step, "compile": compiled.step}
        | {"copy": lambda: a.copy_(b), "product": lambda: a.mul_(1.0)},
        rounds,
        each=1 if size.startswith("10M") else 20,
    )
    middle = {name: statistics.median(s) for name, s in seconds.items()}
    limit = floats / 2 * min(middle["copy"], middle["product"])
    cells = [method, size, "-", "-", "-", against(middle["compile"] / limit, LIMIT_BAR.get(size)), f"{start:.0f}"]
    if known:
        best = min(known, key=lambda name: middle[name])
        cells[2:5] = [
            f"{best} {middle[best] * 1e3:.3f}",
            against(ratio(seconds, "compile", best), BARS[size].get(method, BARS[size][""])),
            against(ratio(seconds, "eager", "default"), EAGER_BAR.get(size)),
        ]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help=f"{', '.join(QUICK)} only, fewer rounds")
    parser.add_argument("--only", nargs="+", choices=METHODS, help="these methods")
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES), help="these sizes")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    gc.disable()  # as timeit does
    print(f"torch {torch.__version__}, {args.threads} threads, CPU time")
    print("| method | size | best, ms | compile/best | eager/default | compile/limit | first step, s |")
    print("|---|---|---|---|---|---|---|")
    for size in args.sizes:
        for method in args.only or (QUICK if args.quick else METHODS):
            print(row(method, size, rounds=20 if args.quick else 60), flush=True)


if __name__ == "__main__":
    main()
