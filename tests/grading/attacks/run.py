"""Grades every attack in one batch and says what each of them achieved: ``python -m tests.grading.attacks.run``.

It runs in a process of its own, since an attack that succeeds may take the grader with it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from coursekit.grading.crew import local
from coursekit.grading.exam import Exam, prepare
from coursekit.grading.exercise import load
from coursekit.grading.grade import grade
from coursekit.grading.gradebook import Mark
from coursekit.grading.sandbox import Tier, refusal

from .corpus import ATTACKS
from .model import RIGHT, TIERS, Attack, Tree
from .notebooks import NAMES, code
from .world import World

EXERCISES = Path(__file__).parents[3] / "exercises"
SEED = b"the seed of the attacks, not a secret"
HONEST_L = """
def estimate_L(H, v, steps):
    v = v / v.norm()
    for _ in range(steps):
        v = H @ v
        v = v / v.norm()
    L = (v @ H @ v).abs()
    return L, 1 / L
"""
PRELUDE = """
W = {facts}
def known(text):
    import hashlib
    return hashlib.sha256(text.strip("\\0\\n").encode()).hexdigest() == W["digest"]
"""


def exam(exercises: Path = EXERCISES) -> Exam:
    """The first two items of chapter 2; little time for the attacked one."""
    assignment = load(exercises / "smoothness")
    step, constant = assignment.items[:2]
    assert (step.id, constant.id) == ("gd_step", "estimate_L")
    items = (replace(step, seconds=2.0), replace(constant, seconds=30.0))
    return replace(prepare(replace(assignment, items=items), SEED), cell_seconds=4.0)


def notebook(source: str) -> Tree:
    """A submission with this cell for ``gd_step`` and an honest one for ``estimate_L``."""
    cells = {"gd_step": source, "estimate_L": HONEST_L}
    marked = [code(text, nbgrader={"grade_id": item, "solution": True}) for item, text in cells.items()]
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [code("import torch"), *marked]}


def hand_in(attack: Attack, world: World) -> None:
    """Puts the attack's notebooks into the folder of submissions."""
    facts = world.facts(attack.name, "victim" in attack.source) | {"seed_backwards": SEED.decode()[::-1]}
    hostile = "W[" in attack.source or "known(" in attack.source
    source = PRELUDE.format(facts=facts) * hostile + (attack.source or RIGHT)
    data = attack.file(notebook(RIGHT)) if attack.file else json.dumps(notebook(source)).encode()
    for copy in range(attack.times):
        path = world.submissions / f"{attack.name}{f'_{copy}' * (attack.times > 1)}.ipynb"
        attack.place(path, data) if attack.place else path.write_bytes(data)


def judge(
    attack: Attack, marks: dict[tuple[str, str], Mark], world: World, case: tuple[Any, ...]
) -> dict[str, Any]:
    """What the attack achieved (nothing, if it failed) and whether it was answered as foreseen."""
    names = [f"{attack.name}_{i}" for i in range(attack.times)] if attack.times > 1 else [attack.name]
    if any((name, "gd_step") not in marks for name in names):
        return vars(attack) | {"won": ["the student has no mark"], "surprise": None, "got": ""}
    mine = max((marks[name, "gd_step"] for name in names), key=lambda mark: mark.points)
    others = [marks[name, "estimate_L"] for name in names]
    won = []
    if mine.points > attack.points:
        won.append(f"got {mine.points:g} points, not {attack.points:g}")
    if attack.others and any(other.points != other.max for other in others):
        won.append(f"cost another item: {others[0].message}")
    won += world.touched(attack.name)
    if attack.tell and attack.tell(case) in mine.message:
        won.append("carried an input into the message")
    got = f"{mine.status}, {mine.points:g}: {mine.message}"
    foreseen = (
        (attack.status in ("", mine.status)) and attack.says in mine.message and mine.points == attack.points
    )
    sandbox = mine.status == "sandbox error"
    return vars(attack) | {"won": won, "surprise": None if foreseen and not sandbox else got, "got": got}


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tier", choices=TIERS, required=True)
    parser.add_argument("--control", action="store_true", help="only what this tier cannot stop, where harmless")
    parser.add_argument("--only", nargs="*", default=[], help="names of attacks")
    parser.add_argument("--report", type=Path, help="a folder for results.json, the table and the pages")
    parser.add_argument("--exercises", type=Path, default=EXERCISES)
    options = parser.parse_args(words)
    if reason := refusal(Tier(options.tier)):
        parser.error(f"the tier {options.tier} is not to be had here: {reason}")
    stronger = {a for a in ATTACKS if TIERS.index(a.holds) > TIERS.index(options.tier)}
    chosen = [a for a in ATTACKS if (a in stronger and a.control if options.control else a not in stronger)]
    chosen = [a for a in chosen if a.name in options.only or not options.only]
    with World() as world:
        os.environ["COURSEKIT_CANARY"] = world.token
        (world.out / "seed").write_bytes(SEED)
        for attack in chosen:
            hand_in(attack, world)
        honest = [f"{letter}_honest" for letter in "abcdefghijklmnopqrstuvwxyz"[:: 8 if options.control else 2]]
        honest += [] if options.control or options.only else NAMES
        for name in honest:
            (world.submissions / f"{name}.ipynb").write_text(json.dumps(notebook(RIGHT)))
        tempfile.tempdir = str(world.homes)  # of the warm processes
        paper, start = exam(options.exercises), time.monotonic()
        graded = grade(world.submissions, paper, world.out, crew=local(paper, 2, Tier(options.tier)))
        seconds = time.monotonic() - start
        marks = {(mark.student, mark.item): mark for mark in graded}
        case = paper.hidden["gd_step"].cases[0].arguments
        results = [judge(attack, marks, world, case) for attack in chosen]
        wronged = [mark.student for mark in graded if mark.points != mark.max and mark.student in honest]
        report = {
            "attacks": [{k: v for k, v in result.items() if not callable(v)} for result in results],
            "wronged": wronged,
            "honest": len(honest),
            "students": len({mark.student for mark in graded}),
            "left": world.left(),
            "seconds": seconds,
            "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
        if options.report:
            shutil.copytree(world.out, options.report, dirs_exist_ok=True)
            (options.report / "results.json").write_text(json.dumps(report))
        for note in (Path(p) / f"note-{world.digest}" for p in ("/tmp", "/var/tmp", "/dev/shm")):
            note.unlink(missing_ok=True)
    show(report, options.tier)
    return bool(any(result["won"] for result in results) or wronged or report["left"])


def show(report: dict[str, Any], tier: str) -> None:
    """The table: by family, how many attacks were tried and how many achieved something."""
    tried = Counter(result["family"] for result in report["attacks"])
    won = Counter(result["family"] for result in report["attacks"] if result["won"])
    print(f"| tier {tier}: family | attacks | succeeded |\n|---|---|---|")
    for name in sorted(tried):
        print(f"| {name} | {tried[name]} | {won[name]} |")
    print(f"| all, in {report['seconds']:.0f} s, {report['megabytes']:.0f} MB | {tried.total()} | {won.total()} |")
    for result in report["attacks"]:
        if result["won"]:
            print(f"SUCCEEDED {result['name']}: {'; '.join(result['won'])} ({result['got']})")
        if result["surprise"]:
            print(f"not as foreseen {result['name']}: {result['surprise']}")
    for what in (*(f"{student} was wronged" for student in report["wronged"]), *report["left"]):
        print(f"DAMAGE {what!a}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
