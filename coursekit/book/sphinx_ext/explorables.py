"""The explorables' module, as one file of the book's own: made before the pages are read, copied beside them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

MODULE = "coursekit.js"


def copy_module(app: Sphinx) -> None:
    """On builder-inited: put the module into the output's ``_static``."""
    made = Path(app.srcdir, "_build", MODULE)
    if app.builder.format == "html" and made.exists():
        shutil.copy2(made, Path(app.outdir, "_static", MODULE))
        app.add_js_file(MODULE, type="module")


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("builder-inited", copy_module, priority=600)  # after _static is there
    return {"parallel_read_safe": True, "parallel_write_safe": True}
