"""What a student's process may read: the libraries, and no book, exercise, test, submission or home."""

from __future__ import annotations

import sys
from pathlib import Path

DEVICES = tuple(f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom"))
_SYSTEM = (
    *("/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib"),
    *("/usr/share/zoneinfo", "/usr/share/fonts", "/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime"),
    "/sys/devices/system/cpu",  # how many cores there are
)


def readable() -> list[str]:
    """Folders and files with all that Python code imports, at once or later. Sub-folders of others are left out.

    Of a prefix only its libraries: the folder of a course may be a prefix, too.
    """
    prefixes = dict.fromkeys((sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix))
    libraries = [f"{prefix}/{folder}" for prefix in prefixes for folder in ("lib", "lib64")]
    package = str(Path(__file__).parents[1])
    present = {Path(name) for name in (*_SYSTEM, *libraries, package) if Path(name).exists()}
    return [str(path) for path in sorted(present) if not present & set(path.parents)]
