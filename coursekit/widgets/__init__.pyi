from .descent import descent_lemma
from .explorable import Explorable

__all__ = ["Explorable", "descent_lemma"]
