from .applications import amgt_table
from .condition import condition_number
from .descent import descent_lemma
from .explorable import Explorable
from .modes import momentum
from .polyak_lojasiewicz import pl_inequality

__all__ = ["Explorable", "amgt_table", "condition_number", "descent_lemma", "momentum", "pl_inequality"]
