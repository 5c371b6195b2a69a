"""The ledger's search in a real browser, held against the ledger itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from coursekit.claims import load

from .visit import DESKTOP, Visit

pytestmark = pytest.mark.browser
SHOWN = "article .ck-claim:not([hidden])"


@pytest.fixture(scope="module")
def ledger(browser: Any, origin: str) -> Iterator[Visit]:
    with browser.new_context(viewport=DESKTOP) as context:
        yield Visit(context.new_page(), origin)


def count(**wanted: str) -> int:
    return sum(all(str(getattr(c, k)) == v for k, v in wanted.items()) for c in load().values())


@pytest.mark.parametrize(
    "wanted", [{}, {"verdict": "false"}, {"source": "TDL", "chapter": "4", "kind": "theorem"}]
)
def test_choosing_shows_what_the_ledger_has(ledger: Visit, wanted: dict[str, str]) -> None:
    ledger.page.goto(f"{ledger.origin}/book/ledger.html")
    for field, value in wanted.items():
        ledger.page.select_option(f"select[name={field}]", value)
    assert ledger.page.locator(SHOWN).count() == count(**wanted)
    assert ledger.page.locator(".ck-filter output").text_content() == f"{count(**wanted)} of {count()} claims"
    ledger.page.reload()  # the address remembers what was chosen
    assert ledger.page.locator(SHOWN).count() == count(**wanted)


def test_words_find_text_and_formulas_by_keyboard(ledger: Visit) -> None:
    ledger.page.goto(f"{ledger.origin}/book/ledger.html")
    ledger.page.focus(".ck-filter input")
    ledger.page.keyboard.type(r"lion \beta_2")
    shown = ledger.page.locator(SHOWN).evaluate_all("boxes => boxes.map((box) => box.id)")
    assert 0 < len(shown) < 20
    assert "ledger-tdl-lion" in shown
    ledger.page.focus(".ck-filter button")
    ledger.page.keyboard.press("Enter")
    ledger.page.wait_for_function(f"document.querySelectorAll('{SHOWN}').length === {count()}")


def test_a_link_to_an_entry_beats_the_filter(ledger: Visit) -> None:
    ledger.page.goto(f"{ledger.origin}/book/ledger.html?verdict=false#ledger-gg-eq7")
    ledger.page.wait_for_selector("#ledger-gg-eq7:not([hidden])")


def test_every_claim_is_there_without_a_script(browser: Any, origin: str) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{origin}/book/ledger.html")
        assert page.locator("article .ck-claim").count() == count()
        assert page.locator(".ck-filter").count() == 0


def test_a_check_is_one_click_away(ledger: Visit) -> None:
    ledger.page.goto(f"{ledger.origin}/book/ledger.html")
    ledger.page.click("#ledger-kh-2-2-2-filter >> text=its check")
    assert ledger.page.url.endswith("/checks/momentum.html#check-kh-2-2-2-filter")
    ledger.page.wait_for_selector("#check-kh-2-2-2-filter", state="attached")
