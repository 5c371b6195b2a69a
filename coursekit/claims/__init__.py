"""The ledger: what the five source documents claim, the audit's verdicts, and checks that run them."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
