from .line_search import NoStep, Search, Step, armijo, exact, full_step, halving, wolfe
from .minimize import Direction, Method, Run, gradient_descent_with, minimize
from .newton import damped_newton, newton, newton_cg, regularized_newton
from .quasi_newton import bfgs, lbfgs

__all__ = [
    "Direction",
    "Method",
    "NoStep",
    "Run",
    "Search",
    "Step",
    "armijo",
    "bfgs",
    "damped_newton",
    "exact",
    "full_step",
    "gradient_descent_with",
    "halving",
    "lbfgs",
    "minimize",
    "newton",
    "newton_cg",
    "regularized_newton",
    "wolfe",
]
