from .adahessian import AdaHessian
from .lamb import LAMB
from .muon import Muon
from .named import (
    AMGT,
    Adagrad,
    AdagradNorm,
    Adam,
    AdamW,
    AMSGrad,
    GradientDescent,
    HeavyBall,
    Lion,
    Nesterov,
    RMSprop,
    SignDescent,
)
from .optimizer import RuleOptimizer, from_rule
from .sam import ASAM, ESAM, SAM
from .shampoo import Shampoo

__all__ = [
    "AMGT",
    "ASAM",
    "ESAM",
    "LAMB",
    "SAM",
    "AMSGrad",
    "AdaHessian",
    "Adagrad",
    "AdagradNorm",
    "Adam",
    "AdamW",
    "GradientDescent",
    "HeavyBall",
    "Lion",
    "Muon",
    "Nesterov",
    "RMSprop",
    "RuleOptimizer",
    "Shampoo",
    "SignDescent",
    "from_rule",
]
