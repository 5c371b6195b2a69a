"""Write executed notebooks, with the outputs that the book shows, for nbval and for the reader's download."""

from collections.abc import Iterable
from pathlib import Path

import nbformat

from coursekit.book.execute import executed
from coursekit.book.notebooks import Notebook


def export(root: Path, notebooks: Iterable[Notebook], folder: Path) -> None:
    """Write each notebook to `folder/<name>.ipynb`.

    Raises ValueError when a code cell has no execution to compare with: nbval compares nothing there, and passes.
    """
    for notebook in notebooks:
        try:
            content = executed(root, notebook)
        except KeyError:
            raise ValueError(f"{notebook.path} was never executed as it stands: run make book") from None
        for cell in content.cells:
            if cell.cell_type == "code" and cell.source.strip() and cell.execution_count is None:
                raise ValueError(f"{notebook.path}: this cell was never executed:\n{cell.source}")
        file = folder / f"{notebook.name}.ipynb"
        file.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(content, file)
