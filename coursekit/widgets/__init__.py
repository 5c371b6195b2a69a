"""Explorables: figures that answer when they are touched, from one ES module in static pages and JupyterLab."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
