"""open-p2p's folders become sessions. The annotation is read twice, a frame at a time: for its times, then for its inputs."""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from db.clock import Int64
from db.errors import BadArgument, BadFile
from db.files import check_near
from db.formats.account import MOST_LABELS, START_NS, Account, known
from db.formats.arrival import bring_account
from db.formats.footage import MOST_FRAMES
from db.formats.format import Asked, Source, Tell
from db.formats.frametimes import first_not_after, offsets_of
from db.formats.hands import Hands
from db.formats.identity import check_size, source_id
from db.formats.openp2p.inputs import play
from db.formats.openp2p.messages import Event, Frame, Metadata, Text
from db.formats.openp2p.parsing import parse_frame, parse_metadata
from db.formats.protobuf import Damaged, raw, read_file
from db.formats.report import Report
from db.labelling.labels import Edit, LabelKind
from db.recording.events import Actor, ActorKind, Gap, GapReason, InputEvent
from db.recording.stretches import stretches_of
from db.store import Store

ANNOTATION = "annotation.proto"
RATE_HZ = 20.0
_VIDEOS = ("video.mp4", "192x192.mp4")
_SQUARE = re.compile(r"\d{2,4}x\d{2,4}\.mp4")
_LONGEST_S = 10**7
_MOST_LETTERS = 32 << 20
"""Of all instructions."""
MOST_BYTES = 4 << 30
_AT_ONCE = 5_000
_NOBODY, _USER, _SYSTEM, _BOTH = 0, 1, 2, 3


class Reader:
    """A folder with an `annotation.proto` and its video, or one that holds such folders, at any depth."""

    def find(self, path: Path) -> Iterator[Source]:
        files = [path] if path.name == ANNOTATION else sorted(path.rglob(ANNOTATION))
        for file in files:
            yield Source(file.parent, size=sum(part.stat().st_size for part in file.parent.iterdir() if part.is_file()))

    def bring(self, store: Store, source: Source, asked: Asked, tell: Tell) -> Report:
        file, video = source.path / ANNOTATION, _video_in(source.path)
        check_size(file, MOST_BYTES)  # before it is read whole for its identity
        session_id = source_id("open-p2p", [file], [video])
        if found := known(store, session_id, source, asked):
            return found
        report = Report(source.name, "imported", path=str(source.path))
        account = read_account(file, video, session_id, asked, report)
        return bring_account(store, account, source, asked, tell, report)


def read_account(file: Path, video: Path, session_id: str, asked: Asked, report: Report) -> Account:
    """What an annotation tells of its video. Raises BadFile with the place, and BadArgument where no game is named."""
    told = read_annotation(file, report)
    game, player = asked.game or told.metadata.env, asked.player or told.metadata.user or "unknown"
    if not game:
        raise BadArgument(f"Nothing says which game {file} shows; name it with --game, or in the field Game.")
    _note_metadata(told, report)
    return _Annotations(
        session_id=session_id, video=video, game=game, player=player, told_in=ANNOTATION, is_loose=True,
        offsets_ns=told.offsets_ns, actors=_actors(told, player), file=file, told=told, report=report,
        **_circumstances(told.metadata),
    )  # fmt: skip


def _video_in(folder: Path) -> Path:
    """Its best video. Raises BadFile where there is none."""
    named = [folder / name for name in _VIDEOS]
    named += sorted(path for path in folder.iterdir() if _SQUARE.fullmatch(path.name))
    for path in named:
        if path.is_file():
            check_near(path, folder, folder / ANNOTATION)
            return path
    raise BadFile(f"{folder} has an {ANNOTATION} and no video.mp4 or 192x192.mp4 beside it.")


@dataclass
class Told:
    """What a first reading of an annotation finds."""

    metadata: Metadata
    known: array[int]
    """Who acted at each annotation: nobody knows, the user, the system, or both."""
    first_ns: int
    """The time of annotation 0."""
    texts: list[tuple[int, Text]]
    """With the number of their annotation."""
    offsets_ns: Int64
    """(N,) of the frames."""
    has_times: bool


def _frames(file: Path) -> Iterator[tuple[int, Frame]]:
    """The annotations with their numbers. Raises BadFile with the number."""
    number = 0
    for tag, value, at in read_file(file):
        if tag == 3:
            try:
                yield number, parse_frame(raw(value))
            except Damaged as damage:
                raise BadFile(f"{file}, annotation {number} (byte {at + damage.at}): {damage.what}.") from None
            number += 1
            if number > MOST_FRAMES:
                raise BadFile(f"{file} has over {MOST_FRAMES:,} annotations; cut it into parts first.")


def read_annotation(file: Path, report: Report) -> Told:
    """Its times, texts and who acted; what will not be kept is noted. Raises BadFile with the place."""
    metadata = _read_metadata(file)
    who, times, texts, letters = array("B"), array("Q"), list[tuple[int, Text]](), 0
    for number, frame in _frames(file):
        who.append(_USER * frame.user.known + _SYSTEM * frame.system.known)
        times.append(frame.time_ns)
        texts += [(number, said) for said in frame.texts]
        letters += sum(len(said.instruction) for said in frame.texts)
        if len(texts) > MOST_LABELS or letters > _MOST_LETTERS:
            raise BadFile(
                f"{file}, annotation {number}: up to here it has over {MOST_LABELS:,} instructions, or very long ones."
            )
        if number:
            report.drop(
                "places of the pointer", int(frame.user.has_place) + sum(e.kind == "move" for e in frame.events)
            )
        report.drop("frames with places of a gamepad's axes", int(frame.user.has_axes))
    if not times:
        raise BadFile(f"{file} has no annotations of frames.")
    has_times, first_ns = any(times), times[0]
    offsets = _offsets(file, times) if has_times else _regular(len(times), metadata.rate_hz, report)
    return Told(metadata, who, first_ns, texts, offsets, has_times)


def _read_metadata(file: Path) -> Metadata:
    """It may stand anywhere; the last one counts."""
    said = Metadata()
    for tag, value, at in read_file(file):
        if tag == 2:
            try:
                said = parse_metadata(raw(value))
            except Damaged as damage:
                raise BadFile(f"{file}, metadata (byte {at + damage.at}): {damage.what}.") from None
    return said


def _offsets(file: Path, times: array[int]) -> Int64:
    """In the memory of the times. Raises BadFile where they do not follow each other."""
    wrong = first_not_after(np.frombuffer(times, np.uint64), equal_is_wrong=False)
    if wrong is not None:
        raise BadFile(f"{file}, annotation {wrong}: its time is before that of the one before.")
    if times[-1] - times[0] > _LONGEST_S * 10**9:
        raise BadFile(f"{file} claims to last {(times[-1] - times[0]) / 1e9:.0f} s.")
    offsets = np.frombuffer(times, np.uint64)
    offsets -= offsets[0]
    return offsets.view(np.int64)


def _regular(count: int, rate_hz: float, report: Report) -> Int64:
    rate_hz = rate_hz if math.isfinite(rate_hz) and 0.1 <= rate_hz <= 240 else RATE_HZ
    report.change(f"frames without a time: {rate_hz:g} a second", count)
    return offsets_of(array("d", range(count)), 1e9 / rate_hz)


def _actors(told: Told, player: str) -> tuple[Actor, ...]:
    """The user, and the system where it ever acted."""
    person = Actor(kind=ActorKind.PERSON, name=player)
    has_system = any(who & _SYSTEM for who in told.known)
    return (person, Actor(kind=ActorKind.MODEL, name="open-p2p")) if has_system else (person,)


def _circumstances(said: Metadata) -> dict[str, Any]:
    """The window, the keyboard and the machine, as far as a session says them."""
    machine = {"system": said.os} if said.os else {}
    if said.window_px != (0, 0):
        machine["window"] = f"{said.window_px[0]}x{said.window_px[1]}"
    for number, (width, height, scale, dpi) in enumerate(said.screens):
        machine[f"screen {number}"] = f"{width}x{height}, scale {scale:g}, {dpi} dpi"
    more: dict[str, Any] = {"title": said.title, "layout": said.layout, "machine": machine}
    if re.fullmatch(r"[\w.:-]{1,100}", said.group):
        more["group_id"] = said.group
    if 0 < said.timestamp_s < 2**32:
        more["wall_ns"] = said.timestamp_s * 10**9
    return more


def _note_metadata(told: Told, report: Report) -> None:
    report.drop("the environment's subtype", int(bool(told.metadata.env_subtype)))
    report.drop("embeddings of instructions", sum(said.has_embedding for _, said in told.texts))
    both = sum(who == _BOTH for who in told.known)
    report.change("frames whose user and system are both known: the system's action is kept, as its reader does", both)
    report.drop("annotation 0, which its reader does not read", int(told.known[0] != _NOBODY))


@dataclass(kw_only=True)
class _Annotations(Account):
    """Annotation i + 1 tells of our interval i."""

    file: Path
    told: Told
    report: Report = field(repr=False)

    def gaps(self, edges_ns: Int64) -> Iterable[Gap]:
        who = np.frombuffer(self.told.known, np.uint8)[1:]
        is_known = np.zeros(len(edges_ns) - 1, np.bool_)
        is_known[: len(who)] = who[: len(is_known)] != _NOBODY
        for start, stop in stretches_of(~is_known):
            yield Gap(int(edges_ns[start]), int(edges_ns[stop]), GapReason.UNRECORDED)

    def events(self, edges_ns: Int64) -> Iterator[list[InputEvent]]:
        hands, found = Hands(self.report), list[InputEvent]()
        for number, frame in _frames(self.file):
            i = number - 1
            if i < 0:
                continue
            if i >= len(edges_ns) - 1:
                break
            found += self._interval(hands, frame, self.told.known[number], int(edges_ns[i]), int(edges_ns[i + 1]))
            if len(found) >= _AT_ONCE:
                yield found
                found = []
        yield found

    def _interval(self, hands: Hands, frame: Frame, who: int, start_ns: int, stop_ns: int) -> list[InputEvent]:
        if who == _NOBODY:
            hands.rest()
            self.report.drop("inputs in frames whose actions are not known", len(frame.events))
            return []
        is_system = bool(who & _SYSTEM)
        own = [event for event in frame.events if event.simulated == is_system and event.kind not in ("move", "axis")]
        others = sum(event.simulated != is_system for event in frame.events)
        self.report.drop("inputs of the one who was not in control", others)
        own.sort(key=lambda event: event.time_ns)
        times = [self._t_ns(event, start_ns, stop_ns) for event in own]
        action = frame.system if is_system else frame.user
        return play(hands, action, own, times, (start_ns, stop_ns), int(is_system))

    def _t_ns(self, event: Event, start_ns: int, stop_ns: int) -> int:
        """When it came, within its interval."""
        if not self.told.has_times:
            return (start_ns + stop_ns) // 2
        t_ns = self._base_ns + event.time_ns
        within = min(max(t_ns, start_ns), stop_ns - 1)
        self.report.change("inputs with a time outside of their frame: moved to its edge", int(within != t_ns))
        return within

    @property
    def _base_ns(self) -> int:
        return START_NS - self.told.first_ns

    def labels(self) -> Iterator[Edit]:
        count = len(self.told.offsets_ns)
        for number, said in self.told.texts:
            length = said.duration_s * RATE_HZ
            if not (said.instruction.strip() and math.isfinite(length) and int(min(length, count)) > 0):
                self.report.drop("instructions without text or with a duration that cannot be")
                continue
            start, stop = number - 1, number - 1 + int(min(length, count))
            if start < 0:
                self.report.change("instructions at annotation 0: they begin at the first frame")
                start = 0
            if stop > start:
                yield self.label(LabelKind.INSTRUCTION, start, stop, said.instruction)
