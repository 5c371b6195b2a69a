"""Execute every notebook again, and compare each text output with the one that the book shows (nbval, strict)."""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from coursekit.book.execute import CELL_TIMEOUT, KERNEL
from coursekit.book.export import export
from coursekit.book.notebooks import masters, pages, released


def compare(folder: Path, jobs: int = 2) -> int:
    """Compare the executed notebooks in `folder` with a new run of them; return pytest's exit status."""
    nbval = ("--nbval", f"--nbval-cell-timeout={CELL_TIMEOUT}", "--nbval-kernel-startup-timeout=120")
    images = ("--nbval-sanitize-with", str(Path(__file__).with_name("images.cfg")))
    # by file, because the cells of a notebook share one kernel
    spread = ("-n", str(jobs), "--dist", "loadfile", "-p", "no:cacheprovider")
    command = (sys.executable, "-m", "pytest", *nbval, *images, *spread, str(folder))
    return subprocess.run(command, env=os.environ | KERNEL).returncode


def main() -> int:
    """Compare every notebook of the current folder."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--jobs", type=int, default=2, help="notebooks that run at the same time")
    jobs, root = parser.parse_args().jobs, Path.cwd()
    folder = root / "_build" / "nbval"
    shutil.rmtree(folder, ignore_errors=True)
    export(root, [*pages(root), *masters(root), *released(root)], folder)
    return compare(folder, jobs)


if __name__ == "__main__":
    sys.exit(main())
