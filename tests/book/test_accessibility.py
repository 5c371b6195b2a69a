"""axe-core on one page of each kind: light on a desktop, dark on a phone; `make soak` takes the other pairs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from .built import is_stub, toc
from .visit import DESKTOP, PHONE, Visit, serious

pytestmark = pytest.mark.browser

# Written sections are each a kind of their own: they hold what their author put there.
WRITTEN = [page for page in toc() if not is_stub(page) and not page.endswith("/index")]
STUB = next(page for page in toc() if is_stub(page))
KINDS = ["book/index", "book/smoothness/index", STUB, *WRITTEN, "search"]
# The ledger repeats one box for each of hundreds of claims; axe would look at it for half a minute.
FEWER_CLAIMS = """document.addEventListener("DOMContentLoaded", () => {
  for (const box of [...document.querySelectorAll(".ck-claim")].slice(30)) box.remove();
})"""


LOOKS = [
    pytest.param(("light", DESKTOP), id="light"),
    pytest.param(("dark", PHONE), id="dark"),
    pytest.param(("dark", DESKTOP), id="dark, desktop", marks=pytest.mark.soak),
    pytest.param(("light", PHONE), id="light, phone", marks=pytest.mark.soak),
]


@pytest.fixture(scope="module", params=LOOKS)
def themed(request: pytest.FixtureRequest, browser: Any, origin: str) -> Iterator[Visit]:
    theme, size = request.param
    with browser.new_context(color_scheme=theme, viewport=size) as context:
        context.add_init_script(FEWER_CLAIMS)
        yield Visit(context.new_page(), origin)


@pytest.mark.parametrize("path", KINDS)
def test_accessibility(themed: Visit, path: str) -> None:
    themed.open(path)
    assert themed.blocked == []
    assert themed.errors == []
    assert serious(themed.page) == []  # after them: axe itself asks for style sheets


@pytest.mark.parametrize("ground", ["#999", "#888"], ids=["pale", "invisible"])
def test_text_that_cannot_be_read_is_a_violation(themed: Visit, ground: str) -> None:
    themed.open("book/bibliography")
    themed.page.evaluate(
        f"document.querySelector('article p').style.cssText = 'color: #888 !important; background: {ground}'"
    )
    assert "color-contrast" in [violation["id"] for violation in serious(themed.page)]
