"""Another cohort, or a private master: other numbers, the same tests, and a self-check beside the notebook."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch

import coursekit
from coursekit.grading import public
from coursekit.grading.exercise import load
from coursekit.grading.master import stub
from coursekit.grading.release import faults, release

from .conftest import SMOOTHNESS
from .toy import write_toy

YEARS = tuple(f"{year}".encode() for year in range(2027, 2033))


def constant(folder: Path, cohort: bytes) -> str:
    (found,) = re.findall(r"f_w - ([\d.]+) \* eta", load(folder, cohort).master.solutions["halve"])
    return str(found)


def test_a_cohort_changes_statement_reference_hints_cases_and_version(tmp_path: Path) -> None:
    folder = write_toy(tmp_path / "toy")
    assert constant(folder, b"2027") == constant(folder, b"2027")
    assert len({constant(folder, year) for year in YEARS}) > 1
    for year in YEARS:
        assignment = load(folder, year)
        c = constant(folder, year)
        assert f"f(w) - {c}\\," in "".join(cell.source for cell in assignment.master.notebook.cells)
        assert f"The constant is {c}." in [mutant.hint for mutant in assignment.items[0].mutants]
        assert faults(assignment, public.recordings(assignment)) == []
    first, second = (load(folder, year) for year in YEARS[:2])
    assert first.version != second.version
    points = [a.items[0].public_cases(a.cohort)[0].arguments[1] for a in (first, second)]
    assert not torch.equal(*points)


def test_an_undefined_or_twofold_constant_is_said(tmp_path: Path) -> None:
    folder = write_toy(tmp_path / "toy")
    (folder / "items_more.py").write_text("ITEMS = ()\ndef constants(generator):\n    return {'c': '1'}\n")
    with pytest.raises(ValueError, match=r"constants \['c'\] are defined twice"):
        load(folder)
    (folder / "items_more.py").unlink()
    master = folder / "master.md"
    master.write_text(master.read_text().replace("# A toy", "# A toy {{d}}"))
    with pytest.raises(ValueError, match=r"master.md uses \{\{d\}\}; constants\(\) defines c"):
        load(folder)


def test_braces_mean_nothing_without_constants(tmp_path: Path) -> None:
    assert load(SMOOTHNESS, b"2027").master.solutions == load(SMOOTHNESS).master.solutions


def test_the_self_check_beside_the_notebook_is_found_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_toy(tmp_path / "private" / "toy")
    notebook = release(folder, tmp_path / "out", cohort=b"2027")
    assert sorted(p.name for p in notebook.parent.iterdir()) == ["toy.check.json", "toy.ipynb"]
    assert not (public.FOLDER / "toy.json").exists()
    assignment = load(folder, b"2027")
    reference = assignment.reference(assignment.items[0])
    with pytest.raises(ValueError, match=r"exercise is 'toy.halve'"):
        coursekit.check("toy.halve", reference)
    monkeypatch.chdir(tmp_path / "out")
    assert coursekit.check("toy.halve", reference)
    for mutant in assignment.items[0].mutants:
        result = coursekit.check("toy.halve", assignment.reference(assignment.items[0], mutant))
        assert (result.status, result.hint) == ("not passed", mutant.hint)
    assert "f = Quadratic(eigenvalues = [" in coursekit.check("toy.halve", lambda f, w: 2.0).message
    namespace: dict[str, Any] = {}
    exec(stub(assignment.master.solutions["halve"]), namespace)
    assert coursekit.check("toy.halve", namespace["halve"]).status == "not attempted"


def test_another_cohort_of_the_books_own_goes_before_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release(SMOOTHNESS, tmp_path, cohort=b"2027")
    beside = tmp_path / "smoothness.check.json"
    tree = json.loads(beside.read_text())
    del tree["gd_step"]
    beside.write_text(json.dumps(tree))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"exercise is 'smoothness.gd_step'"):
        coursekit.check("smoothness.gd_step", lambda w, g, eta: w - eta * g)
    beside.write_text("{")
    with pytest.raises(ValueError, match=r"smoothness.check.json is no recorded self-check"):
        coursekit.check("smoothness.gd_step", lambda w, g, eta: w - eta * g)
