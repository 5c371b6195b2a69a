"""The bank is up to date, a sample of it is noticed, and the machinery tells a mistake from none."""

import ast

import pytest

from .__main__ import table
from .bank import BANK
from .run import ROOT, Mutant, run

SAMPLE = (
    "Adam without the correction of m",
    "heavy ball's velocity lags one step",
    "AdamW's decay coupled to the gradient",
    "the cosine starts one step late",
)
SCHEDULES = "tests/test_schedules.py"
harmless = Mutant("another docstring", "schedules.py", '"""1/t."""', '"""One over t."""', SCHEDULES)
stale = Mutant("a text that is gone", "schedules.py", "no such text", "", SCHEDULES)
broken = Mutant("no Python", "schedules.py", "import math", "import", SCHEDULES)


@pytest.mark.parametrize("mutant", BANK, ids=lambda m: m.what)
def test_each_place_is_there_and_each_mutant_is_python(mutant: Mutant) -> None:
    text = (ROOT / "coursekit" / mutant.file).read_text()
    assert mutant.old in text, f"edit tests/mutants/bank.py: {mutant.file} has changed"
    mutated = text.replace(mutant.old, mutant.new, 1)
    assert ast.dump(ast.parse(mutated)) != ast.dump(ast.parse(text))
    assert all((ROOT / test.partition("::")[0]).exists() for test in mutant.notices.split())


def test_the_bank_is_large_and_has_no_doubles() -> None:
    assert len({(m.file, m.old, m.new) for m in BANK}) == len({m.what for m in BANK}) == len(BANK) >= 30


def test_a_sample_is_noticed_and_what_is_no_mistake_is_not() -> None:
    sample = [m for m in BANK if m.what in SAMPLE]
    *killed, survivor, error, no_python = run([*sample, harmless, stale, broken])
    assert len(killed) == len(SAMPLE)
    assert all(outcome.killed for outcome in killed), table(killed)
    assert (survivor.killed, survivor.error) == (False, "")
    assert "coursekit/schedules.py no longer contains 'no such text'; edit the bank" in error.error
    assert not no_python.killed
    assert "pytest ended with 2" in no_python.error
    assert table([survivor]).splitlines()[-2:] == [
        "| another docstring | schedules.py | **nobody** |",
        "0 of 1 mutants are noticed",
    ]
