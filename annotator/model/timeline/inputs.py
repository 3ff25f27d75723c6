"""Recorded and corrected inputs side by side: the lanes of a session with the corrections of its document laid over them.

Nothing is told and nothing subscribes: a lane is made when it is asked for, and anew only where a correction of its own
key has changed since, so that an edit costs one key and not the session.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from annotator.model.document import Document, Span
from annotator.model.edits.subjects import IMPUTED, MOTION, SCROLL, UNREADABLE, correction_of, key_subject, subject_of
from annotator.model.timeline.axis import Positions, positions
from annotator.model.timeline.holds import Holds, differing
from annotator.model.timeline.lanes import Floats, KeyLane, Lanes, MotionLane, press_frames
from annotator.model.timeline.recorded_inputs import Key, RecordedInputs
from annotator.model.timeline.suggested_holds import SuggestedHolds
from db.clock import Int64
from db.labelling.labels import LabelKind
from db.recording.actions import InputFacts
from db.recording.corrections import MotionCorrection, Overlay, correct, pieces_of
from db.recording.events import EventArray, joined
from db.recording.keys import is_button

Versions = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Corrected:
    """One key of a recording as corrected by `versions` of its corrections."""

    versions: Versions
    recorded: Key
    gaps: Positions
    key: Key


@dataclass(frozen=True, eq=False)
class _Motion:
    versions: Versions
    raw: tuple[MotionLane, MotionLane]
    dx: MotionLane
    dy: MotionLane
    factors: Floats
    """(N, 2) what the recorded motion of each frame is multiplied with."""
    changed: Int64
    """(D, 2) ascending stretches of frames [start, stop) in which that is not 1."""


@dataclass(frozen=True)
class _Said:
    """The corrections of one subject in the order in which they apply, and their versions."""

    spans: tuple[Span, ...] = ()
    versions: Versions = ()


_NOTHING = _Said()


class Inputs:
    """The inputs of one session. Reads like `Lanes`, corrected; what was recorded is in `raw`."""

    def __init__(self, facts: InputFacts, document: Document) -> None:
        """facts: as recorded."""
        self.document, self.clock, self._facts = document, document.clock, facts
        self._recording = RecordedInputs(facts, self.clock)
        self._imputed: Versions = ()
        self._suggested = SuggestedHolds(document)
        self._corrected: dict[int, _Corrected] = {}
        self._differing: dict[int, tuple[Key, Key, Positions]] = {}
        self._motion: _Motion | None = None
        self._overlays: dict[str, _Said] = {}
        self._patches: dict[int, dict[Versions, tuple[bytes, EventArray]]] = {}
        self._revision = -1
        self._presses: tuple[tuple[KeyLane, ...], Int64] | None = None
        self._order: tuple[tuple[tuple[int, ...], tuple[int, ...]], tuple[int, ...]] | None = None

    def prepare(self) -> None:
        """Makes now what the first look would make: the lanes in force, where they differ, the levels of the motion."""
        for lane in (self.raw.dx, self.raw.dy, self.dx, self.dy):
            _ = lane.levels, lane.peak
        _ = self.press_frames, self.differing_motion()
        for code in self.codes:
            self.suggested(code)
            if self._said(key_subject(code)).versions:
                self.differing(code)

    @property
    def raw(self) -> Lanes:
        """As recorded; where a person confirmed what a model imputed, that stands in for a recording."""
        return self._now().lanes

    def suggested(self, code: int) -> KeyLane | None:
        """The holds of a key that wait to be confirmed, None where none do. The same object until they change."""
        return self._suggested.lane(code)

    # What is in force

    @property
    def keys(self) -> tuple[KeyLane, ...]:
        """In the order of the raw lanes; keys that only a correction presses follow, buttons last of all.

        A key whose every press was removed keeps its place, with an empty lane.
        """
        return tuple(self.key(code) for code in self.codes)

    @property
    def codes(self) -> tuple[int, ...]:
        """The keys and buttons that were recorded or are in a correction, in the order of `keys`."""
        known = tuple(lane.code for lane in self.raw.keys)
        said = {int(subject.split()[1]) for subject in self._index() if subject.startswith("key ")}
        corrected = tuple(sorted(said | set(self._suggested.codes)))
        if self._order is None or self._order[0] != (known, corrected):
            codes = sorted({*known, *corrected}, key=lambda code: (is_button(code), *_place(code, known)))
            self._order = (known, corrected), tuple(codes)
        return self._order[1]

    def key(self, code: int) -> KeyLane:
        return self._key(code).lane

    @property
    def dx(self) -> MotionLane:
        return self._moved().dx

    @property
    def dy(self) -> MotionLane:
        return self._moved().dy

    @property
    def gaps(self) -> Positions:
        return self.raw.gaps

    @property
    def press_frames(self) -> Int64:
        """Ascending frames in which any key or button was pressed, each once."""
        lanes = self.keys
        if self._presses is None or self._presses[0] != lanes:
            self._presses = lanes, press_frames(lanes, len(self.clock))
        return self._presses[1]

    def snap_edges(self) -> Int64:
        """Ascending span edges at presses and releases: the frame of a press begins there, that of a release ends."""
        lanes = self.keys
        downs = [np.floor(lane.start[lane.pressed]) for lane in lanes]
        ups = [np.ceil(np.nextafter(lane.stop, np.inf)) for lane in lanes]
        edges = np.concatenate([np.zeros(0), *downs, *ups]).astype(np.int64)
        return np.unique(np.minimum(edges, len(self.clock)))

    def active(self, frame: int) -> list[int]:
        """Codes held at the end of a frame or pressed in it, in the order of the lanes."""
        return [lane.code for lane in self.keys if lane.is_active(frame)]

    def corrected_in(self, frame: int) -> list[int]:
        """Codes that a correction has active in a frame where they were not recorded so, or the other way round."""
        return [
            code
            for code in self.codes
            if self._said(key_subject(code)).versions
            and self.key(code).is_active(frame) != self.recorded_key(code).is_active(frame)
        ]

    def motion(self, frame: int) -> tuple[float, float]:
        """Summed motion of a frame in device counts, right and down."""
        moved = self._moved()
        return float(moved.dx.values[frame]), float(moved.dy.values[frame])

    def scroll(self, frame: int) -> tuple[float, float]:
        """Summed notches of a frame, right and up."""
        if any(frame in span for span in self._said(SCROLL).spans):
            return 0.0, 0.0
        right, up = self.raw.scroll[frame]
        return float(right), float(up)

    # Where it differs from the recording

    def recorded_key(self, code: int) -> KeyLane:
        """The raw lane, empty for a key that was never recorded."""
        return self._now().key(code).lane

    def differing(self, code: int) -> Positions:
        """(D, 2) ascending stretches in which the key is down in one of the two lanes and not in the other."""
        recorded, now = self._now().key(code), self._key(code)
        known = self._differing.get(code)
        if known is None or known[0] is not recorded or known[1] is not now:
            found = differing(recorded.holds, now.holds)
            known = recorded, now, positions(found.reshape(-1), self.clock.edges_ns).reshape(-1, 2)
            self._differing[code] = known
        return known[2]

    def differing_motion(self) -> Int64:
        """(D, 2) ascending stretches of frames [start, stop) whose motion is scaled or cleared."""
        return self._moved().changed

    # What commands ask

    def holds(self, code: int) -> Holds:
        """When the key is down, corrected, within the session."""
        return self._key(code).holds

    def recorded_holds(self, code: int) -> Holds:
        return self._now().key(code).holds

    def hold_in(self, code: int, frame: int) -> tuple[int, int] | None:
        """The hold [down_ns, up_ns) under the playhead: the last that touches the frame, None where none does."""
        start_ns, stop_ns = self.clock.span(frame)
        holds = self.holds(code)
        at = int(np.searchsorted(holds[:, 0], stop_ns, "left")) - 1
        return (int(holds[at, 0]), int(holds[at, 1])) if at >= 0 and holds[at, 1] > start_ns else None

    def known_around(self, t_ns: int) -> tuple[int, int] | None:
        """The stretch [start_ns, stop_ns) around an instant that no gap interrupts; None within one, or outside."""
        start_ns, stop_ns = int(self.clock.t_ns[0]), self.clock.t_stop_ns
        for gap in self._now().gaps:
            if gap.start_ns <= t_ns < gap.stop_ns:
                return None
            if gap.stop_ns <= t_ns:
                start_ns = max(start_ns, gap.stop_ns)
            else:
                stop_ns = min(stop_ns, gap.start_ns)
        return (start_ns, stop_ns) if start_ns <= t_ns < stop_ns else None

    def corrections(self, subject: str) -> list[Span]:
        """The corrections in force of a subject (`annotator.model.edits.subjects`), in the order in which they apply."""
        return list(self._said(subject).spans)

    # Inside

    def _said(self, subject: str) -> _Said:
        return self._index().get(subject, _NOTHING)

    def _index(self) -> dict[str, _Said]:
        if self._revision != self.document.edit_count:
            found: dict[str, list[tuple[str, Span]]] = {}
            for span in self.document.spans(LabelKind.ACTION, suggested=False):
                head = self.document.head(span.entity_id)
                found.setdefault(subject_of(span.value), []).append((head.id if head else "", span))
            found.pop(UNREADABLE, None)
            self._overlays, self._revision = {}, self.document.edit_count
            for subject, said in sorted(found.items()):
                said.sort()
                self._overlays[subject] = _Said(tuple(s for _, s in said), tuple(version for version, _ in said))
            imputed = self._overlays.get(IMPUTED, _NOTHING)
            if imputed.versions != self._imputed:
                self._imputed = imputed.versions
                self._recording.put_in(pieces_of(map(_overlay, imputed.spans), self.clock))
        return self._overlays

    def _now(self) -> RecordedInputs:
        """What counts as recorded: what was imputed and confirmed is in it, under every other correction."""
        self._index()
        return self._recording

    def _key(self, code: int) -> Key:
        recorded, said, gaps = self._now().key(code), self._said(key_subject(code)), self.gaps
        if not said.versions:
            return recorded
        known = self._corrected.get(code)
        if known is None or known.versions != said.versions or known.recorded is not recorded or known.gaps is not gaps:
            facts, lane = self._recording.facts(self._correct(code, said)), known.key.lane if known else None
            known = _Corrected(said.versions, recorded, gaps, Key.of(code, facts, self.clock, lane))
            self._corrected[code] = known
        return known.key

    def _correct(self, code: int, said: _Said) -> EventArray:
        """The key's events corrected: only what the corrections reach is worked on, and only where one has changed."""
        events, edges = self._recording.events(code), self.clock.edges_ns
        known: dict[Versions, tuple[bytes, EventArray]] = self._patches.get(code, {})
        clusters = _clusters(said)
        frames = np.array([(min(s.start for s in c.spans), max(s.stop for s in c.spans)) for c in clusters], np.int64)
        stretches_ns = edges[np.minimum(frames, len(self.clock))]
        bounds = np.searchsorted(np.ascontiguousarray(events["t_ns"]), stretches_ns).tolist()
        self._patches[code] = patches = {}
        parts, first = [], 0
        for cluster, (begin, end) in zip(clusters, bounds, strict=True):
            before = max(begin - 1, 0)  # one event before tells whether the key is down there
            here = events[before:end]
            recorded, (of, patch) = here.tobytes(), known.get(cluster.versions, (b"", here))
            if cluster.versions not in known or of != recorded:
                facts = self._recording.facts(here)
                patch = correct(facts, self.clock, [_overlay(span) for span in cluster.spans]).events[begin - before :]
            patches[cluster.versions] = recorded, patch
            parts += [events[first:begin], patch]
            first = end
        return joined([*parts, events[first:]])

    def _moved(self) -> _Motion:
        said, known = self._said(MOTION), self._motion
        raw = self.raw.dx, self.raw.dy
        if known is None or known.versions != said.versions:
            factors = _factors(said, len(self.clock))
            self._motion = _scaled(said.versions, raw, factors, _changed(factors))
        elif known.raw != raw:
            self._motion = _scaled(said.versions, raw, known.factors, known.changed)
        assert self._motion is not None
        return self._motion


def _factors(said: _Said, frame_count: int) -> Floats:
    factors = np.ones((frame_count, 2), np.float32)
    for span in said.spans:
        correction = correction_of(span.value)
        assert isinstance(correction, MotionCorrection)
        factors[span.start : span.stop] = correction.scale  # of two that overlap the later one counts
    return factors


def _changed(factors: Floats) -> Int64:
    is_changed = np.concatenate([[False], (factors != 1).any(axis=1), [False]])
    return np.flatnonzero(np.diff(is_changed.astype(np.int8))).reshape(-1, 2)


def _scaled(versions: Versions, raw: tuple[MotionLane, MotionLane], factors: Floats, changed: Int64) -> _Motion:
    dx, dy = raw
    if versions:
        dx, dy = MotionLane(dx.values * factors[:, 0]), MotionLane(dy.values * factors[:, 1])
    return _Motion(versions, raw, dx, dy, factors, changed)


def _overlay(span: Span) -> Overlay:
    correction = correction_of(span.value)
    assert correction is not None
    return Overlay(span.start, span.stop, correction)


def _clusters(said: _Said) -> list[_Said]:
    """The corrections in groups that do not touch one another, by frame, each group in the order in which it applies."""
    groups: list[list[int]] = []
    stop = -1
    for i in sorted(range(len(said.spans)), key=lambda i: said.spans[i].start):
        if groups and said.spans[i].start <= stop:
            groups[-1].append(i)
        else:
            groups.append([i])
        stop = max(stop, said.spans[i].stop)
    groups = [sorted(group) for group in groups]
    return [_Said(tuple(said.spans[i] for i in g), tuple(said.versions[i] for i in g)) for g in groups]


def _place(code: int, known: tuple[int, ...]) -> tuple[int, int]:
    return (known.index(code), 0) if code in known else (len(known), code)
