"""The package itself: light to import, floors import downwards, names that it promises."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import coursekit

ROOT = Path(coursekit.__file__).parent
FLOORS = {
    "palette": 0, "plain": 0, "_version": 0, "data": 0, "problems": 0, "oracles": 0.5, "record": 1, "compiled": 1,
    "rules": 0, "stopping": 1, "methods": 1.5, "schedules": 1, "descend": 2, "optim": 2, "curvature": 1,
    "distributed": 1,
    "backprop": 2, "theory": 3, "plots": 3, "claims": 4, "grading": 4, "widgets": 5, "book": 5, "cli": 6,
}  # fmt: skip


def test_import_brings_in_nothing_heavy() -> None:
    heavy = ("torch", "sympy", "matplotlib", "IPython", "jupyter_core", "sklearn")
    code = f"import sys, coursekit; print([m for m in {heavy} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert found.strip() == "[]"


@pytest.mark.parametrize("name", coursekit.__all__)
def test_promised_names_exist(name: str) -> None:
    assert getattr(coursekit, name) is not None


def imported(file: Path) -> set[str]:
    """The rooms of coursekit that a file imports at its top level or inside functions."""
    here = ("coursekit", *file.relative_to(ROOT).with_suffix("").parts)
    rooms = set()
    for node in ast.walk(ast.parse(file.read_text())):
        names = []
        if isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level] if node.level else ()
            module = (*base, *(node.module or "").split(".")) if node.module else base
            names = [module] if len(module) > 1 else [(*module, alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [tuple(alias.name.split(".")) for alias in node.names]
        rooms |= {name[1] for name in names if len(name) > 1 and name[0] == "coursekit"}
    return rooms - {here[1]}


@pytest.mark.parametrize("file", sorted(ROOT.rglob("*.py")), ids=lambda f: str(f.relative_to(ROOT)))
def test_imports_go_down(file: Path) -> None:
    room = file.relative_to(ROOT).parts[0].removesuffix(".py")
    if room in ("__init__", "__main__"):
        return
    assert room in FLOORS, f"state the floor of {room}"
    for other in imported(file) & set(FLOORS):
        if {room, other} == {"rules", "problems"} or (room, other) == ("claims", "cli"):
            continue  # a problem's formula uses the rules' ops; `python -m coursekit.claims` is the command
        assert FLOORS[other] < FLOORS[room], f"{room} (floor {FLOORS[room]}) imports {other}"


def test_an_upward_import_would_be_seen(tmp_path: Path) -> None:
    assert imported(ROOT / "descend.py") >= {"rules", "problems", "stopping", "oracles"}
    assert "claims" in imported(ROOT / "book" / "sphinx_ext" / "directives" / "claims.py")
