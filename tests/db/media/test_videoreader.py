"""Files that the recorder would never write: the frame asked for is the frame given, wherever decoding began."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from db.errors import BadFile
from db.media.video import VideoReader, VideoWriter
from db.recording.session import FRAME_DTYPE, Segment
from db.specs import CaptureSpec
from films import B_FRAMES, FILMS, Film, read

ONE = [Segment(name="video-000.mkv", first_frame=0)]


def luma(frame: av.VideoFrame) -> np.ndarray:
    return frame.to_ndarray(format="gray")


@pytest.fixture(scope="module", params=[name for name in FILMS if FILMS[name].segments == 1])
def reader(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[VideoReader]:
    folder = tmp_path_factory.mktemp("film")
    reader = VideoReader(folder, ONE, FILMS[request.param].frames(folder))
    yield reader
    reader.close()


def test_every_frame_in_order_and_at_random(reader: VideoReader) -> None:
    assert [read(luma(frame)) for _, frame in reader.decode(range(len(reader)))] == list(range(len(reader)))
    pick = random.Random(1)
    for _ in range(60):
        index = pick.randrange(len(reader))
        assert read(reader.frame(index)) == index


def test_a_run_tells_the_index_of_every_frame_on_the_way(reader: VideoReader) -> None:
    pick = random.Random(2)
    for _ in range(25):
        wanted, seen = pick.randrange(len(reader)), []
        for index, frame in reader.run(wanted):
            assert read(luma(frame)) == index
            seen.append(index)
            if index >= wanted + 5:
                break
        assert seen == list(range(seen[0], seen[-1] + 1))
        assert seen[0] <= wanted <= seen[-1]


def test_a_run_goes_on_where_the_last_one_was_left(tmp_path: Path) -> None:
    film = Film(count=200, gop=1000)
    reader = VideoReader(tmp_path, ONE, film.frames(tmp_path))
    assert next(reader.run(50))[0] == 0  # the only keyframe
    assert next(reader.run(60))[0] == 1
    assert read(reader.frame(90)) == 90
    assert next(reader.run(150))[0] == 91
    assert next(reader.run(40))[0] == 0
    reader.close()


def test_a_second_run_ends_the_first(tmp_path: Path) -> None:
    reader = VideoReader(tmp_path, ONE, Film(count=60).frames(tmp_path))
    first = reader.run(0)
    assert next(first)[0] == 0
    assert read(reader.frame(40)) == 40
    assert list(first) == []
    reader.close()


def test_times_in_another_unit(tmp_path: Path) -> None:
    """Not Matroska inside: 1/90000 s, where a millisecond is a rounded number."""
    film = Film(count=90, options=B_FRAMES, steps_ms=(33, 17, 41))
    frames = film.frames(tmp_path)
    path = tmp_path / "video-000.mkv"
    moved = tmp_path / "moved.ts"
    with av.open(str(path)) as source, av.open(str(moved), "w", format="mpegts") as target:
        copy = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = copy
                target.mux(packet)
    moved.replace(path)
    with av.open(str(path)) as container:
        unit = float(container.streams.video[0].time_base or 0)
        shift = min(round(p.pts * unit * 1000) for p in container.demux(video=0) if p.pts is not None and p.size)
    frames["pts"] += shift - frames["pts"][0]
    reader = VideoReader(tmp_path, ONE, frames)
    assert unit != 0.001
    for index in (80, 3, 31, 29, 89, 0):
        assert read(reader.frame(index)) == index
    reader.close()


def test_a_frame_that_is_not_there_is_told_and_the_others_are_read(tmp_path: Path) -> None:
    film = Film(count=60)
    frames = film.frames(tmp_path)
    invented = np.array([(0, int(frames["pts"][9]) + 5, 0, 0, False, False)], FRAME_DTYPE)
    reader = VideoReader(tmp_path, ONE, np.concatenate([frames[:10], invented, frames[10:]]))
    with pytest.raises(BadFile, match="lacks frame 10;"):
        reader.frame(10)
    assert read(reader.frame(9)) == 9
    assert read(reader.frame(11)) == 10
    reader.close()


def test_a_segment_always_begins_a_group(tmp_path: Path) -> None:
    """Also where a table does not say so."""
    writer = VideoWriter(tmp_path, (96, 64), CaptureSpec(segment_s=1.05))
    picture = np.zeros((64, 96, 4), np.uint8)
    rows = np.array([writer.write(picture, 0, 10**9 + i * 10**8) for i in range(25)], FRAME_DTYPE)
    writer.close()
    rows["keyframe"] = False
    reader = VideoReader(tmp_path, writer.segments, rows)
    assert [reader.gop(index).start for index in (10, 11, 21, 22)] == [0, 11, 11, 22]
    assert len(list(reader.decode(range(25)))) == 25
    reader.close()
