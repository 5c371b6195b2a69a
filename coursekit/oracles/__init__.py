"""What a method may ask of a problem, and how often it did: exact, by mini-batches, or with noise."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
