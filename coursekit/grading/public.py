"""The recorded cases of the self-check: one JSON file per assignment, shipped with the package."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from .compare import Tolerance
from .exercise import Assignment, Case
from .observe import Failure, Outcome
from .recording import Recording, record
from .values import from_file, to_file

FOLDER = Path(__file__).parent / "public"


def recordings(assignment: Assignment) -> dict[str, Recording]:
    """The public cases of every item, answered by the reference and the mutants just now."""
    return {item.id: record(assignment, item, tuple(item.public())) for item in assignment.items}


def dumps(recorded: dict[str, Recording]) -> str:
    """The file's text: a line for every case and every mutant, so that a change can be read in a diff."""
    items = [f" {json.dumps(item)}: {{\n{_fields(_to_json(r))}\n }}" for item, r in recorded.items()]
    return "{\n" + ",\n".join(items) + "\n}\n"


def _fields(tree: dict[str, Any]) -> str:
    lines = []
    for name, value in tree.items():
        rows = value if isinstance(value, list) else [value]
        text = ",\n   ".join(json.dumps(row, allow_nan=False) for row in rows)
        lines.append(f"  {json.dumps(name)}: " + (f"[\n   {text}\n  ]" if isinstance(value, list) else text))
    return ",\n".join(lines)


def loads(text: str) -> dict[str, Recording]:
    """The recordings that ``dumps`` wrote."""
    return {item: _from_json(item, tree) for item, tree in json.loads(text).items()}


@cache
def shipped(assignment: str) -> dict[str, Recording]:
    """The recordings that ship with the package."""
    return loads((FOLDER / f"{assignment}.json").read_text(encoding="utf-8"))


def known() -> list[str]:
    """The names of all exercises that can be checked, such as ``smoothness.gd_step``."""
    return [f"{path.stem}.{item}" for path in sorted(FOLDER.glob("*.json")) for item in shipped(path.stem)]


def _to_json(r: Recording) -> dict[str, Any]:
    return {
        "names": list(r.names),
        "tolerance": {"rtol": r.tolerance.rtol, "atol": r.tolerance.atol},
        "cases": [{"part": case.part, "arguments": to_file(case.arguments)} for case in r.cases],
        "reference": _outcomes_to_json(r.reference, r.cases),
        "mutants": [{"hint": hint, "outcomes": _outcomes_to_json(os, r.cases)} for hint, os in r.mutants],
    }


def _from_json(item: str, tree: dict[str, Any]) -> Recording:
    cases = tuple(Case(case["part"], from_file(case["arguments"])) for case in tree["cases"])
    return Recording(
        item,
        tuple(tree["names"]),
        Tolerance(**tree["tolerance"]),
        cases,
        _outcomes_from_json(tree["reference"], cases),
        tuple((m["hint"], _outcomes_from_json(m["outcomes"], cases)) for m in tree["mutants"]),
    )


def _outcomes_to_json(outcomes: tuple[Outcome, ...], cases: tuple[Case, ...]) -> list[dict[str, Any]]:
    """Arguments are written only where the call changed them."""
    trees = []
    for outcome, case in zip(outcomes, cases, strict=True):
        if outcome.failure:
            trees.append({"failure": outcome.failure.type_name})
            continue
        trees.append({"value": to_file(outcome.value)})
        if (after := to_file(outcome.arguments)) != to_file(case.arguments):
            trees[-1]["arguments"] = after
    return trees


def _outcomes_from_json(trees: list[dict[str, Any]], cases: tuple[Case, ...]) -> tuple[Outcome, ...]:
    return tuple(
        Outcome(failure=Failure(tree["failure"], ""))
        if "failure" in tree
        else Outcome(
            from_file(tree["value"]),
            from_file(tree["arguments"]) if "arguments" in tree else case.arguments,
        )
        for tree, case in zip(trees, cases, strict=True)
    )
