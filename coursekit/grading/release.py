"""From the master to the student's notebook and the recorded self-check; refuses what fails its own checks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import public
from .exercise import BOOK, Assignment, Item, load
from .files import write_whole
from .master import check_of, item_of, stub
from .recording import Recording, record

_MASTERS = public.FOLDER.parents[2] / "exercises"  # of the book, in a checkout
_TRIAL_SEEDS = (b"release 1", b"release 2", b"release 3")


class ReleaseRefused(ValueError):
    """The assignment does not pass its own checks; the message lists every reason."""


def release(
    assignment_dir: Path | str, out: Path | str, public_dir: Path | str | None = None, cohort: bytes = BOOK
) -> Path:
    """Writes ``out/<assignment>.ipynb`` and the recorded self-check; returns the notebook's path.

    The self-check of the book's own assignments goes into ``public_dir``, by default the package. That of another
    cohort or of a private master becomes ``out/<assignment>.check.json``, handed out with the notebook. Raises
    ReleaseRefused.
    """
    assignment = load(assignment_dir, cohort)
    recorded = public.recordings(assignment)
    if problems := faults(assignment, recorded):
        raise ReleaseRefused(f"{assignment.name} is not released:\n" + "\n".join(f"- {p}" for p in problems))
    if public_dir or (cohort == BOOK and Path(assignment_dir).resolve().parent == _MASTERS):
        target = Path(public_dir or public.FOLDER) / f"{assignment.name}.json"
    else:
        target = Path(out) / f"{assignment.name}{public.BESIDE}"
    if not target.is_file() or not same(public.loads(target.read_text(encoding="utf-8")), recorded):
        write_whole(target, public.dumps(recorded))
        public.shipped.cache_clear()
    notebook = Path(out) / f"{assignment.name}.ipynb"
    write_whole(notebook, student_notebook(assignment))
    return notebook


def faults(assignment: Assignment, recorded: dict[str, Recording]) -> list[str]:
    """Why the assignment may not be released: a reference that fails, a mutant that survives, a hint not found."""
    found: list[str] = []
    for item in assignment.items:
        hidden = [record(assignment, item, item.hidden_cases(seed)) for seed in _TRIAL_SEEDS]
        for kind, recording in [("public", recorded[item.id]), *(("hidden", r) for r in hidden)]:
            found += _faults_of(assignment, item, kind, recording)
    return list(dict.fromkeys(found))


def _faults_of(assignment: Assignment, item: Item, kind: str, recording: Recording) -> list[str]:
    found = []
    again = record(assignment, item, recording.cases)
    failures = [o.failure for o in recording.reference if o.failure]
    if not recording.cases:
        found.append(f"{item.id}: there are no {kind} cases")
    if failures:
        found.append(f"{item.id}: the reference fails on {kind} cases: {failures[0]}")
    elif not recording.judge(again.reference).right:
        found.append(
            f"{item.id}: the reference fails its own {kind} checks (it changes an argument, or is not repeatable)"
        )
    for hint, outcomes in recording.mutants:
        verdict = recording.judge(outcomes)
        if verdict.right:
            found.append(f"{item.id}: the {kind} checks do not reject the mutant of the hint {hint!r}")
        elif kind == "public" and verdict.hint != hint:
            found.append(f"{item.id}: the self-check answers a mutant with {verdict.hint!r} instead of {hint!r}")
    return found


def same(old: dict[str, Recording], new: dict[str, Recording]) -> bool:
    """Whether two recordings of an assignment agree: inputs and hints exactly, answers within the tolerance."""
    return list(old) == list(new) and all(new[item].matches(old[item]) for item in new)


def student_notebook(assignment: Assignment) -> str:
    """The text of the student's notebook: stubs, nbgrader metadata (schema 3), no outputs, stable cell ids."""
    import nbformat
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

    items = {item.id: item for item in assignment.items}
    cells: list[Any] = []
    for number, cell in enumerate(assignment.master.notebook.cells, start=1):
        make = new_code_cell if cell.cell_type == "code" else new_markdown_cell
        source, metadata = cell.source, {}
        if cell.cell_type == "code" and (name := item_of(source)):
            item = items[name]
            source, metadata = stub(source), {"nbgrader": _nbgrader(name, item.points)}
            worth = f"{item.points} points · level {item.difficulty} of 3 · about {item.minutes} minutes"
            cells[-1].source += f"\n\n*{worth}*"
        elif cell.cell_type == "code" and (name := check_of(source)):
            metadata = {"nbgrader": _nbgrader(f"check_{name}")}
        cells.append(make(source, metadata=metadata, id=f"{assignment.name}-{number:02d}"))
    notebook = new_notebook(
        cells=cells,
        metadata={
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            "coursekit": {"assignment": assignment.name, "version": assignment.version},
        },
    )
    nbformat.validate(notebook)
    return nbformat.writes(notebook) + "\n"


def _nbgrader(grade_id: str, points: int | None = None) -> dict[str, Any]:
    """Cell metadata: a solution if it has points, else a locked check.

    A solution is marked as graded by hand; nbgrader itself would award it full points unseen.
    """
    solution = points is not None
    marks = {"schema_version": 3, "grade_id": grade_id, "grade": solution, "solution": solution, "task": False}
    return marks | ({"locked": False, "points": points} if solution else {"locked": True})
