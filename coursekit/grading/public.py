"""The recorded cases of the self-check: one JSON file per assignment.

The book's own ship with the package; those of another cohort or of a private master lie beside the notebook.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from .compare import Tolerance
from .exercise import Assignment, Calls, Case
from .objective import Objective, join, split
from .observe import Failure, Outcome
from .recording import KINDS, Recording, arguments_to_file, bill, record
from .values import from_file, to_file

FOLDER = Path(__file__).parent / "public"
BESIDE = ".check.json"  # <assignment>.check.json, in the notebook's folder


def recordings(assignment: Assignment) -> dict[str, Recording]:
    """The public cases of every item, answered by the reference and the mutants just now."""
    return {item.id: record(assignment, item, item.public_cases(assignment.cohort)) for item in assignment.items}


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


def at_hand() -> dict[str, dict[str, Recording]]:
    """All recordings that can be checked here: the package's, and those in the working directory before them.

    Raises ValueError for a file beside the notebook that cannot be read.
    """
    found = {path.stem: shipped(path.stem) for path in sorted(FOLDER.glob("*.json"))}
    for path in sorted(Path().glob(f"*{BESIDE}")):
        try:
            found[path.name.removesuffix(BESIDE)] = loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{path} is no recorded self-check: download it again ({error!r})") from error
    return found


def _to_json(r: Recording) -> dict[str, Any]:
    return {
        "names": list(r.names),
        "tolerance": {"rtol": r.tolerance.rtol, "atol": r.tolerance.atol},
        **({"budget": asdict(r.budget)} if r.budget else {}),
        "cases": [{"part": case.part, **arguments_to_file(case.arguments)} for case in r.cases],
        "reference": _outcomes_to_json(r.reference, r.cases),
        "mutants": [{"hint": hint, "outcomes": _outcomes_to_json(os, r.cases)} for hint, os in r.mutants],
    }


def _from_json(item: str, tree: dict[str, Any]) -> Recording:
    cases = tuple(Case(case["part"], _arguments(case)) for case in tree["cases"])
    return Recording(
        item,
        tuple(tree["names"]),
        Tolerance(**tree["tolerance"]),
        cases,
        _outcomes_from_json(tree["reference"], cases),
        tuple((m["hint"], _outcomes_from_json(m["outcomes"], cases)) for m in tree["mutants"]),
        Calls(**tree["budget"]) if "budget" in tree else None,
    )


def _arguments(case: dict[str, Any]) -> tuple[Any, ...]:
    objectives = {
        place: Objective(kind, from_file(parameters), local=local)
        for place, (kind, parameters, local) in case.get("objectives", {}).items()
    }
    return join(from_file(case["arguments"]), objectives)


def _outcomes_to_json(outcomes: tuple[Outcome, ...], cases: tuple[Case, ...]) -> list[dict[str, Any]]:
    """Arguments are written only where the call changed them."""
    trees: list[dict[str, Any]] = []
    for outcome, case in zip(outcomes, cases, strict=True):
        if outcome.failure:
            trees.append({"failure": outcome.failure.type_name})
            continue
        trees.append({"value": to_file(outcome.value)})
        if outcome.calls:
            trees[-1]["calls"] = bill(outcome)
        if (after := to_file(split(outcome.arguments)[0])) != to_file(split(case.arguments)[0]):
            trees[-1]["arguments"] = after
    return trees


def _outcomes_from_json(trees: list[dict[str, Any]], cases: tuple[Case, ...]) -> tuple[Outcome, ...]:
    return tuple(
        Outcome(failure=Failure(tree["failure"], ""))
        if "failure" in tree
        else Outcome(
            from_file(tree["value"]),
            join(from_file(tree["arguments"]), split(case.arguments)[1])
            if "arguments" in tree
            else case.arguments,
            calls=tuple(Calls(**dict(zip(KINDS, row, strict=True))) for row in tree.get("calls", [])),
        )
        for tree, case in zip(trees, cases, strict=True)
    )
