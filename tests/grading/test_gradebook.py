"""The gradebook: whole submissions or none, history, claims of several graders, and a disk that says no."""

from __future__ import annotations

import os
import resource
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit.grading.files import own_seed, seed_of, write_whole
from coursekit.grading.gradebook import Claim, Gradebook, GradebookError, Mark

GOOD = Mark("ada", "hash", "v", "full", "a", 1.0, 1.0, "graded", "")
ERROR = replace(GOOD, points=0.0, status="sandbox error")


def test_a_submission_is_stored_whole_or_not_at_all(tmp_path: Path) -> None:
    with Gradebook(tmp_path / "book.db") as book:
        with pytest.raises(sqlite3.IntegrityError):
            book.add([GOOD, replace(GOOD, item="b", status="a zero without a reason")])
        assert book.known("v") == set()
        assert book.current() == []
        book.add([replace(GOOD, item="z"), GOOD])
        book.add([replace(GOOD, student="bob"), replace(ERROR, student="bob", item="b")])
        assert book.known("v") == {("ada", "hash")}
        assert book.known("another version") == set()
        assert [mark.item for mark in book.marks("ada", "hash", "v")] == ["z", "a"]


def test_what_was_handed_in_last_counts_and_nothing_is_forgotten(tmp_path: Path) -> None:
    first, second = GOOD, replace(GOOD, submission="other", points=0.5, status="partly")
    with Gradebook(tmp_path / "book.db") as book:
        book.begin("tiny", "v")
        for mark in (first, second):
            assert book.claim(mark.student, mark.submission) is Claim.MINE
            book.add([mark])
        assert book.current() == [second]
        assert book.claim("ada", "hash") is Claim.DONE  # the first one, handed in again
        assert book.current() == [first]
        assert [mark for _, mark in book.history("ada")] == [first, second]
        assert book.current("a version to come") == []
        assert book.assignment == "tiny"


def test_an_error_is_tried_again_and_a_new_start_grades_all_again(tmp_path: Path) -> None:
    with Gradebook(tmp_path / "book.db") as book:
        book.begin("tiny", "v")
        book.add([ERROR])
        assert book.claim("ada", "hash") is Claim.MINE
        book.add([GOOD])
        assert book.claim("ada", "hash") is Claim.DONE
    better = replace(GOOD, tier="landlock")
    with Gradebook(tmp_path / "book.db") as book:
        book.begin("tiny", "v", anew=True)
        assert book.current() == [GOOD]  # until there is a newer one
        assert book.claim("ada", "hash") is Claim.MINE
    with Gradebook(tmp_path / "book.db") as book:  # that run was killed: the next one goes on with it
        book.begin("tiny", "v")
        assert book.claim("ada", "hash") is Claim.MINE
        book.add([better])
        assert book.claim("ada", "hash") is Claim.DONE
        assert book.current() == [better]
        assert [mark for _, mark in book.history("ada")] == [ERROR, GOOD, better]


def test_a_claim_holds_as_long_as_its_grader_lives(tmp_path: Path) -> None:
    path = tmp_path / "book.db"
    with Gradebook(path) as mine:
        mine.begin("tiny", "v")
        with Gradebook(path) as other:
            other.begin("tiny", "v")
            assert other.claim("ada", "hash") is Claim.MINE
            assert mine.claim("ada", "hash") is Claim.TAKEN
            assert mine.claim("ada", "another") is Claim.MINE
            other.add([GOOD])
            assert mine.claim("ada", "hash") is Claim.DONE
            assert other.claim("bob", "hash") is Claim.MINE
        assert mine.claim("bob", "hash") is Claim.MINE
    assert [file.name for file in tmp_path.iterdir()] == ["book.db"]


def test_a_folder_belongs_to_one_assignment(tmp_path: Path) -> None:
    with Gradebook(tmp_path / "book.db") as book:
        book.begin("tiny", "v")
        book.begin("tiny", "w")
        with pytest.raises(ValueError, match="holds marks of tiny"):
            book.begin("huge", "v")


def test_a_full_disk_is_said_and_costs_one_submission(tmp_path: Path) -> None:
    path = tmp_path / "book.db"
    stored = 0
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Gradebook(path) as book:
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 1_000_000, limits[1]))
        try:
            with pytest.raises(GradebookError, match=r"book\.db: .*; what it holds is kept"):  # noqa: PT012
                while stored < 1000:
                    book.add([replace(GOOD, student=str(stored), message=300 * "x")])
                    stored += 1
            with pytest.raises(OSError, match="too large"):
                write_whole(tmp_path / "grades.csv", 2 * 10**6 * "x")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert 10 < stored < 1000
    with Gradebook(path) as book:
        assert len(book.known("v")) == stored
        book.add([replace(GOOD, student=str(stored))])
        assert len(book.current()) == stored + 1
    assert [file.name for file in tmp_path.iterdir()] == ["book.db"]  # no half file either


def test_what_is_no_gradebook_or_locked_or_nowhere_is_said_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("a letter that somebody wrote\n" * 99)
    with pytest.raises(GradebookError, match="file is not a database"):
        Gradebook(tmp_path / "text.db")
    assert (tmp_path / "text.db").read_text().startswith("a letter")
    with pytest.raises(OSError, match="File exists"):
        Gradebook(tmp_path / "text.db" / "book.db")
    with Gradebook(tmp_path / "book.db", wait=0.1) as book, Gradebook(tmp_path / "book.db") as other:
        with other._transaction(), pytest.raises(GradebookError, match="database is locked"):
            book.add([GOOD])
        book.add([GOOD])
        assert book.current() == [GOOD]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), st.booleans()), max_size=12))
def test_against_a_list_of_all_that_happened(
    tmp_path_factory: pytest.TempPathFactory, events: list[tuple[str, str, bool]]
) -> None:
    """Students hand in one of three files, the sandbox sometimes fails: a plain list says what counts."""
    log: list[Mark] = []
    last: dict[str, str] = {}
    with Gradebook(tmp_path_factory.mktemp("book") / "book.db") as book:
        book.begin("tiny", "v")
        for number, (student, submission, works) in enumerate(events):
            sound = [m for m in log if (m.student, m.submission, m.status) == (student, submission, "graded")]
            last[student] = submission
            assert book.claim(student, submission) is (Claim.DONE if sound else Claim.MINE)
            if not sound:
                mark = replace(GOOD if works else ERROR, student=student, submission=submission, points=number)
                log.append(mark)
                book.add([mark])
        expected = [[m for m in log if (m.student, m.submission) == pair][-1] for pair in sorted(last.items())]
        assert book.current() == expected
        assert [m for student in "ab" for _, m in book.history(student)] == sorted(log, key=lambda m: m.student)


def test_the_seed_is_drawn_once_and_is_no_short_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out" / "seed"
    seed = own_seed(path)
    assert own_seed(path) == seed
    assert len(seed) == 64
    assert os.stat(path).st_mode & 0o077 == 0
    with monkeypatch.context() as patch:  # two graders start at once: both have seen that there is none yet
        patch.setattr(Path, "exists", lambda self: False)
        assert own_seed(path) == seed
    assert [file.name for file in path.parent.iterdir()] == ["seed"]
    (tmp_path / "weak").write_text("1234\n")
    with pytest.raises(ValueError, match="has 4 bytes"):
        seed_of(tmp_path / "weak")
