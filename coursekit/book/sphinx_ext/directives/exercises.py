"""``{exercise-item} ASSIGNMENT.ITEM``: the box of one graded item, made from its assignment's master notebook."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

DIFFICULTY = {1: "a line", 2: "an idea", 3: "an idea and some patience"}


class ExerciseItem(SphinxDirective):
    """Statement, stub and self-check of one item; its label is ``ex-`` and the item's name."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        # Both bring torch: only when a page with an exercise is read.
        from coursekit.grading.exercise import load
        from coursekit.grading.master import item_of, stub

        name, _, id = self.arguments[0].partition(".")
        folder = Path(self.env.srcdir, "exercises", name)
        assignment = load(folder)
        item = next((item for item in assignment.items if item.id == id), None)
        if item is None:
            raise self.error(f"{name} has no item {id!r}; it has {', '.join(i.id for i in assignment.items)}")
        for file in (folder / "master.md", *folder.glob("items*.py")):
            self.env.note_dependency(str(file))
        cells = assignment.master.notebook.cells
        at = next(i for i, cell in enumerate(cells) if item_of(cell.source) == id)
        statement = cells[at - 1].source.splitlines()
        text = [
            f"````{{exercise}} {item.title}",
            f":label: ex-{id.replace('_', '-')}",
            ":class: ck-item",
            "",
            f"[Self-check · {item.minutes} minutes · {DIFFICULTY[item.difficulty]}]{{.ck-mark}}",
            "",
            *(line for line in statement if not line.startswith("## ")),
            "",
            "```python",
            *stub(assignment.master.solutions[id]).splitlines()[1:],
            "",
            f'coursekit.check("{self.arguments[0]}", {id})',
            "```",
            "````",
        ]
        box = nodes.container()
        self.state.nested_parse(StringList(text, source=self.arguments[0]), self.content_offset, box)
        return [box]


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("exercise-item", ExerciseItem)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
