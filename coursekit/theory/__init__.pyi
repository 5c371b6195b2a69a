from .catalog import THEOREMS, by_id
from .certificate import Certificate, certify
from .descent_lemma import descent_lemma
from .theorem import Assumption, Sides, Theorem

__all__ = [
    "THEOREMS",
    "Assumption",
    "Certificate",
    "Sides",
    "Theorem",
    "by_id",
    "certify",
    "descent_lemma",
]
