"""A session as an OWAMcap recording: `<id>.mcap` with every event, beside `<id>.mkv` with the frames as they were recorded."""

from __future__ import annotations

import errno
import heapq
import itertools
import json
import math
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np

from db.errors import BadFile
from db.formats.acting import tell_actors
from db.formats.format import Asked, Tell
from db.formats.frames import join_segments
from db.formats.identity import state_of
from db.formats.keynames import WINDOWS_KEYS
from db.formats.outgoing import Outgoing
from db.formats.owamcap.mcapwriter import McapWriter
from db.formats.owamcap.messages import (
    BUTTON_FLAGS,
    HWHEEL,
    KEYBOARD,
    KEYBOARD_STATE,
    MOUSE_KEYS,
    NOTCH,
    PROFILE,
    RAW,
    SCREEN,
    WHEEL,
    WINDOW,
    write,
)  # fmt: skip
from db.formats.owamcap.reading import ABOUT, SPANS
from db.formats.report import Report
from db.formats.staging import is_there, one_by_one, staged, write_about
from db.labelling.labels import LabelKind
from db.recording.corrections import correct, corrections_of
from db.recording.events import EventArray, EventKind, Origin, outside
from db.recording.keys import CODES, is_button
from db.recording.keys import name as key_name
from db.store import Store

FORMAT_NAME = "owamcap"
_LIBRARY = "mcap-owa-support 0.6.6; mcap 1.3.0"
"""OWA's readers take the version from here, and warn of any other word."""

_KEYS = WINDOWS_KEYS | {CODES["KEY_KPENTER"]: WINDOWS_KEYS[CODES["KEY_ENTER"]]}
"""The format does not keep the flag by which Windows tells the two Enter keys apart."""
_STATES = _KEYS | {code: vk for vk, code in MOUSE_KEYS.items()}


class Writer:
    def write(
        self, store: Store, session_ids: Sequence[str], out: Path, asked: Asked, tell: Callable[[str, float], None]
    ) -> Generator[Report, None, None]:
        """Each session into a folder of its own, `out / <id>`."""
        yield from one_by_one(session_ids, lambda session_id, told: _write(store, session_id, out, asked, told), tell)


def _write(store: Store, session_id: str, out: Path, asked: Asked, tell: Tell) -> Report:
    outgoing = Outgoing.read(store, session_id)
    target, state = out / session_id, state_of(store, session_id)
    report = Report(session_id, "written", session_id, str(target), dry_run=asked.dry_run)
    messages = _Messages(outgoing, report)
    if asked.dry_run:
        for _ in messages:
            pass
        return report
    if is_there(target, FORMAT_NAME, state):
        for _ in messages:
            pass
        report.outcome = "known"
        return report
    with staged(target) as folder:
        try:
            join_segments(outgoing.recording, folder / f"{session_id}.mkv", lambda share: tell(share * 0.8))
        except av.FFmpegError as error:
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES):
                raise
            raise BadFile(f"The video of session {session_id} cannot be copied ({error}).") from None
        with (folder / f"{session_id}.mcap").open("wb") as file, McapWriter(file, PROFILE, _LIBRARY) as writer:
            for number, (t_ns, topic, said) in enumerate(messages):
                write(writer, topic, t_ns, **said)
                if number % 5000 == 0:
                    tell(0.8)
            writer.write_metadata(ABOUT, _about(outgoing))
            writer.write_metadata(SPANS, messages.spans())
        write_about(folder, {"format": FORMAT_NAME, "state": state} | _about(outgoing))
    tell(1.0)
    return report


def _about(outgoing: Outgoing) -> dict[str, str]:
    meta = outgoing.recording.meta
    licence = {"licence": meta.consent.licence} if meta.consent else {}
    return {
        "session": meta.id, "revision": str(meta.revision), "group": meta.group_id, "game": meta.game, "player": meta.player,
        "layout": meta.layout, "lasts_ns": str(outgoing.recording.clock.duration_ns),
        "actors": json.dumps(tell_actors(meta.actors), ensure_ascii=False),
    } | licence  # fmt: skip


class _Messages:
    """All messages of a session, (time, topic, content), in order of time; counted into the report as they are given."""

    def __init__(self, outgoing: Outgoing, report: Report) -> None:
        self._outgoing, self._report = outgoing, report
        recording = outgoing.recording
        self._facts = correct(recording.facts, recording.clock, corrections_of(outgoing.spans))
        anchor = recording.meta.anchor
        self._shift_ns = anchor.wall_ns - anchor.mono_ns
        """From the session's clock to the epoch."""
        self._found: list[tuple[int, int]] = []
        """Keys that were found down later on, which the format can only say as presses: (time, code)."""

    def __iter__(self) -> Iterator[tuple[int, str, dict[str, Any]]]:
        report, recording = self._report, self._outgoing.recording
        clock = recording.clock
        report.frames, report.seconds = len(clock), clock.duration_ns / 1e9
        report.keep("frames", len(clock))
        self._outgoing.note_unsaid(report, LabelKind.COMMENT)
        spans = [edit.kind for edit in self._outgoing.spans]
        for kind in (LabelKind.INSTRUCTION, LabelKind.FLAG, LabelKind.TRIM):
            said = spans.count(kind)
            report.keep(f"{kind.value}s", said)
            report.change(f"{kind.value}s, which only Playtape reads (as metadata)", said)
        report.change("stretches with unknown inputs, which only Playtape reads (as metadata)", len(self._facts.gaps))
        if any(actor.kind != "person" for actor in recording.meta.actors):
            report.change("who acted, a person, a script or a model, which only Playtape reads (as metadata)")
        yield from _merged(self._screens(), self._inputs())

    def spans(self) -> dict[str, str]:
        """What is said of stretches, as metadata; complete when all messages were given."""
        edges = self._outgoing.recording.clock.edges_ns
        rows = [("gap", gap.start_ns, gap.stop_ns, gap.reason.value) for gap in self._facts.gaps]
        for edit in self._outgoing.spans:
            if edit.kind in (LabelKind.INSTRUCTION, LabelKind.FLAG, LabelKind.TRIM):
                start, stop = edit.start or 0, min(edit.stop or 0, len(edges) - 1)
                rows.append((edit.kind.value, int(edges[start]), int(edges[stop]), edit.value))
        rows += self._acted()
        rows += [("found", t_ns, t_ns, key_name(code)) for t_ns, code in self._found]
        return {
            str(number): json.dumps([kind, start + self._shift_ns, stop + self._shift_ns, value], ensure_ascii=False)
            for number, (kind, start, stop, value) in enumerate(rows)
        }

    def _acted(self) -> Iterator[tuple[str, int, int, str]]:
        """Runs of events of another actor than the session's first: from the first of them to the last, and who it was."""
        events = self._facts.events
        firsts = np.flatnonzero(np.diff(events["actor"].astype(np.int64), prepend=-1)).tolist()
        for first, stop in itertools.pairwise([*firsts, len(events)]):
            if actor := int(events["actor"][first]):
                yield "actor", int(events["t_ns"][first]), int(events["t_ns"][stop - 1]) + 1, str(actor)

    def _screens(self) -> Iterator[tuple[int, str, dict[str, Any]]]:
        meta, frames = self._outgoing.recording.meta, self._outgoing.recording.frames
        size, name = list(meta.size_px), f"{meta.id}.mkv"
        firsts = np.array([frames["t_ns"][segment.first_frame] for segment in meta.segments])
        offsets = np.round((firsts - frames["t_ns"][0]) / 1e6).astype(np.int64)
        first_ns = int(frames["t_ns"][0]) + self._shift_ns
        x, y = meta.window.position_px
        rect = [x, y, x + meta.window.size_px[0], y + meta.window.size_px[1]]
        down = sorted(vk for code in self._found_first() if (vk := _STATES.get(code)) is not None)
        yield first_ns - 1, KEYBOARD_STATE, {"buttons": down, "timestamp": first_ns - 1}
        yield first_ns, WINDOW, {"title": meta.window.title, "rect": rect, "hWnd": meta.window.window_id or -1}
        for t_ns, pts, segment in zip(*(frames[field].tolist() for field in ("t_ns", "pts", "segment")), strict=True):
            at_ns, pts_ns = t_ns + self._shift_ns, (pts + int(offsets[segment])) * 1_000_000
            media = {"uri": name, "pts_ns": pts_ns}
            yield at_ns, SCREEN, {"utc_ns": at_ns, "source_shape": size, "shape": size, "media_ref": media}

    def _found_first(self) -> set[int]:
        """The keys and buttons that were down at the start."""
        events = self._facts.events
        is_found = (events["kind"] == EventKind.KEY) & (events["origin"] == Origin.SNAPSHOT) & (events["value"] > 0)
        first = events[is_found & (events["t_ns"] <= self._outgoing.recording.clock.t_ns[0])]
        return set(first["code"].tolist())

    def _inputs(self) -> Iterator[tuple[int, str, dict[str, Any]]]:
        facts, report = self._facts, self._report
        events: EventArray = facts.events[outside(facts.events["t_ns"], facts.gaps)]
        report.drop("events in stretches with unknown inputs", len(facts.events) - len(events))
        down = {code for code in self._found_first() if code in _STATES}
        closings = iter(sorted(gap.start_ns for gap in facts.gaps))
        closing = next(closings, None)
        rest = [0.0, 0.0]
        """What was left of motion when it was rounded: the format has whole counts."""
        for event in events:
            t_ns, kind = int(event["t_ns"]), int(event["kind"])
            while closing is not None and closing <= t_ns:
                for code in sorted(down):
                    yield from self._key(code, False, closing)
                down.clear()
                closing = next(closings, None)
            at_ns = t_ns + self._shift_ns
            if kind == EventKind.KEY:
                code, is_down = int(event["code"]), bool(event["value"])
                if is_down != (code in down):
                    (down.add if is_down else down.discard)(code)
                    if is_down and event["origin"] == Origin.SNAPSHOT:
                        self._found.append((t_ns, code))
                    yield from self._key(code, is_down, t_ns)
            elif kind == EventKind.MOTION:
                whole = []
                for axis, value in enumerate((float(event["x"]), float(event["y"]))):
                    whole.append(math.ceil(value + rest[axis] - 0.5))  # a half that is left over stays one
                    rest[axis] += value - whole[axis]
                    report.change("motions of fractions, rounded so that their sums stay", int(value != round(value)))
                if any(whole):
                    report.keep("mouse motions")
                    yield at_ns, RAW, _raw(at_ns, whole[0], whole[1], 0, 0)
            elif kind == EventKind.SCROLL:
                report.keep("scrolls")
                for value, flag in ((float(event["x"]), HWHEEL), (float(event["y"]), WHEEL)):
                    if value:
                        yield at_ns, RAW, _raw(at_ns, 0, 0, flag, round(value * NOTCH) & 0xFFFF)

    def _key(self, code: int, is_down: bool, t_ns: int) -> Iterator[tuple[int, str, dict[str, Any]]]:
        at_ns = t_ns + self._shift_ns
        if code in _KEYS:
            self._report.keep("presses" if is_down else "releases")
            self._report.change("the Enter key of the keypad reads as the other one", int(code not in WINDOWS_KEYS))
            said = {"event_type": "press" if is_down else "release", "vk": _KEYS[code], "timestamp": at_ns}
            yield at_ns, KEYBOARD, said
        elif code in BUTTON_FLAGS:
            self._report.keep("presses" if is_down else "releases")
            yield at_ns, RAW, _raw(at_ns, 0, 0, BUTTON_FLAGS[code] * (1 if is_down else 2), 0)
        else:
            what = "button" if is_button(code) else "key"
            self._report.drop(f"events of the {what} {key_name(code)}, which the format has not")


def _raw(at_ns: int, x: int, y: int, flags: int, data: int) -> dict[str, Any]:
    return {
        "last_x": x, "last_y": y, "us_flags": 0, "button_flags": flags, "button_data": data, "device_handle": None,
        "timestamp": at_ns,
    }  # fmt: skip


def _merged(*sources: Iterator[tuple[int, str, dict[str, Any]]]) -> Iterator[tuple[int, str, dict[str, Any]]]:
    return heapq.merge(*sources, key=lambda message: message[0])
