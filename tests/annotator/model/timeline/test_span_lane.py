"""Spans of a row: what is in view, and how those that overlap are put into rows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from annotator.model.document import Span
from annotator.model.timeline.span_lane import SpanLane, stacked
from db.labelling.labels import LabelKind

STRETCHES = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 30)), max_size=30)


def spans_of(stretches: list[tuple[int, int]]) -> list[Span]:
    made = [
        Span(start, start + length, f"{i:04}", LabelKind.COMMENT, "", "ann", "person", False)
        for i, (start, length) in enumerate(stretches)
    ]
    return sorted(made)


@given(STRETCHES, st.integers(0, 90), st.integers(0, 40))
def test_the_slice_in_view_holds_every_span_that_touches_it(stretches, left, width) -> None:
    lane = SpanLane(spans_of(stretches))
    seen = lane.spans[lane.visible(left, left + width)]
    assert {s for s in lane.spans if s.stop >= left and s.start <= left + width} <= set(seen)


def test_of_spans_that_do_not_overlap_only_those_in_view_are_in_the_slice() -> None:
    lane = SpanLane(spans_of([(i * 10, 5) for i in range(100)]))
    assert [s.start for s in lane.spans[lane.visible(501, 522)]] == [500, 510, 520]
    assert lane.spans[lane.visible(-9, -3)] == []


@given(STRETCHES, st.integers(1, 5))
def test_rows_hold_every_span_once_and_overlap_only_where_they_may_not_be_more(stretches, deepest) -> None:
    spans = spans_of(stretches)
    rows = stacked(spans, deepest)
    assert sorted(span for row in rows for span in row.spans) == spans
    depth = max((sum(s.start <= at < s.stop for s in spans) for at in range(100)), default=0)
    assert len(rows) == min(depth, deepest)
    if depth <= deepest:
        for row in rows:
            assert all(a.stop <= b.start for a, b in zip(row.spans, row.spans[1:], strict=False))
