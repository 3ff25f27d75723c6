from __future__ import annotations

import numpy as np
import pytest

from annotator.model.timeline.places import find_place
from db.clock import FrameClock
from db.errors import BadArgument

CLOCK = FrameClock(10**9 + np.arange(3000, dtype=np.int64) * 50_000_000, 10**9 + 3000 * 50_000_000)
"""150 s at 20 Hz."""


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        ("1:23.4", 1668),
        ("0:01:23.4", 1668),
        ("83,4", 1668),
        ("83.4 s", 1668),
        ("0", 0),
        (".5", 10),
        ("2:30", 2999),
        ("f 1234", 1234),
        ("F1234", 1234),
        ("#0", 0),
        ("frame 2999", 2999),
        ("+5", 1100),
        ("-2.5", 950),
        ("+ 1:00", 2200),
        ("-1:00", 0),
        ("+999999999999", 2999),
        ("+10f", 1010),
        ("- f3", 997),
        ("-5000f", 0),
        ("  7 ", 140),
        ("0.049", 0),
        ("0.05", 1),
    ],
)
def test_what_is_typed_is_found(text: str, frame: int) -> None:
    assert find_place(text, CLOCK, 1000) == frame


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no time and no frame; type 1:23.4, f 1234"),
        ("soon", "'soon' is no time"),
        ("f", "no time"),
        ("f -3", "no time"),
        ("f 3000", "no frame 3000; the last one is 2999"),
        ("1:75", "end at 59"),
        ("1:60:00", "end at 59"),
        ("2:31", "after the end, which is at 2:30.0"),
        ("300", "Type f 300 for the frame"),
        ("nan", "no time"),
        ("1e3", "no time"),
        ("1:2:3:4", "no time"),
    ],
)
def test_what_is_no_place_says_why(text: str, reason: str) -> None:
    with pytest.raises(BadArgument, match=reason):
        find_place(text, CLOCK, 1000)
