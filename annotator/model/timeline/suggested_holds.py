"""The holds of keys that a model suggests and nobody has confirmed, as lanes beside those in force."""

from __future__ import annotations

import numpy as np

from annotator.model.document import Document, Span
from annotator.model.edits.subjects import correction_of
from annotator.model.timeline.axis import positions
from annotator.model.timeline.holds import Holds
from annotator.model.timeline.lanes import KeyLane
from db.labelling.labels import LabelKind
from db.recording.corrections import ImputedCorrection, KeyCorrection


class SuggestedHolds:
    """Follows a document. A lane stays the same object until its holds change, so that what is painted can be kept.

    A model suggests by the thousand: each suggestion is read once, and all are looked at only where one came or went.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self._revision = -1
        self._spans: list[Span] = []
        self._read: dict[Span, dict[int, Holds]] = {}
        self._holds: dict[int, Holds] = {}
        self._lanes: dict[int, tuple[Holds, KeyLane]] = {}

    @property
    def codes(self) -> tuple[int, ...]:
        """The keys that any suggestion names, ascending."""
        self._follow()
        return tuple(sorted(self._holds))

    def lane(self, code: int) -> KeyLane | None:
        """None where nothing is suggested to be pressed."""
        self._follow()
        holds = self._holds.get(code)
        if holds is None or not len(holds):
            return None
        known = self._lanes.get(code)
        if known is None or not np.array_equal(known[0], holds):
            at = positions(holds.reshape(-1), self._document.clock.edges_ns).reshape(-1, 2)
            stop = np.maximum(at[:, 1], np.nextafter(at[:, 0], np.inf))
            known = self._lanes[code] = holds, KeyLane(code, at[:, 0].copy(), stop, np.ones(len(at), np.bool_))
        return known[1]

    def _follow(self) -> None:
        if self._revision == self._document.edit_count:
            return
        self._revision = self._document.edit_count
        spans = self._document.spans(LabelKind.ACTION, suggested=True)
        if spans == self._spans:
            return
        self._spans = spans
        self._read = {span: self._read.get(span) or self._holds_in(span) for span in spans}
        parts: dict[int, list[Holds]] = {}
        for said in self._read.values():
            for code, holds in said.items():
                parts.setdefault(code, []).append(holds)
        self._holds = {code: _joined(np.concatenate(holds)) for code, holds in parts.items()}

    def _holds_in(self, span: Span) -> dict[int, Holds]:
        """What one suggestion says of each key that it names, cut off at its ends."""
        edges = self._document.clock.edges_ns
        low_ns, high_ns = edges[span.start], edges[min(span.stop, len(edges) - 1)]
        found = {}
        for key in _keys(span.value):
            cut = np.clip(np.array(key.holds_ns, np.int64).reshape(-1, 2), low_ns, high_ns)
            found[key.code] = cut[cut[:, 0] < cut[:, 1]]
        return found


def _keys(value: str) -> tuple[KeyCorrection, ...]:
    said = correction_of(value)
    if isinstance(said, ImputedCorrection):
        return said.keys
    return (said,) if isinstance(said, KeyCorrection) else ()


def _joined(holds: Holds) -> Holds:
    """Ascending and disjoint; what touches is one."""
    if not len(holds):
        return holds
    ordered = holds[np.argsort(holds[:, 0], kind="stable")]
    until = np.maximum.accumulate(ordered[:, 1])
    begins = np.concatenate([[True], ordered[1:, 0] > until[:-1]])
    ends = np.concatenate([begins[1:], [True]])
    joined: Holds = np.stack([ordered[begins, 0], until[ends]], axis=1)
    return joined
