"""Notebooks run when, and only when, their code or something that they read has changed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from coursekit.book import execute as executor
from coursekit.book.execute import execute, executed
from coursekit.book.export import export
from coursekit.book.notebooks import pages
from coursekit.book.recorded import Records, tracing

from .tiny import change, write


def run(root: Path) -> list[str]:
    """Execute the tiny book; return the pages that ran."""
    return sorted(execute(root, pages(root), Records(root, root / "_build" / "records")))


def printed(root: Path, name: str) -> str:
    page = next(page for page in pages(root) if page.name == name)
    return executed(root, page).cells[1].outputs[0].text


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write(tmp_path_factory.mktemp("made") / "root")
    assert run(root) == ["book/one", "book/two"]
    return root


@pytest.fixture
def root(ran: Path, tmp_path: Path) -> Path:
    """A copy of the executed book."""
    return Path(shutil.copytree(ran, tmp_path / "root"))


def test_nothing_runs_twice(root: Path) -> None:
    change(root / "book" / "one.md", "# Page one", "# Another title\n\nAnd some prose.")
    (root / "book" / "unrelated.py").write_text("value = 0\n")
    assert run(root) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "shown"),
    [
        ("helper_two.py", "1.25", "1.50", "value 1.5\ndata\n"),
        ("two.txt", "data", "other", "value 1.25\nother\n"),
        ("two.md", "value)", "2 * value)", "value 2.5\ndata\n"),
    ],
    ids=["module", "data", "code"],
)
def test_only_the_page_that_used_it_runs_again(root: Path, file: str, old: str, new: str, shown: str) -> None:
    change(root / "book" / file, old, new)
    assert run(root) == ["book/two"]
    assert printed(root, "book/two") == shown
    assert printed(root, "book/one") == "value 1.25\ndata\n"
    assert run(root) == []


def test_another_environment_runs_all_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor, "environment", lambda: "numpy==0")
    assert run(root) == ["book/one", "book/two"]


def test_a_failing_page_is_shown_and_not_kept(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(root / "book" / "helper_one.py", "1.25", "1 / 0")
    for _ in range(2):
        with pytest.raises(SystemExit, match="1 of 2 notebooks failed: book/one"):
            run(root)
        shown = capsys.readouterr().err
        assert "one.md, line 8" in shown
        assert "from helper_one import value" in shown
        assert "ZeroDivisionError" in shown
        with pytest.raises(KeyError):
            printed(root, "book/one")


def test_export_refuses_what_was_not_executed(root: Path) -> None:
    folder = root / "_build" / "nbval"
    export(root, pages(root), folder)
    assert "value 1.25" in (folder / "book" / "one.ipynb").read_text()
    change(root / "book" / "one.md", "value)", "value, 0)")
    with pytest.raises(ValueError, match="never executed as it stands"):
        export(root, pages(root), folder)
    change(root / "book" / "one.md", "ipython3\n", "ipython3\n:tags: [skip-execution]\n")
    run(root)
    with pytest.raises(ValueError, match="this cell was never executed"):
        export(root, pages(root), folder)


def test_what_is_read_is_traced(tmp_path: Path) -> None:
    for name in ("read.txt", "child.txt", "edited.txt"):
        (tmp_path / name).write_text("text")
    (tmp_path / "module.py").write_text("")
    (tmp_path / "folder").mkdir()
    script = """if True:
        import module, os, pathlib, subprocess, sys
        open("read.txt"), os.listdir("folder")
        subprocess.run([sys.executable, "-c", "open('child.txt')"])
        open("written.txt", "w").write(""), open("written.txt").read()
        open("edited.txt").read(), pathlib.Path("edited.txt").write_text("new")
        pathlib.Path("absent.txt").exists() or print(end="")
        try: open("absent.txt")
        except OSError: pass
    """
    with tracing(tmp_path) as reading:
        subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=reading.environ, check=True)
    records = Records(tmp_path, tmp_path / "_build")
    expected = ["absent.txt", "child.txt", "edited.txt", "folder", "module.py", "read.txt"]
    assert sorted(reading.inputs) == expected
    records.keep("work", "key", reading.inputs)
    assert records.changed("work", "key") == ["edited.txt"]
    (tmp_path / "absent.txt").touch()
    (tmp_path / "folder" / "new").touch()
    (tmp_path / "child.txt").unlink()
    assert records.changed("work", "key") == ["absent.txt", "child.txt", "edited.txt", "folder"]
    assert records.changed("work", "another key") == ["work"]
