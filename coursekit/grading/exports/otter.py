"""An assignment as the master notebook that ``otter assign`` reads: raw YAML cells mark questions and tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..exercise import BOOK, Assignment, Item, load
from ..files import write_whole
from ..master import item_of, stub
from ..release import release
from .recorded import CALL, by_part


def export(folder: Path, out: Path, seed: bytes, cohort: bytes = BOOK) -> Path:
    """Writes ``out/<assignment>.ipynb`` for ``otter assign``; returns its path.

    Raises ReleaseRefused, FileNotFoundError or ValueError, as ``release`` does.
    """
    import nbformat
    from nbformat.v4 import new_raw_cell

    assignment = load(folder, cohort)
    path = release(folder, out, cohort=cohort)
    notebook = nbformat.read(path, as_version=4)
    beside = [f"\n- {file.name}" for file in sorted(out.glob("*.check.json"))]
    files = f"\nfiles:{''.join(beside)}" if beside else ""
    config = f"# ASSIGNMENT CONFIG\nname: {assignment.name}\nexport_cell: false\ngenerate: true{files}"
    cells: list[Any] = [new_raw_cell(config)]
    items = {item.id: item for item in assignment.items}
    for cell in notebook.cells:
        cell.metadata.pop("nbgrader", None)
        if cell.cell_type == "code" and (name := item_of(cell.source)):
            cells += _question(assignment, items[name], seed)
        else:
            cells.append(cell)
    notebook.cells = cells
    write_whole(path, nbformat.writes(notebook) + "\n")
    return path


def _question(assignment: Assignment, item: Item, seed: bytes) -> list[Any]:
    """The cells of an item: its solution, the self-check, and a hidden test for each part."""
    from nbformat.v4 import new_code_cell, new_raw_cell

    def block(kind: str, cells: list[Any], config: str = "") -> Iterator[Any]:
        yield new_raw_cell(f"# BEGIN {kind}{config}")
        yield from cells
        yield new_raw_cell(f"# END {kind}")

    hidden = by_part(assignment, item, seed)
    tests = [
        _test(f'assert coursekit.check("{assignment.name}.{item.id}", {item.id})', 0 if hidden else item.points)
    ]
    for packed in hidden.values():
        tests.append(
            _test(f"{CALL}\nassert share({item.id}, {packed!r}) == 1", item.points / len(hidden), hidden=True)
        )
    inside = [
        *block("SOLUTION", [new_code_cell(solution(assignment.master.solutions[item.id]))]),
        *block("TESTS", [new_code_cell(test) for test in tests]),
    ]
    return list(block("QUESTION", inside, f"\nname: {item.id}"))


def solution(source: str) -> str:
    """A solution cell in Otter's marks: its lines are taken out for the student, and the stub's lines come in."""
    before, _, rest = source.partition("### BEGIN SOLUTION\n")
    body, _, after = rest.partition("### END SOLUTION")
    indent = before.rpartition("\n")[2]
    prompt = stub(source).removeprefix(before).removesuffix(after)
    return (
        f"{before}# BEGIN SOLUTION NO PROMPT\n{body}# END SOLUTION\n"
        f'{indent}""" # BEGIN PROMPT\n{indent}{prompt}\n{indent}"""; # END PROMPT{after}'
    )


def _test(statement: str, points: float, hidden: bool = False) -> str:
    """A test cell. It prints nothing: Otter would compare that with the output that is stored in this notebook."""
    config = f"points: {points:.12g}\nhidden: {str(hidden).lower()}"
    return f'""" # BEGIN TEST CONFIG\n{config}\n""" # END TEST CONFIG\n{statement}'
