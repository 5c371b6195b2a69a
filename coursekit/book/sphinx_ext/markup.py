"""Small corrections to the theme's HTML: a sidebar with names and marks, plain words in the download menu, outputs
that are certificates marked as such.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from .pages import NOT_WRITTEN, is_stub

# How the first line of a `coursekit.theory.Certificate` goes on after the theorem's title.
CERTIFICATE = re.compile(r": (holds on all|not refuted on|refused, the run|VIOLATED at|REFUTED by) ")
DOWNLOADS = {".ipynb": "Notebook (.ipynb)", ".md": "Source (.md)", ".pdf": "Print or PDF"}


def mend_sidebar(app: Sphinx, pagename: str, context: dict[str, Any]) -> None:
    """Mark the sidebar's links to unwritten pages with ``data-status="stub"``; name its buttons."""
    original: Callable[..., Any] = context["generate_toctree_html"]
    env = app.env
    targets = [app.builder.get_relative_uri(pagename, doc) for doc in env.all_docs if is_stub(env, doc)]

    def mended(*args: Any, **kwargs: Any) -> str:
        html = str(original(*args, **kwargs)).replace("<summary>", '<summary aria-label="Sections">')
        for uri in targets:
            html = html.replace(f'href="{uri}"', f'href="{uri}" data-status="stub" title="{NOT_WRITTEN}"')
        return html

    context["generate_toctree_html"] = mended


def adjust_page(
    app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """On html-page-context, after the themes: mend the sidebar, name the downloads in words."""
    if "generate_toctree_html" in context:
        mend_sidebar(app, pagename, context)
    if "body" in context:  # docutils calls it a list, but what is in it is no list item
        context["body"] = context["body"].replace(
            '<div role="list" class="citation-list">', '<div class="citation-list">'
        )
    for group in context.get("header_buttons", []):
        for button in group.get("buttons", []):
            button["text"] = DOWNLOADS.get(button.get("text"), button.get("text"))


def mark_certificates(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """On doctree-resolved: give the outputs that print a certificate the class ``ck-certificate``."""
    for output in doctree.findall(nodes.literal_block):
        if "output" in output["classes"] and CERTIFICATE.search(output.astext()):
            output["classes"].append("ck-certificate")


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("doctree-resolved", mark_certificates)
    app.connect("html-page-context", adjust_page, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
