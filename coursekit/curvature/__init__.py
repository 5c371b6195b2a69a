"""Curvature by Hessian-vector products: eigenvalues, trace, diagonal, spectrum and sharpness, H never formed."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
