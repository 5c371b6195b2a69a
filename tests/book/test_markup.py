"""Outputs that print a certificate are marked, so that their lines wrap, by the words that certificates use."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from docutils import nodes
from docutils.utils import new_document

from coursekit import descend
from coursekit.book.sphinx_ext.markup import mark_certificates
from coursekit.problems import Quadratic
from coursekit.rules import gradient_descent
from coursekit.theory import Certificate, by_id, certify

BOWL = Quadratic(torch.tensor([1.0, 4.0], dtype=torch.float64))
START = torch.ones(2, dtype=torch.float64)


def held(id: str, eta: float, **given: float) -> Certificate:
    run = descend(BOWL, gradient_descent, START, 3, eta=eta, record=("w", "f", "grad_norm"))
    return certify(by_id(id), run, **given)


def marked(text: str, *classes: str) -> bool:
    document = new_document("page")
    block = nodes.literal_block(text, text, classes=list(classes))
    document += block
    mark_certificates(None, document, "page")  # type: ignore[arg-type]
    return "ck-certificate" in block["classes"]


@pytest.mark.parametrize(
    ("certificate", "said"),
    [
        (held("descent-lemma", 0.1), "holds on all"),
        (held("descent-lemma", 0.6), "refused"),
        (held("descent-lemma", 0.1, L=0.1), "VIOLATED"),
        (replace(held("descent-lemma", 0.1), seeds=100), "not refuted"),
        (replace(held("descent-lemma", 0.1, L=0.1), seeds=100), "REFUTED"),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_every_kind_of_certificate_is_marked(certificate: Certificate, said: str) -> None:
    assert said in str(certificate)
    assert marked(f"first\n{certificate}\n", "output", "stream")


def test_what_is_no_output_or_no_certificate_is_not() -> None:
    assert not marked("step  distance\n   1       0.5\n", "output", "stream")
    assert not marked(str(held("descent-lemma", 0.1)))
