"""What destroying stretches of a session would take away, in numbers, for the person who is asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from annotator.model.document import Document, Span
from db.labelling.labels import Flag, LabelKind
from db.recording.events import EventArray, EventKind, Origin

Stretch = tuple[int, int]
"""Frames [start, stop)."""


@dataclass(frozen=True)
class Loss:
    """Of stretches that neither overlap nor touch."""

    stretches: tuple[Stretch, ...]
    frames: int
    seconds: float
    presses: int
    """Of keys and buttons, as recorded."""
    motions: int
    """Movements and scroll steps of the mouse, as recorded."""
    corrections: int
    """Of actions, in force, that reach into the stretches."""


def is_private(span: Span) -> bool:
    """Whether a span is a flag that says so; a suggestion says nothing yet."""
    return span.kind is LabelKind.FLAG and span.value == Flag.PRIVATE.value and not span.suggested


def choices(document: Document, marks: Stretch | None, selected: Span | None) -> dict[str, tuple[Stretch, ...]]:
    """What may be destroyed, by name: the marks, the selected private flag, all private flags; only what there is."""
    private = [(span.start, span.stop) for span in document.spans(LabelKind.FLAG) if is_private(span)]
    offered: dict[str, tuple[Stretch, ...]] = {}
    if marks is not None:
        offered["The marked stretch"] = (marks,)
    if selected is not None and is_private(selected):
        offered["The selected private flag"] = ((selected.start, selected.stop),)
    if private:
        offered["Everything that is flagged private"] = joined(private)
    return offered


def loss_of(document: Document, events: EventArray, stretches: Sequence[Stretch]) -> Loss:
    """events: of the recording, as they are stored."""
    whole = joined(stretches)
    edges = document.clock.edges_ns
    hit = np.zeros(len(events), np.bool_)
    for start, stop in whole:
        hit |= (events["t_ns"] >= edges[start]) & (events["t_ns"] < edges[stop])
    is_key = events["kind"] == int(EventKind.KEY)
    pressed = hit & is_key & (events["value"] == 1) & (events["origin"] == int(Origin.DEVICE))
    said = document.spans(LabelKind.ACTION)
    return Loss(
        stretches=whole,
        frames=sum(stop - start for start, stop in whole),
        seconds=sum(int(edges[stop] - edges[start]) for start, stop in whole) / 1e9,
        presses=int(np.count_nonzero(pressed)),
        motions=int(np.count_nonzero(hit & ~is_key)),
        corrections=sum(any(s.start < stop and start < s.stop for start, stop in whole) for s in said),
    )


def joined(stretches: Iterable[Stretch]) -> tuple[Stretch, ...]:
    """The same frames in stretches that neither overlap nor touch, ascending."""
    found: list[Stretch] = []
    for start, stop in sorted(stretches):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], stop))
        else:
            found.append((start, stop))
    return tuple(found)
