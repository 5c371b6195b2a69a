"""Gradescope: ``results.json`` of a submission, and the autograder zip in which ``coursekit`` grades there."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import zipfile
from importlib.metadata import requires, version
from pathlib import Path
from typing import Any

from ..exercise import BOOK, Assignment, load
from ..files import seed_of, write_whole
from ..text import clean
from .table import UNGRADED, Row, rows

_PACKAGE = Path(__file__).parents[2]
_FAILED = "This submission was not graded; that is no mark. Please tell your instructor, who can run it again."

_SETUP = """#!/usr/bin/env bash
# Run once, when Gradescope builds the image.
set -euo pipefail
home="$(cd "$(dirname "$0")/.." && pwd)"
python=""
for candidate in python3.13 python3.12 python3.11; do
  if "$candidate" -c 'import ensurepip, venv' 2> /dev/null; then python="$candidate"; break; fi
done
if [ -z "$python" ]; then
  apt-get update
  apt-get install -y --no-install-recommends python3.11 python3.11-venv
  python=python3.11
fi
"$python" -m venv "$home/venv"
"$home/venv/bin/python" -m pip install --quiet -r "$home/source/requirements.txt"
packages="$("$home/venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
cp -r "$home/source/coursekit" "$packages/"
chmod -R go= "$home/source"
"""

_RUN = """#!/usr/bin/env bash
# Run for every submission. It always leaves results/results.json.
home="$(cd "$(dirname "$0")" && pwd)"
exec "$home/venv/bin/python" -m coursekit.grading.exports.gradescope "$home"
"""


def results(row: Row, assignment: Assignment) -> dict[str, Any]:
    """What Gradescope shows of a submission. Without ``score`` it reports a failed run, which is no zero."""
    titles = {item.id: item.title for item in assignment.items}
    graded = row.points is not None
    tests: list[dict[str, Any]] = [
        {
            "number": str(number),
            "name": titles.get(mark.item, mark.item),
            "max_score": mark.max,
            **({"score": mark.points} if graded else {}),
            "status": "passed" if mark.points == mark.max else "failed",
            "output": clean(f"{'not graded' if mark.status == UNGRADED else mark.status}: {mark.message}"),
            "output_format": "text",
            "visibility": "visible",
        }
        for number, mark in enumerate(row.marks, start=1)
    ]
    first = row.marks[0]
    return {
        **({"score": row.points} if graded else {}),
        "output": "Graded with hidden inputs; a self-check in the notebook uses others." if graded else _FAILED,
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "extra_data": {"submission": first.submission, "version": first.version, "boundary": first.tier},
        "tests": tests,
    }


def autograder(
    folder: Path, out: Path, seed: bytes, cohort: bytes = BOOK, allow_process_tier: bool = False
) -> Path:
    """Writes ``out/<assignment>-autograder.zip``; with the master and the seed in it, so keep it secret.

    The tier of the boundary there is what Gradescope's container allows; the weakest only if told.

    Raises FileNotFoundError or ValueError if ``folder`` is no assignment.
    """
    assignment = load(folder, cohort)
    settings = {"assignment": assignment.name, "cohort": cohort.decode(), "allow_process_tier": allow_process_tier}
    texts = {
        "setup.sh": _SETUP,
        "run_autograder": _RUN,
        "requirements.txt": "\n".join(_requirements()) + "\n",
        "settings.json": json.dumps(settings) + "\n",
        "seed": seed.decode() + "\n",
    }
    files = {f"assignment/{assignment.name}/{path.name}": path for path in _kept(folder)}
    files |= {f"coursekit/{path.relative_to(_PACKAGE)}": path for path in _kept(_PACKAGE)}
    path = out / f"{assignment.name}-autograder.zip"
    out.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".part")
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, text in texts.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (0o755 if text.startswith("#!") else 0o600) << 16
            bundle.writestr(entry, text)
        for name, file in files.items():
            bundle.write(file, name)
    draft.replace(path)
    return path


def _kept(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def _requirements() -> list[str]:
    """What coursekit needs for grading, in the versions that are installed here."""
    from packaging.requirements import Requirement

    wanted = [Requirement(text) for text in requires("coursekit") or []]
    needed = [r for r in wanted if not r.marker or r.marker.evaluate({"extra": "grade"})]
    return [f"{r.name}=={version(r.name).partition('+')[0]}" for r in needed]


def main(home: Path) -> int:
    """Grades ``home/submission`` as Gradescope lays it out; 0 if there is a score."""
    try:
        found = _grade(home)
    except Exception as error:  # whatever it is, Gradescope wants a file, and a score of 0 would be a lie
        found = {"output": f"{_FAILED}\n{type(error).__name__}: {clean(str(error))}", "output_format": "text"}
    write_whole(home / "results" / "results.json", json.dumps(found, indent=1) + "\n")
    return 0 if "score" in found else 1


def _grade(home: Path) -> dict[str, Any]:
    from ..crew import allowed_tier, local
    from ..grade import grade, prepare

    source = home / "source"
    settings = json.loads((source / "settings.json").read_text(encoding="utf-8"))
    name = settings["assignment"]
    assignment = load(source / "assignment" / name, settings["cohort"].encode())
    notebooks = [path for path in sorted((home / "submission").rglob("*.ipynb")) if path.parent.name[:1] != "."]
    own = [path for path in notebooks if path.name == f"{name}.ipynb"] or notebooks
    if len(own) != 1:
        raise ValueError(f"{len(own)} notebooks were handed in; hand in one, {name}.ipynb")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "in" / "student.ipynb"
        place.parent.mkdir()
        shutil.copyfile(own[0], place, follow_symlinks=False)
        exam = prepare(assignment, seed_of(source / "seed"))
        crew = local(exam, 1, allowed_tier(settings["allow_process_tier"]))
        (row,) = rows(grade(place.parent, exam, Path(folder) / "out", crew=crew))
    return results(row, assignment)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
