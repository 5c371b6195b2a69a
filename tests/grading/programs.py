"""An assignment's items by name, and the seeds whose hidden cases the tests of the items look at."""

from __future__ import annotations

from coursekit.grading.exercise import Assignment, Item

SEEDS = (b"0", b"1", b"2", b"3", b"4")


def item_of(assignment: Assignment, name: str) -> Item:
    """The item of this name."""
    return next(item for item in assignment.items if item.id == name)
