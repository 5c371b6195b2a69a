"""A submission can fail, hang, crash, lie or attack: it costs its own item, no other item and no other student.

All attacks of ``tests/grading/attacks`` are graded in one batch through the best boundary of this machine. Those
that need more than the weakest one are let loose in that one as well, where they must be seen to succeed: an
oracle that cannot see a success proves nothing.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from coursekit.grading.sandbox import best_tier

from . import as_user
from .attacks.corpus import ATTACKS
from .attacks.model import TIERS, Attack
from .attacks.notebooks import NAMES

TIER = best_tier()
MEMORY = 900  # MB of the grader: torch takes 280, a notebook of the largest size that is read 300 at most
HERE = [attack for attack in ATTACKS if TIERS.index(attack.holds) <= TIERS.index(TIER)]
SEEN = [attack for attack in ATTACKS if attack.holds != "process" and attack.control]


def run(folder: Path, *words: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.grading.attacks.run", "--report", str(folder), *words]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=1200)
    assert (folder / "results.json").exists(), f"the grader did not survive: {done.stderr[-2000:]}"
    print(done.stdout)
    report: dict[str, Any] = json.loads((folder / "results.json").read_text())
    return report | {"by_name": {result["name"]: result for result in report["attacks"]}, "folder": folder}


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return run(tmp_path_factory.mktemp("attacks"), "--tier", TIER)


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return run(tmp_path_factory.mktemp("control"), "--tier", "process", "--control")


def test_the_corpus_is_large_and_knows_all_families() -> None:
    assert len(ATTACKS) >= 80
    assert {attack.family[0] for attack in ATTACKS} >= set("abcdefghijklmnopqrsuvw")


@pytest.mark.parametrize("attack", HERE, ids=lambda attack: attack.name)
def test_costs_its_own_item_and_nothing_else(attack: Attack, batch: dict[str, Any]) -> None:
    result = batch["by_name"][attack.name]
    assert result["won"] == [], result["got"]
    assert result["surprise"] is None


@pytest.mark.parametrize("attack", SEEN, ids=lambda attack: attack.name)
def test_a_success_would_be_seen(attack: Attack, control: dict[str, Any]) -> None:
    assert control["by_name"][attack.name]["won"]


def test_no_other_student_is_wronged(batch: dict[str, Any]) -> None:
    assert batch["wronged"] == []
    assert batch["students"] == batch["honest"] + sum(attack.times for attack in HERE)


def test_the_memory_of_the_grader_is_bounded(batch: dict[str, Any]) -> None:
    assert batch["megabytes"] < MEMORY


@pytest.mark.soak
@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("tier", ["full", "landlock"])
def test_an_ordinary_user_grades_as_safely(tier: str) -> None:
    done = as_user.run(as_user.NOBODY, ["-B", "-m", "tests.grading.attacks.run", "--tier", tier])
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]


class Page(HTMLParser):
    """Elements and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str | None]] = set()
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= set(attributes)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_pages_are_harmless_and_everybody_has_one(batch: dict[str, Any]) -> None:
    pages = list((batch["folder"] / "feedback").glob("*.html"))
    assert len(pages) == batch["students"]
    for page in pages:
        seen = Page(page.read_text())
        assert not seen.tags & {"script", "img", "iframe", "object", "link", "form"}
        assert not any(name.startswith("on") or name == "src" for name, _ in seen.attributes)
        assert all(str(value).startswith("#") for name, value in seen.attributes if name == "href")
    assert "<script>alert(1)</script>" in Page((batch["folder"] / "feedback" / "evil_error.html").read_text()).text


def test_the_table_is_harmless(batch: dict[str, Any]) -> None:
    with open(batch["folder"] / "grades.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * batch["students"]
    assert len({row["student"] for row in rows}) > len(NAMES)
    assert {row["boundary"] for row in rows} == {TIER}
    for row in rows:
        assert None not in row
        assert not any(value.startswith(("=", "+", "-", "@", "|")) for value in row.values())
        assert not any(ord(ch) < 32 or ch == "\u202e" for value in row.values() for ch in value)


def test_nothing_is_left(batch: dict[str, Any]) -> None:
    assert batch["left"] == []
