"""An OWAMcap recording as a session: frames at the times that the screen's messages tell, and the events between them."""

from __future__ import annotations

import itertools
import json
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from db.clock import Int64
from db.errors import BadArgument, BadFile
from db.files import check_near
from db.formats.account import Account
from db.formats.acting import read_actors
from db.formats.arrival import bring_account
from db.formats.footage import MOST_FRAMES, open_footage
from db.formats.format import Asked, Source, Tell
from db.formats.frametimes import first_not_after, never_fall, parts_of
from db.formats.identity import group_of, source_id
from db.formats.owamcap.inputs import Inputs
from db.formats.owamcap.mcapreader import LATEST_NS, McapReader
from db.formats.owamcap.messages import (
    KEYBOARD,
    KEYBOARD_STATE,
    MOUSE,
    MOUSE_STATE,
    PROFILE,
    RAW,
    SCREEN,
    WINDOW,
    Said,
)  # fmt: skip
from db.formats.report import Report
from db.labelling.labels import Edit, LabelKind
from db.recording.events import Actor, ActorKind, Gap, GapReason, InputEvent
from db.recording.keys import CODES
from db.store import Store

ABOUT, SPANS = "playtape", "playtape/spans"
"""Our own records of metadata: whose session it is, and what is said of stretches of it."""
_USED = frozenset({SCREEN, KEYBOARD, KEYBOARD_STATE, MOUSE, MOUSE_STATE, RAW, WINDOW})
_FAR_NS = 1_000_000_000
_ACTORS_MAX = 100_000


class Reader:
    def find(self, path: Path) -> Iterator[Source]:
        """path: an .mcap file, or a folder in which there are some, at any depth."""
        paths = sorted(found for found in path.rglob("*.mcap") if found.is_file()) if path.is_dir() else [path]
        for found in paths:
            yield Source(found, size=found.stat().st_size)

    def bring(self, store: Store, source: Source, asked: Asked, tell: Tell) -> Report:
        report = Report(source.name, "imported", path=str(source.path))
        return bring_account(store, read_account(source.path, asked, report), source, asked, tell, report)


def read_account(path: Path, asked: Asked, report: Report) -> Account:
    """What a recording tells of the video beside it. Raises BadFile with the place, and BadArgument where no game is named."""
    reader = McapReader(path, metadata=(ABOUT, SPANS))
    if reader.profile != PROFILE:
        raise BadFile(f"{path} has the profile {reader.profile[:40]!r}; OWAMcap files have {PROFILE!r}.")
    told = _Told.read(reader, report)
    said = reader.metadata.get(ABOUT, {})
    game, player = asked.game or said.get("game", "")[:200], asked.player or said.get("player", "")[:200] or "unknown"
    if not game:
        raise BadArgument(f"Nothing says which game {path} shows; name it with --game, or in the field Game.")
    video = told.video(reader)
    times_ns = told.place_frames(video, report)
    spans = _read_spans(reader)
    found = frozenset((start, CODES[value]) for kind, start, _, value in spans if kind == "found" and value in CODES)
    acted = [span for span in spans if span[0] == "actor"]
    spans = [span for span in spans if span[0] not in ("found", "actor")]
    if reader.lost_from is not None:
        size = path.stat().st_size
        report.drop(f"the end of the recording: the file is whole up to byte {reader.lost_from:,} of {size:,}")
        told.lost.append((told.latest_ns, LATEST_NS))
    report.drop("damaged chunks; inputs within the time that they were about are not known", len(reader.damaged))
    spans += [("gap", start, stop, GapReason.LOST.value) for start, stop in told.lost]
    return _Recorded(
        session_id=source_id("owamcap", [path], [video]),
        video=video,
        game=game,
        player=player,
        told_in=str(path),
        offsets_ns=times_ns - times_ns[0],
        is_loose=True,
        wall_ns=int(times_ns[0]),
        title=told.title,
        actors=(actors := _read_actors(said.get("actors", ""), player)),
        acted=_Acted.of(acted, len(actors)),
        layout=said.get("layout", "")[:100],
        lasts_ns=int(lasts) if (lasts := said.get("lasts_ns", "")).isdecimal() and len(lasts) < 19 else 0,
        group_id=group_of(said.get("group", "")),
        first_ns=int(times_ns[0]),
        inputs=Inputs(reader, told.counts.get(RAW, 0) > 0, report, found) if told.has_inputs else None,
        spans=spans,
    )


@dataclass
class _Told:
    """What the messages say of the pictures; read once before the events are."""

    uri: str = ""
    title: str = ""
    latest_ns: int = 0
    """The latest time at which a message that is used was logged."""
    lost: list[tuple[int, int]] = field(default_factory=list)
    """Stretches of time of which damaged chunks told."""
    counts: dict[str, int] = field(default_factory=dict)
    pts_ns: Any = field(default_factory=lambda: array("q"))
    moments_ns: Any = field(default_factory=lambda: array("q"))

    @classmethod
    def read(cls, reader: McapReader, report: Report) -> _Told:
        found, damaged = cls(), 0
        for message in reader.messages():
            found.counts[message.topic] = found.counts.get(message.topic, 0) + 1
            if message.topic not in _USED:
                continue
            if len(reader.damaged) > damaged:
                damaged = len(reader.damaged)
                again_ns = min(Said(reader, message).moment_ns, message.t_ns)
                found.lost.append((found.latest_ns, max(again_ns, found.latest_ns + 1)))
            found.latest_ns = max(found.latest_ns, message.t_ns)
            if message.topic == SCREEN:
                found._add_screen(Said(reader, message))
            elif message.topic == WINDOW and not found.title:
                found.title = Said(reader, message).text("title")[:500]
        if not found.pts_ns:
            cut_off = f" before byte {reader.lost_from}, where it is cut off" * (reader.lost_from is not None)
            where = f" outside the damaged chunk at byte {reader.damaged[0]}" if reader.damaged else cut_off
            raise BadFile(f"{reader.path} has no pictures: no message of {SCREEN!r} refers to a video{where}.")
        if len(reader.damaged) > damaged:
            found.lost.append((found.latest_ns, LATEST_NS))
        for topic, count in found.counts.items():
            if topic not in _USED:
                report.drop(f"messages of {topic[:80]!r}", count)
        report.drop("further names of windows", max(found.counts.get(WINDOW, 0) - 1, 0))
        return found

    @property
    def has_inputs(self) -> bool:
        return any(self.counts.get(topic) for topic in (KEYBOARD, KEYBOARD_STATE, MOUSE, MOUSE_STATE, RAW))

    def _add_screen(self, said: Said) -> None:
        media = said.get("media_ref")
        if not isinstance(media, dict):
            raise said.bad("refers to no video")
        uri, pts_ns = media.get("uri", media.get("path")), media.get("pts_ns")
        if not isinstance(uri, str) or not isinstance(pts_ns, int) or not 0 <= pts_ns <= LATEST_NS:
            raise said.bad("refers to no time in a video; single pictures cannot be imported")
        if self.uri not in ("", uri):
            raise said.bad("refers to another video than the one before; a recording has one")
        if len(self.pts_ns) >= MOST_FRAMES:
            raise said.bad(f"is beyond the {MOST_FRAMES:,} frames that a session can have")
        self.uri = uri
        self.pts_ns.append(pts_ns)
        self.moments_ns.append(min(max(said.moment_ns, 0), LATEST_NS))

    def video(self, reader: McapReader) -> Path:
        """The file beside the messages: recorders write where it was on their own machine, so only the name counts then."""
        uri = self.uri.removeprefix("file://").replace("\\", "/")
        if "://" in uri or uri.startswith("data:"):
            raise BadFile(f"{reader.path} has its pictures at {uri[:80]!r}; only a video beside it can be imported.")
        parts = PurePosixPath(uri)
        is_within = not parts.is_absolute() and ".." not in parts.parts and ":" not in uri and "\0" not in uri
        for path in [reader.path.parent / parts] * is_within + [reader.path.parent / parts.name.replace("\0", "")]:
            if path.is_file() and path != reader.path:
                check_near(path, reader.path.parent, reader.path)
                return path
        raise BadFile(f"{reader.path} has its pictures in {parts.name[:200]!r}, which is not beside it.")

    def place_frames(self, video: Path, report: Report) -> Int64:
        """(N,) when each picture of the video was taken, by the message whose place in the video is nearest."""
        with open_footage(video) as footage:
            shown = footage.times()
        if not len(shown):
            raise BadFile(f"{video} holds no pictures to import.")
        pts, moments = (np.frombuffer(told, np.int64) for told in (self.pts_ns, self.moments_ns))
        if first_not_after(pts, equal_is_wrong=False) is not None:
            order = np.argsort(pts, kind="stable")
            pts, moments = pts[order], moments[order]
        never_fall(moments)
        times, alone = shown, 0
        for part in parts_of(len(shown)):
            at = shown[part]
            after = np.clip(np.searchsorted(pts, at), 0, len(pts) - 1)
            before = np.maximum(after - 1, 0)
            nearest = np.where(np.abs(pts[after] - at) <= np.abs(at - pts[before]), after, before)
            away = np.clip(at - pts[nearest], -(2**61), 2**61)
            alone += int((abs(away) > _FAR_NS).sum())
            away[abs(away) <= 2_000_000] = 0
            times[part] = np.clip(moments[nearest] + away, 0, LATEST_NS)
        never_fall(times)
        report.change("pictures of which no message tells keep their distance to the next one", alone)
        if times[-1] - times[0] > 10**16:
            raise BadFile(f"{video} claims to last {(times[-1] - times[0]) // 10**9} s.")
        return times


@dataclass(kw_only=True)
class _Recorded(Account):
    first_ns: int
    """The file's own time of the first frame."""
    inputs: Inputs | None
    spans: Sequence[tuple[str, int, int, str]]
    """Kind, start and stop in the file's own time, value."""
    acted: _Acted
    _edges_ns: Int64 | None = None

    def gaps(self, edges_ns: Int64) -> Iterable[Gap]:
        self._edges_ns = edges_ns
        if self.inputs is None:
            return super().gaps(edges_ns)
        return list(self._told_gaps(edges_ns))

    def _told_gaps(self, edges_ns: Int64) -> Iterator[Gap]:
        for kind, start, stop, value in self.spans:
            if kind == "gap":
                ends = [int(edges_ns[0]) + at - self.first_ns for at in (start, stop)]
                start_ns, stop_ns = np.clip(ends, edges_ns[0], edges_ns[-1]).tolist()
                if start_ns < stop_ns:
                    yield Gap(start_ns, stop_ns, GapReason(value))

    def events(self, edges_ns: Int64) -> Iterator[Sequence[InputEvent]]:
        if self.inputs:
            shift_ns = self.first_ns - int(edges_ns[0])
            for events in self.inputs.read(self.first_ns, int(edges_ns[0])):
                yield self.acted.name(events, shift_ns)

    def labels(self) -> Iterator[Edit]:
        edges = self._edges_ns
        for kind, start, stop, value in self.spans:
            if kind != "gap" and edges is not None:
                first, last = (_nearest(edges, at - self.first_ns + int(edges[0])) for at in (start, stop))
                if first < last:
                    yield self.label(LabelKind(kind), first, last, value)


@dataclass(frozen=True)
class _Acted:
    """Runs of events of other actors than the first, as we wrote them."""

    starts_ns: Int64
    stops_ns: Int64
    """Both ascending, in the file's own time; of two runs at one time the later one counts."""
    actors: Int64

    @classmethod
    def of(cls, spans: Sequence[tuple[str, int, int, str]], count: int) -> _Acted:
        """count: how many actors there are; runs of others are left out."""
        runs = sorted(
            (start, stop, int(value)) for _, start, stop, value in spans if value in map(str, range(1, count))
        )
        table = np.array(runs, np.int64).reshape(-1, 3)
        return cls(table[:, 0], table[:, 1], table[:, 2])

    def name(self, events: list[InputEvent], shift_ns: int) -> list[InputEvent]:
        """The same with their actors. shift_ns: from the events' time to the file's own."""
        if not len(self.starts_ns) or not events:
            return events
        times = np.fromiter((event.t_ns + shift_ns for event in events), np.int64, len(events))
        at = np.searchsorted(self.starts_ns, times, side="right") - 1
        actors = np.where((at >= 0) & (times < self.stops_ns[at]), self.actors[at], 0).tolist()
        return [replace(event, actor=actor) if actor else event for event, actor in zip(events, actors, strict=True)]


def _read_actors(told: str, player: str) -> tuple[Actor, ...]:
    """As many as were written, in their order; the first person is the player."""
    try:
        found = read_actors(json.loads(told[:_ACTORS_MAX]))
    except (ValueError, RecursionError):
        return ()
    people = (number for number, actor in enumerate(found) if actor.kind is ActorKind.PERSON)
    mine = next(people, None)
    return tuple(Actor(kind=actor.kind, name=player) if number == mine else actor for number, actor in enumerate(found))


def _nearest(edges_ns: Int64, at_ns: int) -> int:
    """Of which edge this is the time, to the nearest: some frames' times were told to be the same, and moved."""
    after = min(int(np.searchsorted(edges_ns, at_ns)), len(edges_ns) - 1)
    return after - (after > 0 and at_ns - int(edges_ns[after - 1]) < int(edges_ns[after]) - at_ns)


_KINDS = {"gap", "found", "actor", *(kind.value for kind in (LabelKind.INSTRUCTION, LabelKind.FLAG, LabelKind.TRIM))}


def _read_spans(reader: McapReader) -> list[tuple[str, int, int, str]]:
    """What we wrote of stretches; what is no such thing is left out."""
    found = []
    for text in itertools.islice(reader.metadata.get(SPANS, {}).values(), 100_000):
        try:
            kind, start, stop, value = json.loads(text)
            if kind == "gap":
                GapReason(value)
        except (ValueError, TypeError, RecursionError):
            continue
        whole = all(isinstance(at, int) and 0 <= at <= LATEST_NS for at in (start, stop))
        if isinstance(kind, str) and kind in _KINDS and whole and isinstance(value, str):
            found.append((kind, start, stop, value[:20_000]))
    return found
