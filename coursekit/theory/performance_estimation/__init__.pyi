from .statements import STATEMENTS, Statement
from .stored import HORIZONS, WorstCase, prove, stored, worst_case, worst_cases
from .verify import Point, Proof, dot, evaluate, interpolation, minimum, pl, unroll, verify

__all__ = [
    "HORIZONS",
    "STATEMENTS",
    "Point",
    "Proof",
    "Statement",
    "WorstCase",
    "dot",
    "evaluate",
    "interpolation",
    "minimum",
    "pl",
    "prove",
    "stored",
    "unroll",
    "verify",
    "worst_case",
    "worst_cases",
]
