from .amgt import Application
from .counterexamples import HalvingTrap, HeavyBallTrap, Needle, SmoothNeedle
from .landscapes import DoubleWell, Huber, PLSine, PseudoHuber, Quartic, Rosenbrock, Softplus
from .least_squares import LeastSquares
from .logistic import LogisticRegression
from .network import Network, tanh_network
from .online import OnlineLinear
from .problem import Constant, FiniteSum, Problem
from .quadratic import Quadratic
from .saddles import DeepLinear, FlatSaddle, Inflection, MonkeySaddle
from .two_layer import QuadraticNetwork, ReLUNetwork

__all__ = [
    "Application",
    "Constant",
    "DeepLinear",
    "DoubleWell",
    "FiniteSum",
    "FlatSaddle",
    "HalvingTrap",
    "HeavyBallTrap",
    "Huber",
    "Inflection",
    "LeastSquares",
    "LogisticRegression",
    "MonkeySaddle",
    "Needle",
    "Network",
    "OnlineLinear",
    "PLSine",
    "Problem",
    "PseudoHuber",
    "Quadratic",
    "QuadraticNetwork",
    "Quartic",
    "ReLUNetwork",
    "Rosenbrock",
    "SmoothNeedle",
    "Softplus",
    "tanh_network",
]
