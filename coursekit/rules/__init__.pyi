from .adagrad import adagrad, rmsprop
from .adam import adam, adamw, amsgrad
from .gradient_descent import gradient_descent
from .momentum import heavy_ball, nesterov
from .rule import Rule, rule
from .signs import lion, sign_descent

__all__ = [
    "Rule",
    "adagrad",
    "adam",
    "adamw",
    "amsgrad",
    "gradient_descent",
    "heavy_ball",
    "lion",
    "nesterov",
    "rmsprop",
    "rule",
    "sign_descent",
]
