from . import claims, oracles, palette, plots, problems, rules, theory, widgets
from ._version import __version__ as __version__
from .descend import Trajectory, descend
from .grading.check import check

__all__ = [
    "Trajectory",
    "check",
    "claims",
    "descend",
    "oracles",
    "palette",
    "plots",
    "problems",
    "rules",
    "theory",
    "widgets",
]
