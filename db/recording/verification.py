"""Checks that a stored session is whole: packets == rows == clock, and every frame decodes."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np

from db.clock import LATEST_NS, FrameClock
from db.errors import BadFile, PlaytapeError
from db.media.video import count_frames, is_matroska, packet_table, picture_size
from db.recording.events import EventKind, Origin
from db.recording.keys import KEY_COUNT
from db.recording.reader import Recording

_FARTHEST = 2.0**53


def verify(folder: Path, *, decode: bool = True) -> list[str]:
    """The sentences that say what is wrong with a session; an empty list means it is whole.

    decode: decode every frame (slow, about a thousand frames a second); else the first and last group of pictures.
    """
    try:
        return check(Recording(folder), decode=decode)
    except PlaytapeError as error:
        return [str(error)]


def check(recording: Recording, *, decode: bool = True) -> list[str]:
    """The same of a session that is open, whose arrays are then loaded."""
    try:
        clock = recording.clock
        _ = recording.events, recording.gaps
    except PlaytapeError as error:
        return [str(error)]
    problems = _check_tables(recording) or _check_packets(recording)
    if problems:
        return problems
    try:
        if decode:
            problems += _check_decoding(recording)
        else:
            _decode_ends(recording, clock)
    except BadFile as error:
        problems.append(str(error))
    return problems


def _check_tables(recording: Recording) -> list[str]:
    """What no session of ours holds, so that no reader has to expect it of a stranger's."""
    problems = []
    frames, events, meta = recording.frames, recording.events, recording.meta
    number = frames["segment"].astype(np.int64)
    begins = [segment.first_frame for segment in meta.segments]
    firsts = np.flatnonzero(np.diff(number, prepend=-1)).tolist()
    if number[firsts].tolist() != list(range(len(begins))) or firsts != begins:
        problems.append("The frames do not follow the order of the session's segments.")
    elif not frames["keyframe"][firsts].all():
        problems.append("A segment does not begin with a keyframe.")
    if frames["t_ns"][0] < 0:
        problems.append("The frame times are negative.")
    ends = [
        end for axis in ("x", "y", "x2", "y2") for end in (events[axis].min(initial=0), events[axis].max(initial=0))
    ]
    if not np.isfinite(ends).all():  # NaN is the least and the most of what holds one
        problems.append("An event has a motion that is not a number.")
    elif np.abs(ends).max() > _FARTHEST:
        problems.append("An event has a motion that no device makes.")
    if not np.isin(events["kind"], tuple(EventKind)).all() or not np.isin(events["origin"], tuple(Origin)).all():
        problems.append("An event is of a kind that is not known.")
    if (events["code"][events["kind"] == EventKind.KEY] >= KEY_COUNT).any():
        problems.append("An event is of a key that no keyboard has.")
    if len(events) and (events["t_ns"][0] < 0 or events["t_ns"][-1] > LATEST_NS):
        problems.append("An event has a time that cannot be.")
    if any(not 0 <= gap.start_ns < gap.stop_ns <= LATEST_NS for gap in recording.gaps):
        problems.append("A stretch with unknown inputs ends before it begins, or at a time that cannot be.")
    if len(events) and int(events["actor"].max()) >= len(meta.actors):
        problems.append("An event belongs to an actor whom the session does not name.")
    return problems


def _check_packets(recording: Recording) -> list[str]:
    problems = []
    for number, segment in enumerate(recording.meta.segments):
        rows = recording.frames[recording.frames["segment"] == number]
        path = recording.folder / segment.name
        if not is_matroska(path):  # by its content it might be a list of other files or of addresses: it is not opened
            problems.append(f"{segment.name} is not there, or not a Matroska video.")
            continue
        table = packet_table(path, len(rows) + 1000)  # a stranger's may hold any number
        packets = sorted(zip(*table, strict=True))  # B-frames come in another order
        times, keyframes = [pts for pts, _ in packets], [key for _, key in packets]
        if len(times) != len(rows):
            problems.append(f"{segment.name} holds {len(times)} packets but {len(rows)} frames are in the table.")
        elif times != rows["pts"].tolist():
            problems.append(f"{segment.name} has other presentation times than the table.")
        elif any(wanted and not there for wanted, there in zip(rows["keyframe"].tolist(), keyframes, strict=True)):
            # The other way round is no damage: an encoder may say of a picture at a cut that it stands alone.
            problems.append(f"{segment.name} has other keyframes than the table.")
        elif any(later <= earlier for earlier, later in itertools.pairwise(times)):
            problems.append(f"{segment.name} has presentation times that do not increase.")
        elif (size_px := picture_size(path)) != tuple(recording.meta.size_px):
            problems.append(f"{segment.name} has pictures of {size_px[0]}x{size_px[1]}, unlike its session.")
    known = {segment.name for segment in recording.meta.segments}
    return problems + [
        f"{p.name} belongs to no segment." for p in recording.folder.glob("video-*.mkv") if p.name not in known
    ]


def _check_decoding(recording: Recording) -> list[str]:
    problems = []
    for number, segment in enumerate(recording.meta.segments):
        rows = int((recording.frames["segment"] == number).sum())
        decoded = count_frames(recording.folder / segment.name)
        if decoded != rows:
            problems.append(f"{segment.name} decodes to {decoded} frames but {rows} are in the table.")
    return problems


def _decode_ends(recording: Recording, clock: FrameClock) -> None:
    reader = recording.video()
    try:
        for index in (0, len(clock) - 1):
            for _ in reader.decode(reader.gop(index)):
                pass
    finally:
        reader.close()


def folder_bytes(folder: Path) -> int:
    """The size of a session's files."""
    return sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
