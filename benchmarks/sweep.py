"""A thousand learning rates of Adam on Rosenbrock's function, 200 steps each: `python benchmarks/sweep.py`.

Ours is one call of `descend` with a batch of step sizes, eager and with `compile=True`, compiled beforehand; its
peer is the loop that one writes with torch.optim. In each round ours runs whole and the peer a few learning rates,
spread over the range; a ratio is that of CPU times within a round, the peer's scaled up to all rates, and the
figure is the median over the rounds. Where jax is installed, its vmap of a scan, compiled beforehand, is measured
in the same rounds. The bars: at least 500 times faster than the loop; compiled, at most 15 times slower than jax.
"""

import importlib.util
import statistics
import time
from collections.abc import Callable

import torch

from coursekit import descend
from coursekit.problems import Rosenbrock
from coursekit.rules import adam

STEPS, RATES, LOOPED, ROUNDS = 200, 1000, 4, 7
problem = Rosenbrock()
start = torch.tensor([-1.2, 1.0], dtype=torch.float64)
etas = torch.logspace(-4, -1, RATES, dtype=torch.float64)


def ours(compile: bool = False) -> torch.Tensor:
    run = descend(problem, adam, start, STEPS, record=("w",), record_every=STEPS, compile=compile, eta=etas)
    return run.w[-1]


def ours_recorded(compile: bool = False) -> torch.Tensor:
    return descend(problem, adam, start, STEPS, record=("w", "f", "grad_norm"), compile=compile, eta=etas).w[-1]


def loop(rates: torch.Tensor) -> torch.Tensor:
    ends = []
    for lr in rates.tolist():
        w = start.clone().requires_grad_(True)
        optimizer = torch.optim.Adam([w], lr=lr)
        for _ in range(STEPS):
            optimizer.zero_grad()
            problem.value(w).backward()
            optimizer.step()
        ends.append(w.detach())
    return torch.stack(ends)


def jax_scan() -> Callable[[], object] | None:
    """The sweep as jax would have it, compiled; None without jax."""
    if importlib.util.find_spec("jax") is None:
        return None
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    gradient = jax.grad(lambda w: (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2)

    def run(lr):  # type: ignore[no-untyped-def]
        def step(carry, t):  # type: ignore[no-untyped-def]
            w, m, v = carry
            g = gradient(w)
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
            w = w - lr * (m / (1 - 0.9**t)) / (jnp.sqrt(v / (1 - 0.999**t)) + 1e-8)
            return (w, m, v), None

        w = jnp.array(start.numpy())
        return jax.lax.scan(step, (w, 0 * w, 0 * w), jnp.arange(1.0, STEPS + 1))[0][0]

    compiled, rates = jax.jit(jax.vmap(run)), jnp.array(etas.numpy())
    difference = abs(torch.tensor(compiled(rates).tolist(), dtype=torch.float64) - ours()).max()
    print(f"largest difference from jax: {difference:.1e}")
    return lambda: compiled(rates).block_until_ready()


def seconds(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before


def main() -> None:
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, 1 thread, CPU time, {RATES} learning rates x {STEPS} steps")
    chosen = etas[:: RATES // LOOPED]
    looped, before = loop(chosen), time.perf_counter()
    for name, ends in {"descend": ours(), "compiled": ours(compile=True)}.items():
        print(
            f"largest difference of {name} from torch.optim: {(ends[:: RATES // LOOPED] - looped).abs().max():.1e}"
        )
    print(f"compiled in {time.perf_counter() - before:.1f} s")
    candidates: dict[str, Callable[[], object]] = {
        "descend": ours,
        "descend, all recorded": ours_recorded,
        "compiled": lambda: ours(compile=True),
        "compiled, all recorded": lambda: ours_recorded(compile=True),
        "torch.optim": lambda: loop(chosen),
    }
    if (scan := jax_scan()) is not None:
        candidates["jax"] = scan
    rounds = [{name: seconds(work) for name, work in candidates.items()} for _ in range(ROUNDS + 1)][1:]
    for taken in rounds:
        taken["torch.optim"] *= RATES / len(chosen)
    print("| | seconds | torch.optim / it | it / jax |")
    print("|---|---|---|---|")
    for name in candidates:
        loops = statistics.median(taken["torch.optim"] / taken[name] for taken in rounds)
        jax = f"{statistics.median(taken[name] / taken['jax'] for taken in rounds):.1f}" if scan else "-"
        print(f"| {name} | {statistics.median(taken[name] for taken in rounds):.3f} | {loops:.0f} | {jax} |")


if __name__ == "__main__":
    main()
