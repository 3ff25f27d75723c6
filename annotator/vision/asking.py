"""Asks a model about a whole session, window by window: what it proposes, and its narrative.

Stopping loses nothing: answers are kept (`annotator.vision.answers`), and asking again goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from annotator.model.proposals import Proposal
from annotator.vision.answers import Answers
from annotator.vision.failures import BadReply, VisionBusy
from annotator.vision.frames import Window, owned, plan_windows, seconds_at, showable, take_shots
from annotator.vision.model import Model
from annotator.vision.patience import Cancelled, rest
from annotator.vision.prompt import describe_window
from annotator.vision.reply import MOST_NARRATIVE, Reply, Said, read_reply, settle
from annotator.vision.request import Request
from annotator.vision.setup import VisionSetup
from db.clock import FrameClock
from db.labelling.labels import LabelKind, spans
from db.recording.corrections import corrections_of
from db.recording.reader import Recording
from db.store import Store
from db.upkeep.withdrawal import refuse_withdrawn

TRIES = 4
PAUSES_S = (1.0, 4.0, 15.0)
"""Between the tries of one window, unless the other side asks for another time."""

Progress = Callable[[int, int], None]
"""Hears (windows done, in all)."""


@dataclass(frozen=True)
class Outlook:
    """What would be sent for a session, before anything is."""

    session_id: str
    requests: int
    pictures: int
    """Those that two windows share are sent twice and count twice."""
    bytes: int
    """About, judged by some of them."""
    withheld: int
    """Frames of the session that are kept back: private, redacted or trimmed."""
    player: str = ""
    licence: str = ""
    """The terms that the player chose for the recording, "" where they chose none."""


@dataclass(frozen=True)
class Outcome:
    """What a model said about a session."""

    proposals: list[Proposal]
    narrative: str = ""
    refused: list[str] = field(default_factory=list)
    """Sentences: what of its answers was not taken."""
    asked: int = 0
    """Windows that were really asked about; the others had been answered before."""


def look_ahead(store: Store, session_id: str, setup: VisionSetup) -> Outlook:
    """Raises NotFound, BadFile, TooNew, and Withdrawn for a session that its player took back."""
    refuse_withdrawn(store, session_id)
    recording = store.recording(session_id)
    clock, meta = recording.clock, recording.meta
    allowed = showable(clock, recording.gaps, store.edits(session_id))
    windows = plan_windows(clock, allowed, setup)
    frames = [frame for window in windows for frame in window.frames]
    bytes_each = _judge_bytes(recording, frames, setup)
    withheld = int((~allowed).sum())
    licence = meta.consent.licence if meta.consent is not None else ""
    total = round(bytes_each * len(frames))
    return Outlook(session_id, len(windows), len(frames), total, withheld, meta.player, licence)


def ask_about(
    store: Store,
    session_id: str,
    setup: VisionSetup,
    model: Model,
    progress: Progress = lambda done, total: None,
    cancelled: Cancelled = lambda: False,
    pauses_s: tuple[float, ...] = PAUSES_S,
) -> Outcome:
    """Raises VisionFailed and what derives from it, NotFound, BadFile, TooNew, Withdrawn."""
    refuse_withdrawn(store, session_id)
    recording = store.recording(session_id)
    clock, edits = recording.clock, store.edits(session_id)
    windows = plan_windows(clock, showable(clock, recording.gaps, edits), setup)
    answers = Answers(store.cache_dir, session_id, recording.meta.revision, setup)
    asking = _Asking(setup, model, answers, cancelled, pauses_s)
    replies: list[Reply] = []
    progress(0, len(windows))
    reader = recording.video()
    try:
        held = _held_keys(recording, store, session_id) if setup.with_keys else None
        for window in windows:
            shots = tuple(take_shots(reader, clock, window.frames, setup.picture_px))
            times_s = [shot.time_s for shot in shots]
            keys = None if held is None else [held(frame) for frame in window.frames]
            text = describe_window(times_s, keys, _before(replies, window, windows))
            start_s, stop_s = seconds_at(clock, window.start), seconds_at(clock, window.stop)
            replies.append(asking.ask(Request(setup.prompt, text, shots, start_s, stop_s)))
            progress(len(replies), len(windows))
    finally:
        reader.close()
    said = _join(clock, windows, replies)
    return Outcome(
        proposals=[to_proposal(clock, one) for one in said],
        narrative=" ".join(reply.narrative for reply in replies if reply.narrative)[: 4 * MOST_NARRATIVE],
        refused=[text for reply in replies for text in reply.refused],
        asked=asking.asked,
    )


@dataclass
class _Asking:
    """One session's questions, answered from what was kept where they were asked before."""

    setup: VisionSetup
    model: Model
    answers: Answers
    cancelled: Cancelled
    pauses_s: tuple[float, ...]
    asked: int = 0

    def ask(self, request: Request) -> Reply:
        kept = self.answers.find(request)
        if kept is not None:
            try:
                return read_reply(kept, request.start_s, request.stop_s)
            except BadReply:
                pass  # damaged, or kept by another Playtape: it is asked again
        answer, reply = self._try(request)
        self.asked += 1
        self.answers.keep(request, answer)
        return reply

    def _try(self, request: Request) -> tuple[str, Reply]:
        """Again after a while where it was busy, at once and only once where the answer was of no use."""
        was_bad = False
        for number in range(TRIES):
            rest(0, self.cancelled)
            try:
                answer = self.model.ask(request, self.cancelled)
                return answer, read_reply(answer, request.start_s, request.stop_s)
            except BadReply:
                if was_bad or number == TRIES - 1:
                    raise
                was_bad = True
            except VisionBusy as error:
                if number == TRIES - 1:
                    raise
                pause_s = self.pauses_s[min(number, len(self.pauses_s) - 1)]
                rest(pause_s if error.after_s is None else error.after_s, self.cancelled)
        raise AssertionError("every try returns or raises")


def to_proposal(clock: FrameClock, said: Said) -> Proposal:
    """The frames from the one shown at the start to the last one shown before the end."""
    first_ns = int(clock.t_ns[0])
    start = clock.index_at(first_ns + round(said.start_s * 1e9))
    stop = int(np.searchsorted(clock.t_ns, first_ns + round(said.end_s * 1e9), "left"))
    return Proposal(LabelKind.INSTRUCTION, said.text, start, min(max(stop, start + 1), len(clock)))


def _join(clock: FrameClock, windows: list[Window], replies: list[Reply]) -> tuple[Said, ...]:
    """What each window says of the frames that it has the word on."""
    said = []
    for (start, stop), reply in zip(owned(windows), replies, strict=True):
        start_s, stop_s = seconds_at(clock, start), seconds_at(clock, stop)
        for one in reply.instructions:
            first, last = max(one.start_s, start_s), min(one.end_s, stop_s)
            if last > first:
                said.append(Said(first, last, one.text))
    return settle(said)


def _before(replies: list[Reply], window: Window, windows: list[Window]) -> tuple[str, str] | None:
    """What was said of the window before, where it belongs to the same stretch of play."""
    if not replies or windows[len(replies) - 1].stop <= window.start:
        return None
    last = replies[-1]
    return (last.instructions[-1].text if last.instructions else "", last.narrative)


def _held_keys(recording: Recording, store: Store, session_id: str) -> Callable[[int], list[int]]:
    said = corrections_of(spans(store.edits(session_id), LabelKind.ACTION))
    track = recording.resolve(corrections=said)
    codes = np.asarray(track.codes, np.int64)
    active = track.active
    return lambda frame: codes[active[frame]].tolist() if len(codes) else []


def _judge_bytes(recording: Recording, frames: list[int], setup: VisionSetup) -> float:
    """What one picture takes, by a few of them."""
    if not frames:
        return 0.0
    some = sorted(set(frames[:: max(len(frames) // 3, 1)]))[:4]
    reader = recording.video()
    try:
        sizes = [len(shot.jpeg) for shot in take_shots(reader, recording.clock, some, setup.picture_px)]
    finally:
        reader.close()
    return sum(sizes) / len(sizes)
