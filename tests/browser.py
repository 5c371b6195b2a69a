"""A real browser for tests: find Chromium, serve a folder on localhost, run axe-core.

A ``conftest.py`` that wants it says ``from tests.browser import browser`` and marks its tests ``browser``.
"""

from __future__ import annotations

import functools
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
# No sandbox because containers run tests as root; the rest keeps Chromium from calling home.
CHROMIUM_ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def find_chromium() -> str | None:
    """The path of the first Chromium on PATH, or None."""
    return next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


# Module scope, not session: while Playwright's synchronous API is open its event loop counts as running,
# so neither a second conftest's fixture nor a test that uses asyncio could start in the same process.
@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless Chromium (playwright ``Browser``), closed after the module's last test."""
    path = find_chromium()
    if path is None:
        pytest.skip(f"browser tests need one of {', '.join(CHROMIUM_NAMES)} on PATH")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_ARGS))
        yield chromium
        chromium.close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serve(path: Path | str) -> Iterator[str]:
    """Serve the folder ``path`` on a free port of localhost; gives its address, ``http://127.0.0.1:port``."""
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(path))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def axe(page: Any, selector: str | None = None) -> list[dict[str, Any]]:
    """axe-core's violations on a page, or on what ``selector`` finds: id, impact, help and the elements."""
    from axe_playwright_python.sync_playwright import Axe

    # The wrapper's default keeps one node of what is undecided.
    response = Axe().run(page, context=selector, options={"resultTypes": ["violations", "incomplete"]}).response
    return [
        {key: v[key] for key in ("id", "impact", "help")} | {"nodes": [n["target"] for n in v["nodes"]]}
        for v in response["violations"] + _invisible(response["incomplete"])
    ]


def _invisible(incomplete: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Text in the very color of its ground: axe-core takes it for hidden on purpose and calls it undecided."""
    undecided = [v for v in incomplete if v["id"] == "color-contrast"]
    for v in undecided:
        v["nodes"] = [n for n in v["nodes"] if any(c["data"]["messageKey"] == "equalRatio" for c in n["any"])]
    return [v for v in undecided if v["nodes"]]
