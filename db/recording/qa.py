"""Judges a session at its stop: good, usable or bad, each rule with its number and its limit.

The rules: Pixels2Play's automatic checks (a key held over 60 % of the frames, more than six keys at once, too little
interaction) and those of the common recorders (length, mean rate, drops, gaps, black or frozen picture, bit rate, mouse
motion, missed releases). The limits are those of the profile that the session was recorded with.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

import numpy as np
from pydantic import BaseModel, ConfigDict

from db.clock import Int64
from db.recording import keys
from db.recording.actions import Bools
from db.recording.events import EventArray, EventKind, Gap, GapReason, Origin, outside
from db.recording.figures import MOST, Figures, Play, bounded, count_figures, frame_intervals_ns
from db.recording.profiles import QaLimits
from db.recording.reader import Recording

_AT_ONCE = 1 << 16
_PICTURES = 8
"""Pictures that are decoded to see whether they are black: keyframes, so that each costs one frame."""
_KEYFRAME_BITS_PER_PX, _CHANGED_BITS_PER_PX = 0.1, 0.005
"""What a plain, lossy-coded picture takes at least: a keyframe with some detail, and a frame in which little changed.
Far below real play, since a quality-driven encoder (CRF) rightly spends next to nothing on a menu that stands still."""


class Grade(StrEnum):
    GOOD = "good"
    USABLE = "usable"
    BAD = "bad"


class RuleResult(BaseModel):
    """One rule's outcome. `worst` is the grade that failing it leads to."""

    model_config = ConfigDict(frozen=True)

    name: str
    value: float
    limit: float
    ok: bool
    worst: Grade
    text: str
    """One sentence for people, with the number and the limit."""


class Verdict(BaseModel):
    model_config = ConfigDict(frozen=True)

    grade: Grade
    rules: tuple[RuleResult, ...]
    figures: Figures | None = None
    """None in a verdict that an earlier Playtape gave."""

    @property
    def failed(self) -> list[RuleResult]:
        """The rules that failed, those that weigh most first."""
        return sorted((rule for rule in self.rules if not rule.ok), key=lambda rule: rule.worst is not Grade.BAD)

    @property
    def reasons(self) -> list[str]:
        """The sentences of the rules that failed."""
        return [rule.text for rule in self.failed]


def judge(recording: Recording) -> Verdict:
    """Applies every rule to a finished session; reads frames' rows and events, decodes a few frames."""
    profile = recording.meta.profile
    limits = profile.limits if profile is not None else QaLimits()
    play = Play.of(recording)
    if _was_watched(recording):
        rules = (
            *_frame_rules(recording, limits),
            *_picture_rules(recording, play.track.known, limits),
            *_input_rules(recording, play, limits),
            *_play_rules(recording, play, limits),
            *_mouse_rules(play, limits),
        )
    else:
        everywhere = np.ones(len(recording.clock), np.bool_)
        rules = (*_frame_rules(recording, limits), *_picture_rules(recording, everywhere, limits))
    failed = {rule.worst for rule in rules if not rule.ok}
    grade = Grade.BAD if Grade.BAD in failed else Grade.USABLE if failed else Grade.GOOD
    return Verdict(grade=grade, rules=rules, figures=count_figures(recording, play))


def _was_watched(recording: Recording) -> bool:
    """Whether inputs were recorded at all; of a mere video only its pictures can be judged."""
    unrecorded = [gap for gap in recording.gaps if gap.reason is GapReason.UNRECORDED]
    return sum(gap.stop_ns - gap.start_ns for gap in unrecorded) < recording.clock.duration_ns


def _frame_rules(recording: Recording, limits: QaLimits) -> Iterator[RuleResult]:
    """Whether enough frames came, evenly."""
    clock, meta = recording.clock, recording.meta
    seconds, wanted_hz = clock.duration_ns / 1e9, meta.capture.rate_hz
    yield _at_least("length", seconds, limits.min_length_s, Grade.USABLE, "It is {value} s long (at least {limit} s).")
    rate_hz = len(clock) / seconds
    text = f"{_number(rate_hz)} of {_number(wanted_hz)} frames a second came: {{value}} % (at least {{limit}} %)."
    yield _at_least("rate", rate_hz / wanted_hz * 100, limits.min_rate_pct, Grade.USABLE, text)
    dropped = bounded(meta.dropped_frames)
    dropped_pct = dropped / (len(clock) + dropped) * 100
    text = "{value} % of the frames were dropped (at most {limit} %)."
    yield _at_most("drops", dropped_pct, limits.max_dropped_pct, Grade.BAD, text)
    longest_s = float(np.diff(clock.edges_ns).max()) / 1e9
    text = "The longest time without a frame is {value} s (at most {limit} s)."
    yield _at_most("longest gap", longest_s, limits.max_frame_gap_s, Grade.USABLE, text)
    p99_ms = float(np.percentile(frame_intervals_ns(clock.edges_ns), 99)) / 1e6
    text = "99 of 100 frames follow the one before within {value} ms (at most {limit} ms)."
    yield _at_most("evenness", p99_ms, limits.max_interval_ratio * 1000 / wanted_hz, Grade.USABLE, text)


def _picture_rules(recording: Recording, known: Bools, limits: QaLimits) -> Iterator[RuleResult]:
    """Whether there is something to see. Where inputs are unknown the picture may be black on purpose: left out."""
    clock = recording.clock
    if not known.any():
        return
    same = recording.frames["duplicate"] & known
    text = "{value} % of the frames show the same picture as the one before (at most {limit} %)."
    yield _at_most("same picture", same.sum() / known.sum() * 100, limits.max_same_picture_pct, Grade.USABLE, text)
    text = "The picture stood still for up to {value} s (at most {limit} s)."
    yield _at_most("frozen", _longest_run_s(same, clock.edges_ns), limits.max_frozen_s, Grade.USABLE, text)
    text = "{value} % of the pictures looked at are black or of one colour (at most {limit} %)."
    yield _at_most("black", _blank_share(recording, known) * 100, limits.max_black_pct, Grade.BAD, text)
    size = sum((recording.folder / segment.name).stat().st_size for segment in recording.meta.segments)
    least = _plain_bits(recording) * limits.min_bits_pct / 100
    text = "The video takes {value} kB a second (at least {limit} kB for pictures of this size and number)."
    seconds = clock.duration_ns / 1e9
    yield _at_least("bit rate", size / seconds / 1e3, least / 8e3 / seconds, Grade.USABLE, text)


def _input_rules(recording: Recording, play: Play, limits: QaLimits) -> Iterator[RuleResult]:
    """Whether the inputs are all there, at the right time."""
    known, events = play.track.known, recording.events
    lost = bounded(recording.meta.dropped_events)
    text = "{value} inputs were lost because they came too fast (at most {limit})."
    yield _at_most("events dropped", lost, limits.max_dropped_events, Grade.BAD, text)
    unknown_pct = float((~known).mean()) * 100
    text = "For {value} % of the time the inputs are not known: out of focus, muted or lost (at most {limit} %)."
    yield _at_most("unknown", unknown_pct, limits.max_unknown_pct, Grade.USABLE, text)
    reported = outside(events["t_ns"], recording.gaps) & (events["origin"] == Origin.DEVICE)
    count = int(np.count_nonzero(reported))
    moved = known & ~recording.frames["duplicate"]
    if moved[1:].any():
        text = "{value} inputs were recorded while the picture moved (at least {limit})."
        yield _at_least("inputs", count, 1, Grade.BAD, text)
    if count:
        lags_ns = _lags_ns(events["t_ns"][reported], recording.clock.t_ns)
        lag_ms = float(np.percentile(lags_ns, 99, overwrite_input=True)) / 1e6
        text = "99 of 100 inputs lie within {value} ms of the next frame (at most {limit} ms)."
        yield _at_most("lag", lag_ms, limits.max_input_lag_ms, Grade.USABLE, text)
    presses = np.count_nonzero(reported & (events["kind"] == EventKind.KEY) & (events["value"] > 0))
    if presses:
        unmatched_pct = _count_unmatched(events, recording.gaps) / presses * 100
        text = "{value} % of the presses were never released (at most {limit} %)."
        yield _at_most("releases", unmatched_pct, limits.max_unmatched_pct, Grade.USABLE, text)


def _play_rules(recording: Recording, play: Play, limits: QaLimits) -> Iterator[RuleResult]:
    """Whether somebody played."""
    per_minute = 60 / play.known_s if play.known_s else 0.0
    pressed = play.presses_of("keyboard") * per_minute
    # A mouse that hardly moves lies on a shaking table: then its clicks alone count.
    still = play.path.size == 0 or float(play.path.mean()) < limits.min_mouse_counts
    moved = (play.presses_of("mouse") + play.scrolling_frames + (0 if still else play.moving_frames)) * per_minute
    padded = (play.presses_of("gamepad") + play.axis_moves) * per_minute
    text = f"{_number(pressed)} key presses, {_number(moved)} mouse and {_number(padded)} gamepad actions a minute "
    text += "(at least {limit} of one of them)."
    best = max(pressed, moved, padded)
    yield _at_least("interaction", best, limits.min_actions_per_minute, Grade.BAD, text)
    profile = recording.meta.profile
    if profile is not None and profile.keys and (pressed or not padded):
        used = {
            code
            for code, share, presses in zip(play.track.codes, play.shares, play.presses, strict=True)
            if share or presses
        }
        expected = len(used & set(profile.keys))
        text = f"{expected} of the game's {len(profile.keys)} keys were used: {{value}} % (at least {{limit}} %)."
        share = expected / len(profile.keys) * 100
        yield _at_least("expected keys", share, limits.min_expected_keys_pct, Grade.USABLE, text)
    active = play.track.active[play.track.known]
    if not active.size:
        return
    crowded_pct = float((active.sum(axis=1) > limits.max_keys_at_once).mean()) * 100
    text = f"More than {limits.max_keys_at_once} keys were down at once in {{value}} % of the frames (at most {{limit}} %)."
    yield _at_most("keys at once", crowded_pct, limits.max_crowded_pct, Grade.USABLE, text)
    longest = int(play.shares.argmax())
    text = f"{keys.label(play.track.codes[longest])} was down in {{value}} % of the frames (at most {{limit}} %)."
    yield _at_most("one key", float(play.shares[longest]) * 100, limits.max_key_share_pct, Grade.USABLE, text)


def _mouse_rules(play: Play, limits: QaLimits) -> Iterator[RuleResult]:
    """Whether the mouse's numbers can be a hand's."""
    moves = play.path[play.path > 0]
    if moves.size:
        text = "The mouse moves {value} counts a frame on average (at most {limit})."
        yield _at_most("mouse", float(moves.mean()), limits.max_mouse_counts, Grade.BAD, text)


def _longest_run_s(same: np.ndarray, edges_ns: Int64) -> float:
    """The longest time that one picture was shown for more than one frame, in seconds; 0 where none was."""
    starts = np.append(np.flatnonzero(~same), len(same))
    if starts[0] != 0:
        starts = np.insert(starts, 0, 0)
    runs = np.diff(starts) > 1
    return float((np.diff(edges_ns[starts])[runs]).max(initial=0)) / 1e9


def _plain_bits(recording: Recording) -> float:
    """The bits that plain pictures would take: by picture size, keyframes and frames in which something changed."""
    width, height = recording.meta.size_px
    keyframe, duplicate = recording.frames["keyframe"], recording.frames["duplicate"]
    changed = np.count_nonzero(~duplicate & ~keyframe)
    per_px = np.count_nonzero(keyframe) * _KEYFRAME_BITS_PER_PX + changed * _CHANGED_BITS_PER_PX
    return float(width * height * per_px)


def _blank_share(recording: Recording, known: Bools) -> float:
    """Of some pictures that are known, spread over the session, the share that is black or of one colour."""
    shown = np.flatnonzero(recording.frames["keyframe"] & known)
    shown = shown if len(shown) else np.flatnonzero(known)
    picked = shown[np.unique(np.linspace(0, len(shown) - 1, min(_PICTURES, len(shown))).astype(int))]
    reader = recording.video()
    try:
        pictures = (picture[::2, ::2] for _, picture in reader.read(picked.tolist()))
        return float(np.mean([picture.max() < 24 or np.ptp(picture, axis=(0, 1)).max() < 8 for picture in pictures]))
    finally:
        reader.close()


def _lags_ns(times_ns: Int64, frames_ns: Int64) -> Int64:
    """From each input to the next frame; for one after the last frame, since that frame. In the memory of `times_ns`."""
    last = len(frames_ns) - 1
    for first in range(0, len(times_ns), _AT_ONCE):  # whole arrays for each step would be as large as all events
        some = times_ns[first : first + _AT_ONCE]
        at = np.searchsorted(frames_ns, some, side="right")
        np.clip(some, 0, 2**62, out=some)
        some[:] = np.where(at <= last, frames_ns[np.minimum(at, last)] - some, some - frames_ns[last])
    return times_ns


def _count_unmatched(events: EventArray, gaps: list[Gap]) -> int:
    """Presses that follow a press of the same key with no release between them, within one stretch without a gap."""
    rows = events[events["kind"] == EventKind.KEY]
    rows = rows[outside(rows["t_ns"], gaps)]
    stretch = np.searchsorted(np.array([gap.start_ns for gap in gaps], np.int64), rows["t_ns"], side="right")
    order = np.argsort(rows["code"], kind="stable")
    code, down, device = rows["code"][order], rows["value"][order] > 0, rows["origin"][order] == Origin.DEVICE
    stretch = stretch[order]
    again = (code[1:] == code[:-1]) & (stretch[1:] == stretch[:-1]) & down[1:] & down[:-1] & device[1:]
    return int(np.count_nonzero(again))


def _at_least(name: str, value: float, limit: float, worst: Grade, text: str) -> RuleResult:
    return _result(name, float(value), float(limit), value >= limit, worst, text)


def _at_most(name: str, value: float, limit: float, worst: Grade, text: str) -> RuleResult:
    return _result(name, float(value), float(limit), value <= limit, worst, text)


def _result(name: str, value: float, limit: float, ok: bool, worst: Grade, text: str) -> RuleResult:
    """`text` names the number and the limit; a number that just fails is not rounded to its limit."""
    value, limit = min(value, MOST), min(limit, MOST)
    shown = _number(value)
    if not ok and shown == _number(limit):
        shown = f"{value:,.6g}"
    sentence = text.format(value=shown, limit=_number(limit))
    return RuleResult(name=name, value=value, limit=limit, ok=bool(ok), worst=worst, text=sentence)


def _number(value: float) -> str:
    """As people read it: three digits that matter, thousands apart, no exponent."""
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.{2 if abs(value) < 1 else 3 - len(str(int(abs(value))))}f}".rstrip("0").rstrip(".")
