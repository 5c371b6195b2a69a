"""One Chromium, and one small page with the explorable on it, for the tests of a module."""

import html

import pytest

from coursekit.widgets import descent_lemma
from coursekit.widgets.bundle import bundle
from tests.browser import browser, serve

__all__ = ["browser"]

# The two rules of the book's own stylesheet that matter here: the page's ground, and no page margin.
PAGE = """<!doctype html>
<html lang="en" data-theme="light"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<style>body {{ margin: 8px }} html[data-theme=dark] body {{ background: #14181f; color: #e6e9ee }}</style>
<script type="module" src="coursekit.js"></script></head>
<body><main><h1>{title}</h1>{body}</main></body></html>
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The address of a folder with the module and a page; ``index.html`` starts just under 1/L."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "coursekit.js").write_text(bundle(), encoding="utf-8")
    shown = descent_lemma(kappa=10.0, eta=0.098, start=(-1.8, 0.5))
    page = PAGE.format(title=html.escape(shown.spec["title"]), body=shown.html())
    (folder / "index.html").write_text(page, encoding="utf-8")
    with serve(folder) as address:
        yield address


@pytest.fixture
def visit(browser, site):
    """Open the page with Playwright's context options, ``visit(viewport=...)``, and wait until it is drawn."""
    contexts = []

    def open_page(*, drawn=True, **options):
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: pytest.fail(f"the page raised: {error}"))
        page.goto(site)
        if drawn:
            page.wait_for_selector('[role="slider"][aria-valuetext]')
        return page

    yield open_page
    for context in contexts:
        context.close()
