"""``{errata} KEY``: what to tell the author of one document, a line for each correction, from the ledger."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from coursekit.claims.ledger import SOURCES, folder, load

from .claims import LEDGER, ledger_id, small_link


class ErrataDirective(SphinxDirective):
    """Each line names the place, says what to change, and links to the ledger's entry."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        key = self.arguments[0]
        if key not in SOURCES:
            raise self.error(f"{key!r} is not one of {', '.join(SOURCES)}")
        self.env.note_dependency(str(folder() / f"{key}.yaml"))
        items = nodes.bullet_list()
        for claim in load().values():
            if claim.source == key and claim.erratum:
                item = nodes.list_item()
                text = f"**{claim.where}.** {claim.erratum}"
                self.state.nested_parse(StringList([text], source="ledger"), self.content_offset, item)
                item[0] += small_link(self.env, claim.id, LEDGER, ledger_id(claim.id))
                items += item
        return [items] if len(items) else [nodes.paragraph(text="Nothing to correct.")]


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("errata", ErrataDirective)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
