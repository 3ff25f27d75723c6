"""Makes a session's proxy file by file, and throws away what does not match the video frame for frame."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.frame import PictureType
from numpy.typing import NDArray

from annotator.model.video.proxy import GOP, STEP_MS, Proxy
from db.errors import BadFile, NotFound, from_os_error
from db.media.video import MUXER, open_stream, packet_table
from db.media.videoreader import VideoReader
from db.recording.reader import Recording
from db.recording.session import read_meta
from db.specs import CaptureSpec
from db.upkeep.diskuse import keep_quota

_SPEC = CaptureSpec(preset="ultrafast", crf=30)
_GLIMPSE_PX = (32, 18)
_LARGEST_DIFFERENCE = 16.0
"""Mean of 255 levels between a frame of the video and its copy, both shrunk to _GLIMPSE_PX."""

Glimpse = NDArray[np.int16]


class ProxyWriter:
    """Writes what a Proxy lacks. Only one at a time for a session; files appear in the proxy whole or not at all."""

    def __init__(self, proxy: Proxy, recording: Recording, root: Path, quota_bytes: int) -> None:
        """quota_bytes: what the cache of the library in `root` may hold."""
        self._proxy, self._recording = proxy, recording
        self._root, self._quota_bytes = root, quota_bytes

    def write(self, near: Callable[[], int]) -> Iterator[int]:
        """Makes file after file, the next one always where `near` says that somebody looks; yields how many frames are done.

        Yields every few frames, and may be left then. Ends early where the session has changed or gone, or where the
        cache's quota has no room for all of it. Raises DiskFull, StoreReadOnly, EncoderFailed, BadFile.
        """
        reader = self._recording.video()
        try:
            self._begin()
            made: list[int] = []
            while (chunk := self._proxy.lacking(near())) is not None:
                done = self._proxy.frames_done
                yield from (done + count for count in self._write_file(reader, chunk))
                if not self._publish(chunk):
                    return
                made.append(chunk)
                keep_quota(self._root, self._quota_bytes)
                self._proxy.refresh()
                if not all(self._proxy.covers(self._proxy.frames_of(own).start) for own in made):
                    return  # else it would make again and again what is dropped for want of room
                yield self._proxy.frames_done
        except OSError as error:
            raise from_os_error(error, self._proxy.folder) from None
        finally:
            reader.close()
            with contextlib.suppress(OSError):
                self._part.unlink(missing_ok=True)

    @property
    def _part(self) -> Path:
        return self._proxy.folder / "part.mkv"

    def _begin(self) -> None:
        self._proxy.prepare()
        if not self._is_current():
            shutil.rmtree(self._proxy.folder)
            raise BadFile("The session is being changed; its proxy is made when that is done.")
        self._part.unlink(missing_ok=True)
        self._proxy.renew()
        self._proxy.refresh()

    def _is_current(self) -> bool:
        """Whether the session still is what the proxy is made of."""
        try:
            meta = read_meta(self._recording.folder)
        except (NotFound, BadFile):
            return False
        return meta.revision == self._recording.meta.revision and not meta.redact_frames

    def _write_file(self, reader: VideoReader, chunk: int) -> Iterator[int]:
        """Writes the file beside its place, checks it, and yields every few frames how many of it are done."""
        wanted, glimpses = self._proxy.frames_of(chunk), []
        container: Any = av.open(str(self._part), "w", format="matroska", options=MUXER)
        try:
            stream = open_stream(container, self._proxy.size_px, _SPEC)
            for place, (_, frame) in enumerate(reader.decode(wanted)):
                small = self._shrink(frame)
                glimpses.append(glimpse(small))
                small.pts = place * STEP_MS
                small.pict_type = PictureType.I if place % GOP == 0 else PictureType.NONE
                container.mux(stream.encode(small))
                if place % GOP == 0:
                    yield place
            container.mux(stream.encode(None))
        finally:
            container.close()
        if not matches(self._part, glimpses):
            raise BadFile(f"The proxy of session {self._recording.meta.id} does not match its video; it is not used.")

    def _shrink(self, frame: av.VideoFrame) -> av.VideoFrame:
        width, height = self._proxy.size_px
        return frame.reformat(width=width, height=height, format="yuv420p", interpolation="AREA", threads=1)

    def _publish(self, chunk: int) -> bool:
        """Puts the file in its place; where the session is another one by now, all of the proxy goes."""
        if not self._is_current():
            shutil.rmtree(self._proxy.folder, ignore_errors=True)
            return False
        self._part.replace(self._proxy.path_of(chunk))
        self._proxy.renew()
        return True


def matches(path: Path, glimpses: list[Glimpse]) -> bool:
    """Whether a proxy's file has exactly these pictures, one after the other, under the times of their places."""
    count = len(glimpses)
    times, keys = packet_table(path)
    if times != [place * STEP_MS for place in range(count)] or not all(keys[::GOP]):
        return False
    shown = 0
    try:
        with av.open(str(path)) as container:
            for frame, wanted in zip(container.decode(video=0), glimpses, strict=True):
                if np.abs(glimpse(frame) - wanted).mean() > _LARGEST_DIFFERENCE:
                    return False
                shown += 1
    except (av.FFmpegError, ValueError):
        return False
    return shown == count


def glimpse(frame: av.VideoFrame) -> Glimpse:
    """A frame in grey, very small."""
    width, height = _GLIMPSE_PX
    grey = frame.reformat(width=width, height=height, format="gray", interpolation="AREA", threads=1)
    return grey.to_ndarray().astype(np.int16)


def make(proxy: Proxy, recording: Recording, root: Path, quota_bytes: int) -> bool:
    """Makes all of it now; returns whether it is whole. Raises what `ProxyWriter.write` raises."""
    for _ in ProxyWriter(proxy, recording, root, quota_bytes).write(lambda: 0):
        pass
    proxy.refresh()
    return proxy.is_whole
