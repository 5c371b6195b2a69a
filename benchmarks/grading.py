"""Submissions graded in a minute, ours beside nbgrader and Otter, in one run: `python benchmarks/grading.py`.

All three get the same assignment (ours, exported to them with its hidden cases) and the same students, in whose
notebooks references and mutants are mixed by a seed. A figure is wall time of the tool's own command, its start-up
included: `coursekit grade -j 2`; `nbgrader autograde`, which has no parallel mode; `otter run`, two at a time. The
peers grade fewer of the same notebooks and are extrapolated, since their cost is a kernel for each. They take part
where they are given: `--nbgrader VENV --otter VENV`, environments of their own with nbgrader 0.9.6 or
otter-grader 7.0.0 and ipykernel, and the libraries of coursekit (`pip install -c constraints.txt torch numpy scipy
matplotlib scikit-learn pyyaml lazy-loader tqdm`); coursekit itself is lent to them by PYTHONPATH.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

from coursekit.grading.exercise import Assignment, load
from coursekit.grading.exports.nbgrader import export as to_nbgrader
from coursekit.grading.exports.otter import export as to_otter
from coursekit.grading.gradebook import Gradebook
from coursekit.grading.master import item_of
from coursekit.grading.release import student_notebook
from coursekit.grading.sandbox import best_tier

REPOSITORY = Path(__file__).parents[1]
SEED = b"the seed of a benchmark, not a secret"


def solutions(assignment: Assignment, students: int) -> list[dict[str, str]]:
    """What every student writes: for each item the reference, or half as often one of its mutants."""
    chance = random.Random(0)
    found = []
    for _ in range(students):
        cells = dict(assignment.master.solutions)
        for item in assignment.items:
            if chance.random() < 1 / 3:
                mutant = chance.choice(item.mutants)
                cells[item.id] = assignment.master.mutated(item.id, mutant.old, mutant.new)
        found.append(cells)
    return found


def filled(text: str, cells: dict[str, str]) -> str:
    """A released notebook with a student's solutions in it."""
    tree = json.loads(text)
    for cell in tree["cells"]:
        if cell["cell_type"] == "code" and (item := item_of("".join(cell["source"]))):
            cell["source"] = cells[item]
    return json.dumps(tree)


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def timed(*jobs: list[str], cwd: Path, venv: Path | None = None, at_once: int = 1) -> float:
    """Seconds that these commands take, ``at_once`` at a time."""
    environment = dict(os.environ)
    if venv:
        path = f"{venv.resolve() / 'bin'}{os.pathsep}{os.environ['PATH']}"
        environment |= {"PATH": path, "PYTHONPATH": str(REPOSITORY)}

    def run(command: list[str]) -> None:
        done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{' '.join(command)}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")

    begin = time.perf_counter()
    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(run, jobs))
    return time.perf_counter() - begin


def ours(
    assignment: Assignment, exercises: Path, handed_in: list[dict[str, str]], home: Path
) -> tuple[float, list]:
    blank = student_notebook(assignment)
    for number, cells in enumerate(handed_in):
        write(home / "in" / f"s{number}.ipynb", filled(blank, cells))
    seed, out = write(home / "seed", SEED.decode()), home / "out"
    command = [sys.executable, "-m", "coursekit", "grade", str(home / "in"), "--assignment", assignment.name]
    command += ["--out", str(out), "-j", "2", "--seed-file", str(seed), "--exercises", str(exercises)]
    seconds = timed(command, cwd=home)
    with Gradebook(out / "gradebook.db") as book:
        marks = book.current()
    return seconds, [sum(m.points for m in marks if m.student == f"s{n}") for n in range(len(handed_in))]


def nbgraders(folder: Path, handed_in: list[dict[str, str]], home: Path, venv: Path) -> tuple[float, list]:
    import sqlite3

    name = folder.name
    _, released = to_nbgrader(folder, home, SEED)
    config = "c = get_config()\nc.CourseDirectory.course_id = 'course'\nc.ExecutePreprocessor.timeout = 60\n"
    write(home / "nbgrader_config.py", config)
    timed(["nbgrader", "generate_assignment", name, "--force"], cwd=home, venv=venv)
    for number, cells in enumerate(handed_in):
        place = home / "submitted" / f"s{number}" / name
        for beside in released.parent.iterdir():
            place.mkdir(parents=True, exist_ok=True)
            shutil.copy(beside, place)
        write(place / released.name, filled(released.read_text(), cells))
    seconds = timed(["nbgrader", "autograde", name], cwd=home, venv=venv)
    query = (
        "SELECT SUM(COALESCE(g.manual_score, g.auto_score, 0)) FROM grade g JOIN submitted_notebook n "
        "ON g.notebook_id = n.id JOIN submitted_assignment a ON n.assignment_id = a.id "
        "JOIN grade_cells c ON g.cell_id = c.id WHERE a.student_id = ?"
    )
    with closing(sqlite3.connect(home / "gradebook.db")) as book:
        return seconds, [book.execute(query, (f"s{n}",)).fetchone()[0] for n in range(len(handed_in))]


def otters(folder: Path, handed_in: list[dict[str, str]], home: Path, venv: Path) -> tuple[float, list]:
    master = to_otter(folder, home / "master", SEED)
    timed(["otter", "assign", master.name, "dist", "--no-run-tests"], cwd=master.parent, venv=venv)
    (archive,) = (master.parent / "dist" / "autograder").glob("*.zip")
    blank = (master.parent / "dist" / "student" / master.name).read_text()
    commands = []
    for number, cells in enumerate(handed_in):
        mine = write(home / "in" / f"s{number}" / master.name, filled(blank, cells))
        commands.append(["otter", "run", "-a", str(archive), "-o", str(mine.parent), str(mine)])
    seconds = timed(*commands, cwd=home, venv=venv, at_once=2)
    results = [json.loads((home / "in" / f"s{n}" / "results.json").read_text()) for n in range(len(handed_in))]
    return seconds, [sum(test.get("score", 0) for test in result["tests"]) for result in results]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--submissions", type=int, default=200)
    parser.add_argument("--peers", type=int, default=8, help="how many of them the peers grade")
    parser.add_argument("--assignment", default="smoothness")
    parser.add_argument("--nbgrader", type=Path, metavar="VENV")
    parser.add_argument("--otter", type=Path, metavar="VENV")
    options = parser.parse_args()
    folder = REPOSITORY / "exercises" / options.assignment
    assignment = load(folder)
    handed_in = solutions(assignment, options.submissions)
    few = handed_in[: options.peers]
    points = sum(item.points for item in assignment.items)
    print(
        f"{options.submissions} submissions of {folder.name}, {len(assignment.items)} functions, {points} points; "
        f"boundary tier {best_tier()}; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )
    rows: dict[str, tuple[int, tuple[float, list[Any]]]] = {}
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        rows["coursekit, 2 at a time"] = len(handed_in), ours(assignment, folder.parent, handed_in, home / "ours")
        if options.nbgrader:
            rows["nbgrader"] = len(few), nbgraders(folder, few, home / "nbgrader", options.nbgrader)
        if options.otter:
            rows["otter run, 2 at a time"] = len(few), otters(folder, few, home / "otter", options.otter)
    _, (_, reference) = rows["coursekit, 2 at a time"]
    print("\n| tool | graded | seconds | a minute | 200 would take | points as ours |\n|---|---|---|---|---|---|")
    for name, (count, (seconds, got)) in rows.items():
        same = sum(abs((a or 0) - b) < 0.02 for a, b in zip(got, reference, strict=False))
        print(f"| {name} | {count} | {seconds:.1f} | {60 * count / seconds:.1f} ", end="")
        print(f"| {200 * seconds / count / 60:.1f} min | {same} of {count} |")


if __name__ == "__main__":
    main()
