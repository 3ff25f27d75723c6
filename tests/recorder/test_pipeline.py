"""The screen's thread: its schedule, and how it tells a picture that is the same again."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from recorder.frames import FrameQueue
from recorder.pipeline import ScreenPump, next_tick
from recorder.screen.synthetic import SyntheticScreen, read_index

SIZE_PX = (322, 178)


@pytest.mark.parametrize(
    ("tick", "passed", "expected"),
    [(0, 0.1, 1), (3, 3.9, 4), (3, 4.0, 4), (3, 4.99, 4), (3, 5.0, 5), (3, 9.5, 9)],
)
def test_a_tick_is_taken_until_the_next_one_is_due(tick, passed, expected):
    assert next_tick(tick, passed) == expected


class OneByteApart(SyntheticScreen):
    """Pictures in pairs: the second of a pair is the first again, the next differs from it in a single byte."""

    def grab(self, *, blank_if_covered=False):
        grab = super().grab()
        number = (self.grabs - 1) // 2
        grab.bgra[:] = 90
        grab.bgra.reshape(-1)[number * 10_007 % grab.bgra.size] = 91
        return grab


def test_only_pictures_that_are_the_same_in_every_byte_are_duplicates():
    frames = FrameQueue(240, 1)
    pump = ScreenPump(OneByteApart(SIZE_PX), 240)
    pump.start()
    pump.begin(frames)
    shots = []
    while len(shots) < 40:
        shot = frames.get(1)
        assert shot is not None
        shots.append(shot)
    pump.close()
    assert frames.dropped == 0
    assert any(shot.duplicate for shot in shots)
    for before, shot in itertools.pairwise(shots):
        assert shot.duplicate == np.array_equal(before.grab.bgra, shot.grab.bgra)


def test_every_queued_picture_is_a_new_one():
    frames = FrameQueue(240, 1)
    pump = ScreenPump(SyntheticScreen(SIZE_PX), 240)
    pump.start()
    pump.begin(frames)
    indices = []
    while len(indices) < 20:
        shot = frames.get(1)
        assert shot is not None
        assert not shot.duplicate
        indices.append(read_index(shot.grab.bgra))
    pump.close()
    assert indices == list(range(indices[0], indices[0] + 20))
