"""The book's browser tests share one Chromium and one server of the built book."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser import browser, serve

from .built import HTML

__all__ = ["browser", "origin"]


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    assert (HTML / "book" / "index.html").exists(), f"no book in {HTML}: build it first (make book)"
    with serve(HTML) as address:
        yield address
