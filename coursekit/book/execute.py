"""Execute the notebooks whose code or inputs have changed, in parallel, and keep the others' outputs.

Outputs are kept in a jupyter-cache, where `jupyter-book` (with `execute_notebooks: cache`) finds them. That cache
knows a notebook's code only; `recorded` adds what the notebook's kernel had read, and the dependencies' versions.
"""

import multiprocessing
import re
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn, JupyterCacheAbstract
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal, DeadKernelError
from nbformat import NotebookNode
from tqdm import tqdm

from coursekit.book.notebooks import Notebook
from coursekit.book.recorded import Records, environment, hashed, tracing

CELL_TIMEOUT = 300  # seconds
KERNEL = {
    "COURSEKIT_STATIC": "1",  # explorables as static HTML
    "JUPYTER_PREFER_ENV_PATH": "1",  # this environment's `python3`, not one in the home folder
    "OMP_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
}
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Run:
    """An executed notebook, {path: hash} of what it read, its seconds, and what went wrong ("" if nothing)."""

    executed: NotebookNode
    inputs: dict[str, str]
    seconds: float
    error: str


def outputs(root: Path) -> JupyterCacheAbstract:
    """The cache in which the book's outputs are kept."""
    return get_cache(root / "_build" / ".jupyter_cache")


def run(root: Path, notebook: Notebook) -> Run:
    """Execute one notebook in a new kernel, in its own folder."""
    content, error, cell, started = notebook.read(), "", 0, time.perf_counter()

    def at(cell_index: int, **_: object) -> None:
        nonlocal cell
        cell = cell_index

    with tracing(root) as reading:
        client = NotebookClient(
            content,
            timeout=CELL_TIMEOUT,
            startup_timeout=120,
            kernel_name="python3",
            extra_arguments=["--IPKernelApp.log_level=40"],  # errors only
            record_timing=False,
            on_cell_start=at,
            resources={"metadata": {"path": str(notebook.path.parent)}},
        )
        own = KERNEL | {"IPYTHONDIR": str(root / "_build" / ".ipython")}
        try:
            client.execute(env=reading.environ | own)
        except (CellControlSignal, DeadKernelError) as failure:
            lines = content.metadata.get("source_map")
            place = f"line {lines[cell] + 1}" if lines else f"cell {cell + 1}"
            error = f"{notebook.path}, {place}\n{_ANSI.sub('', str(failure)).strip()}"
    return Run(content, reading.inputs, time.perf_counter() - started, error)


def execute(root: Path, notebooks: Sequence[Notebook], records: Records, jobs: int = 2) -> list[str]:
    """Execute what is stale, `jobs` notebooks at a time; return the names of those that ran.

    Raises SystemExit when a notebook fails, after the others have run; a failed notebook is not kept.
    """
    cache = outputs(root)
    stale = {notebook.name: notebook for notebook in notebooks if _stale(notebook, records, cache)}
    failed = []
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(jobs, len(stale)) or 1, context) as pool:
        try:
            runs = {pool.submit(run, root, notebook): notebook for notebook in stale.values()}
            for future in tqdm(as_completed(runs), "notebooks", len(runs), unit="", disable=not runs):
                notebook, done = runs[future], future.result()
                if done.error:
                    failed.append(notebook.name)
                    tqdm.write(f"\n{done.error}\n", file=sys.stderr)
                    continue
                timing = {"execution_seconds": done.seconds}
                bundle = CacheBundleIn(done.executed, str(notebook.path), data=timing)
                cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
                records.keep(notebook.name, _key(done.executed, cache), done.inputs)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    if failed:
        raise SystemExit(f"{len(failed)} of {len(notebooks)} notebooks failed: {', '.join(failed)}")
    return list(stale)


def executed(root: Path, notebook: Notebook) -> NotebookNode:
    """The notebook with its kept outputs. Raises KeyError when there are none."""
    return outputs(root).merge_match_into_notebook(notebook.read())[1]


def _stale(notebook: Notebook, records: Records, cache: JupyterCacheAbstract) -> bool:
    """Whether a notebook has to run again; if so, its old outputs are forgotten."""
    content = notebook.read()
    try:
        kept = cache.match_cache_notebook(content)
    except KeyError:
        kept = None
    changed = records.changed(notebook.name, _key(content, cache))
    if changed and kept:
        cache.remove_cache(kept.pk)
    if changed or not kept:
        records.forget(notebook.name)
    return bool(changed) or not kept


def _key(content: NotebookNode, cache: JupyterCacheAbstract) -> str:
    code = cache.create_hashed_notebook(content)[1]
    return hashed(code, environment(), *(f"{name}={value}" for name, value in KERNEL.items()))
