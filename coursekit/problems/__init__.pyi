from .landscapes import DoubleWell, Huber, PLSine, Rosenbrock, Softplus
from .least_squares import LeastSquares
from .network import Network, tanh_network
from .problem import Constant, Problem
from .quadratic import Quadratic

__all__ = [
    "Constant",
    "DoubleWell",
    "Huber",
    "LeastSquares",
    "Network",
    "PLSine",
    "Problem",
    "Quadratic",
    "Rosenbrock",
    "Softplus",
    "tanh_network",
]
