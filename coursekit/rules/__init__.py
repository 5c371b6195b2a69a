"""First-order update rules, one definition each: it runs batched, in training loops and in the browser."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
