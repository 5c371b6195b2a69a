"""Every broken variant of the bank is rejected, the way it must be, beside a control that is accepted."""

import pytest

from coursekit.theory import THEOREMS

from . import (  # noqa: F401
    broken_adaptive,
    broken_functions,
    broken_landscape,
    broken_methods,
    broken_noise,
    broken_rates,
    broken_sgd_convex,
)
from .broken import BANK, Variant


@pytest.mark.parametrize("variant", BANK, ids=str)
def test_a_broken_variant_is_rejected_and_its_control_accepted(variant: Variant) -> None:
    broken = variant.broken()
    assert not broken
    assert bool(broken.refused) == variant.refused, broken
    assert variant.sound()


def test_every_theorem_is_broken_in_some_way() -> None:
    bound = {v.theorem.id for v in BANK if not v.refused}
    assert bound == {theorem.id for theorem in THEOREMS}
