"""Finding a few words in many texts as people type them: letters in order, better the closer and the earlier."""

from __future__ import annotations


def score(wanted: str, text: str) -> float | None:
    """How well a text answers to what was typed, higher is better; None where it does not. Case does not matter.

    Every word that was typed must be found: as a part of the text (best at the start of one of its words), else as
    letters in order that begin words ("cas" finds "Confirm all suggestions") or lie near one another.
    """
    total = 0.0
    low = text.lower()
    for word in wanted.lower().split():
        found = _score_word(word, low)
        if found is None:
            return None
        total += found
    return total - len(text) / 1000  # of two that are alike, the shorter


def _score_word(word: str, text: str) -> float | None:
    at = text.find(word)
    if at >= 0:
        starts = next((i for i in _finds(word, text) if _is_start(text, i)), -1)
        return 100.0 + len(word) + (50.0 - min(starts, 25) if starts >= 0 else -min(at, 25))
    best = 0.0
    where = -1
    for letter in word:
        start = next((i for i in _finds(letter, text) if i > where and _is_start(text, i)), -1)
        near = text.find(letter, where + 1)
        if near < 0:
            return None
        if where >= 0 and near == where + 1:
            best, where = best + 6, near
        elif start >= 0:
            best, where = best + 8, start
        else:
            best, where = best - (near - where), near
    return best if best > 0 else None


def _finds(part: str, text: str) -> list[int]:
    return [i for i in range(len(text)) if text.startswith(part, i)]


def _is_start(text: str, at: int) -> bool:
    return at == 0 or not text[at - 1].isalnum()
