"""What each tier of the sandbox costs a submission: `python benchmarks/sandbox_cost.py [--rounds N]`.

A submission is timed from the fork of its process until that is buried, with one cell and one call in between. The
tiers take turns, so that a busy machine is busy for all of them; the figures are medians over the rounds, and the
cost is the median of the differences within a round. The process tier is the bare fork.
"""

from __future__ import annotations

import argparse
import statistics
import time
from contextlib import ExitStack

import torch

from coursekit.grading.boundary import Worker
from coursekit.grading.sandbox import Tier, refusal
from coursekit.grading.warm import Warm

CELL = "def step(w, g, eta):\n    return w - eta * g\n"


def submission(warm: Warm) -> tuple[float, float]:
    """Milliseconds until the process is ready, and for all of it."""
    start = time.perf_counter()
    worker = Worker(warm)
    ready = time.perf_counter()
    worker.execute("step", CELL, 10)
    worker.call("step", (torch.ones(3), torch.ones(3), 0.1), time.monotonic() + 10)
    worker.close()
    return 1e3 * (ready - start), 1e3 * (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    rounds = parser.parse_args().rounds
    tiers = [tier for tier in Tier if refusal(tier) is None]
    with ExitStack() as stack:
        warm = {tier: stack.enter_context(Warm(tier)) for tier in tiers}
        for tier in tiers:
            submission(warm[tier])
        taken = [{tier: submission(warm[tier]) for tier in tiers} for _ in range(rounds)]
    print("| tier | ready, ms | whole submission, ms | its quietest tenth | cost over the bare fork, ms |")
    print("|---|---|---|---|---|")
    for tier in tiers:
        ready = statistics.median(row[tier][0] for row in taken)
        whole = sorted(row[tier][1] for row in taken)
        cost = statistics.median(row[tier][1] - row[Tier.PROCESS][1] for row in taken)
        print(
            f"| {tier} | {ready:.1f} | {statistics.median(whole):.1f} | {whole[rounds // 10]:.1f} | {cost:+.1f} |"
        )
    for tier in Tier:
        if reason := refusal(tier):
            print(f"\n{tier} is not to be had here: {reason}")


if __name__ == "__main__":
    main()
