"""Honest submissions get the marks that they deserve, through the whole grader and its best boundary."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from coursekit.grading.exercise import Assignment, Case, Item, Mutant
from coursekit.grading.grade import grade, prepare
from coursekit.grading.gradebook import Mark
from coursekit.grading.master import stub

from .conftest import SEED
from .honest.corpus import CORPUS, Honest

Build = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def short(hasty: Assignment) -> Assignment:
    """Its two items that the corpus is about."""
    return replace(hasty, items=tuple(item for item in hasty.items if item.id in ("gd_step", "estimate_L")))


@pytest.fixture(scope="module")
def marks(short: Assignment, notebook: Build, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Mark]]:
    folder = tmp_path_factory.mktemp("honest")
    for one in CORPUS:
        sources = {"gd_step": one.gd_step, "estimate_L": one.estimate_L}
        given = {item: source for item, source in sources.items() if source}
        cells = {i: stub(short.master.solutions[i]) if s == "STUB" else s for i, s in given.items()}
        handed_in = one.alter(notebook(**cells))
        path = folder / one.name / f"{short.name}.ipynb" if one.folder else folder / f"{one.name}.ipynb"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(handed_in if isinstance(handed_in, bytes) else json.dumps(handed_in).encode())
    return by_student(grade(folder, prepare(short, SEED), folder / ".out", 2))


def by_student(marks: list[Mark]) -> dict[str, list[Mark]]:
    found: dict[str, list[Mark]] = {}
    for mark in marks:
        found.setdefault(mark.student, []).append(mark)
    return found


@pytest.mark.parametrize("one", CORPUS, ids=lambda one: one.name)
def test_gets_what_it_deserves(one: Honest, marks: dict[str, list[Mark]]) -> None:
    got = {mark.item: mark for mark in marks[one.name]}
    deserved = {"gd_step": one.step, "estimate_L": one.constant}
    assert {name: mark.points for name, mark in got.items()} == deserved, got["gd_step"].message
    assert got["gd_step"].status == one.status


def worth(assignment: Assignment, item: Item, mutant: Mutant, cases: tuple[Case, ...]) -> float:
    """What a mutant earns, by torch's comparison: its share of right parts, half of it if it changes arguments."""
    right, wrong = assignment.reference(item), assignment.reference(item, mutant)
    parts: dict[str, bool] = {}
    changed = False
    for case in cases:
        mine, before = copied(case.arguments), copied(case.arguments)
        try:
            agree = close(wrong(*mine), right(*copied(case.arguments)), item)
            changed |= not all(
                torch.equal(torch.as_tensor(a), torch.as_tensor(b)) for a, b in zip(mine, before, strict=True)
            )
        except Exception:
            agree = False
        parts[case.part] = parts.get(case.part, True) and agree
    return round(item.points * sum(parts.values()) / len(parts) / (2 if changed else 1), 2)


def copied(arguments: tuple[Any, ...]) -> list[Any]:
    return [x.clone() if isinstance(x, torch.Tensor) else x for x in arguments]


def close(got: Any, want: Any, item: Item) -> bool:
    try:
        torch.testing.assert_close(
            got, want, rtol=item.tolerance.rtol, atol=item.tolerance.atol, equal_nan=True, allow_subclasses=False
        )
    except (AssertionError, TypeError, ValueError):
        return False
    return type(got) is type(want)


@pytest.mark.parametrize(
    ("students", "seed"), [(12, 0), pytest.param(200, 1, marks=pytest.mark.soak)], ids=["sample", "all"]
)
def test_generated_submissions_get_what_their_mutants_are_worth(
    students: int, seed: int, smoothness: Assignment, notebook: Build, tmp_path: Path
) -> None:
    chance = random.Random(seed)
    exam = prepare(smoothness, SEED)
    deserved: dict[tuple[str, str], float] = {}
    for number in range(students):
        cells = {}
        for item in smoothness.items:
            mutant = chance.choice([None, *item.mutants])
            cells[item.id], points = smoothness.master.solutions[item.id], float(item.points)
            if mutant:
                cells[item.id] = smoothness.master.mutated(item.id, mutant.old, mutant.new)
                points = worth(smoothness, item, mutant, exam.hidden[item.id].cases)
            deserved[f"student{number}", item.id] = points
        (tmp_path / f"student{number}.ipynb").write_text(json.dumps(notebook(**cells)))
    got = grade(tmp_path, exam, tmp_path / ".out", min(2, os.cpu_count() or 1))
    assert {(mark.student, mark.item): mark.points for mark in got} == deserved
    assert any(0 < points < exam_item_max(smoothness, item) for (_, item), points in deserved.items())


def exam_item_max(assignment: Assignment, name: str) -> float:
    return next(item.points for item in assignment.items if item.id == name)
