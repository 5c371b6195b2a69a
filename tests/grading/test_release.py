"""The exercise format, the released notebook, and the releases that are refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
import pytest

from coursekit.grading import public
from coursekit.grading.exercise import Assignment, load
from coursekit.grading.release import ReleaseRefused, release, same

from .conftest import EXERCISES, SMOOTHNESS


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SMOOTHNESS, tmp_path / "smoothness"))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    "folder", sorted(master.parent for master in EXERCISES.glob("*/master.md")), ids=lambda f: f.name
)
def test_shipped_recordings_are_up_to_date(folder: Path) -> None:
    shipped = public.loads((public.FOLDER / f"{folder.name}.json").read_text())
    assert same(shipped, public.recordings(load(folder))), (
        "run `coursekit release`: the recorded self-check is stale"
    )


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("items.py", "numbers(1.0, -1.0), 0.5", "numbers(1.0, -1.0), 0.75"),
        ("items.py", "w and g have changed places.", "w and g are mixed up."),
        ("items.py", "Tolerance(rtol=1e-9)", "Tolerance(rtol=1e-8)"),
        ("master.md", "return L, 1 / L", "return L, 1.5 / L"),
    ],
)
def test_staleness_is_noticed(copy: Path, name: str, old: str, new: str) -> None:
    if name == "master.md":
        edit(copy / "items.py", 'Mutant("1 / L", "2 / L"', 'Mutant("1.5 / L", "2 / L"')
        (copy / "items.py").write_text(
            (copy / "items.py").read_text().replace('"return L, 1 / L"', '"return L, 1.5 / L"')
        )
    edit(copy / name, old, new)
    shipped = public.loads((public.FOLDER / "smoothness.json").read_text())
    assert not same(shipped, public.recordings(load(copy)))


def test_recordings_survive_the_file(smoothness: Assignment) -> None:
    recorded = public.recordings(smoothness)
    text = public.dumps(recorded)
    assert same(public.loads(text), recorded)
    assert public.dumps(public.loads(text)) == text
    assert "range(steps)" not in text  # values, no code


def test_release_is_deterministic_and_valid(smoothness: Assignment, tmp_path: Path) -> None:
    one, two = (release(SMOOTHNESS, tmp_path / name, tmp_path / "public") for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    notebook = nbformat.read(one, as_version=4)
    nbformat.validate(notebook)
    assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in notebook.cells)
    marks = {c.metadata.nbgrader.grade_id: c.metadata.nbgrader for c in notebook.cells if "nbgrader" in c.metadata}
    for item in smoothness.items:
        mark = marks[item.id]
        assert (mark.schema_version, mark.solution, mark.locked, mark.points) == (3, True, False, item.points)
    text = one.read_text()
    assert "BEGIN SOLUTION" not in text
    for item in smoothness.items:
        body = smoothness.master.solutions[item.id].split("### BEGIN SOLUTION")[1].strip().splitlines()[0]
        assert body not in text


@pytest.mark.parametrize(
    ("name", "old", "new", "reason"),
    [
        (
            "master.md",
            "    return w - eta * g",
            "    return w.sub_(0) - eta * g.add_(1)",
            "gd_step: the reference fails its own",
        ),
        (
            "master.md",
            "    return w - eta * g",
            "    return w - eta * g + torch.rand(())",
            "it changes an argument, or is not",
        ),
        ("items.py", '"w - eta * g", "w + eta * g"', '"w - eta * g", "w - g * eta"', "do not reject the mutant"),
        (
            "items.py",
            '"range(steps + 1)", "One',
            '"range(steps - 1)", "One',
            "the self-check answers a mutant with",
        ),
    ],
)
def test_release_is_refused(copy: Path, tmp_path: Path, name: str, old: str, new: str, reason: str) -> None:
    if new.endswith("g.add_(1)"):
        (copy / "items.py").write_text(
            (copy / "items.py").read_text().replace("w - eta * g", "w.sub_(0) - eta * g.add_(1)")
        )
    edit(copy / name, old, new)
    with pytest.raises(ReleaseRefused, match=reason):
        release(copy, tmp_path / "out", tmp_path / "public")
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "public").exists()


@pytest.mark.parametrize(
    ("name", "old", "new", "reason"),
    [
        ("master.md", "# ITEM gd_step\n", "# ITEM gd_stop\n", "they must agree"),
        (
            "master.md",
            '    ### END SOLUTION\n```\n\n```{code-cell} ipython3\ncoursekit.check("smoothness.gd',
            '```\n\n```{code-cell} ipython3\ncoursekit.check("smoothness.gd',
            "needs one region",
        ),
        ("master.md", 'coursekit.check("smoothness.gd_step", gd_step)', "gd_step", "no cell that checks"),
        ("items.py", 'Mutant("1 / L", "2 / L"', 'Mutant("1 / M", "2 / L"', "occurs 0 times"),
        ("items.py", "    difficulty=1,", "    difficulty=7,", "difficulty is 7"),
    ],
)
def test_a_malformed_assignment_is_not_loaded(copy: Path, name: str, old: str, new: str, reason: str) -> None:
    edit(copy / name, old, new)
    with pytest.raises(ValueError, match=reason):
        load(copy)


def test_a_folder_without_master_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"it needs master.md and items.py"):
        load(tmp_path)
