"""Sessions whose video is of any make: B-frames, open groups, long groups, any times, any size. Each frame shows its number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from db.media.video import packet_table
from db.recording.session import FRAME_DTYPE, Segment, SessionMeta, WindowSpec, new_meta
from db.recording.writer import SessionWriter
from db.specs import CaptureSpec, SizePx
from db.store import Store

START_NS = 1_000_000_000
_COLUMNS, _ROWS, _BITS = 8, 4, 16


def draw(number: int, size_px: SizePx) -> NDArray[np.uint8]:
    """A luma plane (H, W): `number` (below 2**16) in the upper half as cells of an eighth of the width, a moving ground below."""
    width, height = size_px
    bits = [number >> bit & 1 for bit in range(_BITS)]
    cells = np.where(np.array(bits).reshape(2, _COLUMNS), 235, 16).astype(np.uint8)
    rows = np.arange(height // 2) * _ROWS // height
    upper = cells[rows][:, np.arange(width) * _COLUMNS // width]
    ground = ((np.arange(width) * 3 + number * 5) % 180 + 30).astype(np.uint8)
    return np.concatenate([upper, np.broadcast_to(ground, (height - height // 2, width))])


def read(picture: NDArray[Any]) -> int:
    """The number in a picture (H, W) or (H, W, C) of any size."""
    height, width = picture.shape[:2]
    number = 0
    for bit in range(_BITS):
        row, column = divmod(bit, _COLUMNS)
        y, x = int((row + 0.5) * height / _ROWS), int((column + 0.5) * width / _COLUMNS)
        number |= int(picture[y, x].mean() > 127) << bit
    return number


@dataclass(frozen=True)
class Film:
    """How a session's video is made. `steps_ms` are the times between its frames, again and again."""

    count: int = 120
    size_px: SizePx = (96, 64)
    steps_ms: Sequence[int] = (33, 33, 34)
    start_ms: int = 0
    segments: int = 1
    gop: int = 30
    options: dict[str, str] = field(default_factory=dict)
    """Of x264, beside its group of pictures."""
    crf: int = 18

    def record(self, store: Store) -> str:
        """Makes the session in a library and returns its id."""
        meta = new_meta(
            game="Films",
            player="ann",
            capture=CaptureSpec(),
            window=WindowSpec(title="Films", size_px=self.size_px),
        )
        self.write(store.create_session(meta), meta)
        store.enter(meta.id)
        return meta.id

    def write(self, folder: Path, meta: SessionMeta) -> SessionMeta:
        """Makes the session's folder."""
        writer = SessionWriter.create(folder, meta)
        rows: list[tuple[Any, ...]] = []
        segments = []
        for number, numbers in enumerate(np.array_split(np.arange(self.count), self.segments)):
            segments.append(Segment(name=f"video-{number:03d}.mkv", first_frame=len(rows)))
            self._encode(folder / segments[-1].name, numbers.tolist())
            base_ns = rows[-1][3] + 33_000_000 if rows else START_NS
            packets = sorted(zip(*packet_table(folder / segments[-1].name), strict=True))
            for pts, key in packets:
                t_ns = base_ns + (pts - packets[0][0]) * 1_000_000
                rows.append((number, pts, t_ns - 1000, t_ns, key, False))
        assert len(rows) == self.count
        writer.write_frames(rows)
        return writer.finish(t_stop_ns=rows[-1][3] + 33_000_000, end_reason="stopped", segments=segments)

    def frames(self, folder: Path) -> NDArray[np.void]:
        """Only one file of all frames, and its table."""
        self._encode(folder / "video-000.mkv", list(range(self.count)))
        packets = sorted(zip(*packet_table(folder / "video-000.mkv"), strict=True))
        return np.array([(0, pts, 0, pts, key, False) for pts, key in packets], FRAME_DTYPE)

    def _encode(self, path: Path, numbers: list[int]) -> None:
        width, height = self.size_px
        with av.open(str(path), "w", format="matroska") as container:
            stream: Any = container.add_stream("libx264", rate=30)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.codec_context.time_base = stream.time_base = Fraction(1, 1000)
            stream.codec_context.gop_size = self.gop
            plain = {"preset": "ultrafast", "crf": str(self.crf), "sc_threshold": "0"}
            stream.codec_context.options = plain | self.options
            for frame in self._pictures(numbers):
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))

    def _pictures(self, numbers: list[int]) -> Iterator[av.VideoFrame]:
        width, height = self.size_px
        chroma = np.full((height // 2, width), 128, np.uint8)
        pts = self.start_ms
        for number in numbers:
            frame = av.VideoFrame.from_ndarray(np.concatenate([draw(number, self.size_px), chroma]), format="yuv420p")
            frame.pts, frame.time_base = pts, Fraction(1, 1000)
            pts += self.steps_ms[number % len(self.steps_ms)]
            yield frame


B_FRAMES = {"preset": "veryfast", "bf": "3", "b-pyramid": "normal"}

FILMS: dict[str, Film] = {
    "constant rate": Film(count=300),
    "variable rate": Film(count=300, steps_ms=(5, 17, 33, 33, 50, 120, 33, 400)),
    "B-frames": Film(count=300, options=B_FRAMES),
    "open groups": Film(count=300, options=B_FRAMES | {"x264-params": "open-gop=1"}),
    "B-frames, variable rate": Film(count=300, options=B_FRAMES, steps_ms=(7, 33, 90, 33, 250)),
    "offset start": Film(count=300, start_ms=5_433, options=B_FRAMES),
    "several segments": Film(count=300, segments=4, start_ms=120),
    "all intra": Film(count=120, gop=1),
}
LONG_GROUP = Film(count=1800, gop=100_000, size_px=(320, 180))
"""A minute with a single keyframe."""
LARGE = Film(count=120, gop=60, size_px=(3840, 2160), options={"tune": "fastdecode"})
