"""What is down from one frame to the next, for formats that tell a state at each frame, and perhaps the inputs between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from db.formats.report import Report
from db.recording.events import EventKind, InputEvent, Origin


class Change(NamedTuple):
    """A key or button that went down or up."""

    t_ns: int
    code: int
    pressed: bool
    simulated: bool = False


@dataclass
class Hands:
    """Turns states into events. The told state is the truth: it is what the format's own readers learn from."""

    report: Report
    _down: set[int] = field(default_factory=set)
    _is_new: bool = True
    """Nobody knows what was down before."""

    @property
    def down(self) -> frozenset[int]:
        return frozenset(self._down)

    def rest(self) -> None:
        """An interval of which nothing is known."""
        self._down.clear()
        self._is_new = True

    def play(
        self,
        wanted: set[int],
        changes: Sequence[Change],
        start_ns: int,
        stop_ns: int,
        *,
        actor: int = 0,
        timed: bool = True,
    ) -> list[InputEvent]:
        """The key events of `[start_ns, stop_ns)`, in order. wanted: what is down at its end. changes: what is told of the way there,
        in order. timed: whether that should be the whole way.
        """
        found = list(self._snapshots(wanted, changes, start_ns, actor)) if self._is_new else []
        self._is_new = False
        for change in changes:
            if change.pressed == (change.code in self._down):
                self.report.change("presses of keys that were down: left out, as auto-repeats are", int(change.pressed))
                self.report.change("releases of keys that were up: left out", int(not change.pressed))
                continue
            (self._down.add if change.pressed else self._down.discard)(change.code)
            found.append(_key(change, actor))
        missing = sorted(wanted ^ self._down)
        is_odd = timed and bool(changes)
        at_ns = stop_ns - 1 if is_odd else (start_ns + stop_ns) // 2
        if is_odd:
            self.report.change("states that the inputs do not lead to: a change was put before the frame", len(missing))
        else:
            self.report.change("presses and releases without a time: put between their frames", len(missing))
        found += [_key(Change(at_ns, code, code in wanted), actor) for code in missing]
        self._down = set(wanted)
        return sorted(found, key=lambda event: event.t_ns)

    def _snapshots(
        self, wanted: set[int], changes: Sequence[Change], start_ns: int, actor: int
    ) -> Iterator[InputEvent]:
        """What was down already: what is released first, or is down at the end and was never pressed."""
        firsts: dict[int, bool] = {}
        for change in changes:
            firsts.setdefault(change.code, change.pressed)
        for code in sorted(wanted | firsts.keys()):
            if not firsts.get(code, code not in wanted):
                self._down.add(code)
                yield InputEvent(start_ns, EventKind.KEY, code, 1, origin=Origin.SNAPSHOT, actor=actor)


def moved(
    kind: EventKind, t_ns: int, x: float, y: float, actor: int = 0, simulated: bool = False
) -> Iterator[InputEvent]:
    """A motion or a scroll; none where nothing moved."""
    if x or y:
        x, y = float(x), float(y)
        yield InputEvent(t_ns, kind, x=x, y=y, x2=x, y2=y, actor=actor, simulated=simulated)


def _key(change: Change, actor: int) -> InputEvent:
    return InputEvent(
        change.t_ns, EventKind.KEY, change.code, int(change.pressed), actor=actor, simulated=change.simulated
    )
