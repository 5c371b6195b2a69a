"""A book of two notebooks, each with a module and a data file of its own, for tests of how books are made."""

from __future__ import annotations

from pathlib import Path

import nbformat

NOTEBOOK = """---
jupytext: {{text_representation: {{extension: .md, format_name: myst}}}}
kernelspec: {{name: python3, display_name: Python 3}}
---
# Page {name}

```{{code-cell}} ipython3
from helper_{name} import value
print("value", value)
print(open("{name}.txt").read())
```
"""


def write(root: Path) -> Path:
    """Write the book; return its root."""
    folder = root / "book"
    folder.mkdir(parents=True)
    (root / "_config.yml").write_text("title: tiny\nexecute: {execute_notebooks: cache}\n")
    (root / "_toc.yml").write_text(
        "format: jb-book\nroot: book/index\nchapters: [{file: book/one}, {file: book/two}]\n"
    )
    (folder / "index.md").write_text("# Tiny\n")
    for name in ("one", "two"):
        (folder / f"{name}.md").write_text(NOTEBOOK.format(name=name))
        (folder / f"helper_{name}.py").write_text("value = 1.25\n")
        (folder / f"{name}.txt").write_text("data")
    return root


def change(path: Path, old: str, new: str) -> None:
    """Replace text that must be there."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def notebook(source: str, text: str | None) -> nbformat.NotebookNode:
    """A notebook of one cell that printed `text`, or that was never run (None)."""
    stream = [] if text is None else [nbformat.v4.new_output("stream", name="stdout", text=text)]
    count = None if text is None else 1
    cell = nbformat.v4.new_code_cell(source, outputs=stream, execution_count=count)
    kernel = {"name": "python3", "display_name": "Python 3"}
    return nbformat.v4.new_notebook(cells=[cell], metadata={"kernelspec": kernel})
