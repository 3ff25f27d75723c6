"""What a correction of actions is about: one key, the mouse's motion, scrolling, or all of it where that was imputed.

Corrections of one subject are rivals.
"""

from __future__ import annotations

from functools import lru_cache

from db.errors import BadArgument
from db.recording.corrections import Correction, KeyCorrection, read_correction

MOTION, SCROLL, IMPUTED, UNREADABLE = "motion", "scroll", "imputed", ""


def key_subject(code: int) -> str:
    return f"key {code}"


def subject_of(value: str) -> str:
    """The subject of an edit's value; UNREADABLE for what is no correction, which then counts for nothing."""
    correction = correction_of(value)
    if correction is None:
        return UNREADABLE
    return key_subject(correction.code) if isinstance(correction, KeyCorrection) else correction.kind


@lru_cache(maxsize=8192)
def correction_of(value: str) -> Correction | None:
    """The correction in an edit's value, None where it is none."""
    try:
        return read_correction(value)
    except BadArgument:
        return None
