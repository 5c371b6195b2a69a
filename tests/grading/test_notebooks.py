"""Every released notebook runs before a line is written, and every master with its solutions, top to bottom."""

from __future__ import annotations

import ast
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from coursekit.grading.check import CheckResult
from coursekit.grading.exercise import Assignment, load
from coursekit.grading.release import student_notebook
from coursekit.widgets import Explorable

from .conftest import EXERCISES

ASSIGNMENTS = sorted(master.parent for master in EXERCISES.glob("*/master.md"))


@pytest.fixture(scope="module", params=ASSIGNMENTS, ids=lambda folder: folder.name)
def assignment(request: pytest.FixtureRequest) -> Assignment:
    return load(request.param)


def shown(notebook: Any) -> list[Any]:
    """Runs the code cells in one namespace; returns what a notebook displays: the values of last expressions."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    values = []
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        tree = ast.parse(cell.source)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, "<cell>", "exec"), namespace)
        if isinstance(last, ast.Expr):
            values.append(eval(compile(ast.Expression(last.value), "<cell>", "eval"), namespace))
    return values


def test_the_released_notebook_runs_before_a_line_is_written(assignment: Assignment) -> None:
    values = shown(nbformat.reads(student_notebook(assignment), as_version=4))
    checks = [value for value in values if isinstance(value, CheckResult)]
    assert [check.status for check in checks] == ["not attempted"] * len(assignment.items)
    for value in values:
        if isinstance(value, Explorable):
            assert repr(value).endswith("is not written yet.")


def test_the_master_passes_its_own_checks(assignment: Assignment) -> None:
    values = shown(assignment.master.notebook)
    assert [value.status for value in values if isinstance(value, CheckResult)] == ["passed"] * len(
        assignment.items
    )
    for value in values:
        if isinstance(value, Explorable):
            assert " points, " in repr(value)
            assert "picture" not in repr(value)


def test_in_a_kernel_the_notebook_shows_the_same_words() -> None:
    notebook = nbformat.reads(student_notebook(load(EXERCISES / "taylor")), as_version=4)
    words = [repr(value) for value in shown(notebook)]
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert [output["data"]["text/plain"] for output in outputs if output.output_type == "execute_result"] == words
    assert {output.output_type for output in outputs} == {"execute_result"}
    assert any("application/vnd.jupyter.widget-view+json" in output["data"] for output in outputs)
