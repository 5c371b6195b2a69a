from .ball import sharpness
from .eigenvalues import Eigenpairs, eigenpairs, largest_curvature, smoothness_along
from .operator import Operator, hessian_of
from .quadrature import Spectrum, log_det, spectrum
from .stochastic import Estimate, diagonal, rademacher, trace

__all__ = [
    "Eigenpairs",
    "Estimate",
    "Operator",
    "Spectrum",
    "diagonal",
    "eigenpairs",
    "hessian_of",
    "largest_curvature",
    "log_det",
    "rademacher",
    "sharpness",
    "smoothness_along",
    "spectrum",
    "trace",
]
