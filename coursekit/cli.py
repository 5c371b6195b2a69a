"""The ``coursekit`` command."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from ._version import __version__


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line, run one command, return its exit status."""
    from .claims import commands as claims
    from .grading import commands as grading

    parser = argparse.ArgumentParser(prog="coursekit", description="The tools of the textbook.")
    parser.add_argument("--version", action="version", version=__version__)
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    claims.add_parser(subparsers)
    grading.add_parsers(subparsers)
    args = parser.parse_args(argv)
    return int(args.command(args))
