"""All attacks."""

from . import comparing, covert, ending, hunting, notebooks, processes, reaching, resources, wire

ATTACKS = tuple(
    attack
    for module in (comparing, hunting, covert, ending, processes, resources, reaching, wire, notebooks)
    for attack in module.ATTACKS
)
assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)
