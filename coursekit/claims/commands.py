"""``coursekit claims``: run the checks, print the table, fail on any disagreement."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from tqdm import tqdm

from ..plain import plain
from .check import Outcome, registered, run
from .ledger import SOURCES, VERDICTS, load


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser("claims", help="run the checks of the ledger's claims")
    parser.add_argument("--source", choices=SOURCES, help="only this document's claims")
    parser.add_argument("--chapter", type=int, choices=range(1, 7), help="only this chapter's claims")
    parser.add_argument("--verdict", choices=VERDICTS, help="only claims with this verdict")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was measured to FILE as well")
    parser.set_defaults(command=command)


def command(args: argparse.Namespace) -> int:
    chosen = [
        id
        for id, claim in load().items()
        if id in registered()
        and args.source in (None, claim.source)
        and args.chapter in (None, claim.chapter)
        and args.verdict in (None, claim.verdict)
    ]
    outcomes = [run([id])[0] for id in tqdm(chosen, desc="claims", unit="claim", leave=False)]
    for outcome in outcomes:
        print(line(outcome))
    wrong = [o for o in outcomes if not o.agrees]
    print(f"{len(outcomes)} claims checked of {len(load())} in the ledger; {len(wrong)} disagree with it.")
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(as_data(outcomes), indent=1), encoding="utf-8")
    return 1 if wrong else 0


def line(outcome: Outcome) -> str:
    """One row of the printed table."""
    numbers = "; ".join(f"{plain(what)}: {shown(value)}" for what, value in outcome.measured.numbers.items())
    mark = " " if outcome.agrees else "!"
    return f"{mark} {outcome.claim.id:24} {outcome.claim.verdict:15} {numbers}"


def shown(value: float) -> str:
    """A count in full, a measurement to four digits."""
    return str(value) if isinstance(value, int) else f"{value:.4g}"


def as_data(outcomes: list[Outcome]) -> dict[str, dict[str, object]]:
    """What the book shows of each check: its numbers, and the file that holds it."""
    return {
        o.claim.id: {
            "numbers": {k: shown(v) for k, v in o.measured.numbers.items()},
            "agrees": o.agrees,
            "module": registered()[o.claim.id].__module__,
        }
        for o in outcomes
    }
