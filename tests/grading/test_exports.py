"""Marks in the formats of others, read back by parsers that are not ours: no formula, no lost cell, no lie."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from coursekit.cli import main
from coursekit.grading.exercise import load
from coursekit.grading.exports.canvas import fill
from coursekit.grading.exports.gradescope import results
from coursekit.grading.exports.moodle import to_moodle
from coursekit.grading.exports.plain import to_gradebook_csv, to_jsonl
from coursekit.grading.exports.report import read_marks
from coursekit.grading.exports.table import points_elsewhere, read_roster, rows
from coursekit.grading.gradebook import Gradebook, Mark, to_csv

from .runs import TINY


def marks_of(student: str, first: float, second: float, status: str = "partly", message: str = "m") -> list[Mark]:
    base = {"student": student, "submission": "ab12", "version": "v", "tier": "full", "message": message}
    return [
        Mark(**base, item="double", points=first, max=2.0, status=status),
        Mark(**base, item="total", points=second, max=3.0, status="graded"),
    ]


CLASS = [
    *marks_of("ada", 2.0, 3.0, "graded"),
    *marks_of("bob", 0.67, 0.1),
    *marks_of("eve", 0.0, 3.0, "sandbox error"),
    *marks_of("fay", 0.0, 3.0, "timed out"),
]


def dangerous(cell: str) -> bool:
    """Whether some spreadsheet runs the cell, also one that splits at semicolons, or a terminal obeys it."""
    formula = any(part.strip().startswith(tuple("=+-@|＝＋－＠")) for part in cell.split(";"))
    return formula or any(unicodedata.category(ch) in ("Cc", "Cf", "Cs") for ch in cell)


nasty = st.text() | st.text(alphabet="=+-@|;, \t\n\r\"'\x1b\u202e＝a1(") | st.just("=HYPERLINK(1)\ud800")


@settings(deadline=None)
@given(nasty, nasty)
def test_no_table_holds_a_formula_or_a_control(student: str, message: str) -> None:
    assume(student)
    marks = marks_of(student, 1.0, 2.0, message=message)
    for text in (to_csv(marks), to_gradebook_csv(rows(marks)), to_moodle({student: 1.0}, "email", message)):
        lines = list(csv.reader(io.StringIO(text), strict=True))
        assert {len(line) for line in lines} == {len(lines[0])}
        assert not any(dangerous(cell) for line in lines for cell in line)
    for line in to_jsonl(marks).splitlines():
        assert not any(
            unicodedata.category(ch) in ("Cc", "Cf", "Cs") for x in json.loads(line).values() for ch in str(x)
        )


def test_the_judge_of_cells_can_say_no() -> None:
    assert all(map(dangerous, ["=1", " -1", "a; @SUM(A1)", "a\x1b[31m", "\u202eb", "＝1"]))
    assert not any(map(dangerous, ["a = b", "3", "all 7 hidden cases agree; none differ"]))


def test_tables_hold_every_mark_and_the_right_sums() -> None:
    lines = [json.loads(line) for line in to_jsonl(CLASS).splitlines()]
    assert [Mark(**line) for line in lines] == CLASS
    table = {line["student"]: line for line in csv.DictReader(io.StringIO(to_gradebook_csv(rows(CLASS))))}
    assert [(line["double"], line["total"]) for line in table.values()] == [
        ("2", "3"),
        ("0.67", "0.1"),
        ("", "3"),
        ("0", "3"),
    ]
    sums = [
        tuple(line[name] for name in ("total points", "points possible", "worst status"))
        for line in table.values()
    ]
    assert sums == [
        ("5", "5", "graded"),
        ("0.77", "5", "graded"),
        ("", "5", "sandbox error"),
        ("3", "5", "timed out"),
    ]


def test_what_is_not_graded_has_a_total_nowhere() -> None:
    table = rows(CLASS)
    points, unknown, ungraded = points_elsewhere(table, None)
    assert points == {"ada": 5.0, "bob": 0.77, "fay": 3.0}
    assert (unknown, ungraded) == ([], ["eve"])
    found = {row.student: results(row, load(TINY)) for row in table}
    assert [who for who, result in found.items() if "score" not in result] == ["eve"]
    assert not any("score" in test for test in found["eve"]["tests"])


CANVAS = (
    "\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,Quiz (77),HW1 (1234),Assignments Current Score\r\n"
    ",,,,,Manual Posting,,(read only)\r\n"
    "    Points Possible,,,,,10.00,5.00,(read only)\r\n"
    '"Love, Ada",1,0001,ada,"Analysis, ""A""",9.50,,87.30\r\n'
    "Bob,2,0002,bob,A,,1.00,\r\n"
    '"Fay",3,0003, fay ,A,EX,"2",\r\n'
    "Nan,4,0004,nan,A,,,\r\n"
    '"Student, Test",5,,,A,,,\r\n'
)


def test_canvas_fills_one_column_and_keeps_every_other_byte() -> None:
    filled = fill(CANVAS, "HW1 (1234)", {"ada": 5.0, "bob": 0.77, "fay": 3.0, "eve": 1.0})
    want = (
        CANVAS.replace("9.50,,87.30", "9.50,5,87.30").replace("A,,1.00,", "A,,0.77,").replace('EX,"2",', "EX,3,")
    )
    assert filled.text == want
    assert (filled.unmatched, filled.empty, filled.possible) == (("eve",), ("nan",), "5.00")
    assert fill(CANVAS, "HW1 (1234)", {"0001": 5.0}, key="SIS User ID").text == CANVAS.replace(
        ",,87.30", ",5,87.30"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (CANVAS.replace("HW1 (1234)", "HW2 (9)"), "0 columns 'HW1 (1234)'; its columns: Student, ID"),
        (CANVAS.replace("Quiz (77)", "HW1 (1234)"), "2 columns 'HW1 (1234)'"),
        (CANVAS.replace("SIS Login ID", "Login"), "0 columns 'SIS Login ID'"),
        (CANVAS.replace(",bob,", ",ada,"), "two rows with SIS Login ID 'ada'"),
        (CANVAS + '"open', "a quoted cell does not end"),
        ("", "0 columns"),
    ],
)
def test_canvas_refuses_what_it_does_not_understand(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        fill(text, "HW1 (1234)", {"ada": 5.0, "bob": 1.0})


cell = st.text(alphabet="ab ,;\t\"\n'é1", max_size=6)


@settings(deadline=None)
@given(
    st.lists(st.tuples(cell, cell, cell), max_size=6),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["\r\n", "\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.booleans(),
)
def test_canvas_agrees_with_the_csv_module(
    cells: list[tuple[str, str, str]], delimiter: str, end: str, quoting: int, newline_at_end: bool
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting)  # type: ignore[arg-type]
    writer.writerow(["Student", "SIS Login ID", "HW", "Note"])
    writer.writerows([a, f"s{i}", b, c] for i, (a, b, c) in enumerate(cells))
    given = text.getvalue() if newline_at_end else text.getvalue().removesuffix(end)
    assert fill(given, "HW", {}).text == given
    points = {f"s{i}": i + 0.25 for i in range(0, len(cells), 2)}
    filled = fill(given, "HW", points)
    before, after = (
        list(csv.reader(io.StringIO(x, newline=""), delimiter=delimiter)) for x in (given, filled.text)
    )
    for line in before[1:]:
        line[2] = str(points.get(line[1], line[2]))
    assert after == before
    assert filled.unmatched == ()


def test_moodle_is_keyed_by_the_roster(tmp_path: Path) -> None:
    roster = tmp_path / "roster.csv"
    roster.write_text(
        "\ufeffstudent,email,idnumber\nada,Ada@example.edu,007\nbob,bob@example.edu,\neve,e@x.edu,9\n"
    )
    points, unknown, ungraded = points_elsewhere(rows(CLASS), read_roster(roster, "email"))
    lines = list(csv.reader(io.StringIO(to_moodle(points, "email", "Homework 1"))))
    assert lines == [["Email address", "Homework 1"], ["Ada@example.edu", "5"], ["bob@example.edu", "0.77"]]
    assert (unknown, ungraded) == (["fay"], ["eve"])
    assert read_roster(roster, "idnumber") == {"ada": "007", "eve": "9"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,email\nada,a@x\n", "no column 'student'; its columns: name, email"),
        ("student,mail\nada,a@x\n", "no column 'email'"),
        ("", "no column 'student'"),
        ("student,email\nada,a@x\nada,b@x\n", "the student 'ada' more than once"),
        ("student,email\nada,a@x\nbob,a@x\n", "the email 'a@x' more than once"),
    ],
)
def test_a_roster_that_cannot_be_meant_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "roster.csv").write_text(text)
    with pytest.raises(ValueError, match=re.escape(said)):
        read_roster(tmp_path / "roster.csv", "email")


def test_gradescope_results_have_the_documented_form() -> None:
    for row in rows(CLASS):
        found = json.loads(json.dumps(results(row, load(TINY))))
        assert set(found) <= {
            "score",
            "output",
            "output_format",
            "visibility",
            "stdout_visibility",
            "extra_data",
            "tests",
        }
        assert found["visibility"] in ("hidden", "after_due_date", "after_published", "visible")
        for test in found["tests"]:
            known = {"score", "max_score", "status", "name", "number", "output", "output_format", "visibility"}
            assert set(test) <= known
            assert test["status"] in ("passed", "failed")
        if "score" in found:
            assert found["score"] == pytest.approx(sum(test["score"] for test in found["tests"]))
            assert all(0 <= test["score"] <= test["max_score"] for test in found["tests"])


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a gradebook."""
    out = tmp_path_factory.mktemp("report")
    with Gradebook(out / "gradebook.db") as book:
        book.begin("tiny", f"{load(TINY).version}-0")
        for row in rows(CLASS):
            book.add([replace(mark, version=f"{load(TINY).version}-0") for mark in row.marks])
    return out


def report(out: Path, *words: object) -> int:
    return main(["report", str(out), "--exercises", str(TINY.parent), *map(str, words)])


def test_report_writes_everything_that_it_names(
    graded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(graded) == 3
    names = ["grades.csv", "grades.jsonl", "gradebook.csv", "class.html", "feedback"]
    printed = capsys.readouterr()
    assert printed.out.split() == [str(graded / name) for name in names]
    assert printed.err == "note: 1 not graded (sandbox error), no total anywhere: eve\n"
    assert all((graded / name).exists() for name in names)
    assert (graded / "gradebook.csv").read_text() == to_gradebook_csv(rows(read_marks(graded)[1])).replace(
        "\r", ""
    )
    head = "Student,SIS Login ID,HW (1)\nPoints Possible,,9\n"
    (tmp_path / "canvas.csv").write_text(f"{head}A,ada,\nB,bob,\nE,eve,1\n")
    (tmp_path / "roster.csv").write_text("student,email\nada,a@x.edu\nbob,b@x.edu\n")
    lms = ["--canvas", tmp_path / "canvas.csv", "--column", "HW (1)", "--gradescope"]
    assert report(graded, *lms) == 3
    assert capsys.readouterr().err.splitlines()[1:] == [
        "note: 1 graded, but not in the Canvas file by SIS Login ID: fay",
        "note: 1 in the Canvas file without a total here; left as they were: eve",
        "note: Canvas has 9 points possible for 'HW (1)', here it is 5",
    ]
    assert (graded / "canvas.csv").read_text() == f"{head}A,ada,5\nB,bob,0.77\nE,eve,1\n"
    assert json.loads((graded / "gradescope" / "ada" / "results.json").read_text())["score"] == 5
    assert report(graded, "--moodle", "email", "--roster", tmp_path / "roster.csv") == 3
    assert "note: 2 not on the roster: eve, fay" in capsys.readouterr().err
    assert (graded / "moodle.csv").read_text().splitlines() == [
        f"Email address,{load(TINY).title}",
        "a@x.edu,5",
        "b@x.edu,0.77",
    ]


def test_report_says_what_is_wrong(graded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words, said in (
        ([tmp_path], "holds no gradebook.db"),
        ([graded, "--canvas", tmp_path], "--canvas and --column go together"),
        ([graded, "--canvas", tmp_path / "none.csv", "--column", "HW"], "No such file"),
        ([graded, "--moodle", "email", "--roster", tmp_path / "none.csv"], "No such file"),
    ):
        assert report(*words) == 2
        assert said in capsys.readouterr().err
    assert not (tmp_path / "gradebook.db").exists()
