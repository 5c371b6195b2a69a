"""The ledger as data: one YAML file per source document, read and checked at the door.

Imports neither torch nor numpy, so that the book can be built from it without them.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

import yaml

# The five documents, by the short key used throughout the book (and in references.bib).
SOURCES = {
    "KH": "Khamdamova",
    "PL": "Optimization geometry and convergence",
    "TDL": "Theory of deep learning, chapter 4",
    "AMGT": "Laisin et al.",
    "GG": "Ghojogh and Ghodsi",
}
VERDICTS = {
    "holds": "true as printed",
    "corrected": "true once corrected",
    "false": "false under the most charitable reading",
    "underspecified": "leaves open what is needed to check it",
    "empirical": "a statement about practice that no computation here decides",
}
# Why a claim has no check that runs: what decides it instead.
EXEMPT = {
    "definition": "fixes a name or a setting; nothing to measure",
    "wording": "decided by reading the passage",
    "history": "decided by reading other documents",
    "empirical": "about practice beyond this book's computations",
}
KINDS = ("definition", "algorithm", "theorem", "rate", "table", "figure", "exercise", "claim")


@dataclass(frozen=True)
class Claim:
    """One entry: what a document says, where, under which assumptions it holds, and our verdict on it.

    ``exempt`` says why no check runs for it, and ``passage`` which words decide it instead; both are empty where a
    check runs. ``erratum`` is what to tell the document's author, in one line.
    """

    id: str
    source: str
    where: str
    kind: str
    chapter: int
    statement: str
    assumptions: str
    verdict: str
    note: str
    check: str
    erratum: str = ""
    exempt: str = ""
    passage: str = ""

    def __post_init__(self) -> None:
        choices = {"source": SOURCES, "verdict": VERDICTS, "kind": KINDS, "exempt": ("", *EXEMPT)}
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise ValueError(
                    f"{self.id}: {name} must be one of {', '.join(allowed)}, got {getattr(self, name)!r}"
                )
        if self.chapter not in range(1, 7):
            raise ValueError(f"{self.id}: chapter must be 1 to 6, got {self.chapter!r}")
        if bool(self.exempt) != bool(self.passage):
            raise ValueError(
                f"{self.id}: exempt and passage go together, got {self.exempt!r} and {self.passage!r}"
            )


def folder() -> Path:
    """Where the ledger lies: inside an installed wheel, or in the repository's ``book/claims``."""
    packaged = Path(__file__).parent / "data"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "book" / "claims"


@cache
def load() -> dict[str, Claim]:
    """All claims by id, in the order of the documents. ValueError names a bad or doubled entry."""
    claims: dict[str, Claim] = {}
    optional = {field.name for field in fields(Claim) if field.default == ""}
    required = {field.name for field in fields(Claim)} - optional
    for source in SOURCES:
        for entry in yaml.safe_load((folder() / f"{source}.yaml").read_text(encoding="utf-8")):
            if wrong := required ^ (set(entry) - optional):
                raise ValueError(f"{entry.get('id')}: fields differ: {sorted(wrong)}")
            claim = Claim(**entry)
            if claim.id in claims:
                raise ValueError(f"{claim.id} appears twice")
            claims[claim.id] = claim
    return claims
