"""The assignment under test, and notebooks with given solution cells."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from coursekit.grading.exercise import Assignment, load
from coursekit.grading.release import student_notebook

EXERCISES = Path(__file__).parents[2] / "exercises"
SMOOTHNESS = EXERCISES / "smoothness"
SEED = b"a seed for the tests, not a secret"


@pytest.fixture(scope="session")
def smoothness() -> Assignment:
    return load(SMOOTHNESS)


@pytest.fixture(scope="session")
def practice() -> Assignment:
    return load(EXERCISES / "smoothness_practice")


@pytest.fixture(scope="session")
def hasty(smoothness: Assignment) -> Assignment:
    """The same assignment with short time limits, so that an infinite loop does not cost the tests much."""
    return replace(smoothness, items=tuple(replace(item, seconds=4.0) for item in smoothness.items))


@pytest.fixture(scope="session")
def notebook(smoothness: Assignment) -> Callable[..., dict[str, Any]]:
    """A submission: the released notebook with the reference in every cell but those that are given."""

    def build(**cells: str) -> dict[str, Any]:
        tree: dict[str, Any] = json.loads(student_notebook(smoothness))
        for cell in tree["cells"]:
            item = cell["metadata"].get("nbgrader", {}).get("grade_id")
            if item in smoothness.master.solutions:
                cell["source"] = cells.get(item, smoothness.master.solutions[item])
        return tree

    return build
