"""The explorables' module as a widget of JupyterLab."""

from __future__ import annotations

import anywidget
import traitlets

from .bundle import bundle


class LiveView(anywidget.AnyWidget):
    """One explorable in a notebook; the browser computes and draws, the kernel only sends ``spec``."""

    _esm = bundle()
    spec = traitlets.Dict().tag(sync=True)
