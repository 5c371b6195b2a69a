"""The commands ``coursekit report`` (marks, out of a gradebook) and ``coursekit export`` (an assignment)."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from ..text import clean

FORMATS = ("nbgrader", "otter", "gradescope")


def add_parsers(subparsers: Any, exercises: Any) -> None:
    """Registers both with the ``add_subparsers()`` object; ``exercises`` adds the options for the masters."""
    report = subparsers.add_parser("report", help="tables, feedback pages, class report and files for an LMS")
    report.add_argument("out", type=Path, metavar="OUT", help="the folder that coursekit grade wrote to")
    report.add_argument("--canvas", type=Path, metavar="FILE", help="fill in a gradebook exported from Canvas")
    report.add_argument("--column", metavar="NAME", help='its column, such as "Homework 1 (1234)"')
    report.add_argument(
        "--canvas-key", default="SIS Login ID", metavar="NAME", help="its column of students' names"
    )
    report.add_argument("--moodle", choices=("email", "idnumber"), help="write Moodle's CSV, with this key")
    report.add_argument("--gradescope", action="store_true", help="write a results.json for every submission")
    report.add_argument(
        "--roster", type=Path, metavar="FILE", help="CSV: column student, and one named as the key"
    )
    exercises(report)
    report.set_defaults(command=_report)

    export = subparsers.add_parser("export", help="an assignment for nbgrader, Otter or Gradescope")
    export.add_argument("assignment", metavar="ASSIGNMENT")
    export.add_argument("--format", choices=FORMATS, required=True)
    export.add_argument("--out", type=Path, required=True, metavar="DIR")
    export.add_argument(
        "--seed-file", type=Path, help="the secret grading seed; by default drawn once into DIR/seed"
    )
    export.add_argument(
        "--allow-process-tier", action="store_true", help="Gradescope: grade even where code cannot be locked in"
    )
    exercises(export)
    export.set_defaults(command=_export)


def _report(options: argparse.Namespace) -> int:
    from ..exercise import load
    from . import report
    from .table import rows

    try:
        if bool(options.canvas) != bool(options.column):
            raise ValueError("--canvas and --column go together")
        name, marks = report.read_marks(options.out)
        assignment, table = load(options.exercises / name, options.cohort), rows(marks)
        done = report.report(marks, assignment, options.out)
        if options.canvas:
            where = (options.canvas, options.column, options.canvas_key, options.roster)
            report.to_canvas(done, table, options.out, *where)
        if options.moodle:
            report.to_moodle_file(done, table, options.out, options.moodle, assignment.title, options.roster)
        if options.gradescope:
            report.to_gradescope(done, table, assignment, options.out)
    except (OSError, ValueError) as error:
        print(f"coursekit report: {error}", file=sys.stderr)
        return 2
    for path in done.written:
        print(path)
    for note in done.notes:
        print(f"note: {clean(note)}", file=sys.stderr)
    return 3 if done.notes else 0


def _export(options: argparse.Namespace) -> int:
    from ..files import seed_for

    try:
        seed = seed_for(options.out, options.seed_file)
        folder = options.exercises / options.assignment
        if options.format == "nbgrader":
            from .nbgrader import export as to_nbgrader

            written = to_nbgrader(folder, options.out, seed, options.cohort)
        elif options.format == "otter":
            from .otter import export as to_otter

            written = [to_otter(folder, options.out, seed, options.cohort)]
        else:
            from .gradescope import autograder

            written = [autograder(folder, options.out, seed, options.cohort, options.allow_process_tier)]
    except (OSError, ValueError) as error:
        print(f"coursekit export: {error}", file=sys.stderr)
        return 2
    for path in written:
        print(path)
    return 0
