"""The comparison itself: it must find what is missing and what is invented, or its verdict on a recording is worth nothing."""

from __future__ import annotations

from typing import Any

from games.engine import BINDINGS, KEY_A, KEY_W, LOOK, TIC_NS, TURN, TURN_DEG_PER_PX
from games.witness import Change, Motion, compare

PRESS, RELEASE = Change(5 * TIC_NS + 1000, KEY_W, 1), Change(9 * TIC_NS + 1000, KEY_W, 0)


def _log(pressed: dict[int, range], turned_px: int = 0) -> list[dict[str, Any]]:
    """Twenty tics in which these codes are down in these tics, and the view turns once, in tic 3."""
    rows = []
    for number in range(20):
        action = {button.name: float(number in pressed.get(code, ())) for code, (_, _, button) in BINDINGS.items()}
        turn_deg = turned_px * TURN_DEG_PER_PX
        angle_deg = 90.0 - (turn_deg if number >= 3 else 0)
        action |= {TURN.name: turn_deg if number == 3 else 0.0, LOOK.name: 0.0}
        row = {
            "kind": "tic",
            "t_ns": number * TIC_NS,
            "episode": 0,
            "episode_tic": number,
            "angle_deg": angle_deg,
            "pitch_deg": 0.0,
        }
        rows.append(row | {"action": action})
    return rows


def test_what_agrees_is_exact() -> None:
    account = compare([PRESS, RELEASE], [Motion(2 * TIC_NS, 40, 0)], _log({KEY_W: range(7, 11)}, turned_px=40))
    assert account.exact
    assert account.changes == 2
    assert account.offsets_ns == (2 * TIC_NS - 1000, 2 * TIC_NS - 1000)
    assert account.motion_offsets_ns == ()  # too close to the start to follow a still stretch


def test_unseen_event_is_missing() -> None:
    account = compare([PRESS, RELEASE], [], _log({}))
    assert account.missing == (PRESS, RELEASE)
    assert not account.exact


def test_unexplained_change_is_invented() -> None:
    account = compare([PRESS, RELEASE], [], _log({KEY_W: range(7, 11), KEY_A: range(2, 5)}))
    assert [(change.code, change.value) for change in account.invented] == [(KEY_A, 1), (KEY_A, 0)]
    assert not account.missing


def test_event_shown_before_it_happened_or_far_too_late_does_not_count() -> None:
    assert compare([PRESS], [], _log({KEY_W: range(3, 20)})).missing == (PRESS,)
    assert compare([PRESS], [], _log({KEY_W: range(15, 20)})).missing == (PRESS,)


def test_lost_motion_is_not_exact() -> None:
    account = compare([], [Motion(0, 40, 0), Motion(1, 3, 0)], _log({}, turned_px=40))
    assert (account.moved_px[0], round(account.turned_px[0], 3)) == (43, 40)
    assert not account.exact
