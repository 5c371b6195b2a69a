"""Exercises from one definition: release, instant check in the notebook, grading across a process boundary."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
