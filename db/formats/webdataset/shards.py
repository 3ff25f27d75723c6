"""Shards: TAR files of samples, each sample some files of one name with different endings.

A clip `<session>-<number>` is `.mp4`, its pictures at a constant rate, and `.json`: `session`, `player`, `game`, `rate_hz`, `frames` (the
session's frame that each picture is), `keys` (evdev names), `held` (for each picture the numbers of the keys that were down at the end of
its interval or tapped in it), `motion` and `scroll` (sums of each interval: counts right and down, notches right and up),
`actors` (bits: 1 person, 2 script, 4 model) and `instructions` (of each picture, "" for none). A frame has the same of one picture,
without the outer list: `.jpg`, and `frame`, `held` with names, `motion`, `scroll`, `actors`, `instruction`.

What was done in a picture's interval can be seen in the next picture at the earliest.
"""

from __future__ import annotations

import io
import itertools
import json
import tarfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import av
from PIL import Image

from db.clock import Int64
from db.errors import from_os_error
from db.formats.outgoing import Outgoing
from db.formats.sampling import sample
from db.formats.steadyvideo import write_steady
from db.formats.webdataset.plan import Plan, Sample
from db.media.colour import to_rgb
from db.media.resize import resize
from db.media.videoreader import VideoReader
from db.recording.actions import ActionTrack
from db.recording.keys import name as key_name
from db.store import Store

_GOP = 30
_JPEG = 92


def write_shard(
    path: Path, store: Store, plan: Plan, shard: Sequence[Sample], tell: Callable[[str, float], None]
) -> int:
    """Writes one shard whole or not at all; returns its bytes. The same samples make the same file names in the same order.

    tell: hears a session's id and the number of its sample over that of all its samples. Raises BadFile, DiskFull, StoreReadOnly and
    EncoderFailed, each naming nothing that was left.
    """
    fresh, clip = path.with_name(path.name + ".new"), path.with_name(path.name + ".mp4.new")
    totals = {one.session_id: one.number + 1 for one in plan.samples}
    try:
        with tarfile.open(fresh, "w", format=tarfile.GNU_FORMAT) as tar:
            for session_id, group in itertools.groupby(shard, key=lambda one: one.session_id):
                samples = list(group)
                tell(session_id, samples[0].number / totals[session_id])
                for one, files in _files(Outgoing.read(store, session_id), plan, samples, clip):
                    for ending, content in files:
                        _add(tar, f"{one.key}.{ending}", content)
                    tell(session_id, (one.number + 1) / totals[session_id])
        size = fresh.stat().st_size
        fresh.replace(path)
    except OSError as error:
        raise from_os_error(error, error.filename or path) from None
    finally:
        for left in (fresh, clip):
            left.unlink(missing_ok=True)
    return size


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    """Nobody's, of no time: the same samples are the same bytes."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), 0o644
    tar.addfile(entry, io.BytesIO(content))


def _files(
    outgoing: Outgoing, plan: Plan, samples: Sequence[Sample], clip: Path
) -> Iterator[tuple[Sample, list[tuple[str, bytes]]]]:
    """The files of each sample of one session."""
    reader = outgoing.recording.video()
    try:
        for stretch, group in itertools.groupby(samples, key=lambda one: one.stretch):
            sampling = sample(outgoing.recording.clock, plan.rate_hz, *stretch)
            track = outgoing.resolve(sampling.edges_ns)
            for one in group:
                rows = slice(one.first, one.stop)
                frames = sampling.frames[rows]
                if plan.layout.kind == "clip":
                    write_steady(clip, _shown(reader, frames), plan.size_px, plan.rate_hz, _GOP)
                    picture = ("mp4", clip.read_bytes())
                else:
                    picture = ("jpg", _jpeg(reader, frames, plan))
                yield one, [picture, ("json", _json(outgoing, plan, frames, track, rows))]
    finally:
        reader.close()


def _shown(reader: VideoReader, frames: Int64) -> Iterator[av.VideoFrame]:
    for index, ticks in itertools.groupby(frames.tolist()):
        frame = next(reader.decode([index]))[1]
        for _ in ticks:
            yield frame


def _jpeg(reader: VideoReader, frames: Int64, plan: Plan) -> bytes:
    picture = resize(to_rgb(next(_shown(reader, frames))), plan.size_px)
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=_JPEG)
    return file.getvalue()


def _json(outgoing: Outgoing, plan: Plan, frames: Int64, track: ActionTrack, rows: slice) -> bytes:
    """rows: of the track, the ticks that show these frames."""
    meta = outgoing.recording.meta
    texts, numbers = outgoing.instructions
    said = [texts[number] for number in numbers[frames].tolist()]
    names, active = [key_name(code) for code in track.codes], track.active[rows]
    whose = {"session": meta.id, "game": meta.game, "player": meta.player, "rate_hz": plan.rate_hz}
    motion, scroll, actors = (values[rows].tolist() for values in (track.motion, track.scroll, track.actors))
    if plan.layout.kind == "clip":
        actions: dict[str, Any] = {
            "frames": frames.tolist(),
            "keys": names,
            "held": [row.nonzero()[0].tolist() for row in active],
            "motion": motion,
            "scroll": scroll,
            "actors": actors,
            "instructions": said,
        }
    else:
        held = [name for name, is_active in zip(names, active[0].tolist(), strict=True) if is_active]
        actions = {
            "frame": int(frames[0]),
            "held": held,
            "motion": motion[0],
            "scroll": scroll[0],
            "actors": actors[0],
            "instruction": said[0],
        }
    return json.dumps(whose | actions, ensure_ascii=False, separators=(",", ":")).encode()
