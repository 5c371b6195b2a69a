"""Assignments for nbgrader, Otter and Gradescope, held against the rules that their documentation states."""

from __future__ import annotations

import ast
import json
import re
import stat
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml

from coursekit.cli import main
from coursekit.grading.exercise import Assignment, load
from coursekit.grading.exports import gradescope, otter
from coursekit.grading.exports.recorded import by_part, share
from coursekit.grading.master import stub

from .runs import TINY
from .toy import write_toy

SEED = b"a seed for the tests, not a secret"
PARTLY = "# ITEM double\ndef double(x):\n    return 2 * x if len(x) > 2 else x"


@pytest.fixture(scope="module")
def tiny() -> Assignment:
    return load(TINY)


def run(cells: list[Any], answers: dict[str, str] | None = None) -> list[Any]:
    """Executes code cells in order; the values of the last expressions, as a notebook would show them."""
    namespace: dict[str, Any] = {}
    shown = []
    for cell in cells:
        source = next((text for text in (answers or {}).values() if text[:14] == cell.source[:14]), cell.source)
        tree = ast.parse(source)
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, "cell", "exec"), namespace)
        shown.append(eval(compile(ast.Expression(last.value), "cell", "eval"), namespace) if last else None)
    return shown


def code(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def follows_schema_3(notebook: Any) -> bool:
    """nbgrader's published JSON schema for cell metadata, and its validator's rules for ids and points."""
    ids = []
    for cell in notebook.cells:
        meta = cell.metadata.get("nbgrader")
        if meta is None:
            continue
        if not {"schema_version", "grade", "locked", "solution"} <= set(meta):
            return False
        if set(meta) - {
            "schema_version",
            "grade",
            "locked",
            "solution",
            "task",
            "grade_id",
            "points",
            "checksum",
            "cell_type",
        }:
            return False
        if meta.schema_version != 3 or not all(
            type(meta[k]) is bool for k in ("grade", "locked", "solution", "task")
        ):
            return False
        if meta.grade != ("points" in meta) or meta.get("points", 0) < 0 or meta.task:
            return False
        if not re.fullmatch(r"[a-zA-Z0-9_\-]+", meta.grade_id):
            return False
        ids.append(meta.grade_id)
    return len(set(ids)) == len(ids) > 0


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("nbgrader")
    assert (
        main(["export", "tiny", "--format", "nbgrader", "--out", str(out), "--exercises", str(TINY.parent)]) == 0
    )
    return out


def read(path: Path) -> Any:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook


def test_nbgraders_notebooks_follow_its_schema(course: Path) -> None:
    for version in ("source", "release"):
        notebook = read(course / version / "tiny" / "tiny.ipynb")
        assert follows_schema_3(notebook)
        graded = {
            c.metadata.nbgrader.grade_id: c for c in code(notebook) if c.metadata.get("nbgrader", {}).get("grade")
        }
        assert {name: c.metadata.nbgrader.points for name, c in graded.items()} == {
            "test_double": 2,
            "test_total": 2,
        }
        assert all(c.metadata.nbgrader.locked and not c.metadata.nbgrader.solution for c in graded.values())
        notebook.cells[-1].metadata["nbgrader"] = dict(graded["test_double"].metadata.nbgrader)
        assert not follows_schema_3(notebook)


def test_nbgraders_release_is_its_source_without_the_marked_regions(course: Path, tiny: Assignment) -> None:
    source, release = (read(course / version / "tiny" / "tiny.ipynb") for version in ("source", "release"))
    for mine, theirs in zip(source.cells, release.cells, strict=True):
        text = re.sub(r"\n### BEGIN HIDDEN TESTS.*?### END HIDDEN TESTS", "", mine.source, flags=re.DOTALL)
        assert (stub(text) if "### BEGIN SOLUTION" in text else text) == theirs.source
        assert mine.metadata == theirs.metadata
    assert "share(" in "".join(cell.source for cell in source.cells)
    assert "share(" not in "".join(cell.source for cell in release.cells)
    assert (course / "source/tiny/tiny.check.json").read_bytes() == (
        course / "release/tiny/tiny.check.json"
    ).read_bytes()


def test_nbgraders_cells_give_the_points(course: Path, tiny: Assignment, monkeypatch: pytest.MonkeyPatch) -> None:
    source, release = (code(read(course / version / "tiny" / "tiny.ipynb")) for version in ("source", "release"))
    monkeypatch.chdir(course / "source" / "tiny")  # where the recorded self-check lies

    def points(cells: list[Any], **answers: str) -> list[float]:
        shown = run(cells, answers)
        return [x for x, cell in zip(shown, cells, strict=True) if cell.metadata.get("nbgrader", {}).get("grade")]

    assert points(source) == [2, 2]
    assert points(source, double=PARTLY) == [0, 2]  # right in the public case, wrong in a hidden one
    assert points(release) == [0, 0]
    assert points(release, **tiny.master.solutions) == [2, 2]


def test_hidden_cases_without_code_or_mutants_decide_by_part(tiny: Assignment, tmp_path: Path) -> None:
    item = tiny.items[0]
    packed = by_part(tiny, item, SEED)
    assert list(packed) == ["a vector"]
    assert share(lambda x: 2 * x, *packed.values()) == 1
    assert share(lambda x: x, *packed.values()) == 0
    assert packed != by_part(tiny, item, SEED + b"2")
    toy = load(write_toy(tmp_path / "toy"))
    assert by_part(toy, toy.items[0], SEED) == {}  # one of its objectives is a function: that would be code


def question_blocks(notebook: Any) -> list[dict[str, Any]]:
    """The questions of an Otter master: raw cells open and close blocks, the opening one holds YAML."""
    found: list[dict[str, Any]] = []
    open_blocks: list[str] = []
    for cell in notebook.cells:
        if cell.cell_type == "raw":
            first, _, config = cell.source.partition("\n")
            kind, name = re.fullmatch(r"# (BEGIN|END|ASSIGNMENT) (\w+)", first).groups()  # type: ignore[union-attr]
            if kind == "END":
                assert open_blocks.pop() == name
            elif kind == "BEGIN":
                open_blocks.append(name)
                if name == "QUESTION":
                    found.append({**yaml.safe_load(config), "SOLUTION": [], "TESTS": []})
            else:
                assert yaml.safe_load(config)["generate"] is True
        elif open_blocks:
            found[-1][open_blocks[-1]].append(cell)
    assert open_blocks == []
    return found


def as_otter_releases(source: str) -> str:
    """Otter's rule: lines between SOLUTION NO PROMPT marks go, the lines of a PROMPT string stay."""
    source = re.sub(
        r"^[ \t]*# BEGIN SOLUTION NO PROMPT\n.*?# END SOLUTION\n", "", source, flags=re.DOTALL | re.MULTILINE
    )
    return re.sub(
        r'^[ \t]*""" # BEGIN PROMPT\n(.*?)\n[ \t]*"""; # END PROMPT', r"\1", source, flags=re.DOTALL | re.MULTILINE
    )


def test_otters_master(tiny: Assignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = read(otter.export(TINY, tmp_path, SEED))
    monkeypatch.chdir(tmp_path)
    questions = question_blocks(notebook)
    assert [question["name"] for question in questions] == ["double", "total"]
    run(code(notebook))  # no test fails on the solution
    for question in questions:
        (solution,) = question["SOLUTION"]
        assert as_otter_releases(solution.source) == stub(tiny.master.solutions[question["name"]])
        configs = [yaml.safe_load(test.source.split('"""')[1].split("\n", 1)[1]) for test in question["TESTS"]]
        assert [config["hidden"] for config in configs] == [False, True]
        assert sum(config["points"] for config in configs) == pytest.approx(2)
        setup = code(notebook)[0]
        for test in question["TESTS"]:
            assert run([setup, solution, test]) == [None, None, None]  # Otter expects no output
            untouched = nbformat.v4.new_code_cell(as_otter_releases(solution.source))
            with pytest.raises(AssertionError):
                run([setup, untouched, test])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Gradescope's /autograder, with the zip unpacked and this Python in place of the installed one."""
    home = tmp_path_factory.mktemp("autograder")
    with zipfile.ZipFile(gradescope.autograder(TINY, home, SEED, allow_process_tier=True)) as bundle:
        bundle.extractall(home / "source")
        for name, mode in (("setup.sh", 0o755), ("run_autograder", 0o755), ("seed", 0o600)):
            assert stat.S_IMODE(bundle.getinfo(name).external_attr >> 16) == mode
    (home / "run_autograder").write_text((home / "source" / "run_autograder").read_text())
    (home / "venv" / "bin").mkdir(parents=True)
    (home / "venv" / "bin" / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (home / "venv" / "bin" / "python").chmod(0o755)
    (home / "submission").mkdir()
    return home


def grade_there(home: Path) -> tuple[int, dict[str, Any]]:
    (home / "results" / "results.json").unlink(missing_ok=True)
    code = subprocess.run(["bash", home / "run_autograder"], capture_output=True).returncode
    return code, json.loads((home / "results" / "results.json").read_text())


def test_gradescopes_autograder_grades(home: Path, course: Path, tiny: Assignment) -> None:
    notebook = read(course / "release" / "tiny" / "tiny.ipynb")
    for cell in notebook.cells:
        if cell.source.startswith("# ITEM total"):
            cell.source = tiny.master.solutions["total"]
    nbformat.write(notebook, home / "submission" / "my homework.ipynb")
    code, found = grade_there(home)
    assert (code, found["score"]) == (0, 2)
    assert [(test["score"], test["status"]) for test in found["tests"]] == [(0, "failed"), (2, "passed")]
    nbformat.write(notebook, home / "submission" / "another.ipynb")
    code, found = grade_there(home)
    assert code == 1
    assert "score" not in found
    assert "2 notebooks were handed in" in found["output"]


def test_gradescopes_scripts_and_requirements(home: Path) -> None:
    for script in ("setup.sh", "run_autograder"):
        assert subprocess.run(["bash", "-n", home / "source" / script]).returncode == 0
    wanted = dict(line.split("==") for line in (home / "source" / "requirements.txt").read_text().splitlines())
    assert {"torch", "numpy", "nbformat", "jupytext"} <= set(wanted)
    assert not {"sphinx-proof", "pytest"} & set(wanted)
    assert (home / "source" / "coursekit" / "grading" / "__init__.pyi").is_file()
    assert not list((home / "source").rglob("__pycache__"))


def test_an_export_that_cannot_be_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--out", str(tmp_path), "--exercises", str(TINY.parent)]
    assert main(["export", "no_such", "--format", "otter", *words]) == 2
    assert "no_such is not an assignment" in capsys.readouterr().err
