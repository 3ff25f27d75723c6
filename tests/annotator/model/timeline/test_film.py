"""Which pictures a strip shows: every 2**k-th keyframe, the whole view covered."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from annotator.model.timeline.axis import Axis
from annotator.model.timeline.film import LEAST_SHARE, keyframe_at, slots

PICTURE_PX = 80.0


@given(st.integers(1, 20_000), st.integers(1, 90), st.floats(1, 500), st.floats(0, 1))
def test_slots_cover_the_view_without_overlap(frames, apart, zoom, where) -> None:
    keyframes = np.arange(0, frames, apart)
    axis = Axis.whole(frames, 700).zoomed(zoom, where * 700)
    found = slots(axis, keyframes, PICTURE_PX)
    assert found[0].left <= 1e-6
    assert found[-1].right >= min(axis.x(frames), 700) - 1e-6
    assert all(abs(a.right - b.left) < 1e-6 for a, b in itertools.pairwise(found))
    assert {slot.frame for slot in found} <= set(keyframes.tolist())


def test_pictures_are_not_squeezed_and_zooming_in_keeps_those_that_are_there() -> None:
    keyframes = np.arange(0, 108_000, 30)
    axis, before = Axis.whole(108_000, 700), set()
    for _ in range(12):
        found = slots(axis, keyframes, PICTURE_PX)
        widths = [slot.right - slot.left for slot in found[:-1]]
        assert all(width >= LEAST_SHARE * PICTURE_PX - 1e-6 for width in widths)
        shown = {slot.frame for slot in found}
        assert {frame for frame in before if axis.left <= frame < axis.right} <= shown
        before, axis = shown, axis.zoomed(2, 300)
    assert len(found) <= 2


def test_the_only_keyframe_of_a_session_fills_the_view_at_every_zoom() -> None:
    axis = Axis.whole(2000, 700).zoomed(20, 600)
    assert [slot.frame for slot in slots(axis, np.array([0]), PICTURE_PX)] == [0]


def test_a_frame_is_decoded_from_the_keyframe_at_or_before_it() -> None:
    keyframes = np.array([0, 30, 75])
    assert [keyframe_at(keyframes, frame) for frame in (0, 29, 30, 74, 75, 500)] == [0, 0, 30, 30, 75, 75]
