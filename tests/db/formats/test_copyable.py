"""A video that is as a session stores it comes in packet by packet; every other one is encoded anew."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.video.frame import PictureType
from av.video.reformatter import ColorRange, Colorspace

from db.formats.copyable import is_copyable
from db.formats.footage import open_footage
from db.formats.format import Asked
from db.formats.registry import find_format
from db.formats.steadyvideo import write_steady
from db.formats.transfer import bring_in, write_out
from db.recording.verification import verify
from db.specs import CaptureSpec
from db.store import Store
from recordings import FRAME_NS, START_NS, Take, record

SIZE_PX, RATE_HZ = (64, 48), 20


def picture(number: int, size_px: tuple[int, int] = SIZE_PX) -> av.VideoFrame:
    ramp = (np.arange(size_px[0])[None, :] * 3 + np.arange(size_px[1])[:, None] * 2 + number * 5) % 250
    return av.VideoFrame.from_ndarray(np.repeat(ramp[..., None], 3, axis=2).astype(np.uint8), format="rgb24")


def film(path: Path, *, count: int = 60, options: dict[str, str] | None = None, **more: Any) -> Path:
    """As a session's video, but for what is named: gop, b_frames, pix_fmt, colorspace, color_range, size_px, aspect, codec."""
    size_px = more.get("size_px", SIZE_PX)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(more.get("codec", "libx264"), rate=RATE_HZ)
        stream.width, stream.height, stream.pix_fmt = *size_px, more.get("pix_fmt", "yuv420p")
        context = stream.codec_context
        context.time_base = Fraction(1, RATE_HZ)
        context.colorspace = more.get("colorspace", Colorspace.ITU601)
        context.color_range = more.get("color_range", ColorRange.MPEG)
        context.max_b_frames, context.gop_size = more.get("b_frames", 0), more.get("gop", RATE_HZ)
        if "aspect" in more:
            context.sample_aspect_ratio = more["aspect"]
        context.options = {"preset": "veryfast", "sc_threshold": "0"} | (options or {})
        for number in range(count):
            frame = picture(number, size_px).reformat(format=stream.pix_fmt)
            frame.pts, frame.time_base, frame.pict_type = number, Fraction(1, RATE_HZ), PictureType.NONE
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def is_taken(path: Path) -> bool:
    shares: list[float] = []
    with open_footage(path) as footage:
        found = is_copyable(footage, CaptureSpec(), shares.append)
    assert shares == sorted(shares)
    return found


def test_videos_that_are_like_ours(store, tmp_path):
    assert is_taken(film(tmp_path / "plain.mp4"))
    assert is_taken(film(tmp_path / "plain.mkv", count=700))
    write_steady(tmp_path / "steady.mp4", map(picture, range(60)), SIZE_PX, RATE_HZ, gop=RATE_HZ)
    assert is_taken(tmp_path / "steady.mp4")
    session = record(store, Take(count=70))
    assert is_taken(store.session_folder(session) / "video-000.mkv")


OTHERS: dict[str, dict[str, Any]] = {
    "pictures that refer to later ones": {"b_frames": 2},
    "two seconds without a keyframe": {"gop": 2 * RATE_HZ},
    "keyframes that are none": {"options": {"intra-refresh": "1"}},
    "another matrix": {"colorspace": Colorspace.ITU709},
    "no word of a matrix": {"colorspace": 2},
    "full range": {"color_range": ColorRange.JPEG},
    "whole colours": {"pix_fmt": "yuv444p"},
    "pixels that are not square": {"aspect": Fraction(4, 3)},
    "another codec": {"codec": "mpeg4", "options": {"sc_threshold": "0"}},
    "fields": {"options": {"x264-params": "interlaced=1"}},
}


@pytest.mark.parametrize("name", OTHERS)
def test_videos_that_are_not(tmp_path, name):
    assert not is_taken(film(tmp_path / "film.mkv", **OTHERS[name]))


def test_a_stream_without_a_header_of_its_own_is_not(tmp_path):
    assert not is_taken(film(tmp_path / "film.ts"))


def packets_of(path: Path) -> Iterator[bytes]:
    with av.open(str(path)) as container:
        yield from (bytes(packet) for packet in container.demux(video=0) if packet.size)


@pytest.mark.parametrize("where", [1, 30, 59])
def test_a_damaged_packet_anywhere_is_seen(store, tmp_path, where):
    """And the video is encoded anew, without what does not decode."""
    path = film(tmp_path / "film.mkv")
    content, packet = path.read_bytes(), list(packets_of(path))[where]
    assert content.count(packet) == 1
    path.write_bytes(content.replace(packet, packet[:4] + bytes(len(packet) - 4)))
    assert not is_taken(path)
    (report,) = bring_in(store, find_format("video"), [path], Asked("game"))
    assert report.outcome == "imported"
    assert report.facts["video"] == "encoded anew"
    assert verify(store.session_folder(report.session_id)) == []


def test_a_film_whose_size_changes_is_not(tmp_path):
    small, large = film(tmp_path / "a.mp4"), film(tmp_path / "b.mp4", size_px=(96, 64))
    with av.open(str(tmp_path / "both.mkv"), "w") as out, av.open(str(small)) as one, av.open(str(large)) as other:
        copy = out.add_stream_from_template(one.streams.video[0])
        header = other.streams.video[0].codec_context.extradata
        parameters = b"".join(len(unit).to_bytes(4, "big") + unit for unit in units_of(header))
        for first, source in ((0, one), (60, other)):
            for number, packet in enumerate(source.demux(video=0)):
                if packet.size:
                    fresh = av.Packet(parameters * (first > 0 and number == 0) + bytes(packet))
                    fresh.stream, fresh.time_base, fresh.is_keyframe = copy, Fraction(1, RATE_HZ), packet.is_keyframe
                    fresh.pts = fresh.dts = first + number
                    out.mux(fresh)
    assert not is_taken(tmp_path / "both.mkv")


def units_of(header: bytes) -> list[bytes]:
    """The sets of parameters in an AVCDecoderConfigurationRecord with one of each."""
    size = int.from_bytes(header[6:8], "big")
    sequence, rest = header[8 : 8 + size], header[8 + size :]
    return [sequence, rest[3 : 3 + int.from_bytes(rest[1:3], "big")]]


@pytest.mark.parametrize("kind", ["frames", "owamcap"])
def test_pictures_that_go_out_come_back_unchanged(store, tmp_path, kind):
    """Of a session in several files, with times of its own and a time without frames."""
    times = [START_NS + i * FRAME_NS + (i * 7919) % 9_000_000 + 2_500_000_000 * (i > 50) for i in range(150)]
    take = Take(times_ns=times, capture=CaptureSpec(crf=20, segment_s=2.5))
    session = record(store, take)
    (sent,) = write_out(store, find_format(kind), [session], tmp_path / "out", Asked())
    assert sent.outcome == "written"
    with Store.open(tmp_path / "other") as other:
        (report,) = bring_in(other, find_format(kind), [tmp_path / "out"], Asked())
        assert report.to_json()["video"] == "copied"
        mine, theirs = store.recording(session), other.recording(report.session_id)
        assert len(mine.meta.segments) > 1
        assert np.abs(np.diff(theirs.clock.t_ns) - np.diff(mine.clock.t_ns)).max() <= 1_000_000
        assert verify(other.session_folder(report.session_id)) == []
        readers = mine.video(), theirs.video()
        for wanted in ([*range(150)], [149, 3, 77, 50, 51]):
            for (_, own), (_, there) in zip(*(reader.read(wanted) for reader in readers), strict=True):
                assert np.array_equal(own, there)
        for reader in readers:
            reader.close()


def test_a_long_video_is_copied_into_several_files(store, tmp_path, monkeypatch):
    """Each begins with a keyframe and none is longer than it may be."""
    monkeypatch.setattr("db.formats.arrival._SPEC", CaptureSpec(segment_s=10))
    path = film(tmp_path / "film.mkv", count=50 * RATE_HZ)
    (report,) = bring_in(store, find_format("video"), [path], Asked("game"))
    assert report.facts["video"] == "copied"
    recording = store.recording(report.session_id)
    frames = recording.frames
    firsts = [segment.first_frame for segment in recording.meta.segments]
    assert len(firsts) > 4
    assert frames["keyframe"][firsts].all()
    assert frames["pts"].max() <= 10_000
    assert verify(recording.folder) == []
    assert json.loads((recording.folder / "session.json").read_text())["segments"]
    copied = [packet for segment in recording.meta.segments for packet in packets_of(recording.folder / segment.name)]
    assert copied == list(packets_of(path))
