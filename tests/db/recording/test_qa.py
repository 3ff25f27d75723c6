from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.media.resize import Picture
from db.recording.consent import Consent
from db.recording.events import EventKind, Gap, GapReason, InputEvent, Origin
from db.recording.figures import BINS, BINS_PER_INTERVAL, MOST_KEYS
from db.recording.keys import BTN_LEFT, CODES, NAMES
from db.recording.profiles import GameProfile, QaLimits
from db.recording.qa import Grade, RuleResult, Verdict, judge
from db.recording.reader import Recording
from recordings import FRAME_NS, KEY_W, Take, barcode, frame_times, key, lively_events, move

LONG = frame_times(56, 100_000_000)
STOP = LONG[-1] + FRAME_NS
TEN_HZ = Take().capture.model_copy(update={"rate_hz": 10.0})
BTN_SOUTH = CODES["BTN_SOUTH"]


def verdict_of(folder: Path, *, changed: dict[str, Any] | None = None, **more: Any) -> Verdict:
    """The verdict on a take of 5.6 s at 10 frames a second; `changed` replaces fields of its metadata."""
    take = Take(**({"times_ns": LONG, "capture": TEN_HZ} | more))
    take.write(folder, take.meta().model_copy(update=changed or {}))
    return judge(Recording(folder))


def limited(**limits: Any) -> dict[str, Any]:
    return {"profile": GameProfile(name="g", limits=QaLimits(**limits))}


def rule(verdict: Verdict, name: str) -> RuleResult:
    return next(rule for rule in verdict.rules if rule.name == name)


def axis(t_ns: int, place: float, *, code: int = 0, low: float = -32768, high: float = 32767) -> InputEvent:
    return InputEvent(t_ns, EventKind.AXIS, code=code, value=int(place), x=place, x2=low, y2=high, device=3)


def pad_play(count: int = 20) -> list[InputEvent]:
    """A stick pushed from side to side."""
    return [axis(LONG[0] + 1 + i * 200_000_000, 30_000 * (-1) ** i) for i in range(count)]


def failed(verdict: Verdict) -> set[str]:
    return {rule.name for rule in verdict.rules if not rule.ok}


def test_a_good_session(tmp_path: Path) -> None:
    verdict = verdict_of(tmp_path)
    assert verdict.reasons == []
    assert verdict.grade is Grade.GOOD
    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict


def test_a_short_session(tmp_path: Path) -> None:
    verdict = verdict_of(tmp_path, times_ns=LONG[:20])
    assert failed(verdict) == {"length"}
    assert verdict.grade is Grade.USABLE
    assert verdict.reasons == ["It is 1.93 s long (at least 5 s)."]


def test_a_slow_session_with_a_long_pause(tmp_path: Path) -> None:
    verdict = verdict_of(tmp_path, times_ns=[*LONG[:20], *(t + 3_000_000_000 for t in LONG[20:])])
    assert failed(verdict) == {"rate", "longest gap", "evenness", "lag"}


@pytest.mark.parametrize(
    ("dropped", "rule"), [({"dropped_frames": 6}, "drops"), ({"dropped_events": 1}, "events dropped")]
)
def test_drops(tmp_path: Path, dropped: dict[str, int], rule: str) -> None:
    verdict = verdict_of(tmp_path, changed=dropped)
    assert failed(verdict) == {rule}
    assert verdict.grade is Grade.BAD


def test_a_few_drops_are_borne(tmp_path: Path) -> None:
    assert verdict_of(tmp_path, changed={"dropped_frames": 2}).grade is Grade.GOOD


def test_a_black_picture(tmp_path: Path) -> None:
    verdict = verdict_of(tmp_path, picture=lambda i: np.zeros_like(barcode(i)))
    assert failed(verdict) == {"black"}
    assert verdict.grade is Grade.BAD


def test_nobody_played(tmp_path: Path) -> None:
    verdict = verdict_of(tmp_path, events=[])
    assert failed(verdict) == {"interaction", "inputs"}
    assert verdict.grade is Grade.BAD


def test_one_key_all_the_time(tmp_path: Path) -> None:
    events = [key(LONG[5], KEY_W, 1), *(move(t + 1, 2, 0) for t in LONG)]
    verdict = verdict_of(tmp_path, events=sorted(events, key=lambda e: e.t_ns))
    assert failed(verdict) == {"one key"}
    assert verdict.reasons == ["W was down in 91.1 % of the frames (at most 60 %)."]


def test_too_many_keys_at_once(tmp_path: Path) -> None:
    seven = [key(LONG[3], CODES[f"KEY_{letter}"], 1) for letter in "QERTYUI"]
    seven += [key(LONG[9], event.code, 0) for event in seven]
    events = sorted([*lively_events(LONG, STOP), *seven], key=lambda e: e.t_ns)
    assert failed(verdict_of(tmp_path, events=events)) == {"keys at once"}


def test_gaps(tmp_path: Path) -> None:
    verdict = verdict_of(tmp_path, gaps=[Gap(LONG[30], LONG[50], GapReason.UNFOCUSED)])
    assert failed(verdict) == {"unknown"}
    assert verdict.grade is Grade.USABLE
    everything = verdict_of(tmp_path / "all", gaps=[Gap(0, STOP + 1, GapReason.LOST)])
    assert {"unknown", "interaction"} <= failed(everything)


def test_black_pictures_in_a_gap_are_as_they_should_be(tmp_path: Path) -> None:
    def picture(number: int) -> Picture:
        return np.zeros_like(barcode(number)) if 5 <= number < 20 else barcode(number)

    gap = Gap(LONG[5] - 1, LONG[20] - 1, GapReason.MUTED)
    verdict = verdict_of(tmp_path, gaps=[gap], picture=picture)
    assert verdict.grade is Grade.GOOD
    assert rule(verdict, "black").value == 0


def test_one_colour_is_as_bad_as_black(tmp_path: Path) -> None:
    verdict = verdict_of(tmp_path, picture=lambda i: np.full_like(barcode(i), 90))
    assert {"black"} <= failed(verdict)
    assert "black or of one colour" in verdict.reasons[0]


def test_a_picture_that_stands_still(tmp_path: Path) -> None:
    folder = tmp_path / "still"
    take = Take(times_ns=LONG, capture=TEN_HZ)
    take.write(folder, take.meta().model_copy(update=limited(max_frozen_s=2, max_same_picture_pct=60)))
    recording = Recording(folder)
    recording.frames["duplicate"][10:31] = True  # frame 9 is shown until frame 31 comes
    verdict = judge(recording)
    assert failed(verdict) == {"frozen"}
    assert rule(verdict, "frozen").value == pytest.approx(2.2)
    assert rule(verdict, "same picture").value == pytest.approx(21 / 56 * 100)
    recording.frames["duplicate"][:] = True
    assert rule(judge(recording), "frozen").value == pytest.approx((STOP - LONG[0]) / 1e9)
    assert "inputs" not in {rule.name for rule in judge(recording).rules}  # nothing moved that inputs could have moved
    recording.frames["duplicate"][:] = False
    assert rule(judge(recording), "frozen").value == 0


def test_hardly_any_video(tmp_path: Path) -> None:
    verdict = verdict_of(tmp_path, changed=limited(min_bits_pct=100_000))
    assert failed(verdict) == {"bit rate"}
    assert verdict.grade is Grade.USABLE
    assert "bit rate" not in failed(verdict_of(tmp_path / "off", changed=limited(min_bits_pct=0)))


def test_uneven_frames(tmp_path: Path) -> None:
    times = [t + 350_000_000 * (i > 20) + 350_000_000 * (i > 40) for i, t in enumerate(LONG)]
    verdict = verdict_of(tmp_path, times_ns=times, changed=limited(min_rate_pct=50, max_input_lag_ms=1000))
    assert failed(verdict) == {"evenness"}
    assert verdict.figures is not None
    assert verdict.figures.p99_ms == pytest.approx(450)


def test_inputs_long_after_the_last_picture(tmp_path: Path) -> None:
    events = [*lively_events(LONG, STOP), *(move(STOP + i * 20_000_000, 3, 0) for i in range(100))]
    take = Take(times_ns=LONG, capture=TEN_HZ, events=events)
    take.write(tmp_path, take.meta())
    recording = Recording(tmp_path)
    recording.meta = recording.meta.model_copy(update={"t_stop_ns": STOP + 2_000_000_000})
    verdict = judge(recording)
    assert failed(verdict) >= {"lag", "longest gap"}
    assert "of the next frame (at most 250 ms)." in rule(verdict, "lag").text


def test_releases_that_were_missed(tmp_path: Path) -> None:
    twice = [key(LONG[8] + i * 400_000_000, CODES["KEY_E"], 1) for i in range(3)]
    events = sorted([*lively_events(LONG, STOP), *twice], key=lambda e: e.t_ns)
    presses = sum(event.kind is EventKind.KEY and event.value == 1 for event in events)
    verdict = verdict_of(tmp_path, events=events, changed=limited(max_key_share_pct=100))
    assert failed(verdict) == {"releases"}
    assert rule(verdict, "releases").value == pytest.approx(2 / presses * 100)


def test_a_release_during_a_gap_is_not_missed(tmp_path: Path) -> None:
    twice = [key(LONG[8], CODES["KEY_E"], 1), key(LONG[30], CODES["KEY_E"], 1), key(LONG[31], CODES["KEY_E"], 0)]
    events = sorted([*lively_events(LONG, STOP), *twice], key=lambda e: e.t_ns)
    verdict = verdict_of(tmp_path, events=events, gaps=[Gap(LONG[20], LONG[22], GapReason.UNFOCUSED)])
    assert rule(verdict, "releases").value == 0


def test_only_one_device_has_to_be_used(tmp_path: Path) -> None:
    mouse = [move(LONG[0] + 1 + i * 50_000_000, 2, 1) for i in range(100)]
    for number, events in enumerate((mouse, pad_play(), [e for e in lively_events(LONG, STOP) if e.code == KEY_W])):
        assert verdict_of(tmp_path / str(number), events=events).grade is Grade.GOOD, number


def test_a_mouse_that_only_trembles_and_a_stick_at_rest_are_no_play(tmp_path: Path) -> None:
    tremble = [move(LONG[i] + 1, 1 if i % 2 else -1, 0) for i in (5, 20)]
    rest = [axis(LONG[0] + 5 + i * 20_000_000, 900 * (-1) ** i) for i in range(200)]
    verdict = verdict_of(tmp_path, events=sorted([*tremble, *rest], key=lambda e: e.t_ns))
    assert failed(verdict) == {"interaction"}
    assert rule(verdict, "interaction").text.startswith("0 key presses, 0 mouse and 0 gamepad actions a minute")


def test_a_mouse_that_no_hand_moves(tmp_path: Path) -> None:
    events = [move(t + 1, 60_000 * (-1) ** i, 0) for i, t in enumerate(LONG)]
    verdict = verdict_of(tmp_path, events=events)
    assert failed(verdict) == {"mouse"}
    assert verdict.grade is Grade.BAD
    assert verdict.reasons == ["The mouse moves 60,000 counts a frame on average (at most 10,000)."]


def test_keys_that_the_game_is_known_for(tmp_path: Path) -> None:
    wasd = tuple(CODES[f"KEY_{name}"] for name in "QXCZY")
    verdict = verdict_of(tmp_path, changed={"profile": GameProfile(name="g", keys=wasd)})
    assert failed(verdict) == {"expected keys"}
    assert verdict.reasons == ["0 of the game's 5 keys were used: 0 % (at least 25 %)."]
    used = verdict_of(tmp_path / "used", changed={"profile": GameProfile(name="g", keys=(KEY_W, *wasd[:3]))})
    assert used.grade is Grade.GOOD
    padded = verdict_of(tmp_path / "pad", events=pad_play(), changed={"profile": GameProfile(name="g", keys=wasd)})
    assert padded.grade is Grade.GOOD  # played with a gamepad: the keyboard may rest


@pytest.mark.parametrize(
    ("limits", "name"),
    [
        ({"min_length_s": 60}, "length"),
        ({"min_rate_pct": 100}, ""),
        ({"max_same_picture_pct": 0}, ""),
        ({"max_frame_gap_s": 0.05}, "longest gap"),
        ({"min_actions_per_minute": 1000}, "interaction"),
        ({"max_key_share_pct": 10}, "one key"),
        ({"max_keys_at_once": 1, "max_crowded_pct": 0}, "keys at once"),
        ({"max_mouse_counts": 1}, "mouse"),
        ({"max_input_lag_ms": 10}, "lag"),
        ({"max_interval_ratio": 1}, ""),
    ],
)
def test_the_limits_are_the_profiles(tmp_path: Path, limits: dict[str, Any], name: str) -> None:
    assert failed(verdict_of(tmp_path, changed=limited(**limits))) == ({name} if name else set())


def test_a_number_that_just_fails_is_not_shown_as_its_limit(tmp_path: Path) -> None:
    verdict = verdict_of(tmp_path, times_ns=frame_times(50, 100_000_000), changed=limited(min_length_s=4.9334))
    assert verdict.reasons == ["It is 4.93333 s long (at least 4.93 s)."]


def test_what_weighs_most_comes_first(tmp_path: Path) -> None:
    verdict = verdict_of(tmp_path, times_ns=LONG[:20], changed={"dropped_events": 3})
    assert verdict.reasons == [
        "3 inputs were lost because they came too fast (at most 0).",
        "It is 1.93 s long (at least 5 s).",
    ]


def test_the_figures(tmp_path: Path) -> None:
    consent = Consent(person="ann", licence="CC0-1.0", text_sha256="", given_at="")
    verdict = verdict_of(tmp_path, changed={"consent": consent, "dropped_frames": 2})
    figures, events = verdict.figures, lively_events(LONG, STOP)
    assert figures is not None
    assert (figures.frames, figures.dropped_frames, figures.events) == (56, 2, len(events))
    assert (len(figures.interval_counts), sum(figures.interval_counts)) == (BINS, 55)
    assert figures.interval_counts[BINS_PER_INTERVAL] == 55  # all of them exactly as wanted
    assert (figures.wanted_ms, figures.p50_ms, figures.p99_ms, figures.longest_ms) == (100, 100, 100, 100)
    assert {use.code: use.presses for use in figures.keys} == {KEY_W: 10, BTN_LEFT: 10}
    assert figures.clicks == 10
    assert figures.mouse_path == pytest.approx(100 * math.hypot(3, 1), abs=0.1)
    assert figures.known_pct == 100
    assert figures.licence == "CC0-1.0"
    shares = {use.code: use.share_pct for use in figures.keys}
    assert 30 < shares[KEY_W] < 60
    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict


def test_late_frames_are_in_the_last_bin(tmp_path: Path) -> None:
    figures = verdict_of(tmp_path, times_ns=[*LONG[:30], *(t + 10**10 for t in LONG[30:])]).figures
    assert figures is not None
    assert figures.interval_counts[-1] == 1
    assert figures.longest_ms == pytest.approx(10_100)


def test_a_verdict_of_an_earlier_playtape_is_still_read() -> None:
    old = {
        "grade": "usable",
        "rules": [
            {"name": "length", "value": 1, "limit": 5, "ok": False, "worst": "usable", "text": "1 s long (at least 5)"}
        ],
    }
    verdict = Verdict.model_validate_json(json.dumps(old))
    assert (verdict.grade, verdict.figures, verdict.reasons) == (Grade.USABLE, None, ["1 s long (at least 5)"])


def test_every_key_there_is_makes_no_large_verdict(tmp_path: Path) -> None:
    times = range(LONG[0], STOP, 10_000_000)
    codes = list(NAMES)
    events = [key(t + value, codes[i % len(codes)], value) for i, t in enumerate(times) for value in (1, 0)]
    events = sorted(events, key=lambda e: (e.t_ns, e.value))
    consent = Consent(person="a" * 200, licence="\n" * 200, text_sha256="", given_at="")
    verdict = verdict_of(tmp_path, events=events, changed={"consent": consent, "dropped_events": 5})
    assert verdict.figures is not None
    assert len(verdict.figures.keys) == MOST_KEYS
    assert len(verdict.model_dump_json()) < 8192


@pytest.mark.parametrize("count", [-1, -56, 10**30])
def test_counts_that_cannot_be(tmp_path: Path, count: int) -> None:
    verdict = verdict_of(tmp_path, changed={"dropped_frames": count, "dropped_events": count})
    assert verdict.figures is not None
    assert 0 <= verdict.figures.dropped_frames <= 2**53
    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict


wild = st.floats(-1e300, 1e300) | st.sampled_from([0.0, 1e-300, -1e300, 5e-324])
stamps = st.integers(0, 2**63 - 1) | st.sampled_from(LONG)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.builds(
            InputEvent,
            t_ns=stamps,
            kind=st.sampled_from(list(EventKind)),
            code=st.integers(0, 65535),
            value=st.integers(-(2**31), 2**31 - 1),
            x=wild,
            y=wild,
            x2=wild,
            y2=wild,
            origin=st.sampled_from(list(Origin)),
            device=st.integers(0, 65535),
        ),
        max_size=12,
    )
)
@pytest.mark.filterwarnings("ignore:overflow encountered in cast")  # `resolve` sums into 32 bits
def test_a_strangers_events_get_a_verdict_that_can_be_stored(written: Path, events: list[InputEvent]) -> None:
    recording = Recording(written)
    recording.__dict__["events"] = np.sort(
        np.array([event.row() for event in events], dtype=recording.events.dtype), order="t_ns"
    )
    verdict = judge(recording)
    stored = verdict.model_dump_json()
    assert Verdict.model_validate_json(stored) == verdict
    assert len(stored) < 8192


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wild") / "session"
    take = Take(times_ns=LONG, capture=TEN_HZ)
    take.write(folder, take.meta())
    return folder


def test_a_single_frame(tmp_path: Path) -> None:
    verdict = verdict_of(tmp_path, times_ns=LONG[:1], events=[])
    assert verdict.grade is Grade.BAD
    assert verdict.figures is not None
    assert verdict.figures.p50_ms == pytest.approx(FRAME_NS / 1e6, abs=0.001)
