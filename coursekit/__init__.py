"""Companion package of the textbook: methods, problems, theorems, claims, exercises.

Names are loaded when they are first used, so that ``import coursekit`` costs nothing and a notebook's
kernel holds only the modules that its page needs (the book's cache relies on that).
"""

import lazy_loader as _lazy

from ._version import __version__

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
__all__ += ["__version__"]
