"""What the mouse is told about a label, a press or a disagreement: all of its text, when it is, and who says so."""

from __future__ import annotations

from html import escape

import numpy as np

from annotator.model.document import Document, Span
from annotator.model.edits.subjects import key_subject
from annotator.model.timeline.heat import Heat
from annotator.model.timeline.inputs import Inputs
from annotator.ui.annotate.doubt_words import doubt_words, level_words
from annotator.ui.annotate.span_words import span_words
from annotator.ui.timeline.lane_painter import time_text
from annotator.ui.timeline.press_gesture import Press
from db.labelling.labels import Edit, LabelKind
from db.recording.keys import label

_NAMES = {
    LabelKind.INSTRUCTION: "Instruction",
    LabelKind.FLAG: "Flag",
    LabelKind.TRIM: "Left out",
    LabelKind.ACTION: "Correction of inputs",
    LabelKind.COMMENT: "Comment",
}


def span_tip(document: Document, span: Span) -> str:
    """Rich text: a long text is broken into lines, and nothing that a person wrote is taken for markup."""
    words = span_words(span.kind, span.value) or "no text yet"
    kind = f"Suggested {_NAMES[span.kind].lower()}" if span.suggested else _NAMES[span.kind]
    source = "" if span.source == "person" else f", {span.source}"
    head = document.head(span.entity_id)
    said = f"{kind} by {span.author}{source}{_when(head)}"
    return _rich(words, [_stretch(document, span.start, span.stop), said])


def press_tip(inputs: Inputs, press: Press) -> str:
    """The key, from when to when, in which frames, and whether it was recorded so or who has corrected it."""
    clock = inputs.clock
    first, last = clock.index_at(press.down_ns), clock.index_at(max(press.up_ns - 1, press.down_ns))
    begins, ends = (time_text((at_ns - int(clock.t_ns[0])) // 1_000_000, 1) for at_ns in (press.down_ns, press.up_ns))
    length_ms = (press.up_ns - press.down_ns) / 1e6
    frames = f"frame {first}" if first == last else f"frames {first} to {last}"
    lines = [f"{begins} to {ends} ({length_ms:.0f} ms), {frames}", _origin(inputs, press, first, last)]
    return _rich(label(press.code), lines)


def heat_tip(document: Document, heat: Heat, tick: int) -> str:
    """What the IDM holds against the recording at a tick, how much that is, and which IDM says so."""
    ticks = heat.said.ticks
    stop = int(ticks[tick + 1]) if tick + 1 < len(ticks) else document.frame_count
    doubts = [doubt_words(doubt) for doubt in heat.doubts(tick)]
    lines = [level_words(heat, tick), f"{_stretch(document, int(ticks[tick]), stop)}, by {heat.said.model}"]
    return _rich(
        "Nothing here disagrees" if not doubts else doubts[0][0].upper() + doubts[0][1:], [*doubts[1:], *lines]
    )


def _origin(inputs: Inputs, press: Press, first: int, last: int) -> str:
    recorded = inputs.recorded_holds(press.code)
    at = int(np.searchsorted(recorded[:, 0], press.down_ns))
    if at < len(recorded) and tuple(recorded[at].tolist()) == (press.down_ns, press.up_ns):
        return "As recorded"
    said = [s for s in inputs.corrections(key_subject(press.code)) if s.start <= last and s.stop > first]
    if not said:
        return "Cut off by a neighbouring correction"
    return f"Corrected by {said[-1].author}{_when(inputs.document.head(said[-1].entity_id))}"


def _stretch(document: Document, start: int, stop: int) -> str:
    edges = document.clock.edges_ns
    begins, ends = (time_text(int(edges[frame] - edges[0]) // 1_000_000, 100) for frame in (start, stop))
    length_s = float(edges[stop] - edges[start]) / 1e9
    frames = f"frame {start}" if stop == start + 1 else f"frames {start} to {stop - 1}"
    return f"{begins} to {ends} ({length_s:.1f} s), {frames}"


def _when(edit: Edit | None) -> str:
    return "" if edit is None else f", {edit.at.astimezone():%d %b %Y, %H:%M}"


def _rich(title: str, lines: list[str]) -> str:
    return f"<p><b>{escape(title)}</b></p>" + "".join(f"<div>{escape(line)}</div>" for line in lines)
