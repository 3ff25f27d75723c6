"""What the gate lets through, decided on reports alone."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.recording.actions import InputFacts, resolve
from db.recording.events import Actor, ActorKind, EventKind, Gap, GapReason, InputEvent, Origin, to_array
from db.recording.keys import BTN_LEFT
from recorder.hotkeys import Hotkey
from recorder.inputs.gate import HOLD_NS, Gate, KeyRules
from recorder.inputs.source import FocusChange, Watch

MS = 1_000_000
W, A, F12 = 17, 30, 88


def watch(held=(), focused=True, inside=True):
    return Watch(0, held, FocusChange(0, focused, inside), ("keyboard", "mouse"))


def key(t_ms, code, value, device=0):
    return InputEvent(t_ms * MS, EventKind.KEY, code, value, device=device)


def move(t_ms, x, y):
    return InputEvent(t_ms * MS, EventKind.MOTION, x=x, y=y)


def focus(t_ms, keyboard, pointer=True):
    return FocusChange(t_ms * MS, keyboard, pointer)


def pass_through(reports, stop_ms=10_000, **more):
    """(time in ms, code, value, origin) of every key row, and the gaps in ms."""
    gate = Gate(more.pop("watch", watch()), chunk_ns=10**15, **more)
    gate.begin(0)
    rows = []
    gaps = []
    for report in reports:
        gate.feed(report)
        ready = gate.release(report.t_ns)
        rows += ready.events
        gaps += ready.gaps
    last = gate.finish(stop_ms * MS)
    return rows + last.events, gaps + last.gaps


def keys_of(rows):
    return [(row.t_ns // MS, row.code, row.value, row.origin) for row in rows if row.kind is EventKind.KEY]


def test_a_press_and_a_release_pass():
    rows, gaps = pass_through([key(5, W, 1), key(9, W, 0)])
    assert keys_of(rows) == [(5, W, 1, Origin.DEVICE), (9, W, 0, Origin.DEVICE)]
    assert gaps == []


def test_repeats_are_dropped():
    rows, _ = pass_through([key(5, W, 1), key(6, W, 1), key(7, W, 1), key(9, W, 0), key(10, W, 0)])
    assert [row[:3] for row in keys_of(rows)] == [(5, W, 1), (9, W, 0)]


def test_two_keyboards_hold_one_key():
    rows, _ = pass_through(
        [key(1, W, 1, device=0), key(2, W, 1, device=1), key(3, W, 0, device=0), key(4, W, 0, device=1)]
    )
    assert [row[:3] for row in keys_of(rows)] == [(1, W, 1), (4, W, 0)]


def test_held_at_the_start_and_at_the_stop():
    rows, _ = pass_through([key(5, W, 0), key(6, A, 1)], stop_ms=50, watch=watch(held=(W,)))
    assert keys_of(rows) == [
        (0, W, 1, Origin.SNAPSHOT),
        (5, W, 0, Origin.DEVICE),
        (6, A, 1, Origin.DEVICE),
        (50, A, 0, Origin.CLOSING),
    ]


def test_focus_lost_closes_holds_and_its_return_is_a_snapshot():
    reports = [
        key(5, W, 1),
        focus(10, False),
        key(12, A, 1),
        key(13, A, 0),
        key(14, A, 1),
        focus(20, True),
        key(30, W, 0),
    ]
    rows, gaps = pass_through(reports, stop_ms=40)
    assert keys_of(rows) == [
        (5, W, 1, Origin.DEVICE),
        (10, W, 0, Origin.CLOSING),
        (20, W, 1, Origin.SNAPSHOT),
        (30, W, 0, Origin.DEVICE),
    ]
    assert gaps == [Gap(10 * MS, 20 * MS, GapReason.UNFOCUSED)]


def test_what_was_pressed_elsewhere_stays_unwritten_until_it_is_up():
    """The last letter of what was typed into another window, and the key that opened it, are still down on return."""
    reports = [key(5, W, 1), key(10, F12, 1), focus(10, False), key(12, A, 1), focus(20, True), key(30, A, 0)]
    rows, _ = pass_through([*reports, key(31, F12, 0), key(35, A, 1), key(36, A, 0), key(37, W, 0)])
    assert keys_of(rows) == [
        (5, W, 1, Origin.DEVICE),
        (10, W, 0, Origin.CLOSING),
        (20, W, 1, Origin.SNAPSHOT),
        (35, A, 1, Origin.DEVICE),
        (36, A, 0, Origin.DEVICE),
        (37, W, 0, Origin.DEVICE),
    ]


def test_what_was_pressed_while_muted_stays_unwritten_until_it_is_up():
    gate = Gate(watch())
    gate.begin(0)
    gate.mute(True, 10 * MS)
    gate.feed(key(11, A, 1))
    gate.mute(False, 20 * MS)
    gate.feed(key(25, A, 0))
    assert keys_of(gate.finish(40 * MS).events) == []


def test_the_click_that_brings_the_focus_is_the_window_s():
    rows, _ = pass_through([key(10, BTN_LEFT, 1), focus(11, True), key(20, BTN_LEFT, 0)], watch=watch(focused=False))
    assert keys_of(rows) == [(11, BTN_LEFT, 1, Origin.SNAPSHOT), (20, BTN_LEFT, 0, Origin.DEVICE)]


def test_the_key_that_moved_the_focus_is_taken_back():
    rows, _ = pass_through([key(5, W, 1), key(10, A, 1), focus(10, False), key(11, A, 0)], stop_ms=40)
    assert keys_of(rows) == [(5, W, 1, Origin.DEVICE), (10, W, 0, Origin.CLOSING)]


def test_a_focus_that_never_left_leaves_no_gap():
    rows, gaps = pass_through([key(10, A, 1), focus(10, False), focus(10, True), key(11, A, 0)], stop_ms=40)
    assert [row[:3] for row in keys_of(rows)] == [(10, A, 1), (11, A, 0)]
    assert gaps == []


def test_what_was_missed_in_an_instant_away_is_not_assumed():
    rows, _ = pass_through([key(5, A, 1), focus(10, False), key(10, A, 0), focus(10, True), key(11, A, 1)], stop_ms=40)
    assert keys_of(rows) == [
        (5, A, 1, Origin.DEVICE),
        (9, A, 0, Origin.CLOSING),
        (11, A, 1, Origin.DEVICE),
        (40, A, 0, Origin.CLOSING),
    ]


def test_away_and_back_within_one_stamp_still_leaves_a_gap():
    rows, gaps = pass_through(
        [key(5, A, 1), focus(10, False), key(10, W, 1), key(10, W, 0), focus(10, True), key(12, A, 0)]
    )
    assert gaps == [Gap(10 * MS - 1, 10 * MS, GapReason.UNFOCUSED)]
    assert [row[1:] for row in keys_of(rows)] == [
        (A, 1, Origin.DEVICE),
        (A, 0, Origin.CLOSING),
        (A, 1, Origin.SNAPSHOT),
        (A, 0, Origin.DEVICE),
    ]


def test_two_absences_within_one_stamp_are_one():
    away = [focus(10, False), move(10, 3, 3), focus(10, True)]
    rows, gaps = pass_through([key(5, A, 1), *away, key(10, W, 1), *away, key(12, A, 0)])
    assert gaps == [Gap(10 * MS - 1, 10 * MS, GapReason.UNFOCUSED)]
    assert [(row.code, row.origin) for row in rows if row.t_ns == 10 * MS] == [(A, Origin.SNAPSHOT)]


def test_an_open_gap_is_written_in_pieces():
    gate = Gate(watch(), chunk_ns=500 * MS)
    gate.begin(0)
    gate.feed(focus(100, False))
    gaps = [gap for t_ms in range(0, 2000, 10) for gap in gate.release(t_ms * MS).gaps]
    gaps += gate.finish(2000 * MS).gaps
    assert gaps[0].start_ns == 100 * MS
    assert gaps[-1].stop_ns == 2000 * MS
    assert len(gaps) >= 3
    assert all(a.stop_ns == b.start_ns for a, b in itertools.pairwise(gaps))


def test_the_pointer_outside_is_not_the_game_s():
    click_out = [key(10, BTN_LEFT, 1), key(11, BTN_LEFT, 0)]
    rows, gaps = pass_through(
        [move(1, 5, 5), focus(2, True, False), move(3, 9, 9), *click_out, focus(20, True), move(21, 1, 1)]
    )
    assert [(row.x, row.y) for row in rows] == [(5, 5), (1, 1)]
    assert gaps == []


def test_a_drag_that_leaves_the_window_stays_the_game_s():
    reports = [key(1, BTN_LEFT, 1), focus(2, True, False), move(3, 9, 9), key(4, BTN_LEFT, 0), move(5, 7, 7)]
    rows, _ = pass_through(reports)
    assert [row[:3] for row in keys_of(rows)] == [(1, BTN_LEFT, 1), (4, BTN_LEFT, 0)]
    assert [(row.x, row.y) for row in rows if row.kind is EventKind.MOTION] == [(9, 9)]


def test_hotkeys_are_never_written():
    rows, _ = pass_through(
        [key(1, F12, 1), focus(5, False), focus(9, True), key(10, F12, 0)], rules=KeyRules(hidden=[Hotkey(F12)])
    )
    assert keys_of(rows) == []


CTRL, ALT, M, N, F8 = 29, 56, 50, 49, 66


def test_a_hotkey_with_a_modifier_leaves_its_plain_key_alone():
    reports = [key(1, M, 1), key(2, M, 0), key(3, CTRL, 1), key(4, M, 1), key(5, CTRL, 0), key(6, M, 0), key(7, M, 1)]
    rows, _ = pass_through(reports, rules=KeyRules(hidden=[Hotkey(M, frozenset({"ctrl"}))]), stop_ms=9)
    assert [row[:3] for row in keys_of(rows)] == [(1, M, 1), (2, M, 0), (7, M, 1), (9, M, 0)]


CHORD = KeyRules(hidden=[Hotkey(M, frozenset({"ctrl", "alt"})), Hotkey(N, frozenset({"ctrl", "alt"}))])


def test_the_modifiers_of_a_hotkey_are_never_written():
    reports = [
        key(5, W, 1), key(10, CTRL, 1), key(400, ALT, 1), key(500, A, 0), key(700, M, 1), key(750, M, 0), key(800, N, 1),
        key(850, N, 0), key(860, ALT, 0), key(870, CTRL, 0), key(900, CTRL, 1), key(2500, CTRL, 0), key(2600, W, 0),
    ]  # fmt: skip
    rows, _ = pass_through(reports, rules=CHORD)
    assert [row[:3] for row in keys_of(rows)] == [(5, W, 1), (900, CTRL, 1), (2500, CTRL, 0), (2600, W, 0)]


@pytest.mark.parametrize(
    "reports",
    [
        pytest.param([key(10, CTRL, 1), key(60, A, 1), key(70, A, 0), key(300, CTRL, 0)], id="another key came"),
        pytest.param([key(10, CTRL, 1), key(40, CTRL, 0), key(50, A, 1), key(60, A, 0)], id="it was let go"),
        pytest.param([key(10, CTRL, 1), key(1500, A, 1), key(1600, A, 0), key(1700, CTRL, 0)], id="it stayed alone"),
    ],
)
def test_modifiers_that_begin_no_hotkey_are_written_in_their_order(reports):
    gate = Gate(watch(), rules=CHORD)
    gate.begin(0)
    rows = []
    for report in reports:
        gate.feed(report)
        rows += gate.release(report.t_ns).events
    rows += gate.release(1800 * MS).events
    assert [(row.t_ns, row.code, row.value) for row in rows] == [(r.t_ns, r.code, r.value) for r in reports]


def test_a_modifier_waits_for_its_hotkey_a_second_at_most():
    gate = Gate(watch(), rules=CHORD)
    gate.begin(0)
    gate.feed(key(10, CTRL, 1))
    gate.feed(move(20, 3, 0))
    assert gate.release(1009 * MS).events == []
    assert [row.t_ns for row in gate.release(1011 * MS).events] == [10 * MS, 20 * MS]


def test_plain_hotkeys_make_nothing_wait():
    gate = Gate(watch(), rules=KeyRules(hidden=[Hotkey(F12)]))
    gate.begin(0)
    gate.feed(key(10, CTRL, 1))
    assert len(gate.release(10 * MS + HOLD_NS).events) == 1


def test_a_hotkey_with_any_modifiers_is_hidden_whatever_is_held():
    reports = [key(1, CTRL, 1), key(2, F12, 1), key(3, F12, 0), key(4, CTRL, 0)]
    rows, _ = pass_through(reports, rules=KeyRules(hidden=[Hotkey(F12, None)]))
    assert F12 not in {row[1] for row in keys_of(rows)}


def test_muting_takes_effect_at_the_key_and_marks_the_stretch():
    typed = [key(21, W, 1), key(22, W, 0), move(23, 4, 4), key(24, A, 0)]
    reports = [key(5, A, 1), key(20, F8, 1), *typed, key(30, F8, 0), key(40, F8, 1), key(41, W, 1), key(42, F8, 0)]
    rows, gaps = pass_through(reports, rules=KeyRules(mute=Hotkey(F8)), stop_ms=50)
    assert gaps == [Gap(20 * MS, 40 * MS, GapReason.MUTED)]
    assert [row[:3] for row in keys_of(rows)] == [(5, A, 1), (20, A, 0), (41, W, 1), (50, W, 0)]
    assert not [row for row in rows if row.kind is EventKind.MOTION]


def test_muted_and_away_are_told_apart():
    reports = [key(10, F8, 1), key(11, F8, 0), focus(20, False), key(30, F8, 1), key(31, F8, 0), focus(40, True)]
    _, gaps = pass_through(reports, rules=KeyRules(mute=Hotkey(F8)), stop_ms=50)
    assert gaps == [Gap(10 * MS, 20 * MS, GapReason.MUTED), Gap(20 * MS, 40 * MS, GapReason.UNFOCUSED)]


def test_only_listed_keys_are_written_and_buttons_always():
    reports = [key(1, W, 1), key(2, A, 1), key(3, BTN_LEFT, 1), focus(5, False), focus(9, True), key(10, A, 0)]
    rows, _ = pass_through(reports, rules=KeyRules(only=[W]), stop_ms=20)
    assert {row.code for row in rows} == {W, BTN_LEFT}


def test_activity_is_what_reaches_the_window():
    def axis(t_ms, x):
        return InputEvent(t_ms * MS, EventKind.AXIS, value=x, x=x, x2=0, y2=100)

    gate = Gate(watch(), rules=KeyRules(hidden=[Hotkey(F12)]))
    gate.begin(0)
    steps = [(key(5, W, 1), 5), (key(6, F12, 1), 5), (focus(7, True, False), 5), (move(8, 1, 1), 5), (axis(9, 50), 5),
             (axis(10, 55), 5), (axis(11, 70), 11), (focus(12, False), 11), (key(13, A, 1), 11)]  # fmt: skip
    for report, active_ms in steps:
        gate.feed(report)
        assert gate.active_ns == active_ms * MS


def test_started_without_the_focus():
    reports = [key(5, W, 1), focus(10, True), key(15, W, 0), key(16, A, 0), key(17, A, 1)]
    rows, gaps = pass_through(reports, watch=watch(held=(A,), focused=False), stop_ms=20)
    assert keys_of(rows) == [(17, A, 1, Origin.DEVICE), (20, A, 0, Origin.CLOSING)]
    assert gaps == [Gap(0, 10 * MS, GapReason.UNFOCUSED)]


def test_nothing_waits_longer_than_the_hold():
    gate = Gate(watch())
    gate.begin(0)
    gate.feed(key(1000, W, 1))
    assert not [row for row in gate.release(1000 * MS).events if row.t_ns]
    assert HOLD_NS <= 200 * MS
    assert [row.code for row in gate.release(1000 * MS + HOLD_NS).events] == [W]


def test_lost_rows_leave_a_gap_and_a_snapshot():
    gate = Gate(watch())
    gate.begin(0)
    gate.feed(key(5, W, 1))
    gate.release(10**12)
    rows = gate.restate(3 * MS, 8 * MS)
    assert keys_of(rows.events) == [(8, W, 1, Origin.SNAPSHOT)]
    assert rows.gaps == [Gap(3 * MS, 8 * MS, GapReason.LOST)]


def test_the_actor_is_asked_once_in_order():
    asked = []

    def attribute(event):
        asked.append(event.code)
        return 1

    rows, _ = pass_through([key(1, W, 1), focus(2, False), key(3, A, 1), focus(4, True)], attribute=attribute)
    assert asked == [W, A]
    assert [row.actor for row in rows if row.origin is Origin.DEVICE] == [1]


steps = st.lists(
    st.one_of(
        st.tuples(st.just("key"), st.sampled_from([W, A, BTN_LEFT]), st.integers(0, 1), st.integers(0, 1)),
        st.tuples(st.just("focus"), st.booleans(), st.booleans(), st.just(0)),
        st.tuples(st.just("move"), st.integers(-9, 9), st.integers(-9, 9), st.just(0)),
    ),
    max_size=40,
)


@settings(max_examples=300, deadline=None)
@given(steps, st.lists(st.integers(0, 3), min_size=40, max_size=40), st.booleans())
def test_rows_are_consistent_whatever_happens(moves, pauses, focused):
    """Changes alternate per key, times never go back, and nothing from without the focus is known to `resolve`."""
    t_ms, reports, forbidden, here = 1, [], [], focused
    for (kind, a, b, device), pause in zip(moves, pauses, strict=False):
        t_ms += pause * 40
        if kind == "focus":
            here = a
            reports.append(focus(t_ms, a, b))
        elif kind == "key":
            reports.append(key(t_ms, a, b, device))
        else:
            reports.append(move(t_ms, a, b))
            if not here:
                forbidden.append(reports[-1])
    rows, gaps = pass_through(reports, stop_ms=t_ms + 10, watch=watch(focused=focused))
    down = set()
    for row in rows:
        if row.kind is EventKind.KEY:
            assert bool(row.value) != (row.code in down)
            (down.add if row.value else down.discard)(row.code)
    assert not down
    assert [row.t_ns for row in rows] == sorted(row.t_ns for row in rows)
    assert not [row for row in rows if any(row is event for event in forbidden)]
    stop_ns = (t_ms + 10) * MS
    facts = InputFacts(to_array(rows), gaps, [Actor(kind=ActorKind.PERSON)], 0, stop_ns)
    track = resolve(facts, np.linspace(0, stop_ns, 20).astype(np.int64))
    assert len(track) == 19
    assert all(any(gap.start_ns <= event.t_ns <= gap.stop_ns for gap in gaps) for event in forbidden)


@pytest.mark.parametrize("focused", [True, False])
def test_before_the_beginning_nothing_comes_out(focused):
    gate = Gate(watch(focused=focused))
    gate.feed(key(1, W, 1))
    assert gate.release(10**12).events == []
    gate.begin(2 * MS)
    assert keys_of(gate.release(10**12).events) == ([(2, W, 1, Origin.SNAPSHOT)] if focused else [])


SOUTH, ABS_X = 0x130, 0


def axis(t_ms, value, origin=Origin.DEVICE, device=3):
    return InputEvent(t_ms * MS, EventKind.AXIS, ABS_X, value, value, x2=-100, y2=100, origin=origin, device=device)


def test_a_gamepad_follows_the_keyboard_and_not_the_pointer():
    """The pointer is elsewhere, as on a second monitor; then the keys go elsewhere too."""
    reports = [key(1, SOUTH, 1), axis(2, 50), key(3, BTN_LEFT, 1), focus(500, False, True), key(501, SOUTH, 0)]
    rows, gaps = pass_through(
        [*reports, axis(502, -50), focus(900, True, False), axis(901, 7)], watch=watch(inside=False)
    )
    positions = [(row.t_ns // MS, row.value, row.origin) for row in rows if row.kind is EventKind.AXIS]
    assert positions == [(2, 50, Origin.DEVICE), (900, -50, Origin.SNAPSHOT), (901, 7, Origin.DEVICE)]
    assert keys_of(rows) == [(1, SOUTH, 1, Origin.DEVICE), (500, SOUTH, 0, Origin.CLOSING)]
    assert gaps == [Gap(500 * MS, 900 * MS, GapReason.UNFOCUSED)]


def test_where_axes_stood_before_the_start_is_a_snapshot_until_the_device_goes():
    began = Watch(0, (SOUTH,), FocusChange(0, True, True), ("pad",), axes=(axis(0, 33, Origin.SNAPSHOT),))
    rows, _ = pass_through([axis(5, 33, Origin.CLOSING), focus(500, False), focus(900, True)], watch=began)
    positions = [(row.t_ns // MS, row.value, row.origin) for row in rows if row.kind is EventKind.AXIS]
    assert positions == [(0, 33, Origin.SNAPSHOT), (5, 33, Origin.CLOSING)]
