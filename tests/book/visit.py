"""A visit to a page of the built book in Chromium, which records what went wrong on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.browser import axe

DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
SETTLED = (
    "(async () => { await window.MathJax?.startup?.promise; await document.fonts.ready;"
    # The ledger typesets a formula when it comes near the window; here all are looked at.
    " await window.MathJax?.startup?.document?.lazyTypesetAll?.(); })()"
)

LAYOUT = """() => {
  const box = (e) => e.getBoundingClientRect();
  const name = (e) => `${e.tagName} ${e.className} ${e.textContent.slice(0, 40)}`;
  const seen = (e) => e.checkVisibility() && box(e).width > 0;
  const equations = [...document.querySelectorAll('article mjx-container[display="true"]')].filter(seen);
  const scrolls = (e) => e.scrollWidth > e.clientWidth + 1;
  const scrolling = /auto|scroll/;
  const scrollable = (e) => e && (scrolling.test(getComputedStyle(e).overflowX) || scrollable(e.parentElement));
  const parts = [...document.querySelectorAll("article :is(p, pre, table, img, svg, button, mjx-container)")];
  return {
    page: document.documentElement.scrollWidth - window.innerWidth,
    cut: equations.filter((e) => scrolls(e) && getComputedStyle(e).overflowX !== "auto").map(name),
    scrolling: equations.filter(scrolls).map(name),
    outside: parts.filter(seen).filter((e) => box(e).right > window.innerWidth + 1 || box(e).left < -1)
      .filter((e) => !scrollable(e.parentElement)).map(name),
    tiny: [...document.querySelectorAll("article .ck-panels svg")].filter(seen)
      .filter((e) => (9 * box(e).width) / e.viewBox.baseVal.width < 8.5).map(name),
    torn: [...document.querySelectorAll("article .ck-certificate pre")].filter(seen).filter(scrolls).map(name),
    overlapping: [...document.querySelectorAll("article .eqno")].filter(seen).filter((number) => {
      const equation = number.parentElement.querySelector("mjx-container");
      return equation && box(number).left < box(equation).right - 1;
    }).map(name),
  };
}"""
SOUND = {"cut": [], "scrolling": [], "outside": [], "tiny": [], "torn": [], "overlapping": []}


@dataclass
class Visit:
    """A page in Chromium that may reach its own origin only, and what went wrong on it."""

    page: Any
    origin: str
    blocked: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.route("**/*", self._route)
        self.page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("response", lambda r: self.errors.append(f"{r.status} {r.url}") if r.status >= 400 else None)

    def _route(self, route: Any) -> None:
        if route.request.url.startswith((self.origin, "data:", "blob:")):
            route.continue_()
        else:
            self.blocked.append(route.request.url)
            route.abort()

    def open(self, path: str) -> None:
        self.blocked.clear()
        self.errors.clear()
        self.page.goto(f"{self.origin}/{path}.html", wait_until="load")
        self.page.evaluate(SETTLED)

    def layout(self, size: dict[str, int]) -> dict[str, Any]:
        """The layout's faults at a window size, all folds open, after the page had a moment to react to it."""
        self.page.set_viewport_size(size)
        self.page.evaluate("for (const fold of document.querySelectorAll('article details')) fold.open = true")
        self.page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 30)))")
        found: dict[str, Any] = self.page.evaluate(LAYOUT)
        return found


def serious(page: Any) -> list[Any]:
    return [violation for violation in axe(page) if violation["impact"] in ("serious", "critical")]
