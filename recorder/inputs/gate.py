"""What of the raw inputs may be written: only what went to the recorded window, merged over devices, holds kept whole.

Everything is decided by the order of the reports, never by comparing clocks. An event waits up to HOLD_NS, so that a
focus change with the same stamp (the key that opened another program's menu) still takes it back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace

from db.recording import keys
from db.recording.events import EventKind, Gap, GapReason, InputEvent, Origin
from recorder.hotkeys import Hotkey
from recorder.inputs.chords import Chords
from recorder.inputs.source import FocusChange, Report, Watch

HOLD_NS = 100_000_000
_TREMBLE = 0.1
"""Of an axis' whole range."""
_ANY_DEVICE = -1
"""Holds what was found down when watching began: the system does not say by which device."""


@dataclass
class Rows:
    """What is ready to be written, in order."""

    events: list[InputEvent] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)


@dataclass(frozen=True)
class KeyRules:
    """Which keys are never written, whatever the focus."""

    hidden: Collection[Hotkey] = ()
    """The recorder's own hotkeys."""
    mute: Hotkey | None = None
    """The one that mutes and unmutes, at the very stamp of its press; also hidden."""
    only: Collection[int] | None = None
    """Keys (not buttons) that may be written; None: all."""


NO_RULES = KeyRules()


@dataclass
class _Lost:
    """Inputs stop being ours; `taken_back` are events of that same instant, which no longer count."""

    t_ns: int
    taken_back: list[InputEvent]
    reason: GapReason
    missed: bool = False
    """Something was pressed, released or moved since."""


@dataclass(frozen=True)
class _Back:
    """The focus is here (again) while `held` were down."""

    t_ns: int
    held: tuple[int, ...]
    axes: tuple[InputEvent, ...]
    """Where every axis of a gamepad stood."""


class Gate:
    """One thread feeds and empties it. Until `begin` it only follows what is held and where the focus is.

    attribute: the actor of a raw event, asked once for each in order of arrival.
    chunk_ns: an open gap is written in pieces of this length, so that a crash within it leaves it marked.
    """

    def __init__(
        self,
        watch: Watch,
        *,
        attribute: Callable[[InputEvent], int] = lambda event: 0,
        rules: KeyRules = NO_RULES,
        chunk_ns: int = 500_000_000,
    ) -> None:
        self._attribute, self._rules, self._chunk_ns = attribute, rules, chunk_ns
        self._hotkeys = (*rules.hidden, rules.mute) if rules.mute is not None else tuple(rules.hidden)
        self._down: dict[int, set[int]] = {code: {_ANY_DEVICE} for code in watch.held}
        self._stripped = {
            key.code for key in self._hotkeys if key.code in watch.held and key.matches(key.code, watch.held)
        }
        """Hotkeys that are down: neither their press nor their release is anybody's."""
        for code in self._stripped:
            del self._down[code]
        self._foreign = set() if watch.focus.keyboard else {c for c in watch.held if not keys.is_pointer_button(c)}
        """What went down while it was not ours: it stays unwritten until it is up, even when the focus comes first."""
        self._chords = Chords(self._hotkeys)
        self._axes: dict[tuple[int, int], InputEvent] = {(axis.device, axis.code): axis for axis in watch.axes}
        self._keyboard, self._pointer = watch.focus.keyboard, watch.focus.pointer
        self._begun = False
        self._dragging: set[int] = set()
        self._pending: deque[InputEvent | _Lost | _Back] = deque()
        self._written: dict[int, InputEvent] = {}
        self._gap_ns: int | None = None
        self._gap_reason = GapReason.UNFOCUSED
        self._muted = False
        self._active_ns = 0
        self._places: dict[tuple[int, int], float] = {}
        self._unfocused_ns: int | None = None if self._keyboard else watch.t_ns

    @property
    def focused(self) -> bool:
        """Whether keys go to the window, as far as has been read."""
        return self._keyboard

    @property
    def unfocused_since_ns(self) -> int | None:
        """When the focus was lost, None while it is here."""
        return self._unfocused_ns

    @property
    def muted(self) -> bool:
        """Whether inputs are kept out because the person said so."""
        return self._muted

    @property
    def active_ns(self) -> int:
        """When something was last done in the window, 0 where nothing was yet. Hotkeys do not count."""
        return self._active_ns

    @property
    def held(self) -> tuple[int, ...]:
        """What is down at this moment on any device and may be written."""
        shown = [code for code in self._down if self._may_write(code) and code not in self._foreign]
        return tuple(sorted(code for code in shown if self._pointer or not keys.is_pointer_button(code)))

    def begin(self, t_ns: int) -> None:
        """From here on rows come out, first a snapshot of what is held (or a gap, where inputs are not ours)."""
        self._begun = True
        self._pending.clear()
        reason = self._away()
        self._pending.append(self._back(t_ns) if reason is None else _Lost(t_ns, [], reason))

    def mute(self, on: bool, t_ns: int) -> None:
        """Keeps every input out from `t_ns` on, or lets them in again. `t_ns` is not before what was fed already."""
        away = self._away()
        self._muted = on
        self._turn(away, t_ns)

    def feed(self, report: Report) -> InputEvent | None:
        """Takes in the next report. Returns an event with its actor, whether or not it will be written."""
        if isinstance(report, FocusChange):
            self._move_focus(report)
            return None
        event = replace(report, actor=self._attribute(report))
        if event.kind is EventKind.KEY and self._strip(event):
            return event
        self._chords.follow(event)
        if self._changes_state(event):
            if self._is_activity(event):
                self._active_ns = event.t_ns
            if self._begun and not self._is_ours(event):
                if self._pending and isinstance(lost := self._pending[-1], _Lost):
                    lost.missed = True
            elif self._begun and self._may_write(event.code, event.kind):
                self._pending.append(event)
        return event

    def release(self, now_ns: int) -> Rows:
        """The rows that have waited long enough."""
        rows = Rows()
        while (
            self._pending
            and self._pending[0].t_ns <= now_ns - HOLD_NS
            and not self._chords.hold_back(self._pending[0], now_ns)
        ):
            self._write(self._pending.popleft(), rows)
        if self._gap_ns is not None and now_ns - HOLD_NS - self._gap_ns >= self._chunk_ns:
            self._end_gap(now_ns - HOLD_NS, rows, go_on=True)
        return rows

    def finish(self, t_stop_ns: int) -> Rows:
        """Everything before `t_stop_ns`, then the end of every hold and of an open gap."""
        rows = Rows()
        while self._pending and self._pending[0].t_ns < t_stop_ns:
            self._write(self._pending.popleft(), rows)
        self._close_holds(t_stop_ns, rows)
        self._end_gap(t_stop_ns, rows)
        return rows

    def restate(self, start_ns: int, stop_ns: int) -> Rows:
        """For rows that were lost on the way to the file: the gap they leave and the holds that stand after it."""
        axes = self._axes.values() if self._away() is None and self._gap_ns is None else ()
        standing = [*self._written.values(), *axes]
        snapshot = [replace(event, t_ns=stop_ns, origin=Origin.SNAPSHOT, server_ms=-1) for event in standing]
        return Rows(snapshot, [Gap(start_ns, stop_ns, GapReason.LOST)])

    def _changes_state(self, event: InputEvent) -> bool:
        """Follows what is held; False for repeats, and for a second device pressing (or not yet releasing) a key."""
        if event.kind is EventKind.AXIS:
            self._axes[event.device, event.code] = event
            if event.origin is Origin.CLOSING:  # the device has gone
                del self._axes[event.device, event.code]
        if event.kind is not EventKind.KEY:
            return True
        devices = self._down.setdefault(event.code, set())
        was_down = bool(devices)
        if event.value:
            devices.add(event.device)
        else:
            devices -= {event.device, _ANY_DEVICE}
        if not devices:
            del self._down[event.code]
            self._foreign.discard(event.code)
        elif not was_down and self._goes_elsewhere(event.code):
            self._foreign.add(event.code)
        return was_down != bool(devices)

    def _goes_elsewhere(self, code: int) -> bool:
        """Whether a press is another window's, or muted. The click that brings the focus is the window's already."""
        if keys.is_pointer_button(code):
            return self._muted or not self._pointer
        return self._away() is not None

    def _is_activity(self, event: InputEvent) -> bool:
        """Whether somebody is there: a stick that trembles in its place is nobody."""
        if not self._keyboard:
            return False
        if event.kind is EventKind.AXIS:
            place = self._places.setdefault((event.device, event.code), event.x)
            if abs(event.x - place) <= _TREMBLE * (event.y2 - event.x2):
                return False
            self._places[event.device, event.code] = event.x
            return True
        return self._pointer or (event.kind is EventKind.KEY and not keys.is_pointer_button(event.code))

    def _is_ours(self, event: InputEvent) -> bool:
        """Whether an event goes to the window, as the focus stands now."""
        if not self._keyboard or self._muted:
            return False
        is_button = event.kind is EventKind.KEY and keys.is_pointer_button(event.code)
        if event.kind in (EventKind.KEY, EventKind.AXIS) and not is_button:
            return True  # keys, and all of a gamepad, go where the keyboard does
        # A button that went down inside keeps the pointer until it is up again, wherever that is.
        ours = self._pointer or bool(self._dragging)
        if is_button and event.value and ours:
            self._dragging.add(event.code)
        elif is_button and not event.value:
            ours = ours or event.code in self._written
            self._dragging.discard(event.code)
        return ours

    def _strip(self, event: InputEvent) -> bool:
        """Whether a key event is part of a hotkey; the mute key takes effect here."""
        if not event.value or event.code in self._stripped:
            stripped = event.code in self._stripped
            if not event.value:
                self._stripped.discard(event.code)
            return stripped
        held = {*self._down, *self._stripped}
        hotkey = next((known for known in self._hotkeys if known.matches(event.code, held)), None)
        if hotkey is None:
            return False
        self._stripped.add(event.code)
        for press in self._chords.complete():
            self._take_back(press)
        if hotkey == self._rules.mute:
            self.mute(not self._muted, event.t_ns)
        return True

    def _take_back(self, press: InputEvent) -> None:
        """A modifier turned out to be part of a hotkey; one that was written already, since it waited long, stays."""
        waiting = len(self._pending)
        self._pending = deque(item for item in self._pending if item is not press)
        if len(self._pending) < waiting:
            self._stripped.add(press.code)
            self._down.pop(press.code, None)

    def _may_write(self, code: int, kind: EventKind = EventKind.KEY) -> bool:
        if kind is not EventKind.KEY or self._rules.only is None:
            return True
        return keys.is_button(code) or code in self._rules.only

    def _away(self) -> GapReason | None:
        """Why inputs are not ours at this moment, None while they are."""
        if not self._keyboard:
            return GapReason.UNFOCUSED
        return GapReason.MUTED if self._muted else None

    def _move_focus(self, change: FocusChange) -> None:
        away = self._away()
        had, self._keyboard, self._pointer = self._keyboard, change.keyboard, change.pointer
        if had != self._keyboard:
            self._unfocused_ns = change.t_ns if had else None
        self._turn(away, change.t_ns)

    def _turn(self, before: GapReason | None, t_ns: int) -> None:
        """Follows a change of `_away` from what it was `before`."""
        after = self._away()
        if after is before:
            return
        if after is not None:
            self._dragging.clear()
        if not self._begun:
            return
        if after is None:
            if not self._undo_loss(t_ns):
                self._pending.append(self._back(t_ns))
            return
        taken_back: list[InputEvent] = []
        while self._pending and isinstance(last := self._pending[-1], InputEvent) and last.t_ns >= t_ns:
            taken_back.insert(0, last)
            self._pending.pop()
        self._foreign |= {event.code for event in taken_back if _is_press(event)} & set(self._down)
        if before is not None or not self._still_lost(t_ns):
            self._pending.append(_Lost(t_ns, taken_back, after))

    def _back(self, t_ns: int) -> _Back:
        return _Back(t_ns, self.held, tuple(self._axes.values()))

    def _still_lost(self, t_ns: int) -> bool:
        """A focus that came and went within one stamp of the server never came: the loss before goes on."""
        if len(self._pending) < 2:
            return False
        back, lost = self._pending[-1], self._pending[-2]
        if not isinstance(back, _Back) or back.t_ns != t_ns or not isinstance(lost, _Lost):
            return False
        self._pending.pop()
        lost.missed = True
        return True

    def _undo_loss(self, t_ns: int) -> bool:
        """A focus that went from one part of the window to another was never away.

        One that went away and missed something, all within one stamp, still leaves a gap: the shortest there is.
        """
        last = self._pending[-1] if self._pending else None
        if not isinstance(last, _Lost) or last.t_ns != t_ns:
            return False
        if last.missed:
            last.t_ns -= 1
            return False
        self._pending.pop()
        self._pending.extend(last.taken_back)
        self._foreign -= {event.code for event in last.taken_back if _is_press(event)}
        return True

    def _write(self, item: InputEvent | _Lost | _Back, rows: Rows) -> None:
        if isinstance(item, _Lost):
            self._close_holds(item.t_ns, rows)
            self._end_gap(item.t_ns, rows)
            self._gap_ns, self._gap_reason = item.t_ns, item.reason
        elif isinstance(item, _Back):
            self._end_gap(item.t_ns, rows)
            for code in item.held:
                event = InputEvent(item.t_ns, EventKind.KEY, code, 1, origin=Origin.SNAPSHOT)
                self._written[code] = event
                rows.events.append(event)
            rows.events += [replace(axis, t_ns=item.t_ns, origin=Origin.SNAPSHOT) for axis in item.axes]
        elif item.kind is not EventKind.KEY:
            rows.events.append(item)
        elif bool(item.value) != (item.code in self._written):
            rows.events.append(item)
            if item.value:
                self._written[item.code] = item
            else:
                del self._written[item.code]

    def _close_holds(self, t_ns: int, rows: Rows) -> None:
        for event in self._written.values():
            closing = replace(event, t_ns=t_ns, value=0, origin=Origin.CLOSING, server_ms=-1)
            rows.events.append(closing)
        self._written.clear()

    def _end_gap(self, t_ns: int, rows: Rows, *, go_on: bool = False) -> None:
        if self._gap_ns is not None and t_ns > self._gap_ns:
            rows.gaps.append(Gap(self._gap_ns, t_ns, self._gap_reason))
            self._gap_ns = t_ns if go_on else None
        elif not go_on:
            self._gap_ns = None


def _is_press(event: InputEvent) -> bool:
    return event.kind is EventKind.KEY and bool(event.value)
