"""The explorables' module as a widget of JupyterLab."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anywidget
import traitlets

from .bundle import bundle
from .yours import Yours


class LiveView(anywidget.AnyWidget):
    """One explorable in a notebook: the browser computes and draws, the kernel only runs the reader's function."""

    _esm = bundle()
    spec = traitlets.Dict().tag(sync=True)
    chosen = traitlets.Dict().tag(sync=True)
    yours = traitlets.Dict().tag(sync=True)

    def __init__(self, spec: Mapping[str, Any], run: Yours | None = None) -> None:
        super().__init__(spec=dict(spec))
        if run:
            self.observe(lambda change: self.set_trait("yours", run(change["new"])), "chosen")
