"""Run tests on a mutated copy of the package: never on the tree itself.

The copy is a folder of its own with ``coursekit`` and ``tests``. The tests run in a process forked from one that
has imported the heavy libraries already, and nothing of ours.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
HEAVY = [
    "torch",
    "torch._dynamo",
    "scipy.optimize",
    "scipy.sparse.linalg",
    "sklearn.linear_model",
    "sympy",
    "pytest",
]
TIMEOUT = 600  # seconds; a mutant that never ends has been noticed
PASSED, FAILED = 0, 1  # pytest's exit codes


@dataclass(frozen=True)
class Mutant:
    """The first ``old`` in ``file`` becomes ``new``; one of the tests ``notices`` must fail."""

    what: str
    file: str
    old: str
    new: str
    notices: str

    def mutate(self, tree: Path) -> None:
        """Make the mistake in the copy ``tree``. ValueError if the place is no longer there."""
        file = tree / "coursekit" / self.file
        text = file.read_text()
        if self.old not in text:
            raise ValueError(f"{self.what}: coursekit/{self.file} no longer contains {self.old!r}; edit the bank")
        file.unlink()  # a link to the snapshot
        file.write_text(text.replace(self.old, self.new, 1))


@dataclass(frozen=True)
class Outcome:
    """``killed`` by the test of this name; an ``error`` is neither killed nor survived: the bank is to blame."""

    mutant: Mutant
    killed: bool
    by: str
    error: str = ""


@contextmanager
def snapshot() -> Iterator[Path]:
    """A copy of package and tests as they are now, in a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder) / "base"
        for name in ("coursekit", "tests"):
            shutil.copytree(ROOT / name, base / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", base)
        yield base


def run(mutants: Sequence[Mutant], jobs: int = 2) -> list[Outcome]:
    """Every mutant on the tests that should notice it, which must pass without it: else they prove nothing."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(HEAVY)
    with snapshot() as base, ThreadPoolExecutor(jobs) as pool:

        def attempt(mutant: Mutant) -> Outcome:
            with tempfile.TemporaryDirectory(dir=base.parent) as folder:
                tree = Path(folder) / "tree"
                shutil.copytree(base, tree, copy_function=os.link)
                try:
                    mutant.mutate(tree)
                except ValueError as error:
                    return Outcome(mutant, False, "", str(error))
                code, log = _pytest(context, tree, mutant.notices)
            if code not in (PASSED, FAILED):
                return Outcome(mutant, False, "", f"pytest ended with {code}: {log[-1500:]}")
            by = re.search(r"^FAILED (\S+)", log, re.MULTILINE)
            return Outcome(mutant, code == FAILED, by[1] if by else "")

        suites = list(dict.fromkeys(mutant.notices for mutant in mutants))
        sound = dict(zip(suites, pool.map(lambda tests: _pytest(context, base, tests), suites), strict=True))
        unsound = {tests: log for tests, (code, log) in sound.items() if code != PASSED}
        outcomes = pool.map(attempt, [mutant for mutant in mutants if mutant.notices not in unsound])
        return [
            Outcome(mutant, False, "", f"the tests fail without it: {unsound[mutant.notices][-1500:]}")
            if mutant.notices in unsound
            else next(outcomes)
            for mutant in mutants
        ]


def _pytest(context: multiprocessing.context.ForkServerContext, tree: Path, tests: str) -> tuple[int | None, str]:
    """pytest's exit code and output for these tests of a copy."""
    with tempfile.NamedTemporaryFile("r", dir=tree.parent, suffix=".log") as log:
        process = context.Process(target=_child, args=(str(tree), log.name, tests.split()))
        process.start()
        process.join(TIMEOUT)
        if process.is_alive():
            process.kill()
            process.join()
            return FAILED, "FAILED no-end-within-the-time-limit"
        return process.exitcode, log.read()


def _child(tree: str, log: str, tests: list[str]) -> None:
    import pytest
    import torch

    os.chdir(tree)
    sys.path.insert(0, tree)
    for name in [name for name in sys.modules if name.partition(".")[0] in ("coursekit", "tests")]:
        del sys.modules[name]
    out = os.open(log, os.O_WRONLY)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = (
        "1"  # the notebooks' plugin takes longer to load than most tests
    )
    torch.set_num_threads(1)
    sys.exit(pytest.main(["-x", "--tb=line", "-p", "no:cacheprovider", *tests]))
