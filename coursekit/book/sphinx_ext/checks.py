"""The source of every check as a page of the book: ``checks/<file>``, with one anchor per claim."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

FOLDER = Path(__file__).parents[2] / "claims" / "checks"
_CHECK = re.compile(r'<span class="nd">@check</span><span class="p">\(</span><span class="s2">"([\w.-]+)"')


def page_of(module: str) -> str:
    """The page that shows a module of checks: ``coursekit.claims.checks.momentum`` is on ``checks/momentum``."""
    return f"checks/{module.rpartition('.')[2]}"


def anchor(id: str) -> str:
    return f"check-{nodes.make_id(id)}"


def pages(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """On html-collect-pages: one page per file."""
    for file in sorted(FOLDER.glob("[!_]*.py")):
        source = file.read_text(encoding="utf-8")
        code = app.builder.highlighter.highlight_block(source, "python")  # type: ignore[attr-defined]
        code = _CHECK.sub(lambda m: f'<a id="{anchor(m[1])}"></a>{m[0]}', code)
        title = f"Checks: {file.stem.replace('_', ' ')}"
        body = f'<h1>{title}</h1>\n<div class="highlight-python notranslate">{code}</div>'
        yield page_of(file.stem), {"title": title, "body": body, "parents": []}, "page.html"


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("html-collect-pages", pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
