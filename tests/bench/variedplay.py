"""Three short sessions in which everything happens that a session can hold: what a format loses shows in one of them."""

from __future__ import annotations

import random
from typing import Any

from db.clock import ClockAnchor
from db.labelling.labels import Edit, LabelKind, Review
from db.recording.consent import Consent
from db.recording.corrections import ImputedCorrection, KeyCorrection, MotionCorrection
from db.recording.events import Actor, ActorKind, EventKind, Gap, GapReason, InputEvent, Origin
from db.recording.keys import BTN_LEFT, CODES
from db.specs import CaptureSpec
from db.store import Store
from recordings import KEY_A, KEY_D, KEY_W, START_NS, Take, found_down, key, move

_COUNT, _SEED = 180, 5
_ABS_X = 0
_ACTORS = (
    Actor(kind=ActorKind.PERSON, name="ann"),
    Actor(kind=ActorKind.SCRIPT, name="demonstrator"),
    Actor(kind=ActorKind.MODEL, name="m-1"),
)
_CONSENT = Consent(person="ann", licence="team", text_sha256="0" * 64, given_at="2026-01-01T00:00:00+00:00")


def record_varied(store: Store) -> list[str]:
    """The same every time but for their ids."""
    return [_record(store, number, rate_hz) for number, rate_hz in enumerate((30, 30, 60))]


def _record(store: Store, number: int, rate_hz: int) -> str:
    dice = random.Random(_SEED + number)
    step_ns = 10**9 // rate_hz
    times = [START_NS + i * step_ns + dice.randrange(step_ns // 3) for i in range(_COUNT)]
    stop_ns = times[-1] + step_ns
    take = Take(
        times_ns=times,
        events=_events(dice, times, stop_ns, number),
        gaps=[Gap(times[100] + 5, times[110] + 5, GapReason.UNFOCUSED)],
        group_id="sitting-1",
        actors=_ACTORS,
        capture=CaptureSpec(rate_hz=rate_hz, crf=18, segment_s=1.5 if number == 2 else 600),
        size_px=(320, 240),
    )
    anchor = ClockAnchor(mono_ns=START_NS, wall_ns=(1_790_000_000 + number * 100) * 10**9 + 123_456_789, boot_ns=1)
    meta = take.meta().model_copy(update={"anchor": anchor, "layout": "us", "consent": _CONSENT})
    take.write(store.create_session(meta), meta)
    store.enter(meta.id)
    _label(store, meta.id, times, is_imputed=number == 1)
    return meta.id


def _events(dice: random.Random, times: list[int], stop_ns: int, number: int) -> list[InputEvent]:
    """Holds, taps within a frame, two presses within one, motion and turns of the wheel in fractions, a gamepad; three who act."""
    found = [found_down(times[0], KEY_D), key(times[3] + 7, KEY_D, 0)]
    for i in range(5, _COUNT - 6, 6):
        actor = i // 60 if number else 0
        start, step = times[i], times[i + 1] - times[i]
        held = (KEY_W, KEY_A, BTN_LEFT, CODES["KEY_LEFTSHIFT"], CODES["KEY_KPENTER"])[i // 6 % 5]
        found += [key(start + dice.randrange(step), held, 1, actor=actor)]
        found += [key(times[i + dice.randrange(1, 5)] + dice.randrange(step // 2), held, 0, actor=actor)]
        tap = start + step // 4
        found += [
            key(tap + j * step // 12, CODES["KEY_SPACE"], 1 - j % 2, actor=actor) for j in range(2 + 2 * (i // 6 % 3))
        ]
        found += [move(start + dice.randrange(step), dice.randrange(-9, 9), 0.3, actor=actor) for _ in range(8)]
        wheel = {"x": dice.choice((0.0, 1.0)), "y": dice.choice((-1.0, 0.5)), "actor": actor}
        found += [InputEvent(start + dice.randrange(step), EventKind.SCROLL, **wheel)]
        found += [InputEvent(start, EventKind.AXIS, _ABS_X, dice.randrange(256), x=1, x2=0, y2=255, actor=actor)]
    found += [key(times[95] + 9, CODES["KEY_E"], 1), found_down(times[110] + 5, CODES["KEY_E"])]
    found += [key(times[112] + 9, CODES["KEY_E"], 0), key(times[170], CODES["KEY_Q"], 1)]
    found += [key(stop_ns - 1, CODES["KEY_Q"], 0, origin=Origin.CLOSING)]
    return sorted(found, key=lambda event: event.t_ns)


def _label(store: Store, session_id: str, times: list[int], *, is_imputed: bool) -> None:
    """is_imputed: whether a model's word stands in for what is not known of the inputs."""
    held = KeyCorrection(code=KEY_W, holds_ns=((times[21] + 3, times[23] + 3),)).model_dump_json()
    still = MotionCorrection(scale=(0.0, 1.0)).model_dump_json()
    said: list[tuple[LabelKind, int, int, str]] = [
        (LabelKind.INSTRUCTION, 0, 41, "walk to “the” gate"),
        (LabelKind.INSTRUCTION, 41, 90, 'open, it; "now"\nand wait'),
        (LabelKind.INSTRUCTION, 120, 180, "walk to “the” gate"),
        (LabelKind.FLAG, 10, 31, "menu"),
        (LabelKind.FLAG, 20, 45, "off-task"),
        (LabelKind.TRIM, 51, 70, ""),
        (LabelKind.TRIM, 175, 180, ""),
        (LabelKind.COMMENT, 80, 90, "Is this the gate?"),
        (LabelKind.ACTION, 20, 30, held),
        (LabelKind.ACTION, 32, 40, still),
    ]
    edits = [_edit(session_id, kind, value, start=start, stop=stop) for kind, start, stop, value in said]
    if is_imputed:
        down = KeyCorrection(code=KEY_A, holds_ns=((times[104] + 3, times[106] + 3),))
        imputed = ImputedCorrection(confidence=0.9, keys=(down,), moves=((times[105] + 9, 4.0, -2.0),))
        edits += [_edit(session_id, LabelKind.ACTION, imputed.model_dump_json(), start=98, stop=112)]
    edits += [_edit(session_id, LabelKind.TAG, "held-out"), _edit(session_id, LabelKind.NOTE, "a good one")]
    store.commit(edits)
    store.set_review(session_id, Review.ACCEPTED, "ben")


def _edit(session_id: str, kind: LabelKind, value: str, **more: Any) -> Edit:
    return Edit(session_id=session_id, kind=kind, value=value, author="ann", **more)
