"""The doctor tells a promise that holds from one that does not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from coursekit.cli import main
from coursekit.grading import doctor
from coursekit.grading.boundary import Worker
from coursekit.grading.doctor import Finding
from coursekit.grading.sandbox import Tier, best_tier
from coursekit.grading.self_attack import ATTACKS
from coursekit.grading.warm import Warm


def test_a_tier_that_is_not_at_work_is_found_out() -> None:
    with Warm(Tier.PROCESS) as warm:
        Worker(warm).close()
        warm.tier = Tier.FULL  # what it says of itself from now on; its process goes on as before
        found = {finding.name: finding.verdict for finding in doctor.examine(warm)}
    broken = {name for name, verdict in found.items() if verdict == "BROKEN"}
    assert {
        "read the grading seed",
        "write into the gradebook",
        "reach the network",
        "stop another process",
    } <= broken
    assert broken <= {attack.name for attack in ATTACKS if attack.holds is not Tier.PROCESS}
    assert "open" not in found.values()


@pytest.mark.parametrize("verdict", ["held", "open", "BROKEN"])
def test_exit_code_and_text(
    verdict: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def examine(warm: Warm) -> Iterator[Finding]:
        yield Finding("read the grading seed", verdict, "a file has changed")

    monkeypatch.setattr(doctor, "examine", examine)
    assert main(["doctor"]) == (1 if verdict == "BROKEN" else 0)
    printed = capsys.readouterr().out
    assert best_tier().promises in printed
    assert f"  {verdict:7} read the grading seed (a file has changed)" in printed
    assert ("broken" in printed) == (verdict == "BROKEN")


def test_a_tier_that_is_not_to_be_had_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "refusal", lambda tier: "it needs Linux" if tier is Tier.FULL else None)
    assert main(["doctor", "--tier", "full"]) == 2
    captured = capsys.readouterr()
    assert "full      not offered: it needs Linux" in captured.out
    assert "process   offered" in captured.out
    assert "full is not to be had here: it needs Linux" in captured.err
