"""Every rule as a ``torch.optim.Optimizer``, made from the rule itself: there is no second copy of the maths."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
