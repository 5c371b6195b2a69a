"""An assignment for nbgrader: a source notebook with solutions and hidden tests, and what its students get.

Cell metadata of schema 3. The solution cells are not graded themselves; below each check stands a cell of
nbgrader's own, worth the item's points. To the student it gives them for the self-check; when graded, for hidden
cases.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from ..exercise import BOOK, Assignment, load
from ..files import write_whole
from ..master import check_of, item_of
from ..release import release
from .recorded import CALL, by_part

_NOTE = "# nbgrader's own cell: here the points of the self-check, and those of hidden cases when it is graded."


def export(folder: Path, out: Path, seed: bytes, cohort: bytes = BOOK) -> list[Path]:
    """Writes ``out/source`` and ``out/release``, as in an nbgrader course; returns the notebooks' paths.

    Raises ReleaseRefused, FileNotFoundError or ValueError, as ``release`` does.
    """
    assignment = load(folder, cohort)
    released = release(folder, out / "release" / assignment.name, cohort=cohort)
    notebook = released.read_text(encoding="utf-8")
    source = out / "source" / assignment.name / released.name
    write_whole(source, _notebook(notebook, assignment, seed))
    write_whole(released, _notebook(notebook, assignment, None))
    for beside in released.parent.glob("*.check.json"):
        shutil.copy(beside, source.parent)
    return [source, released]


def _notebook(released: str, assignment: Assignment, seed: bytes | None) -> str:
    """The released notebook with nbgrader's cells; with a seed the source version, else the student's."""
    tree = json.loads(released)
    cells: list[dict[str, Any]] = []
    for cell in tree["cells"]:
        source = "".join(cell["source"])
        cells.append(cell)
        if cell["cell_type"] != "code":
            continue
        if name := item_of(source):
            cell["metadata"]["nbgrader"] = _metadata(name, solution=True)
            if seed is not None:
                cell["source"] = assignment.master.solutions[name]
        elif name := check_of(source):
            cells.append(_test(assignment, name, seed) | {"id": f"{cell['id']}-test"})
    return json.dumps(tree | {"cells": cells}, indent=1, ensure_ascii=False) + "\n"


def _test(assignment: Assignment, name: str, seed: bytes | None) -> dict[str, Any]:
    item = next(item for item in assignment.items if item.id == name)
    lines = [_NOTE, f'{item.points} * bool(coursekit.check("{assignment.name}.{name}", {name}))']
    if seed is not None and (parts := by_part(assignment, item, seed)):
        packed = [f"    {text!r}," for text in parts.values()]
        lines += ["### BEGIN HIDDEN TESTS", CALL, f"{item.points} * share(", f"    {name},", *packed, ")"]
        lines.append("### END HIDDEN TESTS")
    metadata = {"nbgrader": _metadata(f"test_{name}", points=item.points)}
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": metadata,
        "outputs": [],
        "source": "\n".join(lines),
    }


def _metadata(grade_id: str, solution: bool = False, points: int | None = None) -> dict[str, Any]:
    graded = points is not None
    marks = {"schema_version": 3, "grade_id": grade_id, "grade": graded, "solution": solution, "task": False}
    return marks | {"locked": not solution} | ({"points": points} if graded else {})
