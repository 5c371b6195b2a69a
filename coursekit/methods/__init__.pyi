from . import projections
from .full_adagrad import full_adagrad
from .line_search import NoStep, Search, Step, armijo, exact, full_step, halving, wolfe
from .minimize import Direction, Method, Run, gradient_descent_with, minimize
from .newton import damped_newton, newton, newton_cg, regularized_newton
from .perturbed import Perturbed
from .quasi_newton import bfgs, lbfgs
from .sam import asam, sam

__all__ = [
    "Direction",
    "Method",
    "NoStep",
    "Perturbed",
    "Run",
    "Search",
    "Step",
    "armijo",
    "asam",
    "bfgs",
    "damped_newton",
    "exact",
    "full_adagrad",
    "full_step",
    "gradient_descent_with",
    "halving",
    "lbfgs",
    "minimize",
    "newton",
    "newton_cg",
    "projections",
    "regularized_newton",
    "sam",
    "wolfe",
]
