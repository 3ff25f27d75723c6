from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import av.video.frame
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.errors import BadFile, DiskFull, EncoderFailed, StoreReadOnly
from db.media.colour import through_codec_colour
from db.media.video import (
    VideoReader,
    VideoWriter,
    count_frames,
    packet_table,
    remux,
)
from db.recording.session import FRAME_DTYPE
from db.specs import CaptureSpec
from recordings import FRAME_NS, SIZE_PX, START_NS, barcode, frame_times, read_barcode

MS = 1_000_000


def encode(folder: Path, times: list[int], **spec: Any) -> tuple[VideoWriter, np.ndarray]:
    folder.mkdir(exist_ok=True)
    writer = VideoWriter(folder, SIZE_PX, CaptureSpec(**({"crf": 10} | spec)))
    rows = [writer.write(barcode(i), t - 500, t) for i, t in enumerate(times)]
    writer.close()
    writer.close()
    return writer, np.array(rows, FRAME_DTYPE)


@pytest.fixture(scope="module")
def segmented(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, VideoWriter, np.ndarray]:
    """150 frames at a rate that varies, over several segments and many groups of pictures."""
    folder = tmp_path_factory.mktemp("segmented")
    steps = np.random.default_rng(3).choice([5 * MS, 33 * MS, 34 * MS, 90 * MS, 400 * MS], 150)
    times = (START_NS + np.cumsum(steps)).tolist()
    writer, rows = encode(folder, times, segment_s=4.0, keyframe_s=0.5)
    assert len(writer.segments) > 2
    return folder, writer, rows


@given(st.lists(st.integers(0, 149), min_size=1, max_size=12))
@settings(max_examples=25)
def test_frames_are_exact_by_index_in_any_order(segmented: Any, indices: list[int]) -> None:
    folder, writer, rows = segmented
    reader = VideoReader(folder, writer.segments, rows)
    try:
        for wanted in (indices, sorted(set(indices))):
            assert [(i, read_barcode(picture)) for i, picture in reader.read(wanted)] == [(i, i) for i in wanted]
        assert read_barcode(reader.frame(indices[0])) == indices[0]
    finally:
        reader.close()


def test_every_frame_in_order_and_from_every_group(segmented: Any) -> None:
    folder, writer, rows = segmented
    reader = VideoReader(folder, writer.segments, rows)
    assert [read_barcode(picture) for _, picture in reader.read(range(150))] == list(range(150))
    seen: list[int] = []
    while len(seen) < 150:
        first, frames = reader.decode_gop(len(seen))
        assert first == len(seen)
        assert rows["keyframe"][first]
        assert len(frames) == len(reader.gop(first))
        assert [frame.pts for frame in frames] == rows["pts"][first : first + len(frames)].tolist()
        seen += range(first, first + len(frames))
    assert reader.decode_gop(149)[0] <= 149
    assert read_barcode(reader.frame(0)) == 0  # after the end of the file was met
    reader.close()


def test_reads_may_interleave(segmented: Any) -> None:
    folder, writer, rows = segmented
    reader = VideoReader(folder, writer.segments, rows)
    met = []
    for index, picture in reader.read(range(20, 60)):
        met.append(read_barcode(picture))
        if index % 7 == 0:
            assert read_barcode(reader.frame(149 - index)) == 149 - index
    assert met == list(range(20, 60))
    reader.close()


def test_indices_outside_are_refused(segmented: Any) -> None:
    folder, writer, rows = segmented
    reader = VideoReader(folder, writer.segments, rows)
    for index in (-1, 150):
        with pytest.raises(IndexError):
            reader.frame(index)
        with pytest.raises(IndexError):
            reader.decode_gop(index)
    reader.close()


def test_the_files_hold_what_the_rows_say(segmented: Any) -> None:
    folder, writer, rows = segmented
    for number, segment in enumerate(writer.segments):
        own = rows[rows["segment"] == number]
        times, keyframes = packet_table(folder / segment.name)
        assert times == own["pts"].tolist()
        assert keyframes == own["keyframe"].tolist()
        assert keyframes[0]
        assert times[0] == 0
        assert count_frames(folder / segment.name) == len(own)
        first = int(np.flatnonzero(rows["segment"] == number)[0])
        assert segment.first_frame == first
        true_ms = (own["t_ns"] - own["t_ns"][0]) / MS
        assert np.abs(own["pts"] - true_ms).max() <= 1


@pytest.mark.parametrize("step_ms", [8, 33, 240, 970, 2500])
def test_no_frame_is_a_second_away_from_its_keyframe(tmp_path: Path, step_ms: int) -> None:
    count = max(4, 2400 // step_ms)
    _, rows = encode(tmp_path, frame_times(count, step_ms * MS), rate_hz=30)
    keys = np.maximum.accumulate(np.where(rows["keyframe"], rows["pts"], -1))
    assert (rows["pts"] - keys).max() < 1000


def test_there_are_no_b_frames(segmented: Any) -> None:
    folder, writer, _ = segmented
    with av.open(str(folder / writer.segments[0].name)) as container:
        kinds = {av.video.frame.PictureType(frame.pict_type).name for frame in container.decode(video=0)}
        assert kinds == {"I", "P"}
    with av.open(str(folder / writer.segments[0].name)) as container:
        assert all(packet.pts == packet.dts for packet in container.demux(video=0) if packet.size)


def test_frames_closer_than_a_millisecond_keep_their_own_pts(tmp_path: Path) -> None:
    times = [START_NS + i * 100_000 for i in range(10)] + [START_NS + 50 * MS]
    writer, rows = encode(tmp_path, times)
    assert rows["pts"].tolist() == [*range(10), 50]
    assert rows["t_ns"].tolist() == times
    reader = VideoReader(tmp_path, writer.segments, rows)
    assert [read_barcode(reader.frame(i)) for i in (9, 0, 10, 4)] == [9, 0, 10, 4]
    reader.close()


def test_live_and_recorded_pictures_take_the_same_colour_path(tmp_path: Path) -> None:
    """crf 0 is lossless in 4:2:0, so what differs from the live path would be the conversion."""
    picture = np.random.default_rng(5).integers(0, 256, (48, 64, 4), dtype=np.uint8)
    picture = np.repeat(np.repeat(picture[::8, ::8], 8, axis=0), 8, axis=1)
    writer = VideoWriter(tmp_path, SIZE_PX, CaptureSpec(crf=0))
    rows = np.array([writer.write(picture, 0, START_NS)], FRAME_DTYPE)
    writer.close()
    reader = VideoReader(tmp_path, writer.segments, rows)
    recorded = reader.frame(0)
    reader.close()
    live = through_codec_colour(picture)
    assert (recorded == live).all()
    assert np.abs(live[4::8, 4::8].astype(int) - picture[4::8, 4::8, 2::-1]).max() <= 4  # and RGB comes back as RGB


def test_a_duplicate_is_stored_as_the_picture_before(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path, SIZE_PX, CaptureSpec(crf=0))
    shown = [0, 1, 1, 1, 2, 2]
    rows = [
        writer.write(barcode(number), t - 1, t, duplicate=i > 0 and shown[i - 1] == number)
        for i, (number, t) in enumerate(zip(shown, frame_times(len(shown)), strict=True))
    ]
    writer.close()
    reader = VideoReader(tmp_path, writer.segments, np.array(rows, FRAME_DTYPE))
    pictures = [picture for _, picture in reader.read(range(len(shown)))]
    reader.close()
    assert [read_barcode(picture) for picture in pictures] == shown
    for number, picture in zip(shown, pictures, strict=True):
        assert (picture == through_codec_colour(barcode(number))).all()


@pytest.mark.parametrize("preset", ["ultrafast", "superfast", "veryfast", "faster"])
def test_x264_gives_one_packet_a_frame(tmp_path: Path, preset: str) -> None:
    _, rows = encode(tmp_path, frame_times(40), preset=preset)
    assert packet_table(tmp_path / "video-000.mkv")[0] == rows["pts"].tolist()


def test_an_encoder_that_fails_in_the_middle_keeps_what_was_before(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path, SIZE_PX, CaptureSpec(crf=10))
    rows = [writer.write(barcode(i), t - 1, t) for i, t in enumerate(frame_times(25))]
    writer._stream.encode(None)  # an encoder that was told that all is over refuses what comes after
    with pytest.raises(EncoderFailed, match="libx264 failed"):
        writer.write(barcode(25), START_NS, START_NS + 25 * FRAME_NS)
    writer.close()
    path = tmp_path / "video-000.mkv"
    assert packet_table(path)[0] == [row[1] for row in rows]
    assert count_frames(path) == len(rows) == writer.frame_count
    with av.open(str(path)) as container:
        assert container.duration is not None  # written only into a file that was closed
    reader = VideoReader(tmp_path, writer.segments, np.array(rows, FRAME_DTYPE))
    assert [read_barcode(picture) for _, picture in reader.read(range(25))] == list(range(25))
    reader.close()


def test_pictures_of_another_size_are_refused(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path, SIZE_PX, CaptureSpec())
    with pytest.raises(ValueError, match="expected"):
        writer.write(barcode(0, (66, 48)), 0, START_NS)
    writer.write(barcode(0), 0, START_NS)
    writer.close()


@pytest.mark.parametrize(("codec", "size_px"), [("no-such-codec", SIZE_PX), ("libx264", (63, 47))])
def test_an_encoder_that_does_not_open_leaves_nothing(tmp_path: Path, codec: str, size_px: tuple[int, int]) -> None:
    with pytest.raises(EncoderFailed, match=r"does not open at \d+x\d+"):
        VideoWriter(tmp_path, size_px, CaptureSpec(codec=codec))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises((BadFile, StoreReadOnly)):
        VideoWriter(tmp_path / "file", SIZE_PX, CaptureSpec())


@contextlib.contextmanager
def file_limit(size: int) -> Iterator[None]:
    """No file of this process may grow beyond a size, which is how a quota or a full disk shows."""
    resource = pytest.importorskip("resource", reason="limits are set on POSIX only")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_told_and_what_was_written_is_kept(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path, SIZE_PX, CaptureSpec(crf=0))
    noise = np.random.default_rng(0)
    written = 0
    with file_limit(200_000):
        with pytest.raises(DiskFull, match="no room"):  # noqa: PT012
            for i in range(500):
                picture = noise.integers(0, 256, (48, 64, 4), dtype=np.uint8)
                writer.write(picture, 0, START_NS + i * FRAME_NS)
                written += 1
        with pytest.raises(DiskFull, match="no room"):
            writer.close()
        writer.close()
    assert (tmp_path / "video-000.mkv").stat().st_size == 200_000
    assert 0 < len(packet_table(tmp_path / "video-000.mkv")[0]) <= written


def test_remux_keeps_the_first_packets_bit_for_bit(tmp_path: Path) -> None:
    writer, rows = encode(tmp_path, frame_times(40))
    path = tmp_path / "video-000.mkv"
    reader = VideoReader(tmp_path, writer.segments, rows)
    before = [picture for _, picture in reader.read(range(40))]
    reader.close()
    remux(path, 25)
    assert packet_table(path)[0] == rows["pts"][:25].tolist()
    reader = VideoReader(tmp_path, writer.segments, rows[:25])
    assert all((picture == before[i]).all() for i, picture in reader.read(range(25)))
    reader.close()
    assert [p.name for p in tmp_path.iterdir()] == ["video-000.mkv"]


def test_damage_is_told(tmp_path: Path) -> None:
    writer, rows = encode(tmp_path, frame_times(60))
    path = tmp_path / "video-000.mkv"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    reader = VideoReader(tmp_path, writer.segments, rows)
    assert read_barcode(reader.frame(0)) == 0
    with pytest.raises(BadFile, match="frame 59"):
        reader.frame(59)
    reader.close()
    path.write_bytes(b"not a video at all")
    reader = VideoReader(tmp_path, writer.segments, rows)
    with pytest.raises(BadFile, match=r"cannot be opened as video .*playtape-db verify"):
        reader.frame(0)
    assert packet_table(path) == ([], [])
    with pytest.raises(BadFile, match="does not decode"):
        count_frames(path)
    with pytest.raises(BadFile):
        remux(path, 3)
    assert path.read_bytes() == b"not a video at all"
    path.unlink()
    with pytest.raises(BadFile):
        reader.frame(0)
    reader.close()


@pytest.mark.parametrize("preset", ["ultrafast", "superfast", "veryfast", "fast"])
def test_cuts_in_the_picture_make_no_keyframes_that_nobody_asked_for(tmp_path, preset):
    dice = np.random.default_rng(1)
    scenes = [dice.integers(0, 255, (48, 64, 4), dtype=np.uint8) for _ in range(4)]
    writer = VideoWriter(tmp_path, (64, 48), CaptureSpec(preset=preset))
    rows = [
        writer.write(np.ascontiguousarray(np.roll(scenes[i // 17 % 4], i, axis=1)), 0, 10**9 + i * 33_333_333)
        for i in range(90)
    ]
    writer.close()
    times, keys = packet_table(tmp_path / "video-000.mkv")
    assert times == [row[1] for row in rows]
    assert keys == [row[4] for row in rows]
    assert sum(keys) == 3
