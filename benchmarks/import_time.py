"""What `import coursekit` costs beyond torch's own import: `python benchmarks/import_time.py [--rounds 15]`.

Fresh interpreters, in turn: nothing, `import coursekit`, `import torch`, both, and torch with rules, descend and
optim in use. A figure is the median over the rounds of the difference of CPU times within a round.
"""

import argparse
import resource
import statistics
import subprocess
import sys

BAR = 0.3
CODE = {
    "nothing": "pass",
    "coursekit": "import coursekit",
    "torch": "import torch",
    "both": "import torch, coursekit",
    "in use": "import torch; from coursekit import descend, optim; from coursekit.rules import adam; optim.Adam",
}
ROWS = [
    ("import coursekit", "coursekit", "nothing"),
    ("import torch", "torch", "nothing"),
    ("import coursekit, beyond torch", "both", "torch"),
    ("descend, rules and optim in use, beyond torch", "in use", "torch"),
]


def seconds(code: str) -> float:
    """CPU seconds of a fresh interpreter."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    names = list(CODE)
    taken: dict[str, list[float]] = {name: [] for name in names}
    for i in range(rounds + 1):  # the first round fills the disk's cache
        for name in names[i % len(names) :] + names[: i % len(names)]:
            cost = seconds(CODE[name])
            if i:
                taken[name].append(cost)
    print(f"{rounds} rounds, CPU seconds; bar: at most {BAR} beyond torch")
    print("| what | seconds |\n|---|---|")
    for what, ours, base in ROWS:
        difference = statistics.median(a - b for a, b in zip(taken[ours], taken[base], strict=True))
        print(f"| {what} | {difference:.3f} |")


if __name__ == "__main__":
    main()
