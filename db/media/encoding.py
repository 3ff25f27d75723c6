"""What each H.264 encoder is asked for: one CaptureSpec, in the words of libx264, NVENC, Quick Sync and AMF."""

from __future__ import annotations

from db.specs import CaptureSpec

_FAST = ("ultrafast", "superfast")
"""The x264 presets for which hardware is asked for speed above all."""
_FF_QP2LAMBDA = 118
"""The unit of `global_quality` (libavutil/avutil.h)."""


def encoder_options(spec: CaptureSpec) -> tuple[str, dict[str, str]]:
    """The pixel format and the options with which `spec.codec` is opened: constant quality, and no frame held back.

    `preset` and `crf` are in x264's words; hardware gets its own nearest, with `crf` as the constant quantiser. A keyframe
    that is asked for must be one to which a reader can seek (IDR).
    """
    fast, quality = spec.preset in _FAST, str(spec.crf)
    match spec.codec:
        case "h264_nvenc":
            options = {"preset": "p1" if fast else "p4", "tune": "ull", "rc": "constqp", "qp": quality}
            return "yuv420p", options | {"delay": "0", "zerolatency": "1", "rc-lookahead": "0", "forced-idr": "1"}
        case "h264_qsv":
            options = {"preset": "veryfast" if fast else "medium", "flags": "+qscale"}
            options |= {"global_quality": str(spec.crf * _FF_QP2LAMBDA)}
            return "nv12", options | {"async_depth": "1", "look_ahead": "0", "forced_idr": "1"}
        case "h264_amf":
            options = {"usage": "ultralowlatency", "quality": "speed" if fast else "balanced", "rc": "cqp"}
            return "yuv420p", options | {"qp_i": quality, "qp_p": quality, "forced_idr": "1"}
    # No pictures without reference to others but those that are asked for: where x264 puts one at a cut, a reader of the file
    # may take it for a place to start from.
    return "yuv420p", {"preset": spec.preset, "crf": quality, "tune": "zerolatency", "sc_threshold": "0"}
