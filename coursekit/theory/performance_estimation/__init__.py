"""Exact worst cases, found by performance estimation, stored with their proofs and checked with numpy alone."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
