"""Methods that ask more than one gradient per step: line searches, Newton and its relatives, quasi-Newton."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
