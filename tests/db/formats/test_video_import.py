"""Videos of every kind become sessions whose frames are theirs, one by one, at their times."""

from __future__ import annotations

import wave
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from db.errors import BadFile, DiskFull, NotFound, Withdrawn
from db.formats.video import START_NS, import_video
from db.labelling.labels import new_id
from db.media.video import VideoWriter
from db.recording.events import GapReason
from db.store import Store
from db.upkeep.withdrawal import withdraw
from recordings import barcode, read_barcode

SIZE = (160, 96)
EVEN = [i * 40 for i in range(40)]
UNEVEN = [0, 40, 45, 200, 210, 1000, 1033, 1066, 3000, 3001, 3040, 3300]


def make(
    path: Path,
    times_ms: Sequence[int] = EVEN,
    codec: str = "libx264",
    size_px: tuple[int, int] = SIZE,
    pixel_format: str = "yuv420p",
    options: dict[str, str] | None = None,
    **container: str,
) -> Path:
    """A video of numbered pictures, in any codec and container that FFmpeg writes."""
    with av.open(str(path), "w", **container) as out:
        stream = out.add_stream(codec, rate=25, options=options or {})
        stream.width, stream.height, stream.pix_fmt = *size_px, pixel_format
        stream.codec_context.time_base = Fraction(1, 1000)
        for number, at in enumerate(times_ms):
            picture = np.ascontiguousarray(barcode(number, size_px)[..., :3])
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24").reformat(format=pixel_format)
            frame.pts, frame.time_base = at, Fraction(1, 1000)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def bring(store: Store, path: Path):
    return import_video(store, path, game="doom", player="ann")


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("plain.mp4", "libx264", {"crf": "8"}),
        ("b-frames.mp4", "libx264", {"crf": "8", "bf": "3", "g": "250"}),
        ("open-gop.mkv", "libx264", {"crf": "8", "bf": "3", "g": "10", "x264-params": "open-gop=1"}),
        ("vp9.webm", "libvpx-vp9", {"crf": "8", "b": "0", "cpu-used": "8"}),
        ("quicktime.mov", "mpeg4", {"q": "2"}),
    ],
)
def test_every_frame_of_every_kind_is_there_at_its_time(store, tmp_path, name, codec, options):
    report = bring(store, make(tmp_path / name, codec=codec, options=options))
    recording = store.recording(report.session_id)
    assert report.created
    assert report.frames == len(EVEN)
    assert [read_barcode(picture) for _, picture in recording.video().read(range(len(EVEN)))] == list(range(len(EVEN)))
    assert (recording.clock.t_ns - START_NS).tolist() == [ms * 1_000_000 for ms in EVEN]
    assert recording.clock.t_stop_ns - START_NS == len(EVEN) * 40_000_000
    assert store.verify(report.session_id) == []


def test_uneven_times_and_a_late_start_are_kept(store, tmp_path):
    path = make(tmp_path / "uneven.mkv", [70_000 + ms for ms in UNEVEN], options={"crf": "8", "bf": "2"})
    recording = store.recording(bring(store, path).session_id)
    assert (recording.clock.t_ns - START_NS).tolist() == [ms * 1_000_000 for ms in UNEVEN]
    assert [read_barcode(recording.video().frame(i)) for i in (11, 0, 5)] == [11, 0, 5]


def test_nobody_knows_what_was_pressed(store, tmp_path):
    summary = store.summary(bring(store, make(tmp_path / "a.mp4")).session_id)
    recording = store.recording(summary.id)
    assert [gap.reason for gap in recording.gaps] == [GapReason.UNRECORDED]
    assert not recording.resolve().known.any()
    assert recording.meta.window.kind == "video"
    assert recording.meta.window.title == "a.mp4"
    assert (summary.game, summary.player) == ("doom", "ann")
    assert all("inputs" not in reason and "actions" not in reason for reason in summary.verdict.reasons)


def test_odd_sides_and_other_colours_become_what_a_session_holds(store, tmp_path):
    path = make(tmp_path / "odd.mkv", codec="ffv1", size_px=(161, 97), pixel_format="yuv444p")
    report = bring(store, path)
    assert store.summary(report.session_id).size_px == (160, 96)
    assert read_barcode(store.recording(report.session_id).video().frame(7)) == 7


def test_colours_of_another_standard_come_out_as_they_were(store, tmp_path):
    path = tmp_path / "hd.mkv"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25, options={"crf": "5"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.colorspace = av.video.reformatter.Colorspace.ITU709
        picture = np.zeros((48, 64, 3), np.uint8)
        picture[..., 1], picture[..., 0] = 200, 60
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(
            format="yuv420p", dst_colorspace=av.video.reformatter.Colorspace.ITU709
        )
        for i in range(3):
            frame.pts = i
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    seen = store.recording(bring(store, path).session_id).video().frame(1)
    assert np.abs(seen.astype(int) - [60, 200, 0]).mean() < 4


@pytest.mark.parametrize(("degrees", "matrix"), [(90, (0, 1, -1, 0)), (180, (-1, 0, 0, -1)), (270, (0, -1, 1, 0))])
def test_pictures_that_lie_on_their_side_are_turned(store, tmp_path, degrees, matrix):
    path = make(tmp_path / "phone.mp4", options={"crf": "8"})
    rotate(path, matrix)
    with av.open(str(path)) as container:  # the reference: FFmpeg's own reading of the matrix
        frame = next(container.decode(video=0))
        turns = round(frame.rotation / 90) % 4
        upright = np.rot90(frame.to_ndarray(format="rgb24"), turns)
    report = bring(store, path)
    assert turns
    assert "turned" in " ".join(report.notes)
    shown = store.recording(report.session_id).video().frame(0)
    assert shown.shape == upright.shape
    assert np.abs(shown.astype(int) - upright).mean() < 12


def rotate(path: Path, matrix: tuple[int, int, int, int]) -> None:
    """Writes a display matrix into an MP4's track header, as a telephone does."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40  # version 0: the matrix follows 40 bytes of times, ids and volume
    a, b, c, d = matrix
    entries = [a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30]
    data[at : at + 36] = b"".join((entry & 0xFFFFFFFF).to_bytes(4, "big") for entry in entries)
    path.write_bytes(data)


def test_the_same_file_is_imported_once(store, tmp_path):
    first = bring(store, make(tmp_path / "a.mp4"))
    (tmp_path / "a.mp4").rename(tmp_path / "other name.mp4")
    again = bring(store, tmp_path / "other name.mp4")
    assert not again.created
    assert again.session_id == first.session_id
    assert again.frames == first.frames
    assert len(store.search()) == 1


def test_what_was_taken_back_stays_away(store, tmp_path):
    path = make(tmp_path / "a.mp4")
    withdraw(store, bring(store, path).session_id)
    with pytest.raises(Withdrawn):
        bring(store, path)


def test_a_video_that_breaks_off_keeps_what_can_be_seen(store, tmp_path):
    path = make(tmp_path / "cut.mkv", options={"crf": "8", "g": "5"})
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    report = bring(store, path)
    assert 5 < report.frames < len(EVEN)
    assert read_barcode(store.recording(report.session_id).video().frame(report.frames - 1)) == report.frames - 1


def test_damage_in_the_middle_is_told(store, tmp_path):
    path = make(tmp_path / "hurt.mkv", options={"crf": "8", "g": "1"}, codec="mpeg4")
    data = bytearray(path.read_bytes())
    data[len(data) // 3 : len(data) // 3 + 4000] = bytes(4000)
    path.write_bytes(data)
    report = bring(store, path)
    assert 0 < report.frames <= len(EVEN)
    assert store.verify(report.session_id) == []


def test_equal_and_falling_times_are_mended_and_told(store, tmp_path):
    path = tmp_path / "falling.avi"
    make(path, codec="mpeg4")
    with av.open(str(path)) as source, av.open(str(tmp_path / "f.mkv"), "w") as out:
        copy = out.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(source.demux(video=0)):
            if packet.size:
                packet.pts = packet.dts = [0, 1, 1, 1][number] if number < 4 else number
                packet.stream = copy
                out.mux(packet)
    report = bring(store, tmp_path / "f.mkv")
    recording = store.recording(report.session_id)
    assert (np.diff(recording.clock.t_ns) >= 1_000_000).all()
    assert "1 ms" in " ".join(report.notes)


@pytest.mark.parametrize("content", [b"", b"hello", b"\0" * 5000, b"\x1aE\xdf\xa3" + b"\xff" * 3000])
def test_what_is_no_video_is_refused_in_a_sentence(store, tmp_path, content):
    path = tmp_path / "no.mp4"
    path.write_bytes(content)
    with pytest.raises(BadFile, match=r"no\.mp4"):
        bring(store, path)
    assert_nothing_left(store)


def test_sound_alone_is_refused(store, tmp_path):
    with wave.open(str(tmp_path / "song.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(8000))
    with pytest.raises(BadFile, match="no pictures"):
        bring(store, tmp_path / "song.wav")


def test_a_file_that_is_not_there_is_named(store, tmp_path):
    with pytest.raises(BadFile, match=r"gone\.mp4"):
        bring(store, tmp_path / "gone.mp4")


def test_a_full_disk_leaves_nothing_behind(store, tmp_path, monkeypatch):
    def full(*args: object, **more: object) -> None:
        raise DiskFull("There is no room left.")

    path = make(tmp_path / "a.mp4")
    monkeypatch.setattr(VideoWriter, "write_frame", full)
    with pytest.raises(DiskFull):
        bring(store, path)
    assert_nothing_left(store)


def test_cancelling_leaves_nothing_behind(store, tmp_path):
    def cancel(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_video(store, make(tmp_path / "a.mp4"), game="g", player="p", progress=cancel)
    assert_nothing_left(store)
    with pytest.raises(NotFound):
        store.summary(new_id())


def assert_nothing_left(store: Store) -> None:
    assert list(store.sessions_dir.iterdir()) == []
    assert store.search() == []


def test_a_playlist_that_goes_under_a_videos_name_is_refused(store, tmp_path):
    """FFmpeg would read the files that it names."""
    secret = make(tmp_path / "secret.mp4")
    for text in (
        f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile://{secret}\n#EXT-X-ENDLIST\n",
        f"ffconcat version 1.0\nfile '{secret}'\n",
    ):
        (tmp_path / "video.mp4").write_text(text)
        with pytest.raises(BadFile, match=r"video\.mp4"):
            bring(store, tmp_path / "video.mp4")
    assert store.search() == []
