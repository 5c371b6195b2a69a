"""What pages and notebooks need before they can be read: files that a command of the course makes."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from coursekit.book.recorded import Records, environment, hashed, tracing


@dataclass(frozen=True)
class Command:
    """Python arguments that make the file or folder `out`, which pages or notebooks need."""

    name: str
    arguments: Sequence[str]
    out: Path

    def run(self, root: Path, records: Records) -> None:
        """Run it, unless all that it read the last time, and made, is unchanged."""
        key = hashed(environment(), *self.arguments)
        if self.out.exists() and not records.changed(self.name, key):
            return
        records.forget(self.name)
        print(f"{self.name} ...", flush=True)
        self.out.parent.mkdir(parents=True, exist_ok=True)
        with tracing(root) as reading:
            done = subprocess.run(
                [sys.executable, *self.arguments], cwd=root, env=reading.environ, stdout=subprocess.PIPE, text=True
            )
            if done.returncode:
                raise SystemExit(f"{done.stdout}{self.name} failed")
        made = [self.out] if self.out.is_file() else filter(Path.is_file, self.out.rglob("*"))
        records.keep(self.name, key, reading.inputs, made)


def commands(root: Path) -> list[Command]:
    """The claims' measured numbers, the explorables' module, and the student notebook of every assignment."""
    made = root / "_build"
    claims, module = made / "claims.json", made / "coursekit.js"
    needed = [
        Command("claims", ("-m", "coursekit", "claims", "--json", str(claims)), claims),
        Command("explorables", ("-m", "coursekit.widgets.bundle", str(module)), module),
    ]
    for master in sorted(root.glob("exercises/*/master.md")):
        name, folder = master.parent.name, made / "released"
        needed.append(
            Command(
                f"release {name}",
                ("-m", "coursekit", "release", name, "--out", str(folder)),
                folder / f"{name}.ipynb",
            )
        )
    return needed
