"""A build passes only if the book, as it stands, has no warning; and does no more than it must."""

from __future__ import annotations

from pathlib import Path

import pytest

from coursekit.book.build import build
from coursekit.book.needs import Command
from coursekit.book.recorded import Records

from .tiny import change, write

EXTENSION = """
def setup(app):
    app.connect("source-read", lambda app, name, source: source.__setitem__(0, source[0] + "\\n\\nMARK"))
    app.connect("env-before-read-docs", lambda app, env, names: open("_build/read", "w").write(" ".join(names)))
    return {"parallel_read_safe": True}
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write(tmp_path_factory.mktemp("made") / "root")
    (root / "extension").mkdir()
    (root / "extension" / "local.py").write_text(EXTENSION.replace("MARK", "first mark"))
    with (root / "_config.yml").open("a") as config:
        config.write("sphinx: {local_extensions: {local: extension}}\n")
    return root


def page(root: Path, name: str) -> str:
    return (root / "_build" / "html" / "book" / f"{name}.html").read_text()


def read_again(root: Path) -> list[str]:
    """The pages that Sphinx has read since the last call."""
    log = root / "_build" / "read"
    names = log.read_text().split() if log.exists() else []
    log.unlink(missing_ok=True)
    return sorted(names)


def test_a_book_through_its_changes(root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    everything = ["book/index", "book/one", "book/two"]
    index = build(root)
    assert index.exists()
    assert read_again(root) == everything
    assert "first mark" in page(root, "one")
    assert "value 1.25" in (root / "_build" / "html" / "_sources" / "book" / "one.ipynb").read_text()

    build(root)
    assert read_again(root) == []

    change(root / "book" / "helper_two.py", "1.25", "1.50")
    build(root)
    assert read_again(root) == ["book/two"]
    assert "value 1.5" in page(root, "two")

    change(root / "book" / "one.md", "# Page one", "# Page one\n\nSee [there](nowhere.md).")
    capfd.readouterr()
    for _ in range(2):
        with pytest.raises(SystemExit, match="warnings or errors"):
            build(root)
        assert "nowhere.md" in capfd.readouterr().err

    change(root / "book" / "one.md", "See [there](nowhere.md).", "See nothing.")
    change(root / "extension" / "local.py", "first mark", "second mark")
    read_again(root)
    build(root)
    assert read_again(root) == everything
    assert "second mark" in page(root, "index")

    (root / "_build" / "html" / "book" / "one.html").unlink()
    build(root)
    assert "See nothing." in page(root, "one")


def test_a_command_runs_when_what_it_read_or_made_has_changed(tmp_path: Path) -> None:
    out, log = tmp_path / "_build" / "out.txt", tmp_path / "_build" / "runs"
    (tmp_path / "in.txt").write_text("1")
    script = f"open({str(log)!r}, 'a').write('x'); open({str(out)!r}, 'w').write(open('in.txt').read())"
    work, records = Command("copy", ("-c", script), out), Records(tmp_path, tmp_path / "_build" / "records")
    for expected in ("x", "x"):
        work.run(tmp_path, records)
        assert log.read_text() == expected
    (tmp_path / "in.txt").write_text("2")
    work.run(tmp_path, records)
    assert (out.read_text(), log.read_text()) == ("2", "xx")
    out.write_text("tampered with")
    work.run(tmp_path, records)
    assert (out.read_text(), log.read_text()) == ("2", "xxx")
    with pytest.raises(SystemExit, match="bad failed"):
        Command("bad", ("-c", "raise SystemExit(3)"), out).run(tmp_path, records)
