from .adagrad import adagrad, adagrad_norm, rmsprop
from .adam import adam, adamw, amsgrad
from .amgt import amgt, amgt_reading
from .ascent import ascent, normalizer, sharpest, thinned
from .gradient_descent import gradient_descent
from .momentum import accelerated, heavy_ball, heavy_ball_difference, nesterov
from .printed import (
    adagrad_predictable,
    adagrad_printed,
    adam_eps_inside,
    adam_printed,
    adam_scalar,
    adam_uncorrected,
    adam_variant,
    rmsprop_printed,
)
from .rule import Rule, rule
from .signs import lion, sign_descent

__all__ = [
    "Rule",
    "accelerated",
    "adagrad",
    "adagrad_norm",
    "adagrad_predictable",
    "adagrad_printed",
    "adam",
    "adam_eps_inside",
    "adam_printed",
    "adam_scalar",
    "adam_uncorrected",
    "adam_variant",
    "adamw",
    "amgt",
    "amgt_reading",
    "amsgrad",
    "ascent",
    "gradient_descent",
    "heavy_ball",
    "heavy_ball_difference",
    "lion",
    "nesterov",
    "normalizer",
    "rmsprop",
    "rmsprop_printed",
    "rule",
    "sharpest",
    "sign_descent",
    "thinned",
]
