"""Sessions as VPT's tools read them: `<session>.mp4`, 640x360 at 20 frames a second, `<session>.jsonl`, and what it is in .json.

They stand side by side in one folder, as its loader wants it. The lines and the video get their names before the .json does, which
says that they are whole.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from db.errors import BadArgument
from db.formats.format import Asked, Tell
from db.formats.identity import state_of
from db.formats.keynames import MINECRAFT, MOUSE_NUMBERS
from db.formats.outgoing import Outgoing
from db.formats.pictures import pictures
from db.formats.report import Report
from db.formats.sampling import Sampling, sample
from db.formats.staging import hidden, one_by_one, says_it_is
from db.formats.steadyvideo import write_steady
from db.formats.vpt.reading import NAME, RATE_HZ, SLOTS, WINDOW_PX
from db.labelling.labels import LabelKind
from db.recording.actions import ActionTrack, Bools
from db.recording.keys import BTN_LEFT
from db.recording.keys import name as key_name
from db.store import Store

SIZE_PX = (640, 360)
_READ = frozenset(
    MINECRAFT.codes[f"key.keyboard.{name}"]
    for name in [
        "escape",
        "s",
        "q",
        "w",
        "1",
        "2",
        "3",
        "4",
        "5",
        "6",
        "7",
        "8",
        "9",
        "e",
        "space",
        "a",
        "d",
        "left.shift",
        "left.control",
        "f",
    ]
)
"""The keys that its tools make actions of."""
_READ_BUTTONS = 3


class Writer:
    def write(
        self, store: Store, session_ids: Sequence[str], out: Path, asked: Asked, tell: Callable[[str, float], None]
    ) -> Generator[Report, None, None]:
        def one(session_id: str, tell_one: Tell) -> Report:
            return _write(store, session_id, out, asked, tell_one)

        return one_by_one(session_ids, one, tell)


def _write(store: Store, session_id: str, out: Path, asked: Asked, tell: Tell) -> Report:
    outgoing = Outgoing.read(store, session_id)
    ticks = sample(outgoing.recording.clock, RATE_HZ)
    lines, video, about = (out / f"{session_id}{suffix}" for suffix in (".jsonl", ".mp4", ".json"))
    report = Report(session_id, "written", session_id, str(lines), len(ticks), dry_run=asked.dry_run)
    report.seconds = outgoing.recording.clock.duration_ns / 1e9
    state = state_of(store, session_id)
    if says_it_is(about, NAME, state):
        report.outcome = "known"
        return report
    if video.exists():
        raise BadArgument(f"{video} is there already; move it away or choose another folder.")
    steps = _Steps(outgoing, ticks, report)
    if asked.dry_run:
        for _ in steps:
            pass
        return report
    with hidden(video) as folder:
        with (folder / lines.name).open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(step) + "\n" for step in steps)
        frames = pictures(outgoing.recording, ticks, tell)
        write_steady(folder / video.name, frames, SIZE_PX, RATE_HZ, gop=RATE_HZ)
        (folder / about.name).write_text(json.dumps({"format": NAME, "state": state, "session": session_id}) + "\n")
        for path in (lines, video, about):
            (folder / path.name).replace(path)
    return report


class _Steps:
    """The lines of a session, and their account in its report."""

    def __init__(self, outgoing: Outgoing, ticks: Sampling, report: Report) -> None:
        self._outgoing, self._ticks, self._report = outgoing, ticks, report
        self._track = outgoing.resolve(ticks.edges_ns)
        self._idle = ~self._track.known | ~outgoing.used[ticks.frames]
        self._note()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        track, edges = self._track, self._ticks.edges_ns
        anchor = self._outgoing.recording.meta.anchor
        active, slot = track.active, 0
        nothing = np.zeros(len(track.codes), np.bool_)
        for i in range(len(track)):
            idle = bool(self._idle[i])
            down = nothing if idle else active[i]
            fresh = nothing if idle else track.presses[i] > 0
            slot = next((n for n, code in enumerate(SLOTS) if code in _of(track, fresh)), slot)
            buttons, new_buttons = _buttons(track, down), _buttons(track, fresh)
            if i == 0 and new_buttons == [MOUSE_NUMBERS[BTN_LEFT]]:  # by which readers know an attack that is stuck
                new_buttons = []
            dx, dy = (0.0, 0.0) if idle else track.motion[i].astype(float).tolist()
            yield {
                "mouse": {
                    "x": WINDOW_PX[0] / 2, "y": WINDOW_PX[1] / 2, "dx": dx, "dy": dy, "scaledX": 0.0, "scaledY": 0.0,
                    "dwheel": 0.0 if idle else float(track.scroll[i, 1]),
                    "buttons": buttons, "newButtons": new_buttons,
                },
                "keyboard": {"keys": _keys(track, down), "newKeys": _keys(track, fresh), "chars": ""},
                "isGuiOpen": False, "isGuiInventory": False, "hotbar": slot, "tick": i,
                "milli": round(anchor.wall_time(int(edges[i])).timestamp() * 1000),
            }  # fmt: skip

    def _note(self) -> None:
        track, report, active = self._track, self._report, self._track.active & ~self._idle[:, None]
        report.keep("frames", len(track))
        report.keep("presses", int(track.presses[~self._idle].sum()))
        idle = int(self._idle.sum())
        report.change(
            "frames that were left out or whose inputs are not known: nothing is done in them, which its loader passes over",
            idle,
        )
        for column, code in enumerate(track.codes):
            count = int(active[:, column].sum())
            if MINECRAFT.name(code) is None and code not in MOUSE_NUMBERS:
                report.drop(f"{key_name(code)}, for which it has no name, in frames", count)
            elif code not in _READ and MOUSE_NUMBERS.get(code, _READ_BUTTONS) >= _READ_BUTTONS:
                report.change(f"{key_name(code)}: in the file, but not among the keys that its tools read", count)
        report.change(
            "keys pressed and released within a frame: down for the whole of it", int((track.tapped & active).sum())
        )
        report.change("times within a frame: presses are counted for each frame", int(track.presses[~self._idle].sum()))
        report.change("frames that are shown twice, since the recording is slower than 20 Hz", self._ticks.repeated)
        between = len(self._outgoing.recording.clock) - len(np.unique(self._ticks.frames))
        report.change("frames between those at 20 Hz: their inputs are kept", between)
        self._outgoing.note_skipped(report, [self._ticks], RATE_HZ)
        report.drop("frames with scrolling to the side", int((track.scroll[~self._idle, 0] != 0).sum()))
        report.drop("frames of which a script or a model acted: it knows no actors", int((track.actors > 1).sum()))
        self._outgoing.note_unsaid(report, LabelKind.INSTRUCTION, LabelKind.FLAG, LabelKind.COMMENT)


def _of(track: ActionTrack, row: Bools) -> list[int]:
    return [track.codes[column] for column in np.flatnonzero(row).tolist()]


def _keys(track: ActionTrack, row: Bools) -> list[str]:
    return [name for code in _of(track, row) if (name := MINECRAFT.name(code)) is not None]


def _buttons(track: ActionTrack, row: Bools) -> list[int]:
    return [MOUSE_NUMBERS[code] for code in _of(track, row) if code in MOUSE_NUMBERS]
