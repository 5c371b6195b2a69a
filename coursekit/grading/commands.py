"""The commands ``coursekit release`` and ``coursekit grade``."""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any


def add_parsers(subparsers: Any) -> None:
    """Registers both commands with the ``add_subparsers()`` object of the ``coursekit`` command."""
    release = subparsers.add_parser("release", help="make the student notebook and the recorded self-check")
    release.add_argument(
        "assignments", nargs="*", metavar="ASSIGNMENT", help="names; all of them if none is given"
    )
    release.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the notebooks go")
    _exercises(release)
    release.set_defaults(command=_release)

    grade = subparsers.add_parser("grade", help="grade a folder of submitted notebooks")
    grade.add_argument("submissions", type=Path, help="holds <student>.ipynb or <student>/<assignment>.ipynb")
    grade.add_argument("--assignment", required=True, metavar="NAME")
    grade.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="gradebook, CSV and feedback; resumes"
    )
    grade.add_argument("-j", "--jobs", type=int, default=os.cpu_count() or 1, help="notebooks at a time")
    grade.add_argument(
        "--seed-file", type=Path, help="the secret grading seed; by default drawn once into OUT/seed"
    )
    _exercises(grade)
    grade.set_defaults(command=_grade)


def _exercises(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--exercises", type=Path, default=Path("exercises"), metavar="DIR", help="the folder of the masters"
    )


def _release(options: argparse.Namespace) -> int:
    from .release import ReleaseRefused, release

    names = options.assignments or sorted(p.parent.name for p in options.exercises.glob("*/master.md"))
    if not names:
        print(f"{options.exercises} holds no assignment (a folder with master.md and items.py)", file=sys.stderr)
        return 2
    for name in names:
        try:
            print(release(options.exercises / name, options.out))
        except (ReleaseRefused, FileNotFoundError, ValueError) as refusal:
            print(refusal, file=sys.stderr)
            return 1
    return 0


def _grade(options: argparse.Namespace) -> int:
    from .boundary import TIER_NOTE
    from .exercise import load
    from .files import own_seed, seed_of
    from .grade import grade, prepare

    try:
        if options.jobs < 1:
            raise ValueError(f"jobs is {options.jobs}; it must be at least 1")
        assignment = load(options.exercises / options.assignment)
        seed = seed_of(options.seed_file) if options.seed_file else own_seed(options.out / "seed")
        print(TIER_NOTE)
        marks = grade(options.submissions, prepare(assignment, seed), options.out, options.jobs)
    except (OSError, ValueError) as error:
        print(f"coursekit grade: {error}", file=sys.stderr)
        return 2
    count = Counter(mark.status for mark in marks)
    print(f"{len({m.student for m in marks})} students, {len(marks)} items: ", end="")
    print(", ".join(f"{number} {status}" for status, number in sorted(count.items())))
    print(options.out / "grades.csv")
    return 3 if count["sandbox error"] else 0
