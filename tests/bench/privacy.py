"""A marked string is typed into other windows, right after every way to lose the focus, and looked for in the library."""

from __future__ import annotations

import stat
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from bench.intruder import (
    AWAY_STEP,
    GAME_KEYS,
    HOTKEY,
    MARKED,
    MARKED_TEXT,
    PRIVATE_COLOUR,
    TAB,
    Account,
    Stage,
)
from db.recording.events import EventArray, EventKind
from db.recording.keys import BTN_LEFT
from db.recording.reader import Recording
from db.store import Store
from games.xserver import XServer

_EDGE_NS = 1_000_000
"""A focus change and a key within one millisecond of the server cannot be told apart."""


def measure(rounds: int = 3000) -> dict[str, Any]:
    """A third of the rounds without a window manager, the rest with openbox, by clicks and by alt-tab."""
    found: dict[str, Any] = {}
    for switch in ("focus", "click", "alt-tab"):
        with tempfile.TemporaryDirectory() as folder, XServer(window_manager=switch != "focus") as server:
            findings = examine(server, Path(folder) / "library", switch, rounds // 3, seed=11)
        found |= {f"{switch}: {name}": value for name, value in findings.items()}
    return found


def examine(server: XServer, library: Path, switch: str, rounds: int, *, seed: int) -> dict[str, Any]:
    """Records `rounds` and compares the session with what the windows were sent. Every `leak...` must be 0."""
    stage = Stage(server.display, switch, seed)
    try:
        session_id = _record(server, library, stage, rounds)
        with Store.open(library, create=False) as store:
            recording = store.recording(session_id)
            return {
                "rounds": stage.account.rounds,
                "ways": ", ".join(f"{name} {count}" for name, count in sorted(stage.account.ways.items())),
                "marked keys typed": stage.account.marked,
                **find_leaks(recording, stage.account),
                **compare(recording, stage.account, stage.game.got),
                "leak: marked text in the library's bytes": find_text(library),
                "files and folders open to others": find_open(library),
            }
    finally:
        stage.close()


def _record(server: XServer, library: Path, stage: Stage, rounds: int) -> str:
    command = [sys.executable, "-P", "-m", "recorder", "--headless", "--json", "--library", str(library)]
    command += ["--window-id", str(stage.game.handle.id), "--game", "bench", "--player", "bench", "--fps", "60"]
    command += ["--single", "--anyway", "--idle", "0"]
    process = subprocess.Popen(command, env=server.env(), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        started = next((line for line in process.stdout if '"session"' in line), "")
        if not started:
            raise RuntimeError("the recorder ended before it recorded")
        stage.game.got.clear()
        stage.play(rounds)
        process.terminate()
        process.communicate(timeout=120)
        return started.split('"session": "')[1].split('"')[0]
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def find_leaks(recording: Recording, account: Account) -> dict[str, int]:
    """Rows of the session that belong to another window, and pictures that show one."""
    events, start_ns = recording.events, recording.meta.t_start_ns or 0
    keys = events[events["kind"] == EventKind.KEY]
    motion, scroll = (events[events["kind"] == kind] for kind in (EventKind.MOTION, EventKind.SCROLL))
    gaps = recording.gaps
    held_in_gaps = sum(_held_at(keys, gap.start_ns) for gap in gaps)
    uncovered = sum(
        not any(gap.start_ns <= start + _EDGE_NS and stop - _EDGE_NS <= gap.stop_ns for gap in _joined(gaps))
        for start, stop in account.away_ns
        if start > start_ns
    )
    return {
        "leak: marked keys": int(np.isin(keys["code"], [*MARKED, HOTKEY, TAB]).sum()),
        "leak: clicks": int((keys["code"] == BTN_LEFT).sum()),
        "leak: notches": int((scroll["y"] < 0).sum()),
        "leak: moves": int((np.abs(motion["x"]) == AWAY_STEP[0]).sum()),
        "leak: rows within a gap": sum(_rows_within(events, gap.start_ns, gap.stop_ns) for gap in gaps),
        "leak: keys held into a gap": held_in_gaps,
        "leak: absences without a gap": uncovered,
        **_look_at_frames(recording, account),
    }


def compare(recording: Recording, account: Account, got: list[tuple[int, int, int]]) -> dict[str, int]:
    """The game's keys in the session against those that the game was sent, by the server's own stamps."""
    events = recording.events
    rows = events[(events["kind"] == EventKind.KEY) & (events["server_ms"] >= 0) & np.isin(events["code"], GAME_KEYS)]
    written = Counter(zip(rows["code"].tolist(), rows["value"].tolist(), rows["server_ms"].tolist(), strict=True))
    sent = Counter(event for event in got if event[0] in GAME_KEYS)
    offset_ns = recording.meta.server_clock["offset_ns"]
    spans_ns = np.array(account.changes_ns)
    keys = events[events["kind"] == EventKind.KEY]
    missing = [event for event in (sent - written).elements() if not _is_release_of_unwritten(event, keys, offset_ns)]
    times_ns = np.array([ms * 1_000_000 + offset_ns for _, _, ms in missing])[:, None]
    near = (times_ns >= spans_ns[:, 0] - _EDGE_NS) & (times_ns <= spans_ns[:, 1] + _EDGE_NS)
    excused = int(near.any(axis=1).sum())
    return {
        "keys sent to the game": sent.total(),
        "of these not recorded, within 1 ms of a change": excused,
        "of these not recorded, further from one": len(missing) - excused,
        "leak: keys recorded that the game was not sent": (written - sent).total(),
        "gaps": len(recording.gaps),
    }


def find_text(library: Path) -> int:
    """How many files hold the marked string, in either case, or its evdev codes in a row as bytes or as text."""
    codes = [bytes(MARKED), " ".join(map(str, MARKED)).encode(), ",".join(map(str, MARKED)).encode()]
    needles = [MARKED_TEXT.encode(), MARKED_TEXT.upper().encode(), *codes]
    files = [path for path in library.rglob("*") if path.is_file()]
    return sum(any(needle in path.read_bytes() for needle in needles) for path in files)


def find_open(library: Path) -> int:
    """Files that are not 0600 and folders that are not 0700."""
    wanted = {path: 0o700 if path.is_dir() else 0o600 for path in [library, *library.rglob("*")]}
    return sum(stat.S_IMODE(path.lstat().st_mode) != mode for path, mode in wanted.items())


def _is_release_of_unwritten(event: tuple[int, int, int], keys: EventArray, offset_ns: int) -> bool:
    """A release that came to the game for a key whose press went elsewhere, or was given up at a change of focus."""
    code, value, ms = event
    before = keys[(keys["code"] == code) & (keys["t_ns"] <= ms * 1_000_000 + offset_ns)]
    return not value and not (len(before) and before["value"][-1])


def _joined(gaps: list[Any]) -> list[Any]:
    """Gaps in which pieces that touch are one."""
    joined: list[Any] = []
    for gap in sorted(gaps, key=lambda gap: gap.start_ns):
        if joined and joined[-1].stop_ns >= gap.start_ns:
            joined[-1] = type(gap)(joined[-1].start_ns, gap.stop_ns, gap.reason)
        else:
            joined.append(gap)
    return joined


def _rows_within(events: EventArray, start_ns: int, stop_ns: int) -> int:
    """Rows in a gap; those that close holds at its start are none of these."""
    inside = events[(events["t_ns"] > start_ns) & (events["t_ns"] < stop_ns)]
    return len(inside)


def _held_at(keys: EventArray, t_ns: int) -> int:
    """Keys that are down after all rows up to and including `t_ns`."""
    before = keys[keys["t_ns"] <= t_ns]
    if not len(before):
        return 0
    down = Counter(dict.fromkeys(np.unique(before["code"]).tolist(), 0))
    for code in down:
        down[code] = int(before["value"][before["code"] == code][-1])
    return sum(down.values())


def _look_at_frames(recording: Recording, account: Account) -> dict[str, int]:
    """Pictures that were begun while something private lay over the game, and show its colour."""
    frames, seen, dark, shown = recording.frames, 0, 0, []
    red, green, blue = (PRIVATE_COLOUR >> shift & 0xFF for shift in (16, 8, 0))
    with closing(recording.video()) as video:
        for index, picture in video.read(range(len(frames))):
            purple = np.abs(picture[..., :3].astype(np.int16) - (red, green, blue)).max(axis=-1) < 80
            if purple.any():
                shown.append(index)
            begun_ns, ended_ns = int(frames["t_before_ns"][index]), int(frames["t_ns"][index])
            if any(start <= begun_ns and ended_ns <= stop for start, stop in account.covered_ns):
                seen += 1
                dark += not picture[..., :3].max() > 40
    spans = [(int(frames["t_before_ns"][i]), int(frames["t_ns"][i])) for i in shown]
    without_focus = sum(
        any(gap.start_ns <= begun and ended <= gap.stop_ns for gap in _joined(recording.gaps)) for begun, ended in spans
    )
    return {
        "frames taken while the game was covered": seen,
        "of these black": dark,
        "leak: frames that show another's colour, without the focus": without_focus,
        "frames that show another's colour around a change": len(shown) - without_focus,
    }
