"""An assignment and its graded items: one definition, read from a folder with two files.

``master.md`` is the notebook with its solutions: the first code cell is the setup (imports); for every item there
is a cell that starts with ``# ITEM <id>`` and marks its answer by ``### BEGIN SOLUTION`` and ``### END SOLUTION``,
and a cell that calls ``coursekit.check("<assignment>.<id>", <id>)``. That solution is the only copy of the
reference. ``items.py`` and any ``items_*.py`` list the ``ITEMS``: what they are worth, cases, mistakes.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from .compare import Tolerance
from .master import Master, parse

__all__ = ["Assignment", "Case", "Item", "Mutant", "Tolerance", "load"]


@dataclass(frozen=True)
class Case:
    """One call of the student's function. Cases with the same ``part`` earn their share of the points together."""

    part: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True)
class Mutant:
    """A mistake students make: ``old`` replaced by ``new`` in the reference, and the hint that names it."""

    old: str
    new: str
    hint: str


@dataclass(frozen=True)
class Item:
    """One graded function. ``hidden`` draws fresh cases from a generator that is seeded by the grading secret."""

    id: str
    title: str
    points: int
    difficulty: int  # 1: a line, 2: an idea, 3: an idea and some patience
    minutes: int
    public: Callable[[], Iterator[Case]]
    hidden: Callable[[torch.Generator], Iterator[Case]]
    tolerance: Tolerance
    mutants: tuple[Mutant, ...]
    seconds: float = 10.0  # for all hidden cases together

    def __post_init__(self) -> None:
        if not self.id.isidentifier():
            raise ValueError(f"id is {self.id!r}; it must be the name of the student's function")
        if self.points <= 0 or self.minutes <= 0 or self.seconds <= 0:
            raise ValueError(f"{self.id}: points, minutes and seconds must be positive")
        if self.difficulty not in (1, 2, 3):
            raise ValueError(f"{self.id}: difficulty is {self.difficulty}; allowed: 1, 2, 3")
        if len(self.mutants) < 4:
            raise ValueError(f"{self.id}: {len(self.mutants)} mutants; an item has at least 4")

    def hidden_cases(self, seed: bytes) -> tuple[Case, ...]:
        """The hidden cases of a grading seed: the same seed draws the same cases."""
        digest = hashlib.sha256(seed + b"/" + self.id.encode()).digest()
        generator = torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
        return tuple(self.hidden(generator))


@dataclass(frozen=True)
class Assignment:
    """A master notebook with its items, in the order of the notebook."""

    name: str
    version: str
    master: Master
    items: tuple[Item, ...]

    @property
    def title(self) -> str:
        """The first heading of the master."""
        return self.master.title

    def reference(self, item: Item, mutant: Mutant | None = None) -> Callable[..., Any]:
        """The function of the master's solution cell, or a mutant of it; the setup and earlier cells run first."""
        namespace: dict[str, Any] = {"__name__": f"coursekit_exercise_{self.name}"}
        exec(compile(self.master.setup, "<setup>", "exec"), namespace)
        for earlier in self.items:
            source = self.master.solutions[earlier.id]
            if earlier.id == item.id and mutant:
                source = self.master.mutated(item.id, mutant.old, mutant.new)
            exec(compile(source, f"<{earlier.id}>", "exec"), namespace)
            if earlier.id == item.id:
                break
        function: Callable[..., Any] = namespace[item.id]
        return function


def load(folder: Path | str) -> Assignment:
    """The assignment in ``folder``. Raises FileNotFoundError or ValueError that says what is missing or wrong."""
    folder = Path(folder)
    files = sorted(folder.glob("items*.py"))
    if not files or not (folder / "master.md").is_file():
        raise FileNotFoundError(f"{folder} is not an assignment: it needs master.md and items.py")
    text = (folder / "master.md").read_bytes()
    master = parse(text.decode())
    found: list[Item] = [item for file in files for item in _module(folder.name, file).ITEMS]
    if sorted(item.id for item in found) != sorted(master.solutions):
        raise ValueError(
            f"{folder.name}: {', '.join(file.name for file in files)} define {[item.id for item in found]}, "
            f"the solution cells of master.md are {list(master.solutions)}; they must agree"
        )
    items = tuple(sorted(found, key=lambda item: list(master.solutions).index(item.id)))
    for item in items:
        if f'"{folder.name}.{item.id}"' not in master.checks:
            raise ValueError(f'{folder.name}: master.md has no cell that checks "{folder.name}.{item.id}"')
        for mutant in item.mutants:
            master.mutated(item.id, mutant.old, mutant.new)
    code = b"\0".join(file.read_bytes() for file in files)
    return Assignment(folder.name, hashlib.sha256(text + b"\0" + code).hexdigest()[:12], master, items)


def _module(assignment: str, file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"coursekit_{file.stem}_{assignment}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
