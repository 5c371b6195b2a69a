"""JavaScript per frame of the explorable "How large may the step be?" while each of its controls is dragged.

The module measures from the start to the end of each redraw and says so in a ``ck-drawn`` event; painting by the
browser comes on top. The bar: a median under 4 ms.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from coursekit.widgets import descent_lemma
from coursekit.widgets.bundle import bundle
from tests.browser import CHROMIUM_ARGS, find_chromium, serve

MOVES = 200
LISTEN = "window.ms = []; addEventListener('ck-drawn', e => ms.push(e.detail.ms))"
FRAME = "() => new Promise(done => requestAnimationFrame(() => done()))"


def drag(page: Any, selector: str) -> None:
    """Swing a handle from side to side, one move a frame."""
    box = page.locator(selector).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for i in range(MOVES):
        page.mouse.move(x + abs(i % 100 - 50), y + i % 20)
        page.evaluate(FRAME)
    page.mouse.up()


def slide(page: Any, number: int) -> None:
    """Run a slider up its positions, one a frame."""
    slider = page.locator("input[type=range]").nth(number)
    for position in range(MOVES):
        slider.evaluate("(e, v) => { e.value = v; e.dispatchEvent(new Event('input')) }", position)
        page.evaluate(FRAME)


GESTURES = {
    "drag the start": lambda page: drag(page, ".ck-land .ck-handle"),
    "drag the step": lambda page: drag(page, ".ck-ray .ck-handle"),
    "slide the step": lambda page: slide(page, 0),
    "slide the curvature": lambda page: slide(page, 1),
}


def main() -> None:
    path = find_chromium()
    if path is None:
        raise SystemExit("this benchmark needs Chromium on PATH")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        html = f'<!doctype html><script type="module" src="ck.js"></script>{descent_lemma().html()}'
        Path(folder, "index.html").write_text(html, encoding="utf-8")
        Path(folder, "ck.js").write_text(bundle(), encoding="utf-8")
        chromium = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_ARGS))
        print(f"{'gesture':22}{'frames':>8}{'median ms':>11}{'95 % ms':>9}")
        with serve(folder) as address:
            for name, gesture in GESTURES.items():
                page = chromium.new_page(viewport={"width": 1000, "height": 900})
                page.goto(address)
                page.wait_for_selector("[aria-valuetext]")
                page.evaluate(LISTEN)
                gesture(page)
                ms = page.evaluate("ms")
                print(
                    f"{name:22}{len(ms):8}{statistics.median(ms):11.2f}{statistics.quantiles(ms, n=20)[-1]:9.2f}"
                )
                page.close()
        chromium.close()


if __name__ == "__main__":
    main()
