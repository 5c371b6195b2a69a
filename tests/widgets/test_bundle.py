"""The joined module is one self-contained, reproducible text."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from coursekit import palette
from coursekit.widgets import bundle as module


def test_the_text_does_not_depend_on_the_process(tmp_path):
    texts = []
    for seed in ("1", "2"):
        out = tmp_path / f"{seed}.js"
        subprocess.run(
            [sys.executable, "-m", "coursekit.widgets.bundle", str(out)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
        )
        texts.append(out.read_text(encoding="utf-8"))
    assert texts[0] == texts[1] == module.bundle()


def test_nothing_is_fetched_or_evaluated():
    text = module.bundle()
    assert not re.search(r"\beval\(|new Function|https?:|\bimport\b", text)


def test_colours_come_from_the_palette_only():
    inks = {**palette.METHODS, **palette.ROLES}.values()
    known = {colour for ink in inks for colour in (ink.light, ink.dark)}
    assert set(re.findall(r"#[0-9a-fA-F]{6}\b", module.bundle())) == known
    for part in (Path(module.__file__).parent / "static").iterdir():
        assert not re.search(r"#[0-9a-fA-F]{3,8}\b|rgba?\(", part.read_text(encoding="utf-8")), part.name


def test_every_part_is_joined_and_an_import_out_of_order_is_refused(monkeypatch):
    static = Path(module.__file__).parent / "static"
    assert {p.name for p in static.glob("*.js")} == set(module.PARTS)
    monkeypatch.setattr(module, "PARTS", tuple(reversed(module.PARTS[:-1])) + module.PARTS[-1:])
    with pytest.raises(ValueError, match="not exported by an earlier"):
        module.assemble(module.RULES, module.PROBLEMS)
