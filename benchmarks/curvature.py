"""Top Hessian eigenvalue and trace of a small network, ours beside the peers: `python benchmarks/curvature.py`.

The network is a tanh MLP 64-200-160-10 (46,770 parameters, float64) on 1000 digits with cross-entropy, after 60
steps of Adam. Everyone owes the same certificate, a residual ‖Hv - λv‖ of at most 1e-3 |λ|, which is checked with
products of its own. Each run starts from nothing, the graph included, with the round's seed, and takes its turn in
every round. A figure is the median over the rounds of the CPU time, or of the ratio of CPU times within a round.
scipy and power iteration use our kept-graph products. pyhessian stops when its value settles, so it runs at the
loosest of its tolerances 1e-3, 1e-4, ... that meets the certificate in this round; "as it comes" is its default
1e-3, whatever the residual. It takes part where it is installed: `pip install --no-deps pyhessian`, in an
environment of its own (without --no-deps it replaces torch). The traces take 10 probes each.
"""

import argparse
import importlib.util
import math
import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator, eigsh
from torch import Tensor, nn

from coursekit import data
from coursekit.curvature import Estimate, Operator, eigenpairs, hessian_of, trace

TOL = 1e-3
Pair = tuple[float, Tensor, float]  # value, unit vector, products
Seconds = dict[str, list[float]]


def trained() -> tuple[nn.Module, Callable[[], Tensor], tuple[Tensor, Tensor]]:
    """The network, its loss and its data."""
    torch.manual_seed(0)
    inputs, onehot = data.digits(1000)
    labels = onehot.argmax(-1)
    module = nn.Sequential(
        nn.Linear(64, 200), nn.Tanh(), nn.Linear(200, 160), nn.Tanh(), nn.Linear(160, 10)
    ).double()
    adam = torch.optim.Adam(module.parameters(), lr=3e-3)

    def loss() -> Tensor:
        return nn.functional.cross_entropy(module(inputs), labels)

    for _ in range(60):
        adam.zero_grad()
        loss().backward()
        adam.step()
    return module, loss, (inputs, labels)


def ours(H: Operator, seed: int) -> Pair:
    found = eigenpairs(H, tol=TOL, seed=seed)
    return float(found.values[0]), found.vectors[0], found.products


def scipys(H: Operator, seed: int, ncv: int | None = None) -> Pair:
    def product(v: np.ndarray) -> np.ndarray:
        return H.hvp(torch.as_tensor(v.reshape(-1))).numpy()

    v0 = np.random.default_rng(seed).standard_normal(H.dim)
    A = LinearOperator((H.dim, H.dim), matvec=product, dtype=np.float64)
    values, vectors = eigsh(A, k=1, which="LM", tol=TOL, ncv=ncv, v0=v0)
    return float(values[0]), torch.as_tensor(vectors[:, 0]), H.calls.hvps


def power(H: Operator, seed: int) -> Pair:
    v = torch.randn(H.dim, generator=torch.Generator().manual_seed(seed), dtype=H.point.dtype)
    v /= v.norm()
    while True:
        u = H.hvp(v)
        value = u @ v
        if (u - value * v).norm() <= TOL * value.abs():
            return float(value), v, H.calls.hvps
        v = u / u.norm()


def pyhessians(module: nn.Module, batch: tuple[Tensor, Tensor], seed: int, tol: float) -> Pair:
    H = pyhessian(module, batch)
    torch.manual_seed(seed)
    values, vectors = H.eigenvalues(maxIter=1000, tol=tol)
    return values[0], torch.cat([v.reshape(-1) for v in vectors[0]]), math.nan  # it does not say


def pyhessian(module: nn.Module, batch: tuple[Tensor, Tensor]) -> Any:
    from pyhessian import hessian

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Using backward.*create_graph")
        H = hessian(module, nn.functional.cross_entropy, data=batch, cuda=False)
    for p in module.parameters():  # it keeps what it needs; left here, the graph would never be freed
        p.grad = None
    return H


def residual(check: Operator, pair: Pair) -> float:
    value, v, _ = pair
    v = v / v.norm()
    return float((check.hvp(v) - value * v).norm() / abs(value))


def interleaved(
    rounds: int, runs: Callable[[int], dict[str, Callable[[], Any]]]
) -> tuple[Seconds, dict[str, list]]:
    """CPU seconds and result of every run in every round; the order turns from round to round."""
    seconds: Seconds = {}
    results: dict[str, list] = {}
    for seed in range(rounds):
        turn = list(runs(seed).items())
        for name, run in turn[seed % len(turn) :] + turn[: seed % len(turn)]:
            before = time.process_time()
            result = run()
            seconds.setdefault(name, []).append(time.process_time() - before)
            results.setdefault(name, []).append(result)
    return seconds, results


def table(title: str, more: str, seconds: Seconds, notes: dict[str, str]) -> None:
    print(f"\n| {title} | CPU, ms | ours / it | {more} |\n|---|---|---|---|---|")
    for name in sorted(seconds, key=lambda name: statistics.median(seconds[name])):
        ratio = statistics.median(a / b for a, b in zip(seconds["ours"], seconds[name], strict=True))
        print(f"| {name} | {statistics.median(seconds[name]) * 1e3:.0f} | {ratio:.2f} | {notes[name]} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    module, loss, batch = trained()
    check = hessian_of(module, loss)
    peer = importlib.util.find_spec("pyhessian") is not None
    print(
        f"torch {torch.__version__}, {args.threads} threads, {args.rounds} rounds; {check.dim} parameters,",
        end=" ",
    )
    print(f"loss {loss().item():.4f}" + ("" if peer else "; pyhessian is not installed"))

    def eigenvalue(seed: int) -> dict[str, Callable[[], Pair]]:
        runs: dict[str, Callable[[], Pair]] = {
            "ours": lambda: ours(hessian_of(module, loss), seed),
            "power iteration": lambda: power(hessian_of(module, loss), seed),
            "scipy eigsh": lambda: scipys(hessian_of(module, loss), seed),
            "scipy eigsh, ncv=8": lambda: scipys(hessian_of(module, loss), seed, 8),
        }
        if peer:
            tol = TOL
            while residual(check, pyhessians(module, batch, seed, tol)) > TOL:
                tol /= 10
            runs["pyhessian"] = lambda: pyhessians(module, batch, seed, tol)
            runs["pyhessian, as it comes"] = lambda: pyhessians(module, batch, seed, TOL)
        return runs

    seconds, found = interleaved(args.rounds, eigenvalue)
    worst = {name: max(residual(check, pair) for pair in pairs) for name, pairs in found.items()}
    products = {name: f"{statistics.median(p for _, _, p in pairs):g}" for name, pairs in found.items()}
    notes = {name: f"{products[name]} | {worst[name]:.2e}" for name in found}
    table(f"eigenvalue {found['ours'][0][0]:.5f}", "products | worst residual", seconds, notes)

    def traces(seed: int) -> dict[str, Callable[[], Any]]:
        runs: dict[str, Callable[[], Any]] = {
            "ours": lambda: trace(hessian_of(module, loss), 10, seed).samples.tolist()
        }
        if peer:
            runs["pyhessian"] = lambda: pyhessian(module, batch).trace(maxIter=10, tol=0)
        return runs

    seconds, samples = interleaved(args.rounds, traces)
    notes = {}
    for name, rows in samples.items():
        all_of_it = Estimate(torch.tensor(rows, dtype=torch.float64).reshape(-1))
        notes[name] = f"{len(rows[0])} | {all_of_it}"
    table("trace", "products | all rounds together", seconds, notes)


if __name__ == "__main__":
    main()
