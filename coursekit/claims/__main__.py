"""``python -m coursekit.claims``: the same as ``coursekit claims``."""

import sys

from ..cli import main

sys.exit(main(["claims", *sys.argv[1:]]))
