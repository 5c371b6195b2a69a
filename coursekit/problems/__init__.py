"""What is minimized: each problem with its formula, its constants and, where known, its solution."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
