"""Rows of a table as raw events: each frame's presses, states and motion, spread over its interval."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from db.clock import Int64
from db.errors import BadFile
from db.recording.actions import Bools
from db.recording.events import EventKind, InputEvent, Origin
from db.recording.keys import parse as parse_key

_MOST_PRESSES = 255
_MOST_COUNTS = 1e6
_AT_ONCE = 5_000
Numbers = NDArray[np.float64]


def parse_numbers(values: Sequence[Any], name: str, first_line: int, path: Path) -> Numbers:
    """A column as finite numbers; `true` and `false` count as 1 and 0. Raises BadFile with the line."""
    try:
        numbers: Numbers = np.array(values, np.float64)
    except (TypeError, ValueError):
        numbers = np.array([_number(value) for value in values], np.float64)
    wrong = np.flatnonzero(~np.isfinite(numbers))
    if len(wrong):
        at = int(wrong[0])
        raise BadFile(f"{path}, line {first_line + at}: {name} is {str(values[at])[:40]!r} and not a number.")
    return numbers


def _number(value: Any) -> float:
    if isinstance(value, str):
        value = {"true": 1, "false": 0}.get(value.strip().lower(), value)
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")


@dataclass(frozen=True)
class RowEvents:
    """N rows: for each key whether it is down at the end and how often it was pressed, and the sums of motion."""

    held: dict[int, Bools]
    presses: dict[int, NDArray[np.uint8]]
    motion: Numbers
    """(N, 2)"""
    scroll: Numbers
    """(N, 2)"""
    before: frozenset[int] = frozenset()
    """What was down at the end of the row before the first."""
    guessed: frozenset[int] = frozenset()
    """Keys of which only the state is told: where it rises they were pressed, if it is known that they were up before."""
    actors: NDArray[np.uint8] | None = None
    """(N,) who acted in each row, by position in the session's list; None: the first."""

    @classmethod
    def of(
        cls,
        columns: Mapping[str, Numbers],
        presses_suffix: str,
        path: Path,
        first_line: int = 2,
        before: frozenset[int] = frozenset(),
    ) -> RowEvents:
        """columns: by name, all of N. A key with a state alone is pressed where its state rises. before: what was down at the end of
        the row before the first, where they are a part of a table. Raises BadFile.
        """
        count = len(next(iter(columns.values()))) if columns else 0
        held: dict[int, Bools] = {}
        presses: dict[int, NDArray[np.uint8]] = {}
        for name, values in columns.items():
            if not name.startswith(("KEY_", "BTN_", "CODE_")):
                continue
            code = parse_key(name.removesuffix(presses_suffix))
            if name.endswith(presses_suffix):
                wrong = np.flatnonzero((values < 0) | (values > _MOST_PRESSES))
                if len(wrong):
                    raise BadFile(f"{path}, line {int(wrong[0]) + first_line}: {name} is {values[wrong[0]]:g}.")
                presses[code] = values.astype(np.uint8)
            else:
                held[code] = values != 0
        for code in presses.keys() - held.keys():
            held[code] = np.zeros(count, np.bool_)
        guessed = frozenset(held.keys() - presses.keys())
        for code in guessed:
            was_held = np.concatenate([[code in before], held[code][:-1]])
            presses[code] = (held[code] & ~was_held).astype(np.uint8)
        motion, scroll = (_pair(columns, names, count) for names in (("dx", "dy"), ("scroll_x", "scroll_y")))
        return cls(held, presses, motion, scroll, before, guessed)

    @property
    def after(self) -> frozenset[int]:
        """What is down at the end of the last row."""
        return frozenset(code for code, held in self.held.items() if (held[-1] if len(held) else code in self.before))

    def read(
        self, edges_ns: Int64, known: Bools, down: set[int] | None = None, *, is_new: bool = True
    ) -> Iterator[list[InputEvent]]:
        """The events in order of time, some thousands at once; nothing of rows that are not known.

        What is down after such a row, or in the first, without a press that is told is a snapshot. down: what the events of earlier
        rows left down; it is kept up. is_new: whether nothing is known of the time before the first row.
        """
        events: list[InputEvent] = []
        down = set() if down is None else down
        codes = sorted(self.held)
        busy = self._busy(codes)
        for row in np.flatnonzero(busy | ~known).tolist():
            start, stop = int(edges_ns[row]), int(edges_ns[row + 1])
            if not known[row]:
                down.clear()  # the gap closes every hold
                continue
            unseen = self.guessed if (is_new if row == 0 else not known[row - 1]) else frozenset[int]()
            found = [
                event for code in codes for event in self._key(code, row, start, stop, code in down, code in unseen)
            ]
            for code in codes:
                (down.add if self.held[code][row] else down.discard)(code)
            found += self._moves(row, (start + stop) // 2)
            if self.actors is not None and self.actors[row]:
                found = [replace(event, actor=int(self.actors[row])) for event in found]
            events += sorted(found, key=lambda event: event.t_ns)
            if len(events) >= _AT_ONCE:
                yield events
                events = []
        yield events

    def _busy(self, codes: Sequence[int]) -> Bools:
        """Rows in which anything happens, or in which something is down after a row that may not be known."""
        busy: Bools = (self.motion != 0).any(axis=1) | (self.scroll != 0).any(axis=1)
        for code in codes:
            busy |= self.held[code] | (self.presses[code] > 0)
            busy[1:] |= self.held[code][:-1]
            busy[:1] |= code in self.before
        return busy

    def _key(self, code: int, row: int, start: int, stop: int, was_down: bool, is_unseen: bool) -> list[InputEvent]:
        """The changes that lead from the state before the row to the one at its end, with so many presses.

        is_unseen: nobody knows whether it was pressed in the row or was down before.
        """
        is_down, presses = bool(self.held[code][row]), 0 if is_unseen else int(self.presses[code][row])
        if presses == 0:
            if is_down == was_down:
                return []
            origin = Origin.SNAPSHOT if is_down else Origin.DEVICE
            return [InputEvent(start, EventKind.KEY, code, int(is_down), origin=origin)]
        values = [1, 0] * presses
        if was_down:
            values = [0, *values]
        if is_down:
            values.pop()
        step = (stop - start) / len(values)
        return [InputEvent(start + int(i * step), EventKind.KEY, code, value) for i, value in enumerate(values)]

    def _moves(self, row: int, t_ns: int) -> list[InputEvent]:
        found = []
        for kind, (x, y) in ((EventKind.MOTION, self.motion[row]), (EventKind.SCROLL, self.scroll[row])):
            if x or y:
                found.append(InputEvent(t_ns, kind, x=float(x), y=float(y), x2=float(x), y2=float(y)))
        return found


def read_pieces(pieces: Iterable[RowEvents], edges_ns: Int64, known: Bools) -> Iterator[list[InputEvent]]:
    """The events of a table of N rows, which come piece by piece. edges_ns: (N + 1,), known: (N,)."""
    first, down = 0, set[int]()
    for piece in pieces:
        stop = first + len(piece.motion)
        is_new = first == 0 or not known[first - 1]
        yield from piece.read(edges_ns[first : stop + 1], known[first:stop], down, is_new=is_new)
        first = stop


def _pair(columns: Mapping[str, Numbers], names: tuple[str, str], count: int) -> Numbers:
    none = np.zeros(count)
    return np.clip(np.stack([columns.get(name, none) for name in names], axis=1), -_MOST_COUNTS, _MOST_COUNTS)
