"""The spans of one row of the timeline as sorted arrays, and how spans that overlap are put into rows. Qt-free."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from annotator.model.document import Span
from db.clock import Int64


@dataclass(frozen=True, eq=False)
class SpanLane:
    """Spans ordered by their start; they may overlap."""

    spans: Sequence[Span] = ()

    def __len__(self) -> int:
        return len(self.spans)

    def __contains__(self, span: object) -> bool:
        return span in self.spans

    @cached_property
    def starts(self) -> Int64:
        return np.array([span.start for span in self.spans], np.int64)

    @cached_property
    def stops(self) -> Int64:
        return np.array([span.stop for span in self.spans], np.int64)

    def visible(self, left: float, right: float) -> slice:
        """The fewest neighbours that hold every span which touches `[left, right]`."""
        first = int(np.searchsorted(self._reach, left, "left"))
        return slice(first, max(first, int(np.searchsorted(self.starts, right, "right"))))

    @cached_property
    def _reach(self) -> Int64:
        """The last stop of each span and those before it."""
        return np.maximum.accumulate(self.stops) if len(self.spans) else self.stops


def stacked(spans: Iterable[Span], deepest: int) -> list[SpanLane]:
    """Spans, ordered by start, in as few rows as hold them without overlap, at most `deepest`.

    Where more lie over one another, the others go where they hide least. The first row has the first span.
    """
    rows: list[list[Span]] = []
    ends: list[int] = []
    for span in spans:
        at = next((i for i, end in enumerate(ends) if end <= span.start), len(rows))
        if at == len(rows) and at == deepest:
            at = ends.index(min(ends))
        if at == len(rows):
            rows.append([])
            ends.append(0)
        rows[at].append(span)
        ends[at] = max(ends[at], span.stop)
    return [SpanLane(row) for row in rows]
