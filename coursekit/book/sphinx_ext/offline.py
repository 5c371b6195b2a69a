"""A book without a network: MathJax, the palette and the style sheets are served from the book's own folder."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from coursekit import palette

# What a page may ask MathJax for: the component, its fonts, TeX extensions that load on first use, and what its
# menu offers to screen readers.
MATHJAX_PARTS = (
    "tex-chtml.js",
    "output/chtml/fonts/woff-v2",
    "input/tex/extensions",
    "ui/lazy.js",
    "a11y",
    "sre/mathmaps/base.json",
    "sre/mathmaps/en.json",
    "sre/mathmaps/nemeth.json",
)
STYLES = ("palette.css", "fonts.css", "course.css", "content.css", "boxes.css", "figures.css", "print.css")
SCRIPTS = ("course.js",)
# sphinx_thebe names a CDN on every page, sphinx_togglebutton folds with a script what fold.py folds without.
DROPPED = ("sphinx_thebe", "sphinx_togglebutton")


def mathjax_folder() -> Path:
    """The folder ``es5`` of MathJax 3 inside the installed wheel ``django-static-mathjax`` (not imported)."""
    spec = find_spec("mathjax")
    for root in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(root, "static", "mathjax", "es5")
        if folder.is_dir():
            return folder
    raise ExtensionError("MathJax was not found: install the wheel django-static-mathjax (extra [book]).")


def copy_mathjax(target: Path) -> None:
    """Copy what the pages need of MathJax to ``target``, once: a copy of the same wheel is left alone."""
    source = mathjax_folder()
    for part in MATHJAX_PARTS:
        here, there = source / part, target / part
        there.parent.mkdir(parents=True, exist_ok=True)
        if here.is_dir():
            shutil.copytree(here, there, dirs_exist_ok=True)
        elif not there.exists() or there.stat().st_mtime != here.stat().st_mtime:
            shutil.copy2(here, there)


def write_assets(app: Sphinx) -> None:
    """On builder-inited: put MathJax and the generated palette into the output's ``_static``."""
    if app.builder.format != "html":
        return
    static = Path(app.outdir, "_static")
    copy_mathjax(static / "mathjax")
    (static / "palette.css").write_text(palette.css(), encoding="utf-8")


def drop_extensions(app: Sphinx, config: Any) -> None:
    """On config-inited: disconnect what Jupyter Book always loads and this book does not use."""
    for listeners in app.events.listeners.values():
        for listener in [found for found in listeners if found.handler.__module__.startswith(DROPPED)]:
            app.disconnect(listener.id)
    unused = tuple(name.removeprefix("sphinx_") for name in DROPPED)

    def used(file: str | None) -> bool:
        return not any(name in str(file) for name in unused)

    app.registry.css_files = [style for style in app.registry.css_files if used(style[0])]
    app.registry.js_files = [script for script in app.registry.js_files if used(script[0])]


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("config-inited", drop_extensions)
    app.connect("builder-inited", write_assets)
    for style in STYLES:
        app.add_css_file(style, priority=900)
    for script in SCRIPTS:
        app.add_js_file(script, loading_method="defer")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
