"""A `.jsonl` file of steps and its video become a session; the file is read twice, a line at a time."""

from __future__ import annotations

import json
import math
import re
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from db.clock import Int64
from db.errors import BadArgument, BadFile, from_os_error
from db.files import check_near
from db.formats.account import Account, known
from db.formats.arrival import bring_account
from db.formats.footage import MOST_FRAMES
from db.formats.format import Asked, Source, Tell
from db.formats.frametimes import first_not_after, offsets_of
from db.formats.hands import Change, Hands, moved
from db.formats.identity import check_size, source_id
from db.formats.keynames import MINECRAFT, MOUSE_CODES
from db.formats.report import Report
from db.recording.events import EventKind, Gap, InputEvent
from db.recording.keys import BTN_LEFT, CODES
from db.store import Store

NAME = "vpt"
RATE_HZ = 20
MOST_BYTES = 16 << 30
LONGEST_LINE = 1 << 20
WINDOW_PX = (1280, 720)
SLOTS = tuple(CODES[f"KEY_{number}"] for number in range(1, 10))
"""The keys that choose the slots of the hotbar."""
_MENU_SCALES = {"5.7": 0.5, "5.8": 0.5, "6.7": 2.0, "6.8": 2.0, "6.9": 2.0}
_ATTACK = BTN_LEFT
_MOST_COUNTS, _MOST_NAMES, _LONGEST_NAME = 1e6, 256, 60
_LONGEST_S = 10**7
_AT_ONCE = 5_000
_VERSION = re.compile(r"\d{1,2}\.\d{1,2}")
_PLAYER = re.compile(r"([a-z]+-[a-z]+-[a-z]+)-[0-9a-f]{12}-\d{8}-\d{6}")


class Reader:
    """A `.jsonl` file with its video beside it, or a folder that holds such, at any depth."""

    def find(self, path: Path) -> Iterator[Source]:
        files = [path.with_suffix(".jsonl")]
        if path.suffix not in (".jsonl", ".mp4"):
            files = sorted(
                {file.with_suffix(".jsonl") for ending in ("jsonl", "mp4") for file in path.rglob(f"*.{ending}")}
            )
        for file in files:
            parts = (file, file.with_suffix(".mp4"))
            yield Source(file, size=sum(part.stat().st_size for part in parts if part.is_file()))

    def bring(self, store: Store, source: Source, asked: Asked, tell: Tell) -> Report:
        file, video = source.path, source.path.with_suffix(".mp4")
        if not file.is_file():
            raise BadFile(f"{file} is missing; {video.name} alone says nothing of what was pressed.")
        if not video.is_file():
            raise BadFile(f"{file} has no video {video.name} beside it.")
        check_near(video, file.parent, file)
        check_size(file, MOST_BYTES)
        session_id = source_id(NAME, [file], [video])
        if found := known(store, session_id, source, asked):
            return found
        report = Report(source.name, "imported", path=str(file))
        account = read_account(file, video, session_id, asked, report)
        return bring_account(store, account, source, asked, tell, report)


def read_account(file: Path, video: Path, session_id: str, asked: Asked, report: Report) -> Account:
    """What a file of steps tells of its video. Raises BadFile with the line."""
    said = _PLAYER.fullmatch(file.stem)
    player = asked.player or (said[1] if said else "unknown")
    version = asked.options.get("version", "")
    if version and not _VERSION.fullmatch(version):
        raise BadArgument(f"The recorder's version is {version[:40]!r}; it should be such as 6.9.")
    scale = _MENU_SCALES.get(version or file.parent.name, 1.0)
    offsets, wall_ns = _read_times(file, report, by_video=asked.options.get("times") == "video")
    return _Lines(
        session_id=session_id, video=video, game=asked.game or "minecraft", player=player, told_in=file.name,
        offsets_ns=offsets, is_loose=True, wall_ns=wall_ns, title=file.stem, file=file, scale=scale, report=report,
    )  # fmt: skip


class Line(NamedTuple):
    """What is read of one line."""

    down: set[int]
    fresh: set[int]
    """What went down in it."""
    motion: tuple[float, float]
    wheel: float
    place: tuple[float, float] | None
    slot: int
    in_menu: bool
    milli: float
    first_is_attack: bool
    """Whether the only new button is the attack."""


def read_lines(file: Path, report: Report | None = None) -> Iterator[Line]:
    """One after the other. Raises BadFile with the line. report: hears the keys that are not known."""
    try:
        with file.open("rb") as stream:
            number = 0
            while line := stream.readline(LONGEST_LINE + 1):
                number += 1
                if len(line) > LONGEST_LINE:
                    raise BadFile(f"{file}, line {number}, is longer than {LONGEST_LINE:,} bytes.")
                if number > MOST_FRAMES:
                    raise BadFile(f"{file} has over {MOST_FRAMES:,} lines; cut it into parts first.")
                if not line.strip():
                    continue
                try:
                    yield _parse(json.loads(line), report)
                except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
                    what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
                    raise BadFile(f"{file}, line {number}, is not a step of a recording: {what}.") from None
    except OSError as error:
        raise from_os_error(error, file) from None


def _parse(said: Any, report: Report | None) -> Line:
    """Raises ValueError, TypeError, AttributeError and KeyError for what cannot be."""
    mouse, keyboard = said["mouse"], said["keyboard"]
    buttons, fresh_buttons = _names(mouse["buttons"]), _names(mouse.get("newButtons", []))
    place = (_number(mouse, "x", None), _number(mouse, "y", None))
    slot = int(_number(said, "hotbar", 0.0) or 0)
    return Line(
        down=set(_codes(keyboard["keys"], buttons, report)),
        fresh=set(_codes(keyboard.get("newKeys", []), fresh_buttons, None)),
        motion=(_number(mouse, "dx") or 0.0, _number(mouse, "dy") or 0.0),
        wheel=_number(mouse, "dwheel", 0.0) or 0.0,
        place=None if None in place else place,  # type: ignore[arg-type]
        slot=slot if 0 <= slot < len(SLOTS) else 0,
        in_menu=bool(said.get("isGuiOpen", False)),
        milli=_milli(said),
        first_is_attack=fresh_buttons == [0],
    )


def _number(said: dict[str, Any], name: str, *default: float | None) -> float | None:
    value = said.get(name, *default) if default else said[name]
    if value is None and default:
        return default[0]
    number = float(value)
    if not (math.isfinite(number) and abs(number) <= _MOST_COUNTS):
        raise ValueError(f"{name} is {value!s:.40}")
    return number


def _milli(said: dict[str, Any]) -> float:
    """The wall time in ms, or -1 where it is not told."""
    if said.get("milli") is None:
        return -1.0
    milli = float(said["milli"])
    if not 0 <= milli < 2**53:
        raise ValueError(f"milli is {said['milli']!s:.40}")
    return milli


def _names(found: Any) -> list[Any]:
    if not isinstance(found, list) or len(found) > _MOST_NAMES:
        raise ValueError("keys or buttons are no list of some")
    return found


def _codes(keys: Any, buttons: list[Any], report: Report | None) -> Iterator[int]:
    for name in (*_names(keys), *buttons):
        code = MINECRAFT.code(name) if isinstance(name, str) else MOUSE_CODES.get(name)
        if code is not None:
            yield code
        elif report is not None:
            report.drop(f"key or button {str(name)[:_LONGEST_NAME]!r}, which is not known")


def _read_times(file: Path, report: Report, *, by_video: bool) -> tuple[Int64, int | None]:
    """When each line's frame was shown after the first one, and the wall time of that."""
    times = array("d", (line.milli for line in read_lines(file)))
    if not times:
        raise BadFile(f"{file} has no lines.")
    first, count = times[0], len(times)
    wall_ns = int(first * 1e6) if 0 <= first < 2**42 else None
    if by_video or min(times) < 0:
        report.change(f"lines whose time is not told or not wanted: {RATE_HZ} a second", count)
        return offsets_of(array("d", range(count)), 1e9 / RATE_HZ), wall_ns
    wrong = first_not_after(np.frombuffer(times, np.float64), equal_is_wrong=False)
    if wrong is not None:
        raise BadFile(
            f"{file}, line {wrong + 1}: its milli is before that of the line before; the option times=video "
            f"takes {RATE_HZ} frames a second instead."
        )
    if times[-1] - first > _LONGEST_S * 1000:
        raise BadFile(f"{file} claims to last {(times[-1] - first) / 1000:.0f} s.")
    return offsets_of(times, 1e6), wall_ns


@dataclass(kw_only=True)
class _Lines(Account):
    """Line i tells of interval i."""

    file: Path
    scale: float
    """Of motion while a menu is open."""
    report: Report = field(repr=False)

    def gaps(self, edges_ns: Int64) -> Iterable[Gap]:
        return ()

    def events(self, edges_ns: Int64) -> Iterator[list[InputEvent]]:
        hands, found = Hands(self.report), list[InputEvent]()
        is_stuck, slot, place = False, None, None
        for i, line in enumerate(read_lines(self.file, self.report)):
            if i >= len(edges_ns) - 1:
                break
            start, stop = int(edges_ns[i]), int(edges_ns[i + 1])
            is_stuck = line.first_is_attack if i == 0 else is_stuck and _ATTACK not in line.fresh
            if is_stuck:
                self.report.change(
                    "frames with the attack stuck down from the start: taken away", int(_ATTACK in line.down)
                )
                line.down.discard(_ATTACK)
                line.fresh.discard(_ATTACK)
            changes = sorted(self._changes(hands, line, slot, start, stop, i == 0), key=lambda change: change.t_ns)
            found += hands.play(line.down, changes, start, stop, timed=False)
            found += self._moves(line, place, (start + stop) // 2)
            slot, place = line.slot, line.place if line.in_menu else None
            if len(found) >= _AT_ONCE:
                yield sorted(found, key=lambda event: event.t_ns)
                found = []
        yield sorted(found, key=lambda event: event.t_ns)

    def _changes(
        self, hands: Hands, line: Line, slot: int | None, start: int, stop: int, is_first: bool
    ) -> Iterator[Change]:
        """What the states alone do not say: what was let go and pressed again, taps, and the wheel's choice of a slot."""
        quarter = (stop - start) // 4
        taps = line.fresh - line.down
        if slot is not None and line.slot != slot and SLOTS[line.slot] not in line.down | line.fresh:
            self.report.change("slots of the hotbar that the wheel chose: taps of their keys")
            taps = taps | {SLOTS[line.slot]}
        for code in sorted(line.fresh & line.down):
            if code in hands.down:
                yield Change(start, code, False)
            if code in hands.down or is_first:
                yield Change(start + quarter, code, True)
        for code in sorted(taps):
            if code in hands.down:
                yield Change(start, code, False)
            yield Change(start + quarter, code, True)
        for code in sorted(taps):
            yield Change(start + 2 * quarter, code, False)

    def _moves(self, line: Line, before: tuple[float, float] | None, t_ns: int) -> Iterator[InputEvent]:
        scale = self.scale if line.in_menu else 1.0
        if scale != 1.0 and line.motion != (0, 0):
            self.report.change(f"motions in a menu: scaled by {scale:g}")
        yield from moved(EventKind.MOTION, t_ns, line.motion[0] * scale, line.motion[1] * scale)
        yield from moved(EventKind.SCROLL, t_ns, 0, line.wheel)
        if line.in_menu and line.place is not None and line.place != before:
            x, y = line.place
            yield InputEvent(t_ns, EventKind.POSITION, x=x, y=y, x2=WINDOW_PX[0], y2=WINDOW_PX[1])
