"""How far two annotators of one session agree, frame by frame and span by span.

Cohen, "A coefficient of agreement for nominal scales" (1960), for the flags; intersection over union, boundary error and
text match for instructions, on spans matched one to one.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from db.labelling.labels import Edit, LabelKind

LEAST_IOU = 0.1
"""Spans that share less than this are not about the same thing."""


@dataclass(frozen=True)
class FlagAgreement:
    """One flag over all frames."""

    flag: str
    kappa: float | None
    """Cohen's kappa in [-1, 1]; None where both marked every frame, or none, alike: there is nothing to agree on."""
    frames: tuple[int, int]
    """How many frames each annotator marked."""
    both: int


@dataclass(frozen=True)
class InstructionAgreement:
    """Instructions, over the pairs of spans that are about the same thing."""

    count: tuple[int, int]
    """Spans of each annotator."""
    matched: int
    mean_iou: float | None
    """Of the matched pairs, in [0, 1]; None without any."""
    boundary_error_frames: float | None
    """Mean absolute distance of starts and ends of matched pairs."""
    text_match: float | None
    """Share of the matched pairs with the same words (case, width, spacing and punctuation aside)."""
    text_similarity: float | None
    """Mean similarity of the matched texts in [0, 1], by the longest common subsequences."""

    @property
    def f1(self) -> float | None:
        """Of finding the same spans; None where nobody made any."""
        total = sum(self.count)
        return 2 * self.matched / total if total else None


@dataclass(frozen=True)
class Agreement:
    """Of two annotators over one session of `frames` frames."""

    frames: int
    flags: tuple[FlagAgreement, ...]
    instructions: InstructionAgreement


def compare(first: Iterable[Edit], second: Iterable[Edit], frames: int) -> Agreement:
    """first, second: the spans in force of either annotator. Suggestions nobody confirmed are left out."""
    a, b = ([edit for edit in spans if not edit.suggested and not edit.deleted] for spans in (first, second))
    words = sorted({edit.value for edit in (*a, *b) if edit.kind is LabelKind.FLAG})
    flags = tuple(_compare_flag(word, _frames_of(a, word, frames), _frames_of(b, word, frames)) for word in words)
    chosen = [[edit for edit in spans if edit.kind is LabelKind.INSTRUCTION] for spans in (a, b)]
    return Agreement(frames, flags, _compare_instructions(*chosen))


def kappa(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float | None:
    """Cohen's kappa of two (N,) markings; None where chance alone agrees on everything (0 / 0)."""
    if len(first) == 0:
        return None
    observed = float((first == second).mean())
    p, q = float(first.mean()), float(second.mean())
    expected = p * q + (1 - p) * (1 - q)
    return None if expected >= 1 else (observed - expected) / (1 - expected)


def iou(a: tuple[int, int], b: tuple[int, int]) -> float:
    """Intersection over union of two half-open spans."""
    shared = max(0, min(a[1], b[1]) - max(a[0], b[0]))
    union = (a[1] - a[0]) + (b[1] - b[0]) - shared
    return shared / union if union else 0.0


def match(first: Sequence[tuple[int, int]], second: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Pairs of indices, each span in at most one, best overlap first; below LEAST_IOU there is no pair."""
    candidates = []
    ordered = sorted(range(len(second)), key=lambda j: second[j])
    starts = [second[j][0] for j in ordered]
    reach = list(accumulate((second[j][1] for j in ordered), max))  # none up to there ends later
    for i, span in enumerate(first):
        for at in range(bisect_right(reach, span[0]), bisect_left(starts, span[1])):
            j = ordered[at]
            if (overlap := iou(span, second[j])) >= LEAST_IOU:
                candidates.append((-overlap, i, j))
    taken_first: set[int] = set()
    taken_second: set[int] = set()
    pairs = []
    for _, i, j in sorted(candidates):
        if i not in taken_first and j not in taken_second:
            taken_first.add(i)
            taken_second.add(j)
            pairs.append((i, j))
    return sorted(pairs)


@lru_cache(maxsize=8192)
def plain(text: str) -> str:
    """The words alone: case, width, spacing and punctuation say nothing about what is meant."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join("".join(c if c.isalnum() else " " for c in folded).split())


def _frames_of(spans: Iterable[Edit], word: str, frames: int) -> NDArray[np.bool_]:
    marked = np.zeros(frames, np.bool_)
    for edit in spans:
        if edit.kind is LabelKind.FLAG and edit.value == word:
            marked[edit.start : edit.stop] = True
    return marked


def _compare_flag(word: str, a: NDArray[np.bool_], b: NDArray[np.bool_]) -> FlagAgreement:
    return FlagAgreement(word, kappa(a, b), (int(a.sum()), int(b.sum())), int((a & b).sum()))


def _compare_instructions(a: Sequence[Edit], b: Sequence[Edit]) -> InstructionAgreement:
    ranges = [[(edit.start or 0, edit.stop or 0) for edit in spans] for spans in (a, b)]
    pairs = match(*ranges)
    count = (len(a), len(b))
    if not pairs:
        return InstructionAgreement(count, 0, None, None, None, None)
    overlaps = [iou(ranges[0][i], ranges[1][j]) for i, j in pairs]
    errors = [abs(x - y) for i, j in pairs for x, y in zip(ranges[0][i], ranges[1][j], strict=True)]
    texts = [(plain(a[i].value), plain(b[j].value)) for i, j in pairs]
    return InstructionAgreement(
        count,
        len(pairs),
        float(np.mean(overlaps)),
        float(np.mean(errors)),
        float(np.mean([x == y for x, y in texts])),
        float(np.mean([SequenceMatcher(None, x, y, autojunk=False).ratio() for x, y in texts])),
    )
