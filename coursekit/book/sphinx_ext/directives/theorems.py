"""``{theorem} ID``: a theorem's statement and named assumptions, taken from the object that certificates use."""

from __future__ import annotations

import inspect
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


class TheoremDirective(SphinxDirective):
    """The numbered box of one :class:`coursekit.theory.Theorem`; its label is the theorem's id."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        from coursekit import theory  # brings torch: only when a page with a theorem is read

        try:
            theorem = theory.by_id(self.arguments[0])
        except ValueError as error:
            raise self.error(str(error)) from error
        self.env.note_dependency(inspect.getfile(theorem.sides))
        text = [
            f"````{{prf:{theorem.kind}}} {theorem.title}",
            f":label: {theorem.id}",
            "",
            *theorem.statement.splitlines(),
            "",
            "Assumptions:",
            "",
            *(f"- *{a.name}*: {a.text}" for a in theorem.assumptions),
            "````",
        ]
        box = nodes.container(classes=["ck-theorem"])
        self.state.nested_parse(StringList(text, source=theorem.id), self.content_offset, box)
        return [box]


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("theorem", TheoremDirective)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
