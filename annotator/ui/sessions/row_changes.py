"""Turns one list of rows into another by removals and insertions, so that views keep their place and selection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import SequenceMatcher
from itertools import groupby

Remove = Callable[[int, int], None]
Insert = Callable[[int, int, int], None]


def change_rows(old: Sequence[str], new: Sequence[str], remove: Remove, insert: Insert) -> None:
    """Calls `remove(first, count)` and `insert(at, first_new, count)`, each in terms of the rows as they then stand.

    No row is in a list twice. Quick for long lists whose common rows keep their order.
    """
    gone, come = set(old).difference(new), set(new).difference(old)
    if [row for row in old if row not in gone] != [row for row in new if row not in come]:
        _reorder(old, new, remove, insert)
        return
    for first, count in reversed(_runs(old, gone)):
        remove(first, count)
    for first, count in _runs(new, come):
        insert(first, first, count)


def _runs(rows: Sequence[str], some: set[str]) -> list[tuple[int, int]]:
    """(first, count) of each stretch of rows that are in `some`."""
    runs, at = [], 0
    for is_in, group in groupby(rows, some.__contains__):
        count = sum(1 for _ in group)
        if is_in:
            runs.append((at, count))
        at += count
    return runs


def _reorder(old: Sequence[str], new: Sequence[str], remove: Remove, insert: Insert) -> None:
    shift = 0
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind in ("delete", "replace"):
            remove(i1 + shift, i2 - i1)
            shift -= i2 - i1
        if kind in ("insert", "replace"):
            insert(i2 + shift, j1, j2 - j1)
            shift += j2 - j1
