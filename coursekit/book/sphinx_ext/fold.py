"""What has the class ``dropdown`` (a proof, a solution, an admonition) folds with the browser's own ``<details>``.

No script is needed for it, so a folded proof opens from the keyboard, without JavaScript and on paper.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.writers.html5 import HTML5Translator


class Fold(nodes.General, nodes.Element):
    """A box that opens when its ``summary`` is pressed."""


def visit_fold(self: HTML5Translator, node: Fold) -> None:
    self.body.append(f'<details class="ck-fold"><summary>{self.encode(node["summary"])}</summary>\n')


def depart_fold(self: HTML5Translator, node: Fold) -> None:
    self.body.append("</details>\n")


def pass_through(self: Any, node: Fold) -> None:
    """Formats that cannot fold show what is inside."""


def summary(node: nodes.Element) -> str:
    """What to press: the box's title, or its kind where the title would only repeat what stands above it."""
    for kind, text in (("solution", "Solution"), ("proof", "Full proof")):
        if kind in node["classes"]:
            return text
    title = next(node.findall(nodes.title), None)
    return title.astext() if title else "More"


class FoldDropdowns(SphinxPostTransform):
    """Wrap every element of class ``dropdown`` in a :class:`Fold`."""

    default_priority = 400

    def run(self, **kwargs: Any) -> None:
        for node in list(self.document.findall(nodes.Element)):
            if "dropdown" in node.get("classes", ()):
                node["classes"].remove("dropdown")
                fold = Fold(summary=summary(node))
                node.replace_self(fold)
                fold += node


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_node(
        Fold, html=(visit_fold, depart_fold), latex=(pass_through, pass_through), text=(pass_through, pass_through)
    )
    app.add_post_transform(FoldDropdowns)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
