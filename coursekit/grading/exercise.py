"""An assignment and its graded items: one definition, read from a folder with two files.

``master.md`` is the notebook with its solutions: the first code cell is the setup (imports); for every item there
is a cell that starts with ``# ITEM <id>`` and marks its answer by ``### BEGIN SOLUTION`` and ``### END SOLUTION``,
and a cell that calls ``coursekit.check("<assignment>.<id>", <id>)``. That solution is the only copy of the
reference. ``items.py`` and any ``items_*.py`` list the ``ITEMS``: what they are worth, cases, mistakes.

An argument of a case may be an ``Objective``: the student's function gets an ``f`` with ``f(w)``, ``f.grad(w)``
and ``f.hvp(w, v)``, whose calls are counted. With ``Item.budget`` the counts are part of the answer: no more calls
than the reference makes on the same case, plus the budget.

Another cohort gets other numbers. ``items*.py`` may define ``constants(generator) -> dict[str, str]``: each
``{{name}}`` in master.md and in the texts of the mutants is replaced by its value, so statement, reference,
mutants and hints change together. ``Item.public`` may take a generator, which is that of the cohort.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from coursekit.oracles import Calls

from .compare import Tolerance
from .master import Master, parse
from .objective import Objective

__all__ = ["Assignment", "Calls", "Case", "Item", "Mutant", "Objective", "Tolerance", "load"]

BOOK = b"book"  # the cohort of the printed book, and the default


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
    public: Callable[[], Iterator[Case]] | Callable[[torch.Generator], Iterator[Case]]
    hidden: Callable[[torch.Generator], Iterator[Case]]
    tolerance: Tolerance
    mutants: tuple[Mutant, ...]
    seconds: float = 10.0  # for all hidden cases together
    budget: Calls | None = None  # calls beyond the reference's that are allowed; None: calls are not looked at

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
        return tuple(self.hidden(_generator(seed, self.id)))

    def public_cases(self, cohort: bytes = BOOK) -> tuple[Case, ...]:
        """The cases of the self-check, the same for everybody of a cohort."""
        drawn = inspect.signature(self.public).parameters
        return tuple(self.public(*[_generator(b"cohort " + cohort, self.id)] if drawn else []))


@dataclass(frozen=True)
class Assignment:
    """A master notebook with its items, in the order of the notebook."""

    name: str
    version: str
    master: Master
    items: tuple[Item, ...]
    cohort: bytes = BOOK

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


def load(folder: Path | str, cohort: bytes = BOOK) -> Assignment:
    """The assignment in ``folder`` with the constants of ``cohort``.

    Raises FileNotFoundError or ValueError that says what is missing or wrong.
    """
    folder = Path(folder)
    files = sorted(folder.glob("items*.py"))
    if not files or not (folder / "master.md").is_file():
        raise FileNotFoundError(f"{folder} is not an assignment: it needs master.md and items.py")
    modules = [_module(folder.name, file) for file in files]
    constants = _constants(modules, cohort)
    text = _filled((folder / "master.md").read_text(encoding="utf-8"), constants, "master.md")
    master = parse(text)
    found: list[Item] = [_with(item, constants) for module in modules for item in module.ITEMS]
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
    version = hashlib.sha256(b"\0".join((text.encode(), code, cohort))).hexdigest()[:12]
    return Assignment(folder.name, version, master, items, cohort)


def _generator(seed: bytes, name: str) -> torch.Generator:
    digest = hashlib.sha256(seed + b"/" + name.encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)


def _constants(modules: list[ModuleType], cohort: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    for module in modules:
        if draw := getattr(module, "constants", None):
            drawn = draw(_generator(b"cohort " + cohort, Path(str(module.__file__)).stem))
            if twice := found.keys() & drawn.keys():
                raise ValueError(f"{module.__file__}: constants {sorted(twice)} are defined twice")
            found |= drawn
    return found


def _filled(text: str, constants: Mapping[str, str], where: str) -> str:
    """The text with every {{name}} replaced; where nothing is defined it stays as it is."""

    def value(found: re.Match[str]) -> str:
        if found[1] not in constants:
            raise ValueError(f"{where} uses {found[0]}; constants() defines {', '.join(sorted(constants))}")
        return constants[found[1]]

    return re.sub(r"\{\{(\w+)\}\}", value, text) if constants else text


def _with(item: Item, constants: Mapping[str, str]) -> Item:
    def filled(text: str) -> str:
        return _filled(text, constants, item.id)

    mutants = (Mutant(filled(m.old), filled(m.new), filled(m.hint)) for m in item.mutants)
    return replace(item, mutants=tuple(mutants))


def _module(assignment: str, file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"coursekit_{file.stem}_{assignment}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
