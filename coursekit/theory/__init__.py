"""Theorems as objects: assumptions that are checked, a bound that is computed, a certificate that is a run."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
