"""The spans of a document in lanes, by kind and by word: sorted once after an edit, not whenever rows are laid out. Qt-free."""

from __future__ import annotations

from annotator.model.document import Document, Span
from annotator.model.timeline.span_lane import SpanLane, stacked
from db.labelling.labels import LabelKind
from db.labelling.readings import PREFIX

DEEPEST = 4
"""So many lanes spans that lie over one another take at most."""
_OVERLAPPING = (LabelKind.TRIM, LabelKind.COMMENT)

_Group = tuple[bool, LabelKind, str]


class LabelLanes:
    """Nothing is told and nothing subscribes: what is asked for after an edit is sorted anew where it has changed."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._revision = (-1, -1)
        self._spans: dict[_Group, list[Span]] = {}
        self._lanes: dict[_Group, tuple[SpanLane, ...]] = {}
        self._is_compared = False

    def prepare(self) -> None:
        """Makes now what the first look would make, the arrays of every lane too."""
        self._follow()
        for suggested, kind, word in self._spans:
            for lane in self.lanes(kind, word, suggested=suggested):
                lane.visible(0, 0)

    @property
    def is_compared(self) -> bool:
        """Whether a second person's reading is among the suggestions."""
        self._follow()
        return self._is_compared

    def words(self, kind: LabelKind, *, suggested: bool = False) -> list[str]:
        """What the spans of a kind say that have lanes of their own: for flags their words, else "" where there are any."""
        self._follow()
        return [word for is_suggested, of, word in self._spans if (is_suggested, of) == (suggested, kind)]

    def lanes(self, kind: LabelKind, word: str = "", *, suggested: bool = False) -> tuple[SpanLane, ...]:
        """In as few lanes as hold them; one where such spans cannot overlap; none where there are none."""
        self._follow()
        group = suggested, kind, word
        spans = self._spans.get(group)
        if spans is None:
            return ()
        if group not in self._lanes:
            overlap = suggested or kind in _OVERLAPPING
            self._lanes[group] = tuple(stacked(spans, DEEPEST)) if overlap else (SpanLane(spans),)
        return self._lanes[group]

    def _follow(self) -> None:
        document = self._document
        revision = document.generation, document.edit_count
        if revision == self._revision:
            return
        self._revision, before, self._spans = revision, self._spans, {}
        self._is_compared = False
        for span in document.spans():
            group = span.suggested, span.kind, span.value if span.kind is LabelKind.FLAG else ""
            self._spans.setdefault(group, []).append(span)
            self._is_compared = self._is_compared or (span.suggested and span.source.startswith(PREFIX))
        self._lanes = {group: lanes for group, lanes in self._lanes.items() if before[group] == self._spans.get(group)}
