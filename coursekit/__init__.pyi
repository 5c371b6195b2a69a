from . import (
    backprop,
    claims,
    curvature,
    distributed,
    methods,
    optim,
    oracles,
    palette,
    plots,
    problems,
    rules,
    schedules,
    theory,
    widgets,
)
from ._version import __version__ as __version__
from .descend import Trajectory, descend
from .grading.check import check
from .grading.objective import counted

__all__ = [
    "Trajectory",
    "backprop",
    "check",
    "claims",
    "counted",
    "curvature",
    "descend",
    "distributed",
    "methods",
    "optim",
    "oracles",
    "palette",
    "plots",
    "problems",
    "rules",
    "schedules",
    "theory",
    "widgets",
]
