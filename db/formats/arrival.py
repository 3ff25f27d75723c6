"""An account on its way into the library: its session is made in a folder that nobody sees, and appears whole.

What the teller says is counted as it is written.
"""

from __future__ import annotations

import itertools
from array import array
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from db.clock import ClockAnchor, Int64
from db.errors import BadFile, from_os_error
from db.files import sync_folder
from db.formats.account import MOST_LABELS, START_NS, STEP_NS, Account, known
from db.formats.copyable import is_copyable
from db.formats.footage import MOST_FRAMES, Footage, Timed, open_footage
from db.formats.format import Asked, Source, Tell
from db.formats.frametimes import usual_step
from db.formats.report import Report
from db.labelling import edits as edit_log
from db.labelling.labels import Edit
from db.media.video import VideoWriter
from db.recording.events import EventKind, Gap, GapReason, InputEvent, Origin
from db.recording.session import FrameRow, SessionMeta, WindowSpec, new_meta
from db.recording.writer import SessionWriter
from db.specs import CaptureSpec
from db.store import Store
from db.upkeep.leftovers import staging_folder

_SPEC = CaptureSpec(preset="veryfast", crf=18)
_AT_ONCE = 500
_LONGEST_NS = 600 * 10**9
"""That a last frame may be told to last."""
_LOOKING = 0.8
"""The share of the work that is the looking whether a video can be copied, where it can."""


def bring_account(
    store: Store, account: Account, source: Source, asked: Asked, tell: Tell, report: Report | None = None
) -> Report:
    """Makes a session of an account, or, in a dry run, says what it would be.

    report: what the reader noted of what it changed and dropped; by default a new one. Raises BadFile with the place,
    Withdrawn, DiskFull and StoreReadOnly; nothing is left behind then.
    """
    if found := known(store, account.session_id, source, asked):
        return found
    report = report or Report(source.name, "imported", path=str(source.path))
    report.session_id, report.dry_run = account.session_id, asked.dry_run
    if asked.dry_run:
        _foresee(account, report)
        return report
    try:
        with staging_folder(store.sessions_dir) as staging:
            _Making(account, staging, report, tell).run()
            try:
                staging.rename(store.sessions_dir / account.session_id)
            except OSError:
                if found := known(store, account.session_id, source, asked):  # another program brought it in meanwhile
                    return found
                raise
        sync_folder(store.sessions_dir)
    except OSError as error:
        raise from_os_error(error, error.filename or source.path) from None
    try:
        store.enter(account.session_id)
    except BaseException:
        store.delete(account.session_id)
        raise
    return report


def _foresee(account: Account, report: Report) -> None:
    """The account is read as in earnest; of the video only the packets are counted."""
    with open_footage(account.video, account.cut) as footage:
        count, rate_hz = footage.count(), footage.rate_hz
    if count == 0:
        raise BadFile(f"{account.video} holds no pictures to import.")
    times, step_s = _Times(account, rate_hz), 1 / Fraction(rate_hz)
    for number in range(count):
        times.stamp_ns(number * step_s)
    _tell(account, times, report)


def _tell(account: Account, times: _Times, report: Report, writer: SessionWriter | None = None) -> int:
    """Writes what the account tells of the frames that there are; returns when the session stops. Raises BadFile."""
    told, edges = times.settle(report), times.edges_ns()
    telling = _Telling(account, edges, told, report)
    for gap in telling.gaps():
        if writer:
            writer.write_gap(gap)
    for events in telling.events():
        if writer:
            writer.write_events(events)
    labels = list(telling.labels())
    if writer and labels:
        edit_log.append_to_mirror(writer.folder, labels)
    report.frames, report.seconds = len(edges) - 1, int(edges[-1] - edges[0]) / 1e9
    report.keep("frames", report.frames)
    return int(edges[-1])


class _Times:
    """When the frames of an account were shown, though the video and the teller may not agree on how many there are."""

    def __init__(self, account: Account, rate_hz: float) -> None:
        self._account, self._rate_hz = account, rate_hz
        self._told = account.offsets_ns
        self._beyond_ns = 0 if self._told is None else self._step_ns(self._told)
        self._stamps = array("q")
        self._mended = 0

    def stamp_ns(self, at_s: Fraction) -> int:
        """Of the next frame; at_s: what the video says, after the first. Raises BadFile where there should be no such frame."""
        stamp_ns = START_NS + self._offset_ns(at_s)
        if self._stamps and stamp_ns <= self._stamps[-1]:
            stamp_ns, self._mended = self._stamps[-1] + STEP_NS, self._mended + 1
        self._stamps.append(stamp_ns)
        return stamp_ns

    def settle(self, report: Report) -> int:
        """When all frames have a stamp: of how many, from the first, something is told. Raises BadFile where it should be all."""
        count = len(self._stamps)
        told = count if self._told is None else len(self._told)
        if count < told and not self._account.is_loose:
            raise BadFile(f"{self._account.video} has {count} frames, {self._teller} tells of {told}.")
        report.change("frames of which only the video tells: their inputs are not known", count - told)
        report.drop("rows without a frame in the video", told - count)
        report.change("frames that had the time of another one or an earlier one: they follow it by 1 ms", self._mended)
        return min(count, told)

    def edges_ns(self) -> Int64:
        """(N + 1,) the stamps of all frames, and when the last one ends. After it there are no more."""
        last_ns, stop_ns = self._stamps[-1], START_NS + self._account.lasts_ns
        if not last_ns + STEP_NS <= stop_ns <= last_ns + _LONGEST_NS:
            stop_ns = last_ns + self._step_ns(np.frombuffer(self._stamps, np.int64))
        self._stamps.append(stop_ns)
        return np.frombuffer(self._stamps, np.int64)

    def _offset_ns(self, at_s: Fraction) -> int:
        number = len(self._stamps)
        if self._told is None:
            return round(at_s * 10**9)
        if number < len(self._told):
            return int(self._told[number])
        if not self._account.is_loose:
            raise BadFile(f"{self._account.video} has more than the {number} frames of which {self._teller} tells.")
        return int(self._told[-1]) + (number - len(self._told) + 1) * self._beyond_ns

    def _step_ns(self, t_ns: Int64) -> int:
        """How long a frame usually lasts, and so the last one."""
        return max(usual_step(t_ns) if len(t_ns) > 1 else round(1e9 / self._rate_hz), STEP_NS)

    @property
    def _teller(self) -> str:
        return self._account.told_in or "what is told of it"


class _Telling:
    """An account's gaps, events and labels, those that fit the frames, counted into the report."""

    def __init__(self, account: Account, edges_ns: Int64, told: int, report: Report) -> None:
        """told: of how many frames, from the first, it tells."""
        self._account, self._report = account, report
        self._count, self._edges, self._stop_ns = len(edges_ns) - 1, edges_ns[: told + 1], int(edges_ns[-1])

    def gaps(self) -> Iterator[Gap]:
        start_ns, told_ns = int(self._edges[0]), int(self._edges[-1])
        for gap in self._account.gaps(self._edges):
            assert start_ns <= gap.start_ns < gap.stop_ns <= told_ns
            yield gap
        if told_ns < self._stop_ns:
            yield Gap(told_ns, self._stop_ns, GapReason.UNRECORDED)

    def events(self) -> Iterator[list[InputEvent]]:
        counts: Counter[str] = Counter()
        start_ns, told_ns = int(self._edges[0]), int(self._edges[-1])
        for events in self._account.events(self._edges):
            fitting = [event for event in events if start_ns <= event.t_ns < told_ns]
            counts.update(map(_word, fitting))
            self._report.drop("events outside the frames", len(events) - len(fitting))
            yield fitting
        for what, count in counts.items():
            self._report.keep(what, count)

    def labels(self) -> Iterator[Edit]:
        for number, edit in enumerate(self._account.labels()):
            if number >= MOST_LABELS:
                where = self._account.told_in or self._account.video
                raise BadFile(f"{where} says over {MOST_LABELS:,} labels of one session.")
            start, stop = edit.start or 0, min(edit.stop or 0, self._count)
            if start >= stop:
                self._report.drop(f"{edit.kind.value}s outside the frames")
                continue
            self._report.keep(f"{edit.kind.value}s")
            yield edit if stop == edit.stop else edit.model_copy(update={"stop": stop})


def _word(event: InputEvent) -> str:
    if event.kind is EventKind.KEY:
        if event.origin is not Origin.DEVICE:
            return "keys found down"
        return "presses" if event.value else "releases"
    return {EventKind.MOTION: "mouse motions", EventKind.SCROLL: "scrolls", EventKind.AXIS: "axis places"}.get(
        event.kind, "pointer places"
    )


class _Making:
    """One account on its way into a folder that nobody sees yet."""

    def __init__(self, account: Account, folder: Path, report: Report, tell: Tell) -> None:
        self._account, self._folder, self._report, self._tell = account, folder, report, tell
        self._is_copied = False
        self._looked = 0.0
        """The share of the work that went into looking whether the video can be copied."""

    def run(self) -> None:
        with open_footage(self._account.video, self._account.cut) as footage:
            self._is_copied = is_copyable(footage, _SPEC, self._tell_looking)
        with open_footage(self._account.video, self._account.cut) as footage:
            pictures = footage.packets_in_time() if self._is_copied else footage.frames()
            first = next(pictures)  # from here on it is known how the pictures lie
            writer = SessionWriter.create(self._folder, self._meta(footage))
            try:
                self._write(writer, footage, itertools.chain([first], pictures))
            except BaseException:
                writer.abandon()
                raise

    def _tell_looking(self, share: float) -> None:
        self._looked = share * _LOOKING
        self._tell(self._looked)

    def _tell_written(self, share: float) -> None:
        self._tell(self._looked + (1 - self._looked) * min(share, 1.0))

    def _meta(self, footage: Footage) -> SessionMeta:
        account = self._account
        meta = new_meta(
            game=account.game,
            player=account.player,
            capture=_SPEC.model_copy(update={"rate_hz": footage.rate_hz}),
            window=WindowSpec(
                kind="video", title=(account.title or account.video.name)[:500], size_px=footage.turn.size_px
            ),
            actors=account.actors or None,
            group_id=account.group_id or None,
            layout=account.layout,
            id=account.session_id,
        )
        wall_ns = footage.wall_ns if account.wall_ns is None else account.wall_ns
        anchor = ClockAnchor(mono_ns=START_NS, wall_ns=wall_ns, boot_ns=START_NS)
        machine = {"imported on": meta.machine["system"]} | account.machine if account.machine else meta.machine
        return meta.model_copy(update={"anchor": anchor, "machine": machine})

    def _write(self, writer: SessionWriter, footage: Footage, pictures: Iterator[Timed]) -> None:
        times, rows = _Times(self._account, footage.rate_hz), list[FrameRow]()
        copied = footage.stream if self._is_copied else None
        video = VideoWriter(self._folder, footage.turn.size_px, writer.meta.capture, copied)
        try:
            for number, (picture, at) in enumerate(pictures):
                if number >= MOST_FRAMES:
                    raise BadFile(f"{footage.path} has over {MOST_FRAMES:,} frames; cut it into parts first.")
                t_ns = times.stamp_ns(at)
                write = video.write_frame if isinstance(picture, av.VideoFrame) else video.write_packet
                rows.append(write(picture, t_ns, t_ns))
                if len(rows) == _AT_ONCE:
                    writer.write_frames(rows)
                    rows = []
                    self._tell_written((t_ns - START_NS) / 1e9 / max(footage.duration_s, 1e-3))
        finally:
            video.close()
        writer.write_frames(rows)
        self._report.facts["video"] = "copied" if self._is_copied else "encoded anew"
        stop_ns = _tell(self._account, times, self._report, writer)
        writer.finish(t_stop_ns=stop_ns, end_reason="imported", segments=video.segments)
        self._tell(1.0)
        for note in footage.notes:
            self._report.change(note)
