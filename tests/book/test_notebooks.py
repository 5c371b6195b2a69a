"""The comparison of notebooks notices one altered number, and notebooks print nothing that changes by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from coursekit.book.compare import compare
from coursekit.book.execute import executed
from coursekit.book.notebooks import masters, pages, released

from .tiny import notebook

ROOT = Path(__file__).parents[2]
TOO_PRECISE = re.compile(r"\d\.\d{5,}")
TIMING = re.compile(r"\b\d[\d.]*(?:e[+-]?\d+)?\s?(?:ns|µs|us|ms|s|sec|seconds?|min|minutes?|it/s)\b")


def find_unstable(content: nbformat.NotebookNode) -> Iterator[str]:
    """Compared text outputs with more than four decimals, or with a time."""
    for cell in content.cells:
        ignored = "NBVAL_IGNORE_OUTPUT" in cell.source
        if cell.cell_type != "code" or ignored or "nbval-ignore-output" in cell.metadata.get("tags", []):
            continue
        for output in cell.outputs:
            text = output.get("text") or output.get("data", {}).get("text/plain", "")
            yield from (found[0] for pattern in (TOO_PRECISE, TIMING) for found in pattern.finditer(text))


@pytest.mark.parametrize(
    ("shown", "status"), [("value 1.25\n", 0), ("value 1.26\n", 1)], ids=["as run", "altered"]
)
def test_one_altered_digit_fails(tmp_path: Path, shown: str, status: int) -> None:
    nbformat.write(notebook("print('value', 5 / 4)", shown), tmp_path / "page.ipynb")
    assert compare(tmp_path, jobs=1) == status


def test_notebooks_print_few_digits_and_no_times() -> None:
    notebooks = [*pages(ROOT), *masters(ROOT), *released(ROOT)]
    found = {notebook.name: list(find_unstable(executed(ROOT, notebook))) for notebook in notebooks}
    assert notebooks
    assert not {name: unstable for name, unstable in found.items() if unstable}


@pytest.mark.parametrize("text", ["x = 0.123456", "w: -1.00001e-07", "took 3.2 s", "12ms", "100 it/s"])
def test_many_digits_and_times_are_found(text: str) -> None:
    assert list(find_unstable(notebook("cell", text)))
    assert not list(find_unstable(notebook("# NBVAL_IGNORE_OUTPUT\ncell", text)))


@pytest.mark.parametrize("text", ["x = 0.1234", "1.2e-07", "12 steps", "step 3 suffices", "f(w) = 2.5"])
def test_ordinary_numbers_pass(text: str) -> None:
    assert not list(find_unstable(notebook("cell", text)))
