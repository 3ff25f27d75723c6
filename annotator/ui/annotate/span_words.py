"""How a span is named and coloured, whatever its kind: on the timeline, in the table and in tool tips."""

from __future__ import annotations

from PyQt6.QtGui import QColor

from annotator.model.edits.subjects import correction_of
from annotator.ui.theme import Theme
from db.labelling.labels import LabelKind
from db.recording.corrections import ImputedCorrection, KeyCorrection, MotionCorrection
from db.recording.keys import label


def span_words(kind: LabelKind, value: str) -> str:
    """What a span says, "" for an instruction that nobody has written yet."""
    if kind is LabelKind.TRIM:
        return "left out"
    if kind is not LabelKind.ACTION:
        return value
    said = correction_of(value)
    if isinstance(said, KeyCorrection):
        presses = len(said.holds_ns)
        words = f"{label(said.code)}: {presses} press{'es' * (presses != 1)}" if presses else f"{label(said.code)}: up"
        return words if said.confidence is None else f"{words} ({said.confidence:.0%} sure)"
    if isinstance(said, ImputedCorrection):
        keys = ", ".join(label(key.code) for key in said.keys if key.holds_ns) or "no keys"
        return f"{keys}{', mouse' if said.moves else ''} ({said.confidence:.0%} sure)"
    if isinstance(said, MotionCorrection):
        right, down = said.scale
        if right == down:
            return f"mouse motion × {right:g}" if right else "no mouse motion"
        return f"mouse motion × {right:g}, {down:g}"
    return "no scrolling" if said is not None else "unreadable correction"


def span_colour(kind: LabelKind, value: str, theme: Theme) -> QColor:
    if kind is LabelKind.FLAG:
        return theme.flag(value)
    named = {
        LabelKind.TRIM: theme.dim,
        LabelKind.COMMENT: theme.warn,
        LabelKind.ACTION: theme.key,
    }
    return QColor(named.get(kind, theme.accent))
