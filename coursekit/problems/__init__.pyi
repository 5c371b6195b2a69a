from .amgt import Application
from .landscapes import DoubleWell, Huber, PLSine, Rosenbrock, Softplus
from .least_squares import LeastSquares
from .logistic import LogisticRegression
from .network import Network, tanh_network
from .problem import Constant, Problem
from .quadratic import Quadratic

__all__ = [
    "Application",
    "Constant",
    "DoubleWell",
    "Huber",
    "LeastSquares",
    "LogisticRegression",
    "Network",
    "PLSine",
    "Problem",
    "Quadratic",
    "Rosenbrock",
    "Softplus",
    "tanh_network",
]
