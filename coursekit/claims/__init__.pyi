from .check import Measured, Outcome, check, run
from .ledger import SOURCES, VERDICTS, Claim, load

__all__ = ["SOURCES", "VERDICTS", "Claim", "Measured", "Outcome", "check", "load", "run"]
