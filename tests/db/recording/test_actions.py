from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.recording.actions import ActionTrack, InputFacts, resolve
from db.recording.events import Actor, ActorKind, EventKind, Gap, GapReason, InputEvent, Origin
from db.recording.keys import BTN_LEFT
from recordings import KEY_A, KEY_D, KEY_W, facts_of, found_down, key, move

ACTORS = (Actor(kind=ActorKind.PERSON), Actor(kind=ActorKind.SCRIPT), Actor(kind=ActorKind.MODEL))
EDGES = np.array([0, 10, 20, 30, 40], np.int64)


def lost(start_ns: int, stop_ns: int) -> Gap:
    return Gap(start_ns, stop_ns, GapReason.LOST)


def column(track: ActionTrack, name: str, code: int = KEY_W) -> list[int]:
    return getattr(track, name)[:, track.codes.index(code)].astype(int).tolist()


def test_a_hold_lasts_as_many_intervals_as_edges_it_crosses() -> None:
    track = resolve(facts_of([key(12, KEY_W, 1), key(33, KEY_W, 0)]), EDGES)
    assert column(track, "held") == [0, 1, 1, 0]
    assert column(track, "tapped") == [0, 0, 0, 0]
    assert column(track, "presses") == [0, 1, 0, 0]
    assert column(track, "releases") == [0, 0, 0, 1]
    assert column(track, "active") == [0, 1, 1, 0]


def test_an_event_on_an_edge_belongs_to_the_interval_that_starts_there() -> None:
    track = resolve(facts_of([key(10, KEY_W, 1), key(20, KEY_W, 0), move(30, 4, -2)]), EDGES)
    assert column(track, "held") == [0, 1, 0, 0]
    assert column(track, "presses") == [0, 1, 0, 0]
    assert column(track, "releases") == [0, 0, 1, 0]
    assert track.motion.tolist() == [[0, 0], [0, 0], [0, 0], [4, -2]]


def test_events_at_or_after_the_last_edge_do_not_count() -> None:
    track = resolve(facts_of([key(40, KEY_W, 1), move(40, 1, 1), key(41, KEY_W, 0)]), EDGES)
    assert not track.held.any()
    assert not track.presses.any()
    assert not track.motion.any()
    assert not track.actors.any()


def test_a_subframe_tap_is_tapped_and_not_held() -> None:
    track = resolve(facts_of([key(12, KEY_W, 1), key(13, KEY_W, 0)]), EDGES)
    assert column(track, "held") == [0, 0, 0, 0]
    assert column(track, "tapped") == [0, 1, 0, 0]
    assert column(track, "active") == [0, 1, 0, 0]


def test_a_press_and_release_at_one_instant_on_an_edge_is_a_tap_with_its_actor() -> None:
    track = resolve(facts_of([key(10, KEY_W, 1, actor=1), key(10, KEY_W, 0, actor=1)], actors=ACTORS), EDGES)
    assert column(track, "tapped") == [0, 1, 0, 0]
    assert track.actors.tolist() == [0, 2, 0, 0]


def test_several_events_of_one_key_in_one_interval() -> None:
    taps = [key(t, KEY_W, value) for t, value in [(11, 1), (12, 0), (13, 1), (14, 0), (15, 1)]]
    track = resolve(facts_of(taps), EDGES)
    assert column(track, "held") == [0, 1, 1, 1]
    assert column(track, "tapped") == [0, 0, 0, 0]
    assert column(track, "presses") == [0, 3, 0, 0]
    assert column(track, "releases") == [0, 2, 0, 0]


def test_released_and_tapped_again_in_the_interval_is_tapped() -> None:
    events = [key(5, KEY_W, 1), key(12, KEY_W, 0), key(14, KEY_W, 1), key(16, KEY_W, 0)]
    track = resolve(facts_of(events), EDGES)
    assert column(track, "held") == [1, 0, 0, 0]
    assert column(track, "tapped") == [0, 1, 0, 0]


def test_released_and_pressed_again_in_one_interval_stays_held_and_counts_both() -> None:
    track = resolve(facts_of([key(5, KEY_W, 1), key(12, KEY_W, 0), key(14, KEY_W, 1)]), EDGES)
    assert column(track, "held") == [1, 1, 1, 1]
    assert column(track, "presses") == [1, 1, 0, 0]
    assert column(track, "releases") == [0, 1, 0, 0]


def test_a_key_found_down_is_held_without_a_press() -> None:
    track = resolve(facts_of([found_down(0, KEY_W), key(25, KEY_W, 0)]), EDGES)
    assert column(track, "held") == [1, 1, 0, 0]
    assert column(track, "presses") == [0, 0, 0, 0]
    assert column(track, "releases") == [0, 0, 1, 0]
    assert not track.tapped.any()


def test_a_key_found_down_and_released_at_once_was_never_pressed() -> None:
    track = resolve(facts_of([found_down(1, KEY_W), key(3, KEY_W, 0)]), EDGES)
    assert not track.active.any()
    assert column(track, "releases") == [1, 0, 0, 0]
    assert not track.actors.any()


def test_a_closing_ends_a_hold_without_a_release() -> None:
    track = resolve(facts_of([key(5, KEY_W, 1), key(25, KEY_W, 0, origin=Origin.CLOSING)]), EDGES)
    assert column(track, "held") == [1, 1, 0, 0]
    assert not track.releases.any()


def test_repeats_and_unmatched_releases_change_nothing() -> None:
    events = [key(2, KEY_W, 0), key(5, KEY_W, 1), key(12, KEY_W, 1), found_down(13, KEY_W), key(25, KEY_W, 0)]
    track = resolve(facts_of([*events, key(31, KEY_W, 0)]), EDGES)
    assert column(track, "held") == [1, 1, 0, 0]
    assert column(track, "presses") == [1, 0, 0, 0]
    assert column(track, "releases") == [0, 0, 1, 0]


def test_a_hold_from_before_the_first_edge_counts_as_held_but_not_as_a_press() -> None:
    track = resolve(facts_of([key(-50, KEY_W, 1), key(15, KEY_W, 0)], start_ns=-100), EDGES)
    assert column(track, "held") == [1, 0, 0, 0]
    assert not track.presses.any()


def test_a_gap_releases_everything_and_ignores_what_is_inside() -> None:
    inside = [key(17, KEY_W, 0), key(18, KEY_A, 1), move(19, 7, 7)]
    track = resolve(facts_of([key(5, KEY_W, 1), *inside], gaps=[lost(15, 22)]), EDGES)
    assert column(track, "held") == [1, 0, 0, 0]
    assert column(track, "releases") == [0, 0, 0, 0]
    assert not track.select([KEY_A]).any()
    assert not track.motion.any()
    assert track.known.tolist() == [True, False, False, True]


def test_a_gap_is_half_open() -> None:
    events = [key(5, KEY_W, 1), key(10, KEY_A, 1), key(20, KEY_D, 1)]
    track = resolve(facts_of(events, gaps=[lost(10, 20)]), EDGES)
    assert column(track, "held", KEY_W) == [1, 0, 0, 0]
    assert column(track, "held", KEY_A) == [0, 0, 0, 0]  # exactly at the gap's start: inside
    assert column(track, "held", KEY_D) == [0, 0, 1, 1]  # exactly at its stop: outside
    assert track.known.tolist() == [True, False, True, True]


def test_a_key_still_down_after_a_gap_comes_as_a_snapshot() -> None:
    events = [key(5, KEY_W, 1), key(12, KEY_W, 0, origin=Origin.CLOSING), found_down(20, KEY_W), key(31, KEY_W, 0)]
    track = resolve(facts_of(events, gaps=[lost(12, 20)]), EDGES)
    assert column(track, "held") == [1, 0, 1, 0]
    assert column(track, "presses") == [1, 0, 0, 0]
    assert column(track, "releases") == [0, 0, 0, 1]


def test_a_release_after_a_gap_without_a_snapshot_is_unmatched() -> None:
    track = resolve(facts_of([key(5, KEY_W, 1), key(25, KEY_W, 0)], gaps=[lost(12, 14)]), EDGES)
    assert column(track, "held") == [1, 0, 0, 0]
    assert not track.releases.any()


def test_several_gaps_in_one_hold() -> None:
    events = [key(1, KEY_W, 1), found_down(9, KEY_W), found_down(32, KEY_W)]
    track = resolve(facts_of(events, gaps=[lost(5, 8), lost(22, 25), lost(27, 30)]), EDGES)
    assert column(track, "held") == [1, 1, 0, 1]


def test_what_leaves_the_watched_stretch_is_not_known() -> None:
    track = resolve(facts_of(start_ns=5, stop_ns=30), EDGES)
    assert track.known.tolist() == [False, True, True, False]


def test_motion_and_scroll_are_summed_and_positions_are_not() -> None:
    events = [move(1, 1.5, -2), move(9, 2, 5), move(10, 100, 0)]
    events += [InputEvent(3, EventKind.SCROLL, x=1, y=-1), InputEvent(4, EventKind.SCROLL, y=-2)]
    events += [InputEvent(5, EventKind.POSITION, x=300, y=200, x2=640, y2=480)]
    track = resolve(facts_of(events), EDGES)
    assert track.motion[0].tolist() == [3.5, 3]
    assert track.motion[1].tolist() == [100, 0]
    assert track.scroll[0].tolist() == [1, -3]


def test_actors_are_those_who_held_tapped_moved_or_scrolled() -> None:
    events = [
        key(2, KEY_W, 1, actor=0),
        key(15, KEY_W, 0, actor=0),
        key(12, KEY_A, 1, actor=2),
        key(13, KEY_A, 0, actor=2),
        move(25, 1, 0, actor=1),
        InputEvent(35, EventKind.SCROLL, y=1, actor=2),
        InputEvent(36, EventKind.POSITION, actor=1),
    ]
    track = resolve(facts_of(events, actors=ACTORS), EDGES)
    assert track.actors.tolist() == [1, 4, 2, 4]


def test_everyone_who_had_an_active_key_down_is_named() -> None:
    events = [key(2, KEY_W, 1, actor=0), key(12, KEY_W, 0, actor=0), key(15, KEY_W, 1, actor=2)]
    assert resolve(facts_of(events, actors=ACTORS), EDGES).actors.tolist() == [1, 5, 4, 4]


def test_buttons_are_keys_and_columns_ascend() -> None:
    events = [key(1, BTN_LEFT, 1), key(1, KEY_W, 1), key(1, KEY_A, 1)]
    track = resolve(facts_of(events), EDGES)
    assert track.codes == tuple(sorted((BTN_LEFT, KEY_W, KEY_A)))
    assert track.held.all()


def test_wanted_codes_make_the_columns() -> None:
    track = resolve(facts_of([key(1, KEY_W, 1), key(1, KEY_A, 1)]), EDGES, [KEY_W, KEY_D, KEY_W])
    assert track.codes == tuple(sorted((KEY_D, KEY_W)))
    assert track.select([KEY_W, KEY_D]).tolist() == [[True, False]] * 4
    assert track.select([KEY_A]).tolist() == [[False]] * 4  # not among the columns


def test_no_events_at_all() -> None:
    track = resolve(facts_of(), EDGES)
    assert track.codes == ()
    assert track.held.shape == (4, 0)
    assert track.known.all()
    assert len(track) == 4


@pytest.mark.parametrize("edges", [[], [1], [1, 1], [3, 2], [[1, 2], [3, 4]]])
def test_edges_that_are_none_are_refused(edges: list[int]) -> None:
    with pytest.raises(ValueError, match="edges_ns"):
        resolve(facts_of(), np.array(edges, np.int64))


def test_the_digest_tells_values_apart() -> None:
    base = [key(2, KEY_W, 1), key(15, KEY_W, 0)]
    digest = resolve(facts_of(base), EDGES).digest()
    assert resolve(facts_of(base), EDGES).digest() == digest
    assert resolve(facts_of([*base, move(3, 1, 0)]), EDGES).digest() != digest
    assert resolve(facts_of([key(2, KEY_W, 1), key(25, KEY_W, 0)]), EDGES).digest() != digest
    assert resolve(facts_of(base, gaps=[lost(30, 31)]), EDGES).digest() != digest


# Properties against a model that walks through time one event after another.

CODES = (KEY_W, KEY_A, BTN_LEFT)
TIMES = st.integers(-5, 60)


@st.composite
def histories(draw: st.DrawFn, *, only_devices: bool = False) -> InputFacts:
    origins = st.just(Origin.DEVICE) if only_devices else st.sampled_from(Origin)
    press = st.builds(
        InputEvent,
        t_ns=TIMES,
        kind=st.just(EventKind.KEY),
        code=st.sampled_from(CODES),
        value=st.integers(0, 1),
        origin=origins,
        actor=st.integers(0, 2),
    )
    numbers = st.integers(-9, 9).map(float)
    kinds = st.sampled_from([EventKind.MOTION, EventKind.SCROLL, EventKind.POSITION])
    motion = st.builds(InputEvent, t_ns=TIMES, kind=kinds, x=numbers, y=numbers, actor=st.integers(0, 2))
    gap = st.tuples(TIMES, st.integers(1, 12)).map(lambda pair: lost(pair[0], sum(pair)))
    gaps = [] if only_devices else draw(st.lists(gap, max_size=3))
    events = draw(st.lists(st.one_of(press, press, press, motion), max_size=40))
    return facts_of(events, gaps, ACTORS, start_ns=draw(st.integers(-5, 5)), stop_ns=draw(st.integers(40, 60)))


EDGE_SETS = st.sets(st.integers(0, 55), min_size=2, max_size=12).map(lambda s: np.array(sorted(s), np.int64))


def simulate(facts: InputFacts, edges: np.ndarray) -> dict[str, list]:
    """What `resolve` should find, by playing the history through."""
    gaps = [(gap.start_ns, gap.stop_ns) for gap in facts.gaps]
    history = [(start, 0, None) for start, _ in gaps]
    for event in facts.events:
        if not any(start <= event["t_ns"] < stop for start, stop in gaps):
            history.append((int(event["t_ns"]), 1, event))
    history.sort(key=lambda item: item[:2])
    down: dict[int, tuple[int, int]] = {}  # code -> bit of who holds it, since when
    found: dict[str, list] = {
        name: [] for name in ("held", "tapped", "presses", "releases", "motion", "actors", "known")
    }
    bounds = [-(10**9), *edges.tolist()]
    for start, stop in itertools.pairwise(bounds):
        presses, releases, motion, movers = dict.fromkeys(CODES, 0), dict.fromkeys(CODES, 0), [0.0, 0.0], 0
        holders = {code: {bit} for code, (bit, _) in down.items()}
        for t, _, event in [item for item in history if start <= item[0] < stop]:
            if event is None:
                if t == start:
                    holders = {code: set() for code in holders}
                down.clear()
            elif event["kind"] == EventKind.KEY:
                code = int(event["code"])
                if event["value"] and code not in down:
                    bit = ACTORS[event["actor"]].kind.bit
                    down[code] = (bit, t)
                    holders.setdefault(code, set()).add(bit)
                    presses[code] += event["origin"] == Origin.DEVICE
                elif not event["value"] and code in down:
                    bit, since = down.pop(code)
                    releases[code] += event["origin"] == Origin.DEVICE
                    if since < start == t:  # it ended before this interval
                        holders[code].discard(bit)
            elif event["kind"] in (EventKind.MOTION, EventKind.SCROLL):
                movers |= ACTORS[event["actor"]].kind.bit
                if event["kind"] == EventKind.MOTION:
                    motion = [motion[0] + event["x"], motion[1] + event["y"]]
        tapped = {code: presses[code] > 0 and code not in down for code in CODES}
        active = [code for code in CODES if code in down or tapped[code]]
        found["held"].append([code in down for code in CODES])
        found["tapped"].append([tapped[code] for code in CODES])
        found["presses"].append([presses[code] for code in CODES])
        found["releases"].append([releases[code] for code in CODES])
        found["motion"].append(motion)
        found["actors"].append(movers | sum({bit for code in active for bit in holders.get(code, ())}))
        touches = any(a < stop and start < b for a, b in gaps)
        found["known"].append(facts.start_ns <= start and stop <= facts.stop_ns and not touches)
    return {name: values[1:] for name, values in found.items()}


@given(histories(), EDGE_SETS)
def test_resolve_agrees_with_a_simulation(facts: InputFacts, edges: np.ndarray) -> None:
    track = resolve(facts, edges, CODES)
    expected = simulate(facts, edges)
    order = [track.codes.index(code) for code in CODES]
    for name in ("held", "tapped", "presses", "releases"):
        assert getattr(track, name)[:, order].tolist() == expected[name], name
    assert track.motion.tolist() == expected["motion"]
    assert track.known.tolist() == expected["known"]
    assert track.actors.tolist() == expected["actors"]


@given(histories(), EDGE_SETS, st.data())
def test_fine_intervals_merge_into_coarse_ones(facts: InputFacts, edges: np.ndarray, data: st.DataObject) -> None:
    inner = data.draw(st.sets(st.integers(0, len(edges) - 1)))
    picked = sorted({0, len(edges) - 1, *inner})
    fine, coarse = resolve(facts, edges, CODES), resolve(facts, edges[picked], CODES)
    starts = picked[:-1]
    lasts = np.array(picked[1:]) - 1
    assert (coarse.held == fine.held[lasts]).all()
    for name in ("presses", "releases", "motion", "scroll"):
        assert (getattr(coarse, name) == np.add.reduceat(getattr(fine, name), starts, axis=0)).all(), name
    assert (coarse.known == np.logical_and.reduceat(fine.known, starts)).all()
    assert (coarse.tapped == ((coarse.presses > 0) & ~coarse.held)).all()


@given(histories(only_devices=True), EDGE_SETS)
def test_state_is_conserved(facts: InputFacts, edges: np.ndarray) -> None:
    before = resolve(facts, np.array([-100, edges[0]], np.int64), CODES).held[-1:]
    track = resolve(facts, edges, CODES)
    held = np.concatenate([before, track.held]).astype(int)
    assert (held[1:] == held[:-1] + track.presses.astype(int) - track.releases.astype(int)).all()
