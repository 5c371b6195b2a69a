"""README, Makefile, pyproject, constraints, environment.yml and CITATION.cff say the same.

Each ``find_*`` function returns what disagrees, so that a test can also show that it finds something.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import coursekit

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
FLOOR = PROJECT["requires-python"].removeprefix(">=")
CONSTRAINTS = (ROOT / "constraints.txt").read_text()
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text())
MAKEFILE = (ROOT / "Makefile").read_text()
README = (ROOT / "README.md").read_text()

# Extras whose versions are pinned, but which make, conda and CI leave out: neither book nor tests need them.
# pep: a solver, to compute theory/performance_estimation/certificates.json anew; numpy alone verifies that file.
LEFT_OUT = {"pep"}


def pins(constraints: str) -> dict[str, str]:
    """{distribution: version} of a constraints file; a line that is no exact pin has the version ""."""
    lines = [line for line in constraints.splitlines() if line and not line.startswith("#")]
    return {line.partition("==")[0]: line.partition("==")[2] for line in lines}


def requirements(project: dict[str, Any]) -> list[Requirement]:
    """What the package and its extras require, the package itself left out."""
    extras = project["optional-dependencies"].values()
    found = map(Requirement, [*project["dependencies"], *(name for extra in extras for name in extra)])
    return [requirement for requirement in found if requirement.name != project["name"]]


def find_unpinned(wanted: Iterable[Requirement], pinned: dict[str, str]) -> list[str]:
    """Requirements that have no exact, allowed version."""
    return [
        str(requirement)
        for requirement in wanted
        if not (version := pinned.get(canonicalize_name(requirement.name))) or version not in requirement.specifier
    ]


def extras_of(text: str) -> set[str]:
    """The extras in the first ``.[a,b]`` or ``EXTRAS = a,b`` of a text."""
    found = re.search(r"(?:\.\[|EXTRAS = )([a-z,]+)", text)
    return set(found[1].split(",")) if found else set()


def targets(text: str) -> set[str]:
    """The make targets that a text tells the reader to run."""
    return set(re.findall(r"(?:^|`)make ([a-z]+)", text, re.MULTILINE))


def rules(makefile: str) -> set[str]:
    """The targets that a Makefile has."""
    return set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))


def test_every_requirement_has_an_exact_version() -> None:
    pinned = pins(CONSTRAINTS)
    assert not [name for name, version in pinned.items() if not re.fullmatch(r"[0-9][0-9a-z.]*", version)]
    assert not find_unpinned(requirements(PROJECT), pinned)


def test_a_missing_or_forbidden_version_is_found() -> None:
    wanted = [Requirement("numpy"), Requirement("jupyter-book<2"), Requirement("torch")]
    pinned = pins("numpy==2.4.6\njupyter-book==2.0\ntorch>=2\n")
    assert find_unpinned(wanted, pinned) == ["jupyter-book<2", "torch"]


def test_make_and_conda_install_the_same_extras_from_the_same_constraints() -> None:
    (pip,) = (entry["pip"] for entry in ENVIRONMENT["dependencies"] if isinstance(entry, dict))
    assert extras_of(" ".join(pip)) == extras_of(MAKEFILE) == set(PROJECT["optional-dependencies"]) - LEFT_OUT
    assert "-c constraints.txt" in pip
    assert "-c constraints.txt" in MAKEFILE
    assert extras_of("-e .[book,lab]") != extras_of("EXTRAS = book,test")


def test_one_python_floor() -> None:
    (conda,) = (entry for entry in ENVIRONMENT["dependencies"] if str(entry).startswith("python="))
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    assert conda == f"python={FLOOR}"
    assert tool["ruff"]["target-version"] == f"py{FLOOR.replace('.', '')}"
    assert f"sys.version_info >= ({FLOOR.replace('.', ', ')})" in MAKEFILE
    for text in (README, MAKEFILE):
        assert set(re.findall(r"Python (3\.\d+)", text)) == {FLOOR}
    assert "3.10" not in SpecifierSet(PROJECT["requires-python"])


def test_the_two_commands_exist_and_ci_runs_one() -> None:
    assert {"book", "test"} <= targets(README) <= rules(MAKEFILE)
    assert targets((ROOT / ".ci" / "run").read_text()) == {"test"}
    assert targets("`make bok`\nmake book  # builds") == {"bok", "book"}


def test_one_version() -> None:
    assert PROJECT["dynamic"] == ["version"]
    assert "version" not in PROJECT
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == coursekit.__version__
