from __future__ import annotations

import numpy as np

from annotator.model.document import Span
from annotator.model.timeline.navigation import clamp, next_span, next_stop, previous_span, previous_stop, second_away
from db.clock import FrameClock
from db.labelling.labels import LabelKind


def span(start: int, stop: int) -> Span:
    return Span(start, stop, f"{start}-{stop}", LabelKind.INSTRUCTION, "", "ann", "person", False)


def test_frames_are_clamped() -> None:
    assert [clamp(frame, 10) for frame in (-3, 0, 9, 10)] == [0, 0, 9, 9]


def test_a_second_is_a_second_at_any_rate_and_never_stays() -> None:
    clock = FrameClock(np.array([0, 0.1e9, 0.2e9, 5e9, 5.1e9, 6.2e9], np.int64), int(7e9))
    assert second_away(clock, 0, 1) == 2
    assert second_away(clock, 2, 1) == 3
    assert second_away(clock, 3, -1) == 2
    assert second_away(clock, 4, -1) == 2
    assert second_away(clock, 5, 1) == 5
    assert second_away(clock, 0, -1) == 0


def test_presses_before_and_after() -> None:
    presses = np.array([3, 8], np.int64)
    assert [next_stop(presses, frame) for frame in (0, 3, 8)] == [3, 8, None]
    assert [previous_stop(presses, frame) for frame in (3, 8, 20)] == [None, 3, 8]
    assert next_stop(np.zeros(0, np.int64), 0) is None


def test_tab_goes_from_span_to_span() -> None:
    spans = [span(5, 10), span(20, 30)]
    assert next_span(spans, 0) == spans[0]
    assert next_span(spans, 12) == spans[1]
    assert next_span(spans, 0, spans[0].entity_id) == spans[1]
    assert next_span(spans, 0, spans[1].entity_id) is None
    assert previous_span(spans, 12) == spans[0]
    assert previous_span(spans, 12, spans[1].entity_id) == spans[0]
    assert previous_span(spans, 2) is None
