"""A session as an export for training reads it: its frames that count, its corrected actions and its instruction per frame."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from db.clock import Int64
from db.formats.report import Report
from db.formats.sampling import Sampling
from db.labelling.labels import Edit, LabelKind, spans
from db.recording.actions import ActionTrack, Bools
from db.recording.corrections import corrections_of
from db.recording.events import EventKind
from db.recording.reader import Recording
from db.recording.stretches import stretches_of
from db.store import Store
from db.upkeep.withdrawal import refuse_withdrawn

Stretch = tuple[int, int]
"""Frames [start, stop) of a session."""


@dataclass(frozen=True)
class Outgoing:
    """One session and what is said of it now."""

    recording: Recording
    spans: Sequence[Edit]
    """Those in force, by start; nothing that is only suggested."""

    @classmethod
    def read(cls, store: Store, session_id: str) -> Outgoing:
        """Raises NotFound, Withdrawn, BadFile, TooNew."""
        refuse_withdrawn(store, session_id)
        said = [edit for edit in spans(store.edits(session_id)) if not edit.suggested]
        return cls(store.recording(session_id), said)

    def resolve(self, edges_ns: Int64 | None = None, codes: Sequence[int] | None = None) -> ActionTrack:
        """The actions as people corrected them; see `Recording.resolve`."""
        return self.recording.resolve(edges_ns, codes, corrections_of(self.spans))

    @cached_property
    def used(self) -> Bools:
        """(N,) False for the frames that a person left out."""
        used = np.ones(len(self.recording.clock), np.bool_)
        for edit in self.spans:
            if edit.kind is LabelKind.TRIM:
                used[edit.start : edit.stop] = False
        return used

    @cached_property
    def instructions(self) -> tuple[list[str], Int64]:
        """The different texts, from "", and for each frame the number of the one in force: of two the one that began later."""
        texts = {"": 0}
        numbers = np.zeros(len(self.recording.clock), np.int64)
        for edit in self.spans:
            if edit.kind is LabelKind.INSTRUCTION:
                numbers[edit.start : edit.stop] = texts.setdefault(edit.value, len(texts))
        return list(texts), numbers

    def usable(self, known: Bools, report: Report, *, shortest_s: float = 0.0, longest_s: float) -> list[Stretch]:
        """The stretches that can be learnt from: used, and with inputs that are known for every frame, neither shorter nor
        longer than this. What is left out is noted. known: (N,) of the session's own frames.
        """
        report.drop("frames that a person left out", int((~self.used).sum()))
        report.drop("frames whose inputs are not known", int((self.used & ~known).sum()))
        found: list[Stretch] = []
        edges = self.recording.clock.edges_ns
        for start, stop in stretches_of(self.used & known):
            for first, last in _pieces(edges, start, stop, longest_s):
                if edges[last] - edges[first] < shortest_s * 1e9:
                    report.drop(f"frames in usable stretches of less than {shortest_s:g} s", last - first)
                else:
                    found.append((first, last))
        return found

    def note_skipped(self, report: Report, samplings: Iterable[Sampling], rate_hz: float) -> None:
        """Notes the inputs of stretches before the first frame that is shown."""
        events = self.recording.events
        for sampling in samplings:
            first, last = np.searchsorted(events["t_ns"], [sampling.start_ns, sampling.edges_ns[0]])
            kinds = events["kind"][first:last]
            lost = int(np.isin(kinds, (EventKind.KEY, EventKind.MOTION, EventKind.SCROLL)).sum())
            report.drop(f"inputs before the first frame that is shown at {rate_hz:g} Hz", lost)

    def note_unsaid(self, report: Report, *kinds: LabelKind) -> None:
        """Notes what an export for training has no place for: labels of these kinds, and a gamepad's axes."""
        for kind in kinds:
            count = sum(edit.kind is kind for edit in self.spans)
            report.drop({LabelKind.FLAG: "flags", LabelKind.COMMENT: "comments"}.get(kind, f"{kind.value}s"), count)
        axes = int((self.recording.events["kind"] == EventKind.AXIS).sum())
        report.drop("places of gamepad axes", axes)


def _pieces(edges_ns: Int64, start: int, stop: int, longest_s: float) -> list[Stretch]:
    """A stretch in pieces of nearly one length, none longer than `longest_s` (but for a single frame)."""
    length_ns = int(edges_ns[stop] - edges_ns[start])
    count = min(int(-(-length_ns // int(longest_s * 1e9))), stop - start)
    if count <= 1:
        return [(start, stop)]
    wanted = edges_ns[start] + np.arange(1, count) * (length_ns // count)
    cuts = np.unique(np.clip(np.searchsorted(edges_ns, wanted, side="right") - 1, start + 1, stop - 1)).tolist()
    return list(zip([start, *cuts], [*cuts, stop], strict=True))
