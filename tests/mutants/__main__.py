"""Print which mutants the suite notices, all or those that match: ``python -m tests.mutants [WORD ...]``."""

import sys
from collections.abc import Sequence

from .bank import BANK
from .run import Outcome, run


def table(outcomes: Sequence[Outcome]) -> str:
    """One line each, and the kill rate."""
    lines = ["| mutant | in | noticed by |", "|---|---|---|"]
    for outcome in outcomes:
        by = outcome.by.removeprefix("tests/") if outcome.killed else f"**{outcome.error or 'nobody'}**"
        lines.append(f"| {outcome.mutant.what} | {outcome.mutant.file} | {by} |")
    return "\n".join([*lines, f"{sum(o.killed for o in outcomes)} of {len(outcomes)} mutants are noticed"])


def main(words: Sequence[str]) -> int:
    chosen = [m for m in BANK if not words or any(word in f"{m.what} {m.file}" for word in words)]
    outcomes = run(chosen)
    print(table(outcomes))
    return sum(not outcome.killed for outcome in outcomes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
