"""``coursekit claims``: run the checks, print the table, fail on any disagreement."""

from __future__ import annotations

import argparse
import json
import os
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
    parser.add_argument("--open", action="store_true", help="list the claims that nothing decides yet, run none")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="checks at a time")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was measured to FILE as well")
    parser.set_defaults(command=command)


def command(args: argparse.Namespace) -> int:
    claims = [
        claim
        for claim in load().values()
        if args.source in (None, claim.source)
        and args.chapter in (None, claim.chapter)
        and args.verdict in (None, claim.verdict)
    ]
    if args.open:
        undecided = [claim for claim in claims if claim.id not in registered() and not claim.exempt]
        for claim in undecided:
            print(f"{claim.id:24} {claim.verdict:15} {plain(claim.check)}")
        print(f"{len(undecided)} of {len(claims)} claims have neither a check nor a passage that decides them.")
        return 0
    chosen = [claim.id for claim in claims if claim.id in registered()]
    jobs = min(args.jobs, len(chosen)) or 1
    outcomes = list(tqdm(run(chosen, jobs), desc="claims", total=len(chosen), unit="claim", leave=False))
    for outcome in outcomes:
        print(line(outcome))
    wrong = [o for o in outcomes if not o.agrees]
    exempt = sum(bool(claim.exempt) for claim in claims)
    print(
        f"{len(claims)} claims chosen: {len(outcomes)} checked, {len(wrong)} of these disagree with the ledger;"
        f" {exempt} decided by reading; {len(claims) - len(outcomes) - exempt} open."
    )
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
