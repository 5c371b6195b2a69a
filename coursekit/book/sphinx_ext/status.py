"""The status page: what is written, what ran, when, for how long and with which versions."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from docutils import nodes
from myst_nb.sphinx_ import NbMetadataCollector
from sphinx.application import Sphinx
from sphinx.builders import Builder

from .pages import NOT_WRITTEN, add_maker, is_stub, link

PACKAGES = (
    "coursekit",
    "torch",
    "numpy",
    "scikit-learn",
    "matplotlib",
    "jupyter-book",
    "Sphinx",
    "myst-nb",
    "django-static-mathjax",
)


def table(header: Iterable[str], rows: Iterable[Iterable[nodes.Node | str]], css: str) -> nodes.table:
    """A docutils table from a header and rows of texts or body nodes."""

    def row(cells: Iterable[nodes.Node | str]) -> nodes.row:
        return nodes.row(
            "", *(nodes.entry("", nodes.paragraph(text=c) if isinstance(c, str) else c) for c in cells)
        )

    head = row(header)
    group = nodes.tgroup("", *(nodes.colspec() for _ in head), cols=len(head))
    group += [nodes.thead("", head), nodes.tbody("", *map(row, rows))]
    return nodes.table("", group, classes=["colwidths-auto", css])


def run_of(execution: dict[str, Any] | None) -> tuple[str, str]:
    """Run time and day of a notebook's execution, as myst-nb recorded them (from the cache where it was used)."""
    if not execution:
        return "", ""
    seconds, moment = execution.get("runtime"), execution.get("mtime")
    return (
        f"{seconds:.1f} s" if seconds is not None else "",
        datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d") if moment else "",
    )


def reading_order(builder: Builder) -> list[str]:
    """All pages, as the table of contents orders them."""

    def below(docname: str) -> list[str]:
        children = builder.env.toctree_includes.get(docname, [])
        return [docname, *(page for child in children for page in below(child))]

    return below(builder.config.root_doc)


def page_status(builder: Builder, here: str) -> list[nodes.Node]:
    """One row per page: written or not, and its last execution; then the versions it was built with."""
    env = builder.env
    runs = NbMetadataCollector.get_doc_data(env)
    pages = reading_order(builder)
    rows = [
        [
            link(builder, here, page),
            nodes.paragraph(
                text=NOT_WRITTEN if is_stub(env, page) else "Written",
                classes=["ck-mark"] if is_stub(env, page) else [],
            ),
            *run_of(runs.get(page, {}).get("exec_data")),
        ]
        for page in pages
    ]
    written = sum(not is_stub(env, page) for page in pages)
    return [
        nodes.paragraph(text=f"{written} of {len(pages)} pages are written."),
        table(["Page", "Status", "Run time", "Executed"], rows, "ck-status"),
    ]


def package_versions(builder: Builder, here: str) -> list[nodes.Node]:
    """The versions of Python and of the main packages in the environment that built the book."""
    rows = [["Python", platform.python_version()], *([name, version(name)] for name in PACKAGES)]
    return [table(["Package", "Version"], rows, "ck-versions")]


def setup(app: Sphinx) -> dict[str, Any]:
    add_maker(app, "page-status", page_status)
    add_maker(app, "package-versions", package_versions)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
