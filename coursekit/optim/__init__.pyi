from .named import (
    Adagrad,
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

__all__ = [
    "AMSGrad",
    "Adagrad",
    "Adam",
    "AdamW",
    "GradientDescent",
    "HeavyBall",
    "Lion",
    "Nesterov",
    "RMSprop",
    "RuleOptimizer",
    "SignDescent",
    "from_rule",
]
