"""Which rows the timeline has, how tall they are and where they stand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from annotator.model.edits.subjects import MOTION, key_subject, subject_of
from annotator.model.timeline.axis import Positions
from annotator.model.timeline.heat import HeatLane
from annotator.model.timeline.inputs import Inputs
from annotator.model.timeline.label_lanes import LabelLanes
from annotator.model.timeline.lanes import KeyLane, MotionLane
from annotator.model.timeline.span_lane import SpanLane
from annotator.ui.text_size import grown
from db.clock import Int64
from db.labelling.labels import Flag, LabelKind
from db.recording.keys import label

RULER_PX, SPAN_PX, FLAG_PX, HEAT_PX, KEY_PX, MOTION_PX, SPACE_PX = 24, 28, 18, 14, 16, 24, 8
RECORDED_PX = 7
"""How much taller a key's row is where it is corrected: what was recorded stands below."""
HEADER_PX = 100
"""How wide the rows' names are. All of these are for text of the usual size and grow with it."""


class RowKind(Enum):
    INSTRUCTION = auto()
    SUGGESTION = auto()
    FLAG = auto()
    TRIM = auto()
    COMMENT = auto()
    HEAT = auto()
    KEY = auto()
    MOTION = auto()


_SPANS = {
    RowKind.INSTRUCTION: LabelKind.INSTRUCTION,
    RowKind.FLAG: LabelKind.FLAG,
    RowKind.TRIM: LabelKind.TRIM,
    RowKind.COMMENT: LabelKind.COMMENT,
}


_EMPTY = SpanLane()


@dataclass(frozen=True)
class Row:
    """One lane on screen. `top` counts from the viewport's top for label rows, from the signal area's for the others."""

    kind: RowKind
    label: str
    top: int
    height: int
    word: str = ""
    """The flag that a row of flags holds; of suggestions, the flag that is suggested."""
    suggests: LabelKind | None = None
    """Of a row of suggestions: which."""
    key: KeyLane | None = None
    """As corrected."""
    recorded_key: KeyLane | None = None
    """As recorded, where that is something else."""
    suggested: KeyLane | None = None
    """Holds that wait to be confirmed."""
    motion: MotionLane | None = None
    recorded_motion: MotionLane | None = None
    changed: Positions | Int64 | None = field(default=None, compare=False)
    """(D, 2) where the recording says something else."""
    lane: SpanLane = field(default=_EMPTY, compare=False)
    """The spans that stand in a label row."""
    heat: HeatLane | None = field(default=None, compare=False)
    """Where an IDM disagrees with the recording."""

    @property
    def bottom(self) -> int:
        return self.top + self.height

    @property
    def subject(self) -> str:
        """What corrections in this row are about."""
        return key_subject(self.key.code) if self.key is not None else MOTION if self.motion is not None else ""

    @property
    def makes(self) -> LabelKind | None:
        """What a drag on its empty ground makes; None where that makes nothing."""
        return _SPANS.get(self.kind)


@dataclass(frozen=True)
class Rows:
    """Label rows, which always stay in view under the ruler, and signal rows, which scroll below them."""

    labels: tuple[Row, ...]
    signals: tuple[Row, ...]

    @property
    def labels_bottom(self) -> int:
        return (self.labels[-1].bottom if self.labels else ruler_px()) + SPACE_PX

    @property
    def signals_height(self) -> int:
        return (self.signals[-1].bottom if self.signals else 0) + SPACE_PX

    def label_at(self, y: float) -> Row | None:
        return next((row for row in self.labels if row.top <= y < row.bottom), None)

    def key_at(self, y: float) -> Row | None:
        """The key's row at a place of the signal area."""
        return next((row for row in self.signals if row.key is not None and row.top <= y < row.bottom), None)

    def key_row(self, code: int | None) -> Row | None:
        return next((row for row in self.signals if row.key is not None and row.key.code == code), None)

    def row_about(self, value: str) -> Row | None:
        """The row of what a correction is about; of the motion, its first."""
        subject = subject_of(value)
        return next((row for row in self.signals if row.subject == subject), None)


def arrange(
    labels: LabelLanes, inputs: Inputs, signals: tuple[Row, ...] | None = None, heat: HeatLane | None = None
) -> Rows:
    """The rows of a session: instructions, suggestions where there are any, a row for each flag in use, trims and
    comments where there are any, where an IDM disagrees if one was asked, keys, mouse."""
    rows = _label_rows(labels)
    if heat is not None:
        rows.append(Row(RowKind.HEAT, "Disagreement", rows[-1].bottom + 4, grown(HEAT_PX), heat=heat))
    return Rows(tuple(rows), tuple(_signal_rows(inputs)) if signals is None else signals)


def header_px() -> int:
    """How wide the rows' names are now."""
    return grown(HEADER_PX)


def ruler_px() -> int:
    """How high the ruler is now."""
    return grown(RULER_PX)


def flag_words(used: Iterable[str]) -> list[str]:
    """Flags in the order of their rows: the known ones in theirs, then the others by name."""
    words, known = set(used), [flag.value for flag in Flag]
    return [word for word in known if word in words] + sorted(words.difference(known))


def _label_rows(labels: LabelLanes) -> list[Row]:
    instructions = next(iter(labels.lanes(LabelKind.INSTRUCTION)), _EMPTY)
    rows = [Row(RowKind.INSTRUCTION, "Instructions", ruler_px() + SPACE_PX // 2, grown(SPAN_PX), lane=instructions)]

    def add(kind: RowKind, name: str, lane: SpanLane, word: str = "", suggests: LabelKind | None = None) -> None:
        top = rows[-1].bottom + (2 if rows[-1].kind is kind else 4)
        rows.append(Row(kind, name, top, grown(FLAG_PX), word, suggests, lane=lane))

    is_compared = labels.is_compared

    def add_suggested(kind: LabelKind, words: Iterable[str] | None = None) -> None:
        for word in flag_words(labels.words(kind, suggested=True)) if words is None else words:
            name = word.capitalize() or _SUGGESTED_NAMES[kind]
            shown = f"2nd: {name}" if is_compared and kind is not LabelKind.INSTRUCTION else f"{name} ?"
            shown = "2nd reading" if is_compared and kind is LabelKind.INSTRUCTION else shown
            for depth, lane in enumerate(labels.lanes(kind, word, suggested=True)):
                add(RowKind.SUGGESTION, "" if depth else shown, lane, word, kind)

    for kind in [LabelKind.INSTRUCTION] if is_compared else _SUGGESTED_NAMES:
        add_suggested(kind)
    flags = labels.words(LabelKind.FLAG)
    second = labels.words(LabelKind.FLAG, suggested=True) if is_compared else []
    for word in flag_words([*flags, *second]) or [""]:
        lane = next(iter(labels.lanes(LabelKind.FLAG, word)), _EMPTY)
        add(RowKind.FLAG, word.capitalize() or "Flags", lane, word)
        if is_compared:  # one reading above the other
            add_suggested(LabelKind.FLAG, [word])
    for kind, row_kind, name in _FURTHER:
        for depth, lane in enumerate(labels.lanes(kind)):
            add(row_kind, "" if depth else name, lane)
        if is_compared:
            add_suggested(kind)
    return rows


_FURTHER = (
    (LabelKind.TRIM, RowKind.TRIM, "Left out"),
    (LabelKind.COMMENT, RowKind.COMMENT, "Comments"),
)
"""Rows that are there only where there is something in them."""


_SUGGESTED_NAMES = {
    LabelKind.INSTRUCTION: "Instructions",
    LabelKind.FLAG: "Flags",
    LabelKind.TRIM: "Left out",
    LabelKind.COMMENT: "Comments",
    LabelKind.ACTION: "Inputs",
}


def _signal_rows(inputs: Inputs) -> list[Row]:
    rows: list[Row] = []
    for lane in inputs.keys:
        code, top = lane.code, _below(rows, 0)
        if inputs.corrections(key_subject(code)):
            recorded, changed = inputs.recorded_key(code), inputs.differing(code)
            height = grown(KEY_PX) + RECORDED_PX
            row = Row(RowKind.KEY, label(code), top, height, key=lane, recorded_key=recorded, changed=changed)
            row = replace(row, suggested=inputs.suggested(code))
        else:
            row = Row(RowKind.KEY, label(code), top, grown(KEY_PX), key=lane, suggested=inputs.suggested(code))
        rows.append(row)
    is_changed = bool(inputs.corrections(MOTION))
    for name, motion, raw in (("Mouse ↔", inputs.dx, inputs.raw.dx), ("Mouse ↕", inputs.dy, inputs.raw.dy)):
        recorded_motion = raw if is_changed else None
        changed_frames = inputs.differing_motion() if is_changed else None
        rows.append(
            Row(
                RowKind.MOTION,
                name,
                _below(rows, 4),
                grown(MOTION_PX),
                motion=motion,
                recorded_motion=recorded_motion,
                changed=changed_frames,
            )
        )
    return rows


def _below(rows: list[Row], space: int) -> int:
    return rows[-1].bottom + space if rows else 0
