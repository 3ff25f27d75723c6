"""Other wordings of an instruction that mean the same, so that a model does not cling to the words it was taught with."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np

_ARTICLES = frozenset({"a", "an", "the"})
_FILLERS = frozenset({"please", "now", "just", "you", "should", "must", "try", "to"})
"""What an instruction can do without. Words of place and of refusal (up, off, not, without) are not among them."""
_OPENINGS = (
    "please", "now", "you should", "you must", "try to", "just", "go and", "your task is to", "i want you to", "could you",
    "make sure to", "keep going:",
)  # fmt: skip
_CLOSINGS = ("please", "now", "for me", "if you can", "right away", "again", "until told otherwise")
_ENDS = (".", "!", "", "...", ";")
_JOINTS = re.compile(r"\s*(?:,| and | then )\s*", re.IGNORECASE)
_REFUSALS = frozenset({"not", "never", "no", "don't", "dont", "without", "until", "before", "after", "first", "then"})
_CHANCE = 0.4


ADDED = (*_OPENINGS, *_CLOSINGS, "the a it and")
"""All the words that `reword` may add to a text."""


def reword(text: str, rng: np.random.Generator) -> str:
    """Drops or adds articles and politeness, swaps neighbours, changes case and punctuation. Nothing stays nothing.

    Words of content are neither dropped nor exchanged for others, and a sentence that refuses or orders things in time
    keeps its order.
    """
    words = text.split()
    if not words:
        return text
    words = _thin(words, rng) or words
    if not _REFUSALS & {word.strip(".,;:!").casefold() for word in words}:
        words = _swap(words, rng)
    words = _insert_articles(words, rng)
    if rng.random() < _CHANCE:
        words = [str(rng.choice(_OPENINGS)), *words]
    if rng.random() < _CHANCE / 2:
        words = [*words, str(rng.choice(_CLOSINGS))]
    said = " ".join(words)
    if rng.random() < _CHANCE:
        said = said.rstrip(".!;") + str(rng.choice(_ENDS))
    return _recase(said, rng)


def _thin(words: list[str], rng: np.random.Generator) -> list[str]:
    """Without some of the words it can do without."""
    spare = _ARTICLES | _FILLERS
    return [word for word in words if word.casefold() not in spare or rng.random() >= _CHANCE]


def _swap(words: list[str], rng: np.random.Generator) -> list[str]:
    """Two neighbours, or two parts joined by a comma or `and`, trade places."""
    if len(words) < 2 or rng.random() >= _CHANCE / 2:
        return words
    parts = _JOINTS.split(" ".join(words))
    if len(parts) == 2 and all(parts):
        return [*parts[1].split(), "and", *parts[0].split()]
    at = int(rng.integers(len(words) - 1))
    return [*words[:at], words[at + 1], words[at], *words[at + 2 :]]


def _insert_articles(words: list[str], rng: np.random.Generator) -> list[str]:
    """One before a word that does not follow one."""
    places = [i for i, (before, _) in enumerate(pairwise(words), 1) if before.casefold() not in _ARTICLES]
    if not places or rng.random() >= _CHANCE / 2:
        return words
    at = int(rng.choice(places))
    return [*words[:at], str(rng.choice(["the", "a", "it"])), *words[at:]]


def _recase(text: str, rng: np.random.Generator) -> str:
    drawn = rng.random()
    if drawn < 0.6:
        return text
    return text.upper() if drawn < 0.7 else text.lower() if drawn < 0.85 else text[:1].upper() + text[1:]
