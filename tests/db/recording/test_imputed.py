"""What a model imputed stands in for a recording, once a person has confirmed it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.clock import FrameClock
from db.errors import BadArgument
from db.labelling.labels import Edit, LabelKind
from db.recording.actions import resolve
from db.recording.corrections import (
    ImputedCorrection,
    KeyCorrection,
    MotionCorrection,
    Overlay,
    correct,
    corrections_of,
    read_correction,
)
from db.recording.events import Gap, GapReason
from recordings import KEY_A, KEY_W, facts_of, found_down, frame_times, key, move

FRAMES, STEP_NS, START_NS = 100, 10_000_000, 10**9
TIMES = frame_times(FRAMES, STEP_NS, START_NS)
CLOCK = FrameClock(np.array(TIMES, np.int64), TIMES[-1] + STEP_NS)


def at(frame: float) -> int:
    return START_NS + round(frame * STEP_NS)


def said(
    *holds: tuple[float, float], code: int = KEY_W, moves: tuple = (), confidence: float = 0.9
) -> ImputedCorrection:
    keys = (KeyCorrection(code=code, holds_ns=tuple((at(a), at(b)) for a, b in holds)),) if holds else ()
    return ImputedCorrection(confidence=confidence, keys=keys, moves=moves)


def held(facts, overlays, code: int = KEY_W) -> list[int]:
    """The frames in which a key is active."""
    track = resolve(correct(facts, CLOCK, overlays), CLOCK.edges_ns, codes=[code])
    return np.flatnonzero(track.active[:, 0]).tolist()


def known(facts, overlays) -> list[int]:
    return np.flatnonzero(resolve(correct(facts, CLOCK, overlays), CLOCK.edges_ns).known).tolist()


def gap(first: float, last: float) -> Gap:
    return Gap(at(first), at(last), GapReason.LOST)


def test_a_stretch_without_inputs_becomes_known() -> None:
    facts = facts_of(gaps=[Gap(0, 10**15, GapReason.UNRECORDED)])
    assert known(facts, []) == []
    overlays = [Overlay(20, 40, said((22, 30), moves=((at(25), 3.0, -2.0), (at(90), 1.0, 1.0))))]
    assert known(facts, overlays) == list(range(20, 40))
    assert held(facts, overlays) == list(range(22, 30))
    track = resolve(correct(facts, CLOCK, overlays), CLOCK.edges_ns)
    assert track.motion[25].tolist() == [3.0, -2.0]
    assert float(np.abs(track.motion).sum()) == 5.0
    assert track.presses.sum() == 1


def test_holds_that_go_on_over_pieces_are_one_press() -> None:
    facts = facts_of(gaps=[gap(0, 100)])
    overlays = [Overlay(0, 20, said((10, 20))), Overlay(20, 40, said((20, 25)))]
    track = resolve(correct(facts, CLOCK, overlays), CLOCK.edges_ns, codes=[KEY_W])
    assert np.flatnonzero(track.active[:, 0]).tolist() == list(range(10, 25))
    assert (int(track.presses.sum()), int(track.releases.sum())) == (1, 1)


def test_what_was_recorded_around_it_goes_on() -> None:
    events = [key(at(2), KEY_W, 1), found_down(at(40), KEY_W), key(at(60), KEY_W, 0)]
    facts = facts_of(events, [gap(20, 40)])
    assert held(facts, []) == [*range(2, 20), *range(40, 60)]
    whole = [Overlay(20, 40, said((20, 40)))]
    track = resolve(correct(facts, CLOCK, whole), CLOCK.edges_ns, codes=[KEY_W])
    assert np.flatnonzero(track.active[:, 0]).tolist() == list(range(2, 60))
    assert (int(track.presses.sum()), int(track.releases.sum())) == (1, 1)
    assert held(facts, [Overlay(20, 40, said())]) == [*range(2, 20), *range(40, 60)]


def test_a_part_of_a_gap_leaves_the_rest_unknown() -> None:
    events = [key(at(2), KEY_W, 1), found_down(at(60), KEY_W), key(at(61), KEY_W, 0)]
    facts = facts_of(events, [gap(20, 60)])
    overlays = [Overlay(30, 40, said((30, 40)))]
    assert known(facts, overlays) == [*range(20), *range(30, 40), *range(60, 100)]
    assert held(facts, overlays) == [*range(2, 20), *range(30, 40), 60]


def test_over_known_frames_it_replaces_what_was_recorded() -> None:
    events = [key(at(5), KEY_W, 1), move(at(12), 9.0, 9.0), key(at(30), KEY_W, 0)]
    overlays = [Overlay(10, 20, said((12, 14), code=KEY_A))]
    facts = facts_of(events)
    assert held(facts, overlays) == [*range(5, 10), *range(20, 30)]
    assert held(facts, overlays, KEY_A) == [12, 13]
    assert resolve(correct(facts, CLOCK, overlays), CLOCK.edges_ns).motion.sum() == 0


def test_a_persons_correction_lies_over_it_whenever_it_was_made() -> None:
    facts = facts_of(gaps=[gap(0, 100)])
    by_hand = Overlay(20, 30, KeyCorrection(code=KEY_W))
    imputed = Overlay(0, 100, said((10, 50), moves=((at(60), 4.0, 2.0),)))
    still = Overlay(55, 65, MotionCorrection())
    for order in ([by_hand, still, imputed], [imputed, still, by_hand]):
        assert held(facts, order) == [*range(10, 20), *range(30, 50)]
        assert resolve(correct(facts, CLOCK, order), CLOCK.edges_ns).motion.sum() == 0


def test_of_two_the_later_one_counts() -> None:
    facts = facts_of(gaps=[gap(0, 100)])
    overlays = [Overlay(0, 50, said((0, 50))), Overlay(20, 30, said((22, 24)))]
    assert held(facts, overlays) == [*range(20), 22, 23, *range(30, 50)]


def test_a_suggestion_changes_nothing_and_a_confirmed_one_does() -> None:
    edit = Edit(
        session_id="s", kind=LabelKind.ACTION, start=3, stop=9, value=said((3, 5)).model_dump_json(), author="ann",
        source="run:idm-1", suggested=True,
    )  # fmt: skip
    assert corrections_of([edit]) == []
    [overlay] = corrections_of([edit.revised("ann", suggested=False)])
    assert isinstance(overlay.correction, ImputedCorrection)
    assert overlay.correction.confidence == 0.9


def test_a_confidence_is_said_only_where_there_is_one() -> None:
    assert "confidence" not in KeyCorrection(code=KEY_W).model_dump_json()
    again = read_correction(KeyCorrection(code=KEY_W, confidence=0.8).model_dump_json())
    assert isinstance(again, KeyCorrection)
    assert again.confidence == 0.8


@pytest.mark.parametrize(
    "value",
    [
        '{"kind": "imputed"}',
        '{"kind": "imputed", "confidence": 2}',
        '{"kind": "imputed", "confidence": 1, "keys": [{"code": 17}, {"code": 17}]}',
        '{"kind": "imputed", "confidence": 1, "moves": [[5, 1, 1], [4, 1, 1]]}',
        '{"kind": "imputed", "confidence": 1, "moves": [[5, 1e999, 1]]}',
    ],
)
def test_nonsense_is_refused(value: str) -> None:
    with pytest.raises(BadArgument):
        read_correction(value)


stretches = (
    st.tuples(st.integers(0, 99), st.integers(1, 100)).map(lambda e: (min(e), max(e))).filter(lambda e: e[0] < e[1])
)


@given(
    st.lists(stretches, max_size=3),
    st.lists(st.tuples(st.integers(0, 99), st.booleans()), max_size=8),
    st.lists(st.tuples(stretches, st.lists(stretches, max_size=3)), min_size=1, max_size=4),
)
def test_within_it_is_as_imputed_and_outside_as_recorded(gaps, changes, imputations) -> None:
    events = [key(at(frame) + i, KEY_W, int(down)) for i, (frame, down) in enumerate(sorted(changes))]
    facts = facts_of(events, [gap(a, b) for a, b in _united(gaps)])
    before = resolve(facts, CLOCK.edges_ns, codes=[KEY_W])
    wanted, is_known = before.active[:, 0].copy(), before.known.copy()
    inside = np.zeros(FRAMES, np.bool_)
    overlays = []
    for (start, stop), holds in imputations:
        holds = [(a, b) for a, b in _united(holds)]
        overlays.append(Overlay(start, stop, said(*holds)))
        wanted[start:stop], is_known[start:stop], inside[start:stop] = False, True, True
        for a, b in holds:
            wanted[max(a, start) : max(min(b, stop), max(a, start))] = True
    after = resolve(correct(facts, CLOCK, overlays), CLOCK.edges_ns, codes=[KEY_W])
    assert after.known.tolist() == is_known.tolist()
    assert after.active[inside, 0].tolist() == wanted[inside].tolist()
    outside = ~inside & is_known
    assert after.active[outside, 0].tolist() == wanted[outside].tolist()


def _united(found: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ascending and not touching."""
    mask = np.zeros(FRAMES + 2, np.bool_)
    for a, b in found:
        mask[a:b] = True
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]
