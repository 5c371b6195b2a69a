"""The ledger as data, and its checks."""

import json
from dataclasses import replace

import pytest
import yaml

from coursekit.claims import Measured, Outcome, load, run
from coursekit.claims import ledger as ledger_module
from coursekit.claims.check import check, registered
from coursekit.cli import main

AUDITED = {"holds": 95, "corrected": 144, "false": 26, "underspecified": 39, "empirical": 27}


def test_all_audited_entries_are_there_and_those_found_since() -> None:
    claims = load()
    counts = {v: sum(c.verdict == v for c in claims.values()) for v in ledger_module.VERDICTS}
    # TDL-EoS went from empirical to corrected: a run decides the statement and its repair.
    changed = {v: counts[v] - n for v, n in AUDITED.items()}
    assert changed == {"holds": 3, "corrected": 8, "false": 0, "underspecified": 0, "empirical": -1}


def test_every_claim_has_a_check_or_a_passage_that_decides_it() -> None:
    claims = load().values()
    assert [c.id for c in claims if bool(c.exempt) == (c.id in registered())] == []
    assert len(registered()) >= 255
    # A heading that promises more than its section holds: nothing to run.
    assert [c.id for c in claims if c.verdict == "false" and c.exempt] == ["KH-2.1-titles"]


def test_every_correction_says_what_to_tell_the_author() -> None:
    needed = ("corrected", "false", "underspecified")
    assert [c.id for c in load().values() if c.verdict in needed and not c.erratum] == []
    assert [c.id for c in load().values() if len(c.erratum) > 240] == []


def test_side_by_side_or_one_by_one_the_outcomes_are_the_same() -> None:
    ids = ["GG-eq7", "KH-2.2.1", "KH-2.2.2-filter"]
    together, alone = list(run(ids, jobs=2)), list(run(ids))
    assert [o.claim.id for o in together] == [i for i in load() if i in ids]
    assert together == alone


@pytest.mark.parametrize("id", sorted(registered()))
def test_a_check_agrees_with_the_ledger_and_with_no_other_verdict(id: str) -> None:
    (outcome,) = run([id])
    assert outcome.agrees, outcome.measured
    assert outcome.measured.numbers
    for other in {"holds", "corrected", "false"} - {outcome.claim.verdict}:
        flipped = Outcome(replace(outcome.claim, verdict=other), outcome.measured)
        assert not flipped.agrees or (outcome.claim.verdict == "underspecified" and other == "false")


@pytest.mark.parametrize(
    ("measured", "verdict"),
    [
        (Measured(True), "holds"),
        (Measured(True, False), "holds"),
        (Measured(False, True), "corrected"),
        (Measured(False, False), "false"),
        (Measured(False), "false"),
    ],
)
def test_two_answers_make_a_verdict(measured: Measured, verdict: str) -> None:
    assert measured.verdict == verdict


def test_a_bad_registration_is_refused() -> None:
    with pytest.raises(ValueError, match="the ledger has no claim 'GG-nothing'"):
        check("GG-nothing")
    with pytest.raises(ValueError, match="GG-eq7 has a check already"):
        check("GG-eq7")(lambda: Measured(True))
    with pytest.raises(ValueError, match="no check runs for GG-nothing"):
        run(["GG-nothing"])


def entry(**changes: object) -> dict[str, object]:
    claim = load()["GG-eq7"]
    return {**{f: getattr(claim, f) for f in claim.__dataclass_fields__}, **changes}


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ([entry(verdict="true")], "GG-eq7: verdict must be one of holds"),
        ([entry(chapter=7)], "chapter must be 1 to 6, got 7"),
        ([entry(), entry()], "GG-eq7 appears twice"),
        ([entry(page=3)], r"fields differ: \['page'\]"),
        ([{"id": "GG-eq7"}], "GG-eq7: fields differ"),
        ([entry(exempt="wording")], "exempt and passage go together"),
        ([entry(exempt="taste", passage="p. 1")], "exempt must be one of"),
    ],
)
def test_bad_entries_are_refused(entries, told: str, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    for source in ledger_module.SOURCES:
        (tmp_path / f"{source}.yaml").write_text(yaml.safe_dump(entries if source == "GG" else []))
    monkeypatch.setattr(ledger_module, "folder", lambda: tmp_path)
    with pytest.raises(ValueError, match=told):
        load.__wrapped__()


def test_the_command_prints_measured_numbers_and_fails_on_disagreement(tmp_path, capsys, monkeypatch) -> None:
    out = tmp_path / "claims.json"
    assert main(["claims", "--source", "KH", "--json", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "KH-2.2.1" in printed
    assert "GG-eq7" not in printed
    assert json.loads(out.read_text())["KH-intro-finite"]["agrees"] is True
    monkeypatch.setitem(registered(), "KH-2.2.1", lambda: Measured(False, numbers={"made up": 1.0}))
    assert main(["claims", "--source", "KH", "--jobs", "1"]) == 1
    assert "! KH-2.2.1" in capsys.readouterr().out
