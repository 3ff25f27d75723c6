"""Encoders as they really open and encode on the machine that runs the tests."""

from __future__ import annotations

import json

import numpy as np
import pytest

from db.errors import EncoderFailed
from db.media.video import VideoReader, VideoWriter, count_frames
from db.recording.session import FRAME_DTYPE
from db.specs import CaptureSpec
from recorder import encoders
from recorder.encoders import ENCODER_SHARE, HARDWARE, PRESETS, SOFTWARE, Trial, choose, fallback, probe
from recorder.frames import FrameQueue, Shot
from recorder.screen import synthetic
from recorder.screen.source import Grab
from recorder.sinks import Encoder
from recordings import Take

SIZE_PX = (320, 240)


@pytest.fixture
def sample():
    return np.random.default_rng(2).integers(0, 256, (SIZE_PX[1], SIZE_PX[0], 4), dtype=np.uint8)


@pytest.fixture
def attempts(monkeypatch):
    """Replaces the clockwork of a trial: what each preset or codec would take of a core, by name; and what was tried."""
    tried = []

    def install(shares):
        def attempt(size_px, spec, sample_frames, seconds=0.5):
            name = spec.preset if spec.codec == SOFTWARE else spec.codec
            tried.append(name)
            if isinstance(shares[name], Exception):
                raise shares[name]
            return Trial(shares[name] / spec.rate_hz / encoders._MARGIN, shares[name] / spec.rate_hz)

        monkeypatch.setattr(encoders, "attempt", attempt)
        return tried

    return install


def test_encoders_are_probed_by_opening_them():
    found = probe(SIZE_PX, CaptureSpec())
    assert [one.codec for one in found] == [*HARDWARE, SOFTWARE]
    assert found[-1].opens
    for one in found:
        assert one.opens != bool(one.reason)
        assert one.opens or one.codec in one.reason


def test_an_encoder_that_cannot_take_the_size_says_so():
    found = probe((64, 63), CaptureSpec())
    assert not found[-1].opens
    assert "64x63" in found[-1].reason
    with pytest.raises(EncoderFailed, match="No encoder opens at 64x63"):
        choose((64, 63), CaptureSpec(), [])


def test_a_real_trial_chooses_what_this_machine_sustains(sample, tmp_path):
    capture, sentence = choose(SIZE_PX, CaptureSpec(rate_hz=5, crf=24), [sample], memory=tmp_path / "memory.json")
    assert capture == CaptureSpec(rate_hz=5, crf=24, codec=capture.codec, preset=capture.preset)
    assert capture.codec in (*HARDWARE, SOFTWARE)
    assert "320x240 at 5 frames a second" in sentence
    writer = VideoWriter(tmp_path, SIZE_PX, capture)
    writer.write(sample, 0, 1)
    writer.close()


def test_the_slowest_preset_within_the_share_is_chosen_and_remembered(sample, tmp_path, attempts, monkeypatch):
    monkeypatch.setattr(encoders, "HARDWARE", ())
    tried = attempts({"ultrafast": 0.2, "superfast": 0.3, "veryfast": ENCODER_SHARE + 0.01, "faster": 0.1})
    memory = tmp_path / "cache" / "memory.json"
    spec = CaptureSpec(rate_hz=60)
    first = choose(SIZE_PX, spec, [sample], memory=memory)
    assert first.capture.preset == "superfast"
    assert "30% of one core" in first.sentence
    assert tried == ["ultrafast", "superfast", "veryfast"]
    assert choose(SIZE_PX, spec, [sample], memory=memory) == first
    assert len(tried) == 3
    choose(SIZE_PX, spec.model_copy(update={"rate_hz": 30.0}), [sample], memory=memory)
    choose((SIZE_PX[0], 200), spec, [sample[:200]], memory=memory)
    assert len(tried) == 9
    assert len(json.loads(memory.read_text())) == 3


def test_trials_can_be_forgotten(sample, tmp_path, attempts):
    memory = tmp_path / "memory.json"
    tried = attempts(dict.fromkeys((*HARDWARE, *PRESETS), 0.1))
    choose(SIZE_PX, CaptureSpec(), [sample], memory=memory)
    once = len(tried)
    encoders.forget(memory=memory)
    encoders.forget(memory=memory)
    assert not memory.exists()
    choose(SIZE_PX, CaptureSpec(), [sample], memory=memory)
    assert len(tried) == 2 * once


def test_a_machine_that_is_too_slow_is_told(sample, tmp_path, attempts, monkeypatch):
    monkeypatch.setattr(encoders, "HARDWARE", ())
    tried = attempts({"ultrafast": 1.3})
    capture, sentence = choose(SIZE_PX, CaptureSpec(), [sample], memory=tmp_path / "memory.json")
    assert (capture.codec, capture.preset, tried) == (SOFTWARE, "ultrafast", ["ultrafast"])
    assert "130% of one core" in sentence
    assert "fewer frames" in sentence


@pytest.mark.parametrize(
    ("share", "codec"), [(0.05, "h264_nvenc"), (0.9, SOFTWARE), (EncoderFailed("no more sessions"), SOFTWARE)]
)
def test_hardware_comes_first_where_it_keeps_up(sample, tmp_path, attempts, monkeypatch, share, codec):
    real = encoders._probe
    monkeypatch.setattr(
        encoders,
        "_probe",
        lambda name, *rest: encoders.Probe(name, True) if name == "h264_nvenc" else real(name, *rest),
    )
    attempts({"h264_nvenc": share} | dict.fromkeys((*HARDWARE[1:], *PRESETS), 0.1))
    capture, sentence = choose(SIZE_PX, CaptureSpec(), [sample], memory=tmp_path / "memory.json")
    assert capture.codec == codec
    assert ("in hardware, with" in sentence) == (codec != SOFTWARE)


@pytest.mark.parametrize("text", ["", "[]", "{not json", '{"a": {"codec": "x"}}', "\x00\xff"])
def test_a_damaged_memory_is_as_good_as_none(sample, tmp_path, attempts, text):
    memory = tmp_path / "memory.json"
    memory.write_text(text, encoding="utf-8")
    tried = attempts(dict.fromkeys((*HARDWARE, *PRESETS), 0.1))
    choose(SIZE_PX, CaptureSpec(), [sample], memory=memory)
    assert tried
    assert len(json.loads(memory.read_text())) == 1


def test_a_memory_that_cannot_be_written_costs_only_the_memory(sample, tmp_path, attempts):
    attempts(dict.fromkeys((*HARDWARE, *PRESETS), 0.1))
    (tmp_path / "file").write_text("")
    capture, _ = choose(SIZE_PX, CaptureSpec(), [sample], memory=tmp_path / "file" / "memory.json")
    assert capture.codec in (*HARDWARE, SOFTWARE)


def test_every_encoder_but_the_last_has_a_fallback():
    for spec in (CaptureSpec(codec="h264_nvenc"), CaptureSpec(preset="veryfast"), CaptureSpec(codec="h264_amf")):
        after = fallback(spec.model_copy(update={"rate_hz": 48.0}))
        assert after == CaptureSpec(rate_hz=48.0)
        assert fallback(after) is None


def test_frames_before_an_encoder_failed_are_stored_and_whole(tmp_path, monkeypatch):
    """The encoder is told in the middle that all is over, after which it refuses frames; recovery finds all before."""
    meta = Take(count=1).meta()
    width, height = meta.size_px
    write, stored = VideoWriter.write, []

    def fail_at_twenty(writer, *args, **more):
        if writer.frame_count == 20:
            writer._stream.encode(None)
        return write(writer, *args, **more)

    monkeypatch.setattr(VideoWriter, "write", fail_at_twenty)
    frames = FrameQueue(60, width * height * 4)
    encoder = Encoder(tmp_path, meta, frames, stored.extend)
    encoder.start()
    for i in range(30):
        shot = Shot(Grab(synthetic.paint(i, (width, height)), i * 10**8, i * 10**8 + 1), False)
        while not frames.put(shot) and encoder.alive:
            pass
    frames.end()
    encoder.close()
    with pytest.raises(EncoderFailed):
        encoder.check()
    assert len(stored) == count_frames(tmp_path / "video-000.mkv") == 20
    reader = VideoReader(tmp_path, encoder.segments, np.array(stored, FRAME_DTYPE))
    assert [synthetic.read_index(picture) for _, picture in reader.read(range(20))] == list(range(20))
    reader.close()
