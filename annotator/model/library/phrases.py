"""What an annotator is offered while typing: the library's phrases, found by any of their words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

OFFERED = 8
"""How many are shown at once."""


class PhraseBook:
    """Phrases in the order in which they are offered: the game's own before the others', the commoner before the rarer."""

    def __init__(self, own: Iterable[tuple[str, int]] = (), everywhere: Iterable[tuple[str, int]] = ()) -> None:
        """own, everywhere: (text, how often it is used) of this game and of the whole library, in any order."""
        ranked = sorted(own, key=_commonest) + sorted(everywhere, key=_commonest)
        self._texts = list(dict.fromkeys(text for text, _ in ranked if text))
        self._known = frozenset(self._texts)
        self._folded = [text.casefold() for text in self._texts]

    @property
    def texts(self) -> frozenset[str]:
        return self._known

    def matches(self, typed: str, extra: Sequence[str] = (), limit: int = OFFERED) -> list[str]:
        """The first phrases that hold every typed word somewhere, in any order and case; all where nothing is typed.

        One that is just what is typed stands first. extra: phrases to look through before the book's, such as those that
        are too new for it.
        """
        words, whole = typed.casefold().split(), " ".join(typed.casefold().split())
        found: list[str] = []
        pairs = [*((text, text.casefold()) for text in extra), *zip(self._texts, self._folded, strict=True)]
        for text, folded in pairs:
            if folded == whole:
                found.insert(0, text)
            elif len(found) < limit and all(word in folded for word in words):
                found.append(text)
        return list(dict.fromkeys(found))[:limit]


def _commonest(phrase: tuple[str, int]) -> tuple[int, str]:
    return -phrase[1], phrase[0]
