from __future__ import annotations

import av
import pytest

from db.media.encoding import encoder_options
from db.specs import CaptureSpec


@pytest.mark.parametrize("codec", ["libx264", "h264_nvenc", "h264_qsv", "h264_amf"])
@pytest.mark.parametrize("preset", ["ultrafast", "veryfast"])
def test_every_encoder_is_asked_for_constant_quality_and_no_delay(codec: str, preset: str) -> None:
    pixel_format, options = encoder_options(CaptureSpec(codec=codec, preset=preset, crf=23))
    fast = preset == "ultrafast"
    expected: dict[str, tuple[str, dict[str, str]]] = {
        "libx264": ("yuv420p", {"preset": preset, "crf": "23", "tune": "zerolatency", "sc_threshold": "0"}),
        "h264_nvenc": (
            "yuv420p",
            {"preset": "p1" if fast else "p4", "tune": "ull", "rc": "constqp", "qp": "23"}
            | {"delay": "0", "zerolatency": "1", "rc-lookahead": "0", "forced-idr": "1"},
        ),
        "h264_qsv": (
            "nv12",
            {"preset": "veryfast" if fast else "medium", "flags": "+qscale", "global_quality": str(23 * 118)}
            | {"async_depth": "1", "look_ahead": "0", "forced_idr": "1"},
        ),
        "h264_amf": (
            "yuv420p",
            {"usage": "ultralowlatency", "quality": "speed" if fast else "balanced", "rc": "cqp"}
            | {"qp_i": "23", "qp_p": "23", "forced_idr": "1"},
        ),
    }
    assert (pixel_format, options) == expected[codec]
    assert pixel_format in {str(known.name) for known in av.codec.Codec(codec, "w").video_formats or ()}
