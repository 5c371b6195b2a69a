"""Print the bank of broken variants and what the certificates say of each."""

from . import (  # noqa: F401
    broken_adaptive,
    broken_functions,
    broken_landscape,
    broken_methods,
    broken_noise,
    broken_rates,
    broken_sgd_convex,
)
from .broken import BANK

caught = 0
for row in BANK:
    sound, broken = row.sound(), row.broken()
    caught += bool(sound) and not broken
    verdict = "refused" if broken.refused else "violated" if not broken else "ACCEPTED"
    control = "" if sound else "  (but the control is rejected)"
    print(f"{row.theorem.id:26} {row.kind:16} {verdict:9} {row.how}{control}")
print(f"{caught} of {len(BANK)} broken variants rejected, each beside an accepted control")
