"""Which notebooks the book consists of, where they lie, and how they are read."""

from dataclasses import dataclass
from pathlib import Path

import nbformat
from myst_nb.core.read import is_myst_markdown_notebook, myst_nb_reader_plugin
from nbformat import NotebookNode
from sphinx_external_toc.parsing import parse_toc_yaml


@dataclass(frozen=True)
class Notebook:
    """A notebook's file, and the name under which its outputs are kept (its path, without the suffix)."""

    name: str
    path: Path

    def read(self) -> NotebookNode:
        """The notebook without outputs, read exactly as the book's pages are."""
        if self.path.suffix == ".md":
            return myst_nb_reader_plugin(str(self.path))
        return nbformat.read(self.path, as_version=4)


class Master(Notebook):
    """An assignment's master, with the constants of the book's cohort filled in."""

    def read(self) -> NotebookNode:
        """The notebook with its solutions."""
        from coursekit.grading.exercise import load  # brings torch

        notebook: NotebookNode = load(self.path.parent).master.notebook
        return notebook


def sources(root: Path) -> list[Path]:
    """The book's pages, in the order of `_toc.yml`."""
    return [root / f"{docname}.md" for docname in parse_toc_yaml(root / "_toc.yml")]


def pages(root: Path) -> list[Notebook]:
    """The book's pages that are notebooks."""
    return [Notebook(*_place(root, path)) for path in sources(root) if is_notebook(path)]


def masters(root: Path) -> list[Notebook]:
    """The assignments' masters, with their solutions."""
    return [Master(*_place(root, path)) for path in sorted(root.glob("exercises/*/master.md"))]


def released(root: Path) -> list[Notebook]:
    """The student notebooks, as `coursekit release` last made them."""
    return [Notebook(*_place(root / "_build", path)) for path in sorted(root.glob("_build/released/**/*.ipynb"))]


def is_notebook(path: Path) -> bool:
    """Whether a file is Markdown whose top matter says that it is a notebook."""
    return path.is_file() and is_myst_markdown_notebook(path.read_text())


def _place(base: Path, path: Path) -> tuple[str, Path]:
    return path.relative_to(base).with_suffix("").as_posix(), path
