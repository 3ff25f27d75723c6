"""What a LeRobot dataset of some sessions would be, before any of it is written: one rate, one size, one action vector for all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from db.errors import BadArgument, PlaytapeError
from db.formats.format import Asked
from db.formats.identity import state_of
from db.formats.lerobot.layout import ACTION, LONGEST_S, SHORTEST_S
from db.formats.outgoing import Outgoing, Stretch
from db.formats.report import Report
from db.formats.sampling import rate_of, sample, size_of
from db.formats.staging import refusal
from db.labelling.labels import LabelKind
from db.specs import SizePx
from db.store import Store


@dataclass(frozen=True)
class Part:
    """One session's share: one data file and one video, with an episode for each stretch."""

    session_id: str
    state: str
    report: Report
    stretches: tuple[Stretch, ...] = ()
    counts: tuple[int, ...] = ()
    """Ticks of each stretch."""
    codes: tuple[int, ...] = ()
    texts: tuple[str, ...] = ()
    """The different instructions, in order of appearance."""
    number: int = 0
    """Of its files."""
    first_episode: int = 0
    first_frame: int = 0


@dataclass(frozen=True)
class Plan:
    """Of the whole dataset."""

    rate_hz: int
    size_px: SizePx
    codes: tuple[int, ...]
    tasks: tuple[str, ...]
    parts: tuple[Part, ...]
    """Of the sessions that have an episode at least, in the order in which they were asked for."""
    empty: tuple[Report, ...] = ()
    """On those that have none, or were refused."""

    def key(self, part: Part) -> str:
        """What a part's files depend on (16 hexadecimal digits): files with this key need not be written again."""
        said: list[Any] = [ACTION, self.rate_hz, self.size_px, self.codes, part.state, part.stretches]
        said += [part.number, part.first_episode, part.first_frame, [self.tasks.index(text) for text in part.texts]]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


def make_plan(store: Store, session_ids: Sequence[str], asked: Asked) -> Plan:
    """Raises BadArgument where an option cannot be; a session that cannot go out is refused in its report."""
    outgoing: list[tuple[Part, float, SizePx]] = []
    empty: list[Report] = []
    for session_id in dict.fromkeys(session_ids):
        report = Report(session_id, "written", session_id, dry_run=asked.dry_run)
        try:
            found = Outgoing.read(store, session_id)
            part = _look_at(found, report, state_of(store, session_id))
        except PlaytapeError as error:
            empty.append(refusal(session_id, error, session_id=session_id))
            continue
        if part.stretches:
            meta = found.recording.meta
            outgoing.append((part, meta.capture.rate_hz, meta.size_px))
        else:
            nothing = BadArgument(f"Session {session_id} has no half second that can be learnt from.")
            empty.append(refusal(session_id, nothing, session_id=session_id))
    rate_hz = rate_of(asked.options, [rate for _, rate, _ in outgoing])
    size_px = size_of(asked.options, [size for _, _, size in outgoing])
    codes = sorted({code for part, _, _ in outgoing for code in part.codes})
    tasks = dict.fromkeys(text for part, _, _ in outgoing for text in part.texts)
    parts = _number(store, [part for part, _, _ in outgoing], rate_hz)
    return Plan(rate_hz, size_px, tuple(codes), tuple(tasks), tuple(parts), tuple(empty))


def _look_at(found: Outgoing, report: Report, state: str) -> Part:
    track = found.resolve()
    stretches = found.usable(track.known, report, shortest_s=SHORTEST_S, longest_s=LONGEST_S)
    found.note_unsaid(report, LabelKind.FLAG, LabelKind.COMMENT)
    texts, numbers = found.instructions
    counted = np.zeros(len(track), np.bool_)
    for start, stop in stretches:
        counted[start:stop] = True
    seen = np.atleast_1d(track.active[counted].any(axis=0)).tolist()
    _, firsts = np.unique(numbers[counted], return_index=True)
    order = [texts[int(number)] for number in numbers[counted][np.sort(firsts)]]
    codes = tuple(code for code, is_seen in zip(track.codes, seen, strict=True) if is_seen)
    return Part(report.session_id, state, report, tuple(stretches), (), codes, tuple(order))


def _number(store: Store, parts: Sequence[Part], rate_hz: int) -> list[Part]:
    """Parts with the places of their episodes and frames in the dataset."""
    numbered: list[Part] = []
    episode = frame = 0
    for number, part in enumerate(parts):
        clock = store.recording(part.session_id).clock
        counts = tuple(len(sample(clock, rate_hz, *stretch)) for stretch in part.stretches)
        numbered.append(replace(part, counts=counts, number=number, first_episode=episode, first_frame=frame))
        episode, frame = episode + len(counts), frame + sum(counts)
    return numbered
