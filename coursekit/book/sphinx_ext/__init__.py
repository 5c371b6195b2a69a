"""What this book adds to Sphinx: everything served from the book itself, and pages that know what is written.

The build process itself never imports torch: only the notebooks' kernels do.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from sphinx.application import Sphinx

PARTS = ("offline", "citations", "fold", "pages", "status", "markup", "explorables", "checks")


def setup(app: Sphinx) -> dict[str, Any]:
    """Set up every part, and the book's own directives where they are installed."""
    for part in PARTS:
        app.setup_extension(f"{__name__}.{part}")
    if find_spec(f"{__name__}.directives"):
        app.setup_extension(f"{__name__}.directives")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
