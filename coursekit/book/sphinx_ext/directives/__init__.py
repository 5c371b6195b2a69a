"""Directives that bring the package's objects into the pages: claims, theorems, exercises."""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx

PARTS = ("claims", "errata", "theorems", "exercises", "tables")


def setup(app: Sphinx) -> dict[str, Any]:
    for part in PARTS:
        app.setup_extension(f"{__name__}.{part}")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
