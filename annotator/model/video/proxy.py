"""A small copy of a session's video for looking around: the same frames under the same indices, quick to decode anywhere.

<cache>/proxies/<session>-<revision>/proxy.json      what it was made of
<cache>/proxies/<session>-<revision>/video-000.mkv   CHUNK frames each; one is there whole or not at all
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from db.clock import Int64
from db.files import make_folder, replace_text
from db.media.videoreader import VideoReader
from db.recording.reader import Recording
from db.recording.session import FRAME_DTYPE, Segment
from db.specs import SizePx

CHUNK = 256
"""Frames in a file; the last one may have fewer. APART divides it, and GOP divides APART."""
GOP, APART = 8, 32
STEP_MS = 40
"""Between the frames of a file, whatever their true times are."""
WIDEST_PX = 960
FORMAT = 1
_MANIFEST = "proxy.json"

LONGEST_GROUP_S = 1.1
"""Of groups of more than QUICK_FRAMES; fewer are decoded at once, however long they are shown."""
QUICK_FRAMES = 30
LARGEST_FRAME_MPX = 2.2
DEAREST_GROUP_MPX = 60.0
"""Pixels of all frames from a keyframe to the next, which a seek has to decode at worst: 1080p30 with one a second is more."""


class _Manifest(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int
    frames: int
    source: str
    size_px: SizePx


def is_worthwhile(recording: Recording) -> bool:
    """Whether seeking in the video itself is slow: its keyframes lie far apart, or its pictures are large."""
    width, height = recording.meta.size_px
    mpx = width * height / 1e6
    if mpx > LARGEST_FRAME_MPX:
        return True
    frames = recording.frames
    keys = np.flatnonzero(frames["keyframe"] | (np.diff(frames["segment"].astype(np.int64), prepend=-1) != 0))
    ends = np.append(keys[1:], len(frames))
    groups, edges_ns = ends - keys, recording.clock.edges_ns
    is_long = (edges_ns[ends] - edges_ns[keys] > LONGEST_GROUP_S * 1e9) & (groups > QUICK_FRAMES)
    return bool(is_long.any() or groups.max() * mpx > DEAREST_GROUP_MPX)


class Proxy:
    """What there is of a session's proxy. One thread calls `refresh`; the others may be called from any."""

    def __init__(self, cache_dir: Path, recording: Recording) -> None:
        meta = recording.meta
        self.folder = cache_dir / "proxies" / f"{meta.id}-{meta.revision}"
        self.frame_count = len(recording.frames)
        self.size_px = small_size(meta.size_px)
        self._manifest = _Manifest(
            format=FORMAT, frames=self.frame_count, source=_digest(recording), size_px=self.size_px
        )
        self._chunks: frozenset[int] = frozenset()
        self._given_up: frozenset[int] = frozenset()
        self.refresh()

    @property
    def chunk_count(self) -> int:
        return -(-self.frame_count // CHUNK)

    @property
    def frames_done(self) -> int:
        return sum(len(self.frames_of(chunk)) for chunk in self._chunks)

    @property
    def is_whole(self) -> bool:
        return len(self._chunks) == self.chunk_count

    def frames_of(self, chunk: int) -> range:
        """The indices of the frames in a file."""
        return range(chunk * CHUNK, min((chunk + 1) * CHUNK, self.frame_count))

    def path_of(self, chunk: int) -> Path:
        return self.folder / _name(chunk)

    def refresh(self) -> None:
        """Looks anew which files there are; those of something else than this session's frames do not count."""
        names: set[str] = set()
        with contextlib.suppress(OSError):
            if self._is_ours():
                names = {path.name for path in self.folder.iterdir()}
        self._chunks = frozenset(c for c in range(self.chunk_count) if _name(c) in names) - self._given_up

    def covers(self, index: int) -> bool:
        """Whether the frame can be had from it now."""
        return index // CHUNK in self._chunks

    def spread(self, keyframes: Int64) -> Int64:
        """The frames that are quick to have all along the session, ascending: the video's keyframes, and every APART-th that is here."""
        own = np.arange(0, self.frame_count, APART, dtype=np.int64)
        return np.union1d(keyframes, own[np.isin(own // CHUNK, list(self._chunks))])

    def give_up(self, index: int) -> None:
        """The file with this frame cannot be read, or is not what it should be: done without from now on."""
        self._given_up |= {index // CHUNK}
        self._chunks -= self._given_up
        with contextlib.suppress(OSError):
            self.path_of(index // CHUNK).unlink(missing_ok=True)

    def reader(self) -> VideoReader:
        """A new reader for one thread; the frames that are not covered raise BadFile."""
        at = np.arange(self.frame_count)
        frames = np.zeros(self.frame_count, FRAME_DTYPE)
        frames["segment"], frames["pts"] = at // CHUNK, at % CHUNK * STEP_MS
        frames["keyframe"] = at % CHUNK % GOP == 0
        segments = [Segment(name=_name(c), first_frame=c * CHUNK) for c in range(self.chunk_count)]
        return VideoReader(self.folder, segments, frames)

    # For whoever makes it

    def lacking(self, near: int) -> int | None:
        """The number of the file to make next: the first one at or after frame `near`, else the first; None: all are there."""
        order = [*range(near // CHUNK, self.chunk_count), *range(near // CHUNK)]
        return next((chunk for chunk in order if chunk not in self._chunks | self._given_up), None)

    def prepare(self) -> None:
        """Makes the folder; what lies there of something else is thrown away. Raises OSError."""
        if self.folder.is_dir() and not self._is_ours():
            shutil.rmtree(self.folder)
        make_folder(self.folder)
        replace_text(self.folder / _MANIFEST, self._manifest.model_dump_json() + "\n")

    def renew(self) -> None:
        """Makes it the last of the cache that is dropped for want of room, and never the manifest before the files."""
        for path in (*sorted(self.folder.glob("video-*.mkv")), self.folder / _MANIFEST):
            with contextlib.suppress(FileNotFoundError):  # somebody has just cleared the cache
                os.utime(path)

    def _is_ours(self) -> bool:
        try:
            return _Manifest.model_validate_json((self.folder / _MANIFEST).read_bytes()) == self._manifest
        except (OSError, ValidationError):
            return False


def small_size(size_px: SizePx) -> SizePx:
    """At most WIDEST_PX wide, the same shape, even sides."""
    width, height = size_px
    scale = min(1.0, WIDEST_PX / width)
    return max(round(width * scale / 2) * 2, 2), max(round(height * scale / 2) * 2, 2)


def _digest(recording: Recording) -> str:
    """Changes with anything that changes which picture has which index."""
    frames = recording.frames
    digest = hashlib.sha256(frames["segment"].tobytes() + frames["pts"].tobytes() + frames["t_ns"].tobytes())
    for segment in recording.meta.segments:
        path = recording.folder / segment.name
        digest.update(f"{segment.name} {path.stat().st_size if path.is_file() else None}".encode())
    return digest.hexdigest()


def _name(chunk: int) -> str:
    return f"video-{chunk:03d}.mkv"
