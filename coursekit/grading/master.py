"""The master notebook: which cells are solutions, what the student gets instead, and what a mutant is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from .observe import placeholder

_ITEM = re.compile(r"\A# ITEM (\w+)[ \t]*\n")
_SOLUTION = re.compile(
    r"^([ \t]*)### BEGIN SOLUTION\n(.*?\n)[ \t]*### END SOLUTION[ \t]*$", re.DOTALL | re.MULTILINE
)
_CHECK = re.compile(r"\bcoursekit\.check\(\s*(\"[\w.]+\")")


@dataclass(frozen=True)
class Master:
    """A parsed master: its notebook, its first code cell (the setup), and the solution cells by item id."""

    notebook: Any
    setup: str
    solutions: dict[str, str]
    checks: frozenset[str]
    title: str

    def mutated(self, item: str, old: str, new: str) -> str:
        """The solution cell of ``item`` with ``old``, which must occur once in its region, replaced by ``new``."""
        source = self.solutions[item]
        region = _SOLUTION.search(source)
        assert region is not None  # parse() has seen to it
        if (count := region[2].count(old)) != 1:
            raise ValueError(f"{item}: the mutant's text {old!r} occurs {count} times in the solution, not once")
        return source[: region.start(2)] + region[2].replace(old, new) + source[region.end(2) :]


def parse(text: str) -> Master:
    """Reads a master in MyST notebook format. Raises ValueError on a missing title, setup or solution region."""
    import jupytext  # only releasing and grading need it; a student's process never does

    notebook = jupytext.reads(text, fmt="md:myst")
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    solutions: dict[str, str] = {}
    for source in code:
        if not (item := item_of(source)):
            continue
        if item in solutions:
            raise ValueError(f"master.md has two cells for item {item!r}")
        if len(_SOLUTION.findall(source)) != 1:
            raise ValueError(f"the cell of item {item!r} needs one region ### BEGIN SOLUTION ... ### END SOLUTION")
        solutions[item] = source
    if not code or item_of(code[0]):
        raise ValueError("the first code cell of master.md must be the setup (imports), not a solution")
    checks = frozenset(name for source in code for name in _CHECK.findall(source))
    heading = re.search(r"^# (.+)$", text, re.MULTILINE)
    if not heading:
        raise ValueError("master.md has no heading '# ...' for its title")
    return Master(notebook, code[0], solutions, checks, heading[1])


def item_of(source: str) -> str | None:
    """The item whose solution cell this is; None for any other cell."""
    found = _ITEM.match(source)
    return found[1] if found else None


def check_of(source: str) -> str | None:
    """The item id that a check cell checks; None for any other cell."""
    found = _CHECK.search(source)
    return found[1].strip('"').rpartition(".")[2] if found else None


def stub(source: str) -> str:
    """A solution cell as the student gets it: the region becomes a line that says it is not written yet."""
    item = item_of(source)
    assert item is not None
    lines = f'\\1# Your solution here.\n\\1raise NotImplementedError("{placeholder(item)}")'
    return _SOLUTION.sub(lines, source)
