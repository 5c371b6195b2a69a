"""The items of the tiny assignment, on which tests try the machinery of grading."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from coursekit.grading.exercise import Case, Item, Mutant, Tolerance


def _public() -> Iterator[Case]:
    yield Case("a vector", (torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64),))


def _hidden(generator: torch.Generator) -> Iterator[Case]:
    for size in (1, 2, 5):
        yield Case("a vector", (torch.randn(size, generator=generator, dtype=torch.float64),))


def _item(name: str, right: str, *wrong: str) -> Item:
    mutants = tuple(Mutant(f"return {right}", f"return {text}", f"This returns {text}.") for text in wrong)
    return Item(name, f"Write {name}", 2, 1, 1, _public, _hidden, Tolerance(rtol=1e-12, atol=1e-12), mutants)


ITEMS = [
    _item("double", "2 * x", "x", "3 * x", "x + 2", "x**2"),
    _item("total", "x.sum()", "x", "x.mean()", "x.max()", "-x.sum()"),
]
