"""The keys of a session as they lie on a keyboard."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from annotator.model.timeline.key_layout import MOST_WIDTH, extent, lay_out
from db.recording.keys import BTN_LEFT, CODES, NAMES, is_pointer_button

KEYS = st.sets(st.sampled_from(sorted(NAMES)) | st.integers(1, 0x2FF))


def named(*names: str) -> list[int]:
    return [CODES[name] for name in names]


@given(KEYS)
def test_every_key_but_the_mouses_buttons_has_a_place_of_its_own(codes) -> None:
    caps = lay_out(codes)
    assert {cap.code for cap in caps} == {code for code in codes if not is_pointer_button(code)}
    assert len(caps) == len({cap.code for cap in caps})
    for row in range(extent(caps)[1]):
        line = sorted((cap for cap in caps if cap.row == row), key=lambda cap: cap.x)
        assert line, "no row is empty"
        assert all(left.right <= right.x + 1e-6 for left, right in itertools.pairwise(line))
    assert all(cap.x >= -1e-6 for cap in caps)


def test_the_block_of_wasd_is_as_on_a_keyboard_and_nothing_is_around_it() -> None:
    w, a, s, d = (next(cap for cap in lay_out(named("KEY_W", "KEY_A", "KEY_S", "KEY_D")) if cap.code == code)
                  for code in named("KEY_W", "KEY_A", "KEY_S", "KEY_D"))  # fmt: skip
    assert (w.row, a.row, s.row, d.row) == (0, 1, 1, 1)
    assert a.x == 0
    assert a.right == s.x
    assert s.right == d.x
    assert a.x < w.x < s.right
    assert extent((w, a, s, d)) == (3.0, 2)


def test_far_keys_move_near_and_the_space_bar_ends_with_what_stands_over_it() -> None:
    caps = {cap.code: cap for cap in lay_out(named("KEY_W", "KEY_D", "KEY_SPACE", "KEY_LEFT", "KEY_KP5"))}
    assert extent(tuple(caps.values()))[0] < 8
    assert caps[CODES["KEY_SPACE"]].width < 3
    assert caps[CODES["KEY_LEFT"]].x > caps[CODES["KEY_SPACE"]].right


def test_a_gamepads_buttons_stand_above_the_keys_and_go_on_in_a_next_row() -> None:
    pad = [code for name, code in CODES.items() if name.startswith("BTN_TRIGGER_HAPPY")][:20]
    caps = lay_out([*pad, *named("KEY_W"), BTN_LEFT])
    key = next(cap for cap in caps if cap.code == CODES["KEY_W"])
    assert key.row > 1
    assert all(cap.row < key.row for cap in caps if cap is not key)
    assert extent(caps)[0] <= MOST_WIDTH
