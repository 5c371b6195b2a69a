"""The commands ``coursekit release`` and ``coursekit grade``; ``coursekit doctor`` joins them."""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from . import doctor
from .exports import commands as exports


def add_parsers(subparsers: Any) -> None:
    """Registers both commands with the ``add_subparsers()`` object of the ``coursekit`` command."""
    release = subparsers.add_parser("release", help="make the student notebook and the recorded self-check")
    release.add_argument(
        "assignments", nargs="*", metavar="ASSIGNMENT", help="names; all of them if none is given"
    )
    release.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the notebooks go")
    _exercises(release)
    release.set_defaults(command=_release)

    grade = subparsers.add_parser(
        "grade",
        help="grade a folder of submitted notebooks",
        epilog="Exit codes: 0 every item has a mark; 2 it could not start or could not store; 3 some items met an "
        "error of the sandbox, which --resume tries again; 130 stopped by Ctrl-C.",
    )
    grade.add_argument("submissions", type=Path, help="holds <student>.ipynb or <student>/<assignment>.ipynb")
    grade.add_argument("--assignment", required=True, metavar="NAME")
    grade.add_argument("--out", type=Path, required=True, metavar="DIR", help="gradebook, CSV and feedback")
    grade.add_argument("-j", "--jobs", type=int, default=os.cpu_count() or 1, help="notebooks at a time")
    again = grade.add_mutually_exclusive_group()
    again.add_argument("--resume", action="store_true", help="go on in OUT: what has its marks keeps them")
    again.add_argument("--anew", action="store_true", help="grade all once more; old marks stay in the history")
    grade.add_argument("--scheduler", metavar="ADDRESS", help="grade on a Dask cluster, such as tcp://host:8786")
    grade.add_argument(
        "--seed-file", type=Path, help="the secret grading seed; by default drawn once into OUT/seed"
    )
    grade.add_argument(
        "--allow-process-tier", action="store_true", help="grade even where student code cannot be locked in"
    )
    _exercises(grade)
    grade.set_defaults(command=_grade)
    exports.add_parsers(subparsers, _exercises)
    doctor.add_parser(subparsers)


def _exercises(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--exercises", type=Path, default=Path("exercises"), metavar="DIR", help="the folder of the masters"
    )
    parser.add_argument(
        "--cohort",
        type=str.encode,
        default=b"book",
        metavar="NAME",
        help="draws other numbers for, say, another year; to be given to release and grade alike",
    )


def _release(options: argparse.Namespace) -> int:
    from .release import ReleaseRefused, release

    names = options.assignments or sorted(p.parent.name for p in options.exercises.glob("*/master.md"))
    if not names:
        print(f"{options.exercises} holds no assignment (a folder with master.md and items.py)", file=sys.stderr)
        return 2
    for name in names:
        try:
            print(release(options.exercises / name, options.out, cohort=options.cohort))
        except (ReleaseRefused, FileNotFoundError, ValueError) as refusal:
            print(refusal, file=sys.stderr)
            return 1
    return 0


def _grade(options: argparse.Namespace) -> int:
    from .crew import allowed_tier, local
    from .exercise import load
    from .files import seed_for
    from .grade import grade, prepare

    folder = options.exercises / options.assignment
    try:
        assignment = load(folder, options.cohort)
        tier = None if options.scheduler else allowed_tier(options.allow_process_tier)
        seed = seed_for(options.out, options.seed_file)
        exam = prepare(assignment, seed)
        if tier:
            print(tier.promises)
            crew = local(exam, options.jobs, tier)
        else:
            if not find_spec("distributed"):
                raise ValueError("--scheduler needs Dask: pip install 'coursekit[cluster]'")
            from .cluster import Paper, cluster

            paper = Paper.of(folder, seed, options.cohort)
            crew = cluster(options.scheduler, exam, paper, options.allow_process_tier)
        marks = grade(options.submissions, exam, options.out, crew=crew, resume=options.resume, anew=options.anew)
    except KeyboardInterrupt:
        print("\nstopped: the marks so far are stored; the same command with --resume goes on", file=sys.stderr)
        return 130
    except (OSError, ValueError) as error:
        print(f"coursekit grade: {error}", file=sys.stderr)
        return 2
    count = Counter(mark.status for mark in marks)
    print(f"{len({m.student for m in marks})} students, {len(marks)} items: ", end="")
    print(", ".join(f"{number} {status}" for status, number in sorted(count.items())))
    print(options.out / "grades.csv")
    return 3 if count["sandbox error"] else 0
