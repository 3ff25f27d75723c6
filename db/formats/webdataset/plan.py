"""Which samples a WebDataset of some sessions has, and in which shard each lies: known before any of it is written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from db.errors import BadArgument, PlaytapeError
from db.formats.format import Asked, Option
from db.formats.identity import state_of
from db.formats.outgoing import Outgoing, Stretch
from db.formats.report import Report
from db.formats.sampling import OPTIONS as SAMPLING_OPTIONS
from db.formats.sampling import Sampling, rate_of, sample, size_of
from db.formats.staging import refusal
from db.labelling.labels import LabelKind
from db.specs import SizePx
from db.store import Store

LAYOUT = 1
SHORTEST_S, _ENDLESS_S = 0.5, 1e9
OPTIONS = {
    "sample": Option(
        "out", "clip: an MP4 and the actions of all of it; frame: a JPEG and one action", choices=("clip", "frame")
    ),
    "seconds": Option("out", "of a clip, a whole number (default: 10)"),
    "shard": Option("out", "samples of one shard (default: 100 clips, or 5000 frames)"),
} | SAMPLING_OPTIONS


@dataclass(frozen=True)
class Layout:
    """What one sample is."""

    kind: str
    """`clip` or `frame`."""
    ticks: int
    """Of a sample; the last clip of a stretch may have fewer."""
    shard: int
    """Samples of a shard; the last one may have fewer."""

    @classmethod
    def of(cls, options: Mapping[str, str], rate_hz: int) -> Layout:
        """Raises BadArgument."""
        kind = options.get("sample", "clip")
        if kind == "frame" and "seconds" in options:
            raise BadArgument("seconds is how long a clip is; leave it out, or choose sample=clip.")
        seconds = _whole(options, "seconds", 10, 3600)
        shard = _whole(options, "shard", 100 if kind == "clip" else 5000, 10**6)
        return cls(kind, seconds * rate_hz if kind == "clip" else 1, shard)


@dataclass(frozen=True)
class Sample:
    """Some ticks of a session."""

    session_id: str
    number: int
    """Of the session's samples."""
    stretch: Stretch
    first: int
    stop: int
    """Ticks of the stretch's sampling, half-open."""

    @property
    def key(self) -> str:
        """Its name in the shard; a dot would end it."""
        return f"{self.session_id}-{self.number:07d}"


@dataclass(frozen=True)
class Plan:
    rate_hz: int
    size_px: SizePx
    layout: Layout
    samples: tuple[Sample, ...]
    states: Mapping[str, str]
    licences: Mapping[str, str]
    """Of the sessions whose players gave one."""
    reports: Mapping[str, Report]
    """On the sessions that go out, in order."""
    empty: tuple[Report, ...]

    @property
    def shards(self) -> list[tuple[Sample, ...]]:
        size = self.layout.shard
        return [self.samples[first : first + size] for first in range(0, len(self.samples), size)]

    def key(self, shard: Sequence[Sample]) -> str:
        """What a shard's bytes depend on (16 hexadecimal digits)."""
        said = [LAYOUT, self.rate_hz, self.size_px, self.layout.kind]
        said += [[self.states[one.session_id], one.number, one.stretch, one.first, one.stop] for one in shard]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


def make_plan(store: Store, session_ids: Sequence[str], asked: Asked) -> Plan:
    """Raises BadArgument where an option cannot be; a session that cannot go out is refused in its report."""
    found: list[tuple[Report, list[Stretch], float, SizePx]] = []
    empty: list[Report] = []
    states: dict[str, str] = {}
    licences: dict[str, str] = {}
    for session_id in dict.fromkeys(session_ids):
        report = Report(session_id, "written", session_id)
        try:
            outgoing = Outgoing.read(store, session_id)
            states[session_id] = state_of(store, session_id)
            known = outgoing.resolve().known
            stretches = outgoing.usable(known, report, shortest_s=SHORTEST_S, longest_s=_ENDLESS_S)
            outgoing.note_unsaid(report, LabelKind.FLAG, LabelKind.COMMENT)
            if not stretches:
                raise BadArgument(f"Session {session_id} has no half second that can be learnt from.")
        except PlaytapeError as error:
            empty.append(refusal(session_id, error, session_id=session_id))
            continue
        meta = outgoing.recording.meta
        if meta.consent is not None:
            licences[session_id] = meta.consent.licence
        found.append((report, stretches, meta.capture.rate_hz, meta.size_px))
    rate_hz = rate_of(asked.options, [rate for *_, rate, _ in found])
    size_px = size_of(asked.options, [size for *_, size in found])
    layout = Layout.of(asked.options, rate_hz)
    samples: list[Sample] = []
    for report, stretches, _, own_px in found:
        outgoing = Outgoing.read(store, report.name)
        samplings = [sample(outgoing.recording.clock, rate_hz, *stretch) for stretch in stretches]
        samples += _samples(report.name, stretches, samplings, layout, rate_hz)
        _note(report, samplings, stretches, rate_hz)
        outgoing.note_skipped(report, samplings, rate_hz)
        if tuple(own_px) != tuple(size_px):
            report.change("pictures scaled from {}x{} to {}x{}".format(*own_px, *size_px), report.frames)
    reports = {report.name: report for report, *_ in found}
    if layout.kind == "clip":
        for one in samples:
            reports[one.session_id].keep("clips")
    return Plan(rate_hz, size_px, layout, tuple(samples), states, licences, reports, tuple(empty))


def _samples(
    session_id: str, stretches: Sequence[Stretch], samplings: Sequence[Sampling], layout: Layout, rate_hz: int
) -> list[Sample]:
    found: list[Sample] = []
    least = max(round(SHORTEST_S * rate_hz), 1) if layout.kind == "clip" else 1
    for stretch, sampling in zip(stretches, samplings, strict=True):
        cuts = list(range(0, len(sampling), layout.ticks))
        if len(cuts) > 1 and len(sampling) - cuts[-1] < least:
            cuts.pop()  # what is left over is part of the clip before
        for first, stop in zip(cuts, [*cuts[1:], len(sampling)], strict=True):
            found.append(Sample(session_id, len(found), stretch, first, stop))
    return found


def _note(report: Report, samplings: Sequence[Sampling], stretches: Sequence[Stretch], rate_hz: int) -> None:
    report.frames = sum(map(len, samplings))
    report.seconds = report.frames / rate_hz
    report.keep("frames", report.frames)
    shown = sum(len(np.unique(found.frames)) for found in samplings)
    counted = sum(stop - start for start, stop in stretches)
    report.change(f"frames are shown twice or more at {rate_hz} Hz", sum(found.repeated for found in samplings))
    report.drop(f"frames between those that are shown at {rate_hz} Hz", counted - shown)


def _whole(options: Mapping[str, str], name: str, usual: int, most: int) -> int:
    said = options.get(name, str(usual))
    if not said.isdecimal() or not 1 <= int(said) <= most:
        raise BadArgument(f"{name} is {said!r}; it should be a whole number from 1 to {most}.")
    return int(said)
