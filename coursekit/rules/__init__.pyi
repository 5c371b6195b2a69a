from .adam import adam
from .gradient_descent import gradient_descent
from .momentum import heavy_ball, nesterov
from .rule import Rule, rule

__all__ = ["Rule", "adam", "gradient_descent", "heavy_ball", "nesterov", "rule"]
