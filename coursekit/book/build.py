"""`make book`: execute what is stale, then build the pages with every warning an error.

Sphinx reads again only what it believes to have changed, which is too little: it knows neither its own extensions'
code nor a page's new outputs. So the build takes away

- a page's doctree when the page was executed again,
- all doctrees when anything else that the last build read has changed (extensions, `_toc.yml`, data: all of this
  is observed, so that an extension need not declare it), or when the last build did not succeed,
- the HTML always: writing it is quick, and warnings about references come only from pages that are written.

When not one file of the repository has changed since a clean build, there is nothing to do.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from coursekit.book.needs import Command, commands
from coursekit.book.recorded import Records, digest, environment, generated, hashed, tracing

JUPYTER_BOOK = ("jupyter-book", "build", ".", "-q", "-W", "-n", "--keep-going")


def build(root: Path, needs: Sequence[Command] = (), jobs: int = 2) -> Path:
    """Build the book of `root`, after what it needs; return its first page.

    Raises SystemExit when anything in it fails.
    """
    made = root / "_build"
    records, before = Records(root, made / "records"), state(root)
    if records.changed("build", before):
        # imported here: that takes longer than finding out that nothing has changed
        from coursekit.book.execute import execute, outputs
        from coursekit.book.export import export
        from coursekit.book.notebooks import masters, pages, released, sources

        records.forget("build")
        for need in needs:
            need.run(root, records)
        book = pages(root)
        ran = execute(root, [*book, *masters(root), *released(root)], records, jobs)
        kept = len(outputs(root).list_cache_records())
        pages_read_again(root, records, ran, sources(root))
        sphinx(root, records, sources(root), [need.out for need in needs])
        if len(outputs(root).list_cache_records()) != kept:
            raise SystemExit("Sphinx ran a cell that is none in JupyterLab: is a code-cell nested in a directive?")
        export(root, book, made / "html" / "_sources")
        results = [*files(made / "html"), *(made / ".jupyter_cache").rglob("*.ipynb")]
        records.keep("build", before, {}, results)
    return made / "html" / "index.html"


def state(root: Path) -> str:
    """A hash of the environment and of every file of the repository that no tool makes."""
    return hashed(environment(), *(f"{path} {digest(path)}" for path in files(root)))


def files(folder: Path) -> list[Path]:
    """Every file below `folder` that no tool makes."""
    found: list[Path] = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not generated(Path(name))]
        found += (Path(parent, name) for name in names if not generated(Path(name)))
    return sorted(found)


def pages_read_again(root: Path, records: Records, ran: Iterable[str], sources: Iterable[Path]) -> None:
    """Remove the HTML, and the doctrees that Sphinx would wrongly keep."""
    made = root / "_build"
    shutil.rmtree(made / "html", ignore_errors=True)
    own = {source.relative_to(root).as_posix() for source in sources}
    if set(records.changed("sphinx", environment())) - own:
        shutil.rmtree(made / ".doctrees", ignore_errors=True)
    for name in ran:
        (made / ".doctrees" / f"{name}.doctree").unlink(missing_ok=True)


def sphinx(root: Path, records: Records, sources: Iterable[Path], needed: Iterable[Path]) -> None:
    """Run jupyter-book. Raises SystemExit after a warning; then no doctree is left to hide it the next time."""
    records.forget("sphinx")
    print("pages ...", flush=True)
    program = Path(sys.executable).with_name(JUPYTER_BOOK[0])
    with tracing(root) as reading:
        done = subprocess.run(
            [program, *JUPYTER_BOOK[1:]], cwd=root, env=reading.environ, stdout=subprocess.DEVNULL
        )
    if done.returncode:
        shutil.rmtree(root / "_build" / ".doctrees", ignore_errors=True)
        raise SystemExit("the book has warnings or errors (above), and either fails it")
    records.keep("sphinx", environment(), reading.inputs, [*sources, *filter(Path.is_file, needed)])


def main() -> None:
    """Build the book of the current folder, and say where it is."""
    parser = argparse.ArgumentParser(prog="make book", description=main.__doc__)
    parser.add_argument("--jobs", type=int, default=2, help="notebooks that run at the same time")
    root = Path.cwd()
    index = build(root, commands(root), parser.parse_args().jobs)
    print(f"The book is at {index.relative_to(root)}")


if __name__ == "__main__":
    main()
