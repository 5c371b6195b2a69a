"""Spoilt notebooks and odd texts: reading never raises, and what comes out of them is well formed."""

from __future__ import annotations

import csv
import io
import json
import random
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit.grading.exercise import Assignment
from coursekit.grading.exports.table import Row
from coursekit.grading.feedback import feedback
from coursekit.grading.gradebook import Gradebook, Mark, to_csv
from coursekit.grading.master import stub
from coursekit.grading.submission import MAX_FILE, Submission, read
from coursekit.grading.text import clean

HANG = 20  # seconds for one notebook; a guard, not a measurement
MEMORY = 600  # MB that reading may add, for notebooks of up to 10 MB
WORDS = (
    "cells",
    "source",
    "metadata",
    "nbgrader",
    "grade_id",
    "cell_type",
    "code",
    "gd_step",
    "outputs",
    "nbformat",
)
JUNK: tuple[Callable[[random.Random], Any], ...] = (
    lambda r: None,
    lambda r: r.choice([True, 0, -1, 7, 2**63, 10**300, 0.5, float("nan"), float("inf")]),
    lambda r: r.choice(WORDS),
    lambda r: "".join(chr(r.choice([r.randrange(128), r.randrange(0x110000)])) for _ in range(r.randrange(20))),
    lambda r: "def gd_step" + r.choice([" ", "\n", "\t("]) * r.randrange(2000),
    lambda r: [],
    lambda r: {},
    lambda r: [r.choice(WORDS)] * r.randrange(100),
    lambda r: {r.choice(WORDS): r.choice(WORDS) for _ in range(3)},
    lambda r: nested(r.choice([list, dict]), r.choice([5, 50, 200])),
)


def nested(kind: type, depth: int) -> Any:
    tree: Any = kind()
    for _ in range(depth):  # json.dumps has a limit; deeper ones are spoilt as bytes
        tree = [tree] if kind is list else {"cells": tree}
    return tree


def places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every container with every key in it."""
    todo = [tree]
    while todo:
        holder = todo.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder)) if isinstance(holder, list) else ()
        for key in keys:
            todo.append(holder[key])
            yield holder, key


def spoil_tree(tree: Any, r: random.Random) -> None:
    holder, key = r.choice(list(places(tree)))
    match r.randrange(5):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder[r.choice(WORDS)] = holder.pop(key)
        case 2 if isinstance(holder, list):
            holder.insert(key, holder[key])
        case 3:
            other, place = r.choice(list(places(tree)))
            holder[key] = json.loads(json.dumps(other[place]))
        case _:
            holder[key] = r.choice(JUNK)(r)


def spoil_bytes(data: bytes, r: random.Random) -> bytes:
    a, b = sorted(r.randrange(len(data) + 1) for _ in range(2))
    match r.randrange(8):
        case 0:
            return data[:a]
        case 1:
            return data[:a] + data[b:]
        case 2:
            return data[:a] + data[a:b] * r.randrange(1, 4) + data[b:]
        case 3:
            return data[:a] + r.randbytes(r.randrange(1, 9)) + data[a:]
        case 4:
            return (
                data[:a]
                + r.choice([b"[", b'{"a":', b"9", b"\\ud800", b"\x00", b'"']) * 10 ** r.randrange(6)
                + data[a:]
            )
        case 5:
            return data.decode("utf-8", "replace").encode(
                r.choice(["utf-16", "utf-16-be", "utf-32", "utf-7", "cp037"]), "replace"
            )
        case 6:
            return r.choice([b"\xef\xbb\xbf", b"\xff\xfe", b"\x1f\x8b", b"PK\x03\x04", b"\x80\x04"]) + data
        case _:
            return bytes(data[::-1])


def spoilt(whole: str, seed: int) -> bytes:
    """A notebook after a few accidents; the same seed gives the same one."""
    r = random.Random(seed)
    tree = json.loads(whole)
    for _ in range(r.randrange(4)):
        if not isinstance(tree, dict | list) or not tree:
            break
        spoil_tree(tree, r)
    data = json.dumps(tree, ensure_ascii=bool(seed % 2)).encode("utf-8", "surrogatepass")
    for _ in range(r.choice([0, 0, 1, 2])):
        data = spoil_bytes(data, r)
    return data


@contextmanager
def guarded() -> Iterator[None]:
    def hangs(*_: object) -> None:
        raise TimeoutError("reading a notebook hangs")

    before = signal.signal(signal.SIGALRM, hangs)
    signal.alarm(HANG)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def check(submission: Submission, stubs: dict[str, str]) -> str:
    """Asserts that it can be graded and stored, and says what it is."""
    assert submission.digest.isascii()
    assert submission.cells.keys() <= stubs.keys()
    if submission.fault:
        assert not submission.cells
        submission.fault.encode()
        return submission.fault
    for sources in submission.cells.values():
        assert all(type(source) is str for source in sources)
    json.dumps(submission.cells)
    return "read"


@pytest.fixture(scope="module")
def stubs(smoothness: Assignment) -> dict[str, str]:
    return {item.id: stub(smoothness.master.solutions[item.id]) for item in smoothness.items}


@pytest.mark.parametrize(
    "seeds", [range(500), pytest.param(range(500, 25_000), marks=pytest.mark.soak)], ids=["sample", "all"]
)
def test_spoilt_notebooks_are_read_or_refused(
    seeds: range, stubs: dict[str, str], notebook: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    whole, path = json.dumps(notebook()), tmp_path / "ada.ipynb"
    kinds = set()
    for seed in seeds:
        path.write_bytes(spoilt(whole, seed))
        with guarded(), at_most(MEMORY):
            try:
                kinds.add(check(read("ada", [path], stubs), stubs))
            except Exception as error:
                error.add_note(f"seed {seed}")
                raise
    assert {"read", "this is not a readable notebook (JSONDecodeError)"} < kinds  # some of each, and others
    assert len(kinds) >= 5


@contextmanager
def at_most(megabytes: int) -> Iterator[None]:
    """This process may take so much more memory; beyond, the kernel refuses."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + megabytes * 2**20, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def fault_within(megabytes: int, path: Path) -> str:
    """What is said of a notebook by a process that was just started and may take so much more memory."""
    code = (
        "import resource, sys; from pathlib import Path; from coursekit.grading.submission import read\n"
        "taken = int(Path('/proc/self/statm').read_text().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (taken + int(sys.argv[1]) * 2**20,) * 2)\n"
        "print(read('ada', [Path(sys.argv[2])], {}).fault)"
    )
    command = [sys.executable, "-c", code, str(megabytes), str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not limit the address space")
@pytest.mark.parametrize("unit", [b'{"":0},', b"1e9,"])
def test_large_notebooks_take_bounded_memory(unit: bytes, tmp_path: Path) -> None:
    head, tail = b'{"cells": [], "more": [', b"0]}"
    path = tmp_path / "ada.ipynb"
    path.write_bytes(head + unit * ((MAX_FILE - len(head) - len(tail)) // len(unit)) + tail)
    assert fault_within(MEMORY, path) == "None\n"
    assert "MemoryError" in fault_within(30, path)  # the limit can be felt


class Structure(HTMLParser):
    """The elements of a page with the names of their attributes, in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, ...]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, *(name for name, _ in attributes)))

    def handle_endtag(self, tag: str) -> None:
        self.found.append((f"/{tag}",))


def row_of(assignment: Assignment, student: str, message: str) -> Row:
    first = assignment.items[0]
    mark = Mark(student, "hash", "v", "full", first.id, 0.0, float(first.points), "crashed", message)
    return Row(student, (mark,))


odd = st.text(st.characters(exclude_categories=()), max_size=400)  # surrogates, controls and all
hostile = st.lists(
    st.sampled_from(
        ["<script>", "'", '"', "&", "-->", "]]>", "=", "\x1b[31m", "\u202e", "\n", "$x", "${x}", "{", ";-1"]
    )
)
texts = odd | hostile.map("".join)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(student=texts, message=texts)
def test_odd_texts_leave_tables_and_pages_whole(smoothness: Assignment, student: str, message: str) -> None:
    ours = row_of(smoothness, student, message)
    (row,) = csv.DictReader(io.StringIO(to_csv(list(ours.marks)), newline=""))
    assert (row["status"], row["points"], None in row) == ("crashed", "0", False)
    assert not any(value.startswith(tuple("=+-@|")) for value in row.values())
    assert not any(ord(ch) < 32 or 0xD800 <= ord(ch) < 0xE000 for value in row.values() for ch in value)
    page = feedback(ours, smoothness)
    page.encode()
    assert Structure(page).found == Structure(feedback(row_of(smoothness, "ada", "harmless"), smoothness)).found


@settings(max_examples=50, deadline=None, derandomize=True)
@given(message=texts)
def test_clean_texts_can_be_stored(message: str) -> None:
    with Gradebook(Path(":memory:")) as book:
        book.add([Mark("ada", "hash", "v", "full", "a", 0.0, 1.0, "crashed", clean(message))])
        assert book.marks("ada", "hash", "v")[0].message == clean(message)
        assert book.known("v") == {("ada", "hash")}
