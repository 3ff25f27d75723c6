"""How like a session is to what came back of it through another format, read as every reader of the store does.

Frames correspond by their number where a format keeps them all, else by the rule in docs/formats.md: picture i at a rate shows the
last frame at or before the middle of its tick. Inputs are compared in intervals that are known on both sides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bench.tally import Tally
from db.clock import Int64
from db.formats.outgoing import Outgoing
from db.formats.sampling import sample
from db.labelling.labels import Edit, LabelKind, heads, spans
from db.media.resize import Picture, resize
from db.recording.actions import ActionTrack, Bools, InputFacts, resolve
from db.recording.corrections import correct, corrections_of
from db.recording.events import EventKind, Origin, outside
from db.recording.reader import Recording
from db.recording.stretches import stretches_of
from db.store import Store

_SAID = {
    LabelKind.INSTRUCTION: "instructions",
    LabelKind.FLAG: "flags",
    LabelKind.TRIM: "trims",
    LabelKind.COMMENT: "comments",
    LabelKind.ACTION: "corrections as such",
}
_SAME_NS = 250_000_000
"""Two presses of a key that are further apart are not the same one."""
_WHOLE = (LabelKind.REVIEW, LabelKind.NOTE, LabelKind.TAG, LabelKind.ASSIGNEE)


@dataclass(frozen=True)
class Side:
    """A session as it is read: corrections laid over what was recorded."""

    recording: Recording
    edits: Sequence[Edit]

    @classmethod
    def read(cls, store: Store, session_id: str) -> Side:
        return cls(store.recording(session_id), store.edits(session_id))

    @cached_property
    def spans(self) -> list[Edit]:
        return [edit for edit in spans(self.edits) if not edit.suggested]

    @cached_property
    def facts(self) -> InputFacts:
        return correct(self.recording.facts, self.recording.clock, corrections_of(self.spans))

    @cached_property
    def codes(self) -> set[int]:
        events = self.facts.events
        return set(events["code"][events["kind"] == EventKind.KEY].tolist())

    @cached_property
    def used(self) -> Bools:
        """(N,) False for the frames that a person left out."""
        return Outgoing(self.recording, self.spans).used

    @cached_property
    def usable(self) -> Bools:
        """(N,) of the frames: neither left out nor with inputs that are not known."""
        return self.used & resolve(self.facts, self.recording.clock.edges_ns).known

    def changes(self, code: int) -> tuple[Int64, Int64]:
        """When a key went up, and when it went down: what a person or program did, not what watching found or closed."""
        facts, found = self.facts, (list[int](), list[int]())
        events = facts.events[(facts.events["kind"] == EventKind.KEY) & (facts.events["code"] == code)]
        events = events[outside(events["t_ns"], facts.gaps)]
        rows = [(gap.start_ns, 0, int(Origin.CLOSING)) for gap in facts.gaps]
        rows += zip(*(events[name].tolist() for name in ("t_ns", "value", "origin")), strict=True)
        is_down = False
        for t_ns, value, origin in sorted(rows, key=lambda row: row[0]):
            if bool(value) != is_down:
                is_down = bool(value)
                if origin == Origin.DEVICE:
                    found[is_down].append(t_ns)
        return np.array(found[0], np.int64), np.array(found[1], np.int64)

    def wall_ns(self, frame: int) -> int:
        anchor = self.recording.meta.anchor
        return anchor.wall_ns + int(self.recording.clock.t_ns[frame]) - anchor.mono_ns


@dataclass(frozen=True)
class Pair:
    """A session and one that came back of its frames [start, stop). N intervals correspond one to one."""

    was: Side
    now: Side
    start: int
    stop: int
    frames: Int64
    """(N,) which of the session's frames each one shows."""
    was_edges: Int64
    """(N + 1,)"""
    now_edges: Int64
    """(N + 1,)"""

    @classmethod
    def of(cls, was: Side, now: Side, rate_hz: float | None, *, is_cut: bool) -> Pair:
        """rate_hz: of the format; None where it keeps the frames. is_cut: whether it leaves out what cannot be learnt from."""
        clock, count = was.recording.clock, len(now.recording.clock)
        start, stop = 0, len(clock)
        if is_cut:
            walls = clock.t_ns - clock.t_ns[0] + was.wall_ns(0)
            start = int(np.abs(walls - now.wall_ns(0)).argmin())
            stop = next(stop for first, stop in stretches_of(was.usable) if first <= start < stop)
        if rate_hz is None:
            frames, edges = np.arange(start, stop), clock.edges_ns[start : stop + 1]
        else:
            found = sample(clock, rate_hz, start, stop)
            frames, edges = found.frames, found.edges_ns
        count = min(count, len(frames))
        return cls(was, now, start, stop, frames[:count], edges[: count + 1], now.recording.clock.edges_ns[: count + 1])


def compare(tally: Tally, was: Side, back: Sequence[Side], rate_hz: float | None, is_cut: bool, pictures: int) -> None:
    """Says into the tally how like what came `back` is, one session at least. pictures: how many at most are looked at."""
    pairs = [Pair.of(was, now, rate_hz, is_cut=is_cut) for now in back]
    _compare_frames(tally, was, pairs)
    for pair in pairs:
        _compare_pictures(tally, pair, -(-pictures // len(pairs)))
    for pair in pairs:
        _compare_inputs(tally, pair)
    for kind, word in _SAID.items():
        _compare_spans(tally, kind, word, was, pairs)
    _compare_session(tally, was, pairs)


def _compare_frames(tally: Tally, was: Side, pairs: Sequence[Pair]) -> None:
    shown = [set(pair.frames.tolist()) for pair in pairs]
    tally.share("frames: there again", len(set().union(*shown)), len(was.recording.clock))
    tally.count("frames: twice, or more than were sent", sum(
        len(pair.now.recording.clock) - len(found) for pair, found in zip(pairs, shown, strict=True)
    ))  # fmt: skip
    for pair in pairs:
        now, before = pair.now_edges - pair.now_edges[0], pair.was_edges - pair.was_edges[0]
        off_ms = (now - before)[:-1] / 1e6
        tally.median("times: median difference, ms", off_ms)
        tally.largest("times: largest difference, ms", off_ms)
        tally.largest("times: stop off by at most, ms", [(now - before)[-1] / 1e6])


def _compare_pictures(tally: Tally, pair: Pair, most: int) -> None:
    """Each against the frame that it should show, and that one's neighbours, which should be no more like it."""
    chosen = np.unique(np.linspace(0, len(pair.frames) - 1, min(most, len(pair.frames))).round().astype(int))
    same, nearest, errors = 0, 0, []
    for wanted, (_, shown) in zip(_with_neighbours(pair, chosen), _read(pair.now, chosen.tolist()), strict=True):
        size_px = (shown.shape[1], shown.shape[0])
        off = [_error(resize(picture, size_px), shown) for picture in wanted]
        same += wanted[0].shape == shown.shape and off[0] == 0
        nearest += off[0] <= min(off)
        errors.append(off[0])
    tally.share("pictures: bit-equal", same, len(chosen))
    tally.psnr("pictures", errors)
    tally.share("pictures: most like their own frame", nearest, len(chosen))


def _with_neighbours(pair: Pair, chosen: np.ndarray) -> Iterator[list[Picture]]:
    """For each, the frame that it should show, then those before and after it."""
    last = len(pair.was.recording.clock) - 1
    near = [[int(pair.frames[at]) + step for step in (0, -1, 1)] for at in chosen]
    near = [[frame for frame in three if 0 <= frame <= last] for three in near]
    source = _read(pair.was, sorted({frame for three in near for frame in three}))
    read: dict[int, Picture] = {}
    for three in near:
        read = {frame: picture for frame, picture in read.items() if frame >= min(three)}
        while max(three) not in read:
            read.update([next(source)])
        yield [read[frame] for frame in three]


def _read(side: Side, frames: Sequence[int]) -> Iterator[tuple[int, Picture]]:
    reader = side.recording.video()
    try:
        yield from reader.read(frames)
    finally:
        reader.close()


def _error(a: Picture, b: Picture) -> float:
    """The mean squared error."""
    off = a.astype(np.int16) - b
    return float(np.square(off, dtype=np.int32).mean())


def _compare_inputs(tally: Tally, pair: Pair) -> None:
    codes = sorted(pair.was.codes | pair.now.codes)
    was = resolve(pair.was.facts, pair.was_edges, codes)
    now = resolve(pair.now.facts, pair.now_edges, codes)
    used = pair.was.used[pair.frames]
    alike = (was.active == now.active).all(axis=1) & (was.motion == now.motion).all(axis=1)
    both = was.known & now.known & used
    tally.share("known: frames of which it is said alike", (was.known == now.known).sum(), len(was))
    tally.count("known: used frames that were, and are not", (was.known & ~now.known & used).sum())
    tally.count("known: frames that were not, and are", (~was.known & now.known).sum())
    tally.share(
        "left out: frames with the same inputs", (alike & now.known)[was.known & ~used].sum(), (was.known & ~used).sum()
    )
    for value, word in ((1, "presses"), (0, "releases")):
        _compare_changes(tally, pair, value, word, both, codes)
    for name, word in (("held", "keys: down at the end"), ("active", "keys: down or tapped")):
        before, after = getattr(was, name)[both], getattr(now, name)[both]
        alike, down = before == after, before | after
        tally.share(f"{word}, alike", alike.sum(), alike.size)
        tally.share(f"{word}, alike where down", (alike & down).sum(), down.sum())
    _compare_sums(tally, was, now, both)
    tally.share("who acted: frames alike", (was.actors[both] == now.actors[both]).sum(), int(both.sum()))


def _compare_sums(tally: Tally, was: ActionTrack, now: ActionTrack, both: Bools) -> None:
    for name, unit in (("motion", "counts"), ("scroll", "notches")):
        before, after = (getattr(track, name)[both].astype(np.float64) for track in (was, now))
        tally.largest(f"{name}: sums off by at most, {unit}", after.sum(axis=0) - before.sum(axis=0))
        tally.largest(f"{name}: off in a frame at most, {unit}", (after - before).ravel())


def _compare_changes(tally: Tally, pair: Pair, value: int, word: str, both: Bools, codes: Sequence[int]) -> None:
    total, added, off = 0, 0, list[int]()
    before, after = (
        _changes(side, value, edges, both) for side, edges in ((pair.was, pair.was_edges), (pair.now, pair.now_edges))
    )
    for code in codes:
        a, b = (found.get(code, np.zeros(0, np.int64)) for found in (before, after))
        shifts = _shifts_ns(a, b)
        total, added, off = total + len(a), added + len(b) - len(shifts), off + shifts
    tally.share(f"{word}: there again", len(off), total)
    tally.count(f"{word}: more than there were", added)
    tally.median(f"{word}: median difference of time, ms", np.array(off) / 1e6)
    tally.largest(f"{word}: largest difference of time, ms", np.array(off) / 1e6)


def _shifts_ns(a: Int64, b: Int64) -> list[int]:
    """How much later each of those that are there again is: in order where none is missing, else the nearest belong together."""
    if len(a) == len(b) and (np.abs(b - a) <= _SAME_NS).all():
        shifts: list[int] = (b - a).tolist()
        return shifts
    apart, found = b[None, :] - a[:, None], list[int]()
    rows, columns = set(range(len(a))), set(range(len(b)))
    for place in np.argsort(np.abs(apart), axis=None, kind="stable").tolist():
        row, column = divmod(place, len(b))
        if row in rows and column in columns and abs(apart[row, column]) <= _SAME_NS:
            rows.remove(row)
            columns.remove(column)
            found.append(int(apart[row, column]))
    return found


def _changes(side: Side, value: int, edges: Int64, both: Bools) -> dict[int, Int64]:
    """Of each key, when it went down (1) or up (0), after the first edge, in intervals that count."""
    found: dict[int, Int64] = {}
    for code in side.codes:
        t_ns = side.changes(code)[value]
        at = np.searchsorted(edges, t_ns, side="right") - 1
        t_ns, at = t_ns[(at >= 0) & (at < len(both))], at[(at >= 0) & (at < len(both))]
        found[code] = t_ns[both[at]] - edges[0]
    return found


def _compare_spans(tally: Tally, kind: LabelKind, word: str, was: Side, pairs: Sequence[Pair]) -> None:
    """Spans of which only a part came back count as that part."""
    own = [edit for edit in was.spans if edit.kind is kind]
    total = equal = lost = added = 0
    shifts: list[float] = []
    for pair in pairs:
        expected = [(max(e.start or 0, pair.start), min(e.stop or 0, pair.stop), e.value) for e in own]
        expected = [span for span in expected if span[0] < span[1]]
        places = np.append(pair.frames, pair.stop)
        came = [
            (int(places[min(e.start or 0, len(pair.frames))]), int(places[min(e.stop or 0, len(pair.frames))]), e.value)
            for e in pair.now.spans
            if e.kind is kind
        ]
        total, added = total + len(expected), added + len(came)
        for _, a, b in sorted((_shift(a, b), a, b) for a in expected for b in came if a[2] == b[2]):
            if a in expected and b in came:
                expected.remove(a)
                came.remove(b)
                shifts.append(_shift(a, b))
                equal, added = equal + (a == b), added - 1
        lost += len(expected)
    gone = sum(all((e.start or 0) >= p.stop or (e.stop or 0) <= p.start for p in pairs) for e in own)
    tally.share(f"{word}: equal", equal, total + gone)
    if kind in (LabelKind.INSTRUCTION, LabelKind.FLAG, LabelKind.TRIM):
        tally.count(f"{word}: lost", lost + gone)
        tally.count(f"{word}: more than there were", added)
        tally.largest(f"{word}: largest shift, frames", shifts)


def _shift(a: tuple[int, int, str], b: tuple[int, int, str]) -> int:
    return max(abs(a[0] - b[0]), abs(a[1] - b[1]))


def _compare_session(tally: Tally, was: Side, pairs: Sequence[Pair]) -> None:
    meta = was.recording.meta
    for pair in pairs:
        now = pair.now.recording.meta
        for name, word in (("game", "game"), ("player", "player"), ("group_id", "group"), ("layout", "layout")):
            tally.share(f"session: {word} equal", getattr(now, name) == getattr(meta, name), 1)
        tally.share("session: the window's title equal", now.window.title == meta.window.title, 1)
        tally.share("session: consent equal", now.consent == meta.consent, int(meta.consent is not None))
        off_s = (pair.now.wall_ns(0) - was.wall_ns(int(pair.frames[0]))) / 1e9
        tally.share("session: date, to within a second", abs(off_s) < 1, 1)
        said = [[(e.kind, e.value) for e in heads(side.edits) if e.kind in _WHOLE] for side in (was, pair.now)]
        tally.share("session: review, notes and tags there again", len(set(said[0]) & set(said[1])), len(set(said[0])))
        axes = [int((side.recording.events["kind"] == EventKind.AXIS).sum()) for side in (was, pair.now)]
        tally.share("gamepad: places of axes there again", min(axes), axes[0])
