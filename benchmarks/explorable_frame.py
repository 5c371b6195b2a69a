"""JavaScript per frame of each explorable of chapter 2 while each of its points and sliders is dragged.

The module measures from the start to the end of each redraw and says so in a ``ck-drawn`` event; painting by the
browser comes on top. The bar: a median under 4 ms.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from coursekit import widgets
from coursekit.widgets.bundle import bundle
from tests.browser import CHROMIUM_ARGS, find_chromium, serve

EXPLORABLES = ("descent_lemma", "condition_number", "amgt_table", "momentum", "pl_inequality")
MOVES = 200
LISTEN = "addEventListener('ck-drawn', e => window.ms.push(e.detail.ms))"
FRAME = "() => new Promise(done => requestAnimationFrame(() => done()))"


def drag(page: Any, grip: Any) -> None:
    """Swing a point from side to side, one move a frame."""
    grip.scroll_into_view_if_needed()
    box = grip.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for i in range(MOVES):
        page.mouse.move(x + abs(i % 100 - 50), y + i % 20)
        page.evaluate(FRAME)
    page.mouse.up()


def slide(page: Any, slider: Any) -> None:
    """Run a slider up its positions, one a frame."""
    for position in range(MOVES):
        slider.evaluate("(e, v) => { e.value = v; e.dispatchEvent(new Event('input')) }", position)
        page.evaluate(FRAME)


def gestures(page: Any) -> Iterator[tuple[str, list[float]]]:
    """What was moved, and the milliseconds of each frame meanwhile."""
    points, sliders = page.locator(".ck-handle").all(), page.locator("input[type=range]").all()
    for number, (move, target) in enumerate([*((drag, p) for p in points), *((slide, s) for s in sliders)]):
        page.evaluate(f"window.ms = []; {'' if number else LISTEN}")
        move(page, target)
        name = "(e) => e.labels?.[0]?.textContent ?? e.closest('.ck-view').querySelector('.ck-title').textContent"
        yield target.evaluate(name), page.evaluate("ms")


def main() -> None:
    path = find_chromium()
    if path is None:
        raise SystemExit("this benchmark needs Chromium on PATH")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        Path(folder, "ck.js").write_text(bundle(), encoding="utf-8")
        chromium = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_ARGS))
        print(f"{'explorable':18}{'moved':42}{'frames':>8}{'median ms':>11}{'95 % ms':>9}")
        with serve(folder) as address:
            for kind in EXPLORABLES:
                html = (
                    f'<!doctype html><script type="module" src="ck.js"></script>{getattr(widgets, kind)().html()}'
                )
                Path(folder, f"{kind}.html").write_text(html, encoding="utf-8")
                page = chromium.new_page(viewport={"width": 1000, "height": 900})
                page.goto(f"{address}/{kind}.html")
                page.wait_for_selector("[aria-valuetext]")
                for name, ms in gestures(page):
                    late = statistics.quantiles(ms, n=20)[-1]
                    print(f"{kind:18}{name:42}{len(ms):8}{statistics.median(ms):11.2f}{late:9.2f}")
                page.close()
        chromium.close()


if __name__ == "__main__":
    main()
