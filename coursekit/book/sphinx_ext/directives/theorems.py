"""``{theorem} ID``: a theorem's statement and named assumptions, taken from the object that certificates use.

``{theorem-title}`ID``` is its title, with a link to the box where a section has one.
"""

from __future__ import annotations

import inspect
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective, SphinxRole
from sphinx.util.nodes import make_refnode


class Title(nodes.Inline, nodes.TextElement):
    """A theorem's title, which becomes a link once all sections are read."""


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


class TheoremTitle(SphinxRole):
    """A theorem's title."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        from coursekit import theory

        return [Title("", theory.by_id(self.text).title, theorem=self.text)], []


class LinkTheorems(SphinxPostTransform):
    """Link each :class:`Title` to the theorem's box; without a box it stays text."""

    default_priority = 8

    def run(self, **kwargs: Any) -> None:
        boxes = getattr(self.env, "proof_list", {})
        for node in list(self.document.findall(Title)):
            id, title = node["theorem"], nodes.Text(node.astext())
            here, box = self.env.docname, boxes.get(id)
            node.replace_self(make_refnode(self.app.builder, here, box["docname"], id, title) if box else title)


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_node(Title)
    app.add_directive("theorem", TheoremDirective)
    app.add_role("theorem-title", TheoremTitle())
    app.add_post_transform(LinkTheorems)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
