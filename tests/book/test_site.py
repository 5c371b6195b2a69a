"""The built book in Chromium: every page without a network, on a desktop and on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from .built import is_stub, toc
from .visit import DESKTOP, PHONE, SOUND, Visit

pytestmark = pytest.mark.browser

PAGES = [*toc(), "search", "genindex"]
WRITTEN = [page for page in toc() if not is_stub(page)]


@pytest.fixture(scope="module")
def visit(browser: Any, origin: str) -> Iterator[Visit]:
    with browser.new_context(viewport=DESKTOP) as context:
        yield Visit(context.new_page(), origin)


@pytest.mark.parametrize("path", PAGES)
def test_page(visit: Visit, path: str) -> None:
    visit.page.set_viewport_size(DESKTOP)
    visit.open(path)
    assert visit.blocked == []
    assert visit.errors == []
    formulas = visit.page.locator("article .math").count()
    assert visit.page.locator("article .math:has(mjx-container)").count() == formulas
    assert visit.page.locator("mjx-merror, [data-mjx-error]").count() == 0
    for size in (DESKTOP, PHONE):
        found = visit.layout(size)
        assert found.pop("page") <= 0, f"scrolls sideways at {size['width']} px"
        assert found == SOUND


def test_theme_switch_changes_the_page(visit: Visit) -> None:
    visit.page.set_viewport_size(DESKTOP)
    visit.open("book/notation")
    ground = "getComputedStyle(document.body).backgroundColor"
    seen = {visit.page.evaluate(ground)}
    for _ in range(3):  # light, dark, as the system has it
        visit.page.locator("button.theme-switch-button").first.click()
        seen.add(visit.page.evaluate(ground))
    assert len(seen) == 2
    visit.page.evaluate("localStorage.clear()")


def test_folded_proofs_open_without_a_script(browser: Any, origin: str) -> None:
    opened = 0
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        for path in WRITTEN:
            page.goto(f"{origin}/{path}.html")
            fold = page.query_selector("article details:not([open])")
            if fold is not None:
                fold.query_selector("summary").click()
                assert fold.get_attribute("open") is not None
                opened += 1
    assert opened


class TestNegativeControls:
    """The same checks, on a page with a fault put in by hand, must find it."""

    @pytest.fixture
    def notation(self, visit: Visit) -> Visit:
        visit.page.set_viewport_size(DESKTOP)
        visit.open("book/notation")
        return visit

    def test_external_image_is_blocked_and_recorded(self, notation: Visit) -> None:
        with notation.page.expect_event("requestfailed"):
            notation.page.evaluate("new Image().src = 'https://example.org/a.png'")
        assert notation.blocked == ["https://example.org/a.png"]

    def test_missing_file_is_an_error(self, notation: Visit) -> None:
        with notation.page.expect_response("**/absent.png"):
            notation.page.evaluate("new Image().src = 'absent.png'")
        assert any(error.startswith("404") for error in notation.errors)

    def test_wide_block_scrolls_the_page(self, notation: Visit) -> None:
        notation.page.evaluate("document.querySelector('article p').style.width = '3000px'")
        assert notation.layout(PHONE)["page"] > 0

    def test_cut_equation_is_found(self, notation: Visit) -> None:
        notation.page.evaluate(
            """document.querySelector('article section').insertAdjacentHTML('beforeend',
            '<mjx-container display="true" style="display: block; width: 80px; overflow: hidden">' +
            '<div style="width: 900px">long</div></mjx-container>')"""
        )
        assert notation.layout(DESKTOP)["cut"]

    @pytest.mark.parametrize(
        ("fault", "html"),
        [
            (
                "outside",
                '<div style="overflow: hidden"><table style="width: 900px"><tr><td>a</td></tr></table></div>',
            ),
            ("tiny", '<div class="ck-panels"><svg viewBox="0 0 900 9" style="width: 300px"></svg></div>'),
            (
                "scrolling",
                '<mjx-container display="true" style="display: block; width: 80px; overflow: auto">'
                '<div style="width: 900px">long</div></mjx-container>',
            ),
            ("torn", '<div class="ck-certificate"><pre style="overflow: auto">' + "long " * 99 + "</pre></div>"),
        ],
    )
    def test_what_a_phone_cannot_show_is_found(self, notation: Visit, fault: str, html: str) -> None:
        add = "html => document.querySelector('article section').insertAdjacentHTML('beforeend', html)"
        notation.page.evaluate(add, html)
        assert [name for name, found in notation.layout(PHONE).items() if found] == [fault]
