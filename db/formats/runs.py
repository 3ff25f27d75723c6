"""Stretches of rows in which the same is said, found while the rows are read one by one."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from db.errors import BadFile
from db.formats.account import MOST_LABELS

MOST_LETTERS = 32 << 20
"""Of all labels of a table."""


class Run(NamedTuple):
    """Rows [start, stop) of which a word is said."""

    start: int
    stop: int
    word: str


class Runs:
    """Hears what is said of each row, in order."""

    def __init__(self, place: str) -> None:
        """place: what an error names."""
        self._place = place
        self._open: dict[str, int] = {}
        self._said: Collection[str] = ()
        self._found: list[Run] = []
        self._letters = 0

    def say(self, row: int, words: Collection[str]) -> None:
        """The words of a row. Raises BadFile where there are too many runs."""
        if words == self._said:
            return
        self._said = words
        wanted = {word for word in words if word.strip()}
        for word in self._open.keys() - wanted:
            self._found.append(Run(self._open.pop(word), row, word))
        for word in wanted - self._open.keys():
            self._open[word] = row
            self._letters += len(word)
        if self._letters > MOST_LETTERS:
            raise BadFile(f"{self._place}, row {row + 1}: up to here its labels have over {MOST_LETTERS:,} letters.")
        if len(self._found) + len(self._open) > MOST_LABELS:
            raise BadFile(f"{self._place}, row {row + 1}: up to here it says over {MOST_LABELS:,} labels.")

    def end(self, row: int) -> list[Run]:
        """All runs, by their starts; row: how many there were."""
        self.say(row, ())
        return sorted(self._found)
