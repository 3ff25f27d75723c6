"""The two sources' threads, from a source to the bounded queues behind it: no storage and no user interface here."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np

from db.clock import now_ns
from db.errors import PlaytapeError
from db.recording import keys
from db.recording.events import EventKind, InputEvent
from recorder.frames import FrameQueue, LatestFrame, Shot
from recorder.inputs.gate import NO_RULES, Gate, KeyRules, Rows
from recorder.inputs.source import InputSource, Report
from recorder.screen.source import Bgra, Grab, ScreenSource, Target
from recorder.workers import Worker

_PREVIEW_HZ = 10.0
_CARRY_EVENTS = 50_000


class ScreenPump(Worker):
    """Grabs at `rate_hz` on an absolute schedule. A tick is taken up to one period late; those missed by more are skipped
    and counted, and never caught up with in a burst.

    From `start` on the newest grab is in `latest` (at a lower rate, for a preview); from `begin` on every one is queued.
    """

    def __init__(
        self,
        source: ScreenSource,
        rate_hz: float,
        *,
        blank: Callable[[], bool] = lambda: False,
        black: Callable[[], bool] = lambda: False,
    ) -> None:
        """blank: whether pictures of whatever covers the target must not be kept now; black: nor any picture at all."""
        super().__init__("screen")
        self._source, self._rate_hz, self._blank, self._black = source, rate_hz, blank, black
        self._opened = threading.Event()
        self._began = threading.Event()
        self._stored = threading.Event()
        self._target: Target | None = None
        self._frames: FrameQueue | None = None
        self.latest = LatestFrame()
        self.grabbed = self.missed = 0
        self.last_ns = 0

    def target(self) -> Target:
        """What is being grabbed, once that is known. Raises what opening the source raised."""
        self._opened.wait()
        if self._target is None:
            self.close()
            self.check()
        assert self._target is not None
        return self._target

    def begin(self, frames: FrameQueue) -> None:
        """From here on every grab goes to `frames`; returns once the first has, or none will come."""
        self._frames = frames
        self._began.set()
        self._stored.wait()

    def run(self) -> None:
        try:
            self._target = self._source.open()
            self._opened.set()
            while not self._stopping.is_set() and not self._began.is_set():
                self.latest.put(self._grab())
                self._began.wait(1 / _PREVIEW_HZ)
            self._record()
        finally:
            self._source.close()
            self._opened.set()
            self._stored.set()
            if self._frames is not None:
                self._frames.end()

    def _record(self) -> None:
        start_ns, tick = now_ns(), 0
        before: Bgra | None = None
        while not self._stopping.is_set():
            assert self._frames is not None
            grab = self._grab()
            self.latest.put(grab)
            if self._frames.put(Shot(grab, before is not None and _same(grab.bgra, before))):
                before = grab.bgra
                self.last_ns = grab.t_ns
                self._stored.set()
            self.grabbed += 1
            due = next_tick(tick, (now_ns() - start_ns) * self._rate_hz / 1e9)
            self.missed += due - tick - 1
            tick = due
            wait_ns = start_ns + int(tick * 1e9 / self._rate_hz) - now_ns()
            self._stopping.wait(max(wait_ns, 0) / 1e9)

    def _grab(self) -> Grab:
        grab = self._source.grab(blank_if_covered=self._blank())
        return Grab(np.zeros_like(grab.bgra), grab.t_before_ns, grab.t_ns) if self._black() else grab


class InputPump(Worker):
    """Reads every report, follows focus and holds, and from `begin` on hands finished rows to `offer`.

    on_event: called in this thread with every raw event and its actor, before it is decided whether it is written;
    on_focus: when `focused` has changed.
    """

    def __init__(
        self,
        source: InputSource,
        *,
        attribute: Callable[[InputEvent], int] = lambda event: 0,
        rules: KeyRules = NO_RULES,
        on_event: Callable[[InputEvent], None] = lambda event: None,
        on_focus: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__("inputs")
        self._source, self._attribute, self._rules = source, attribute, rules
        self._on_event, self._on_focus = on_event, on_focus
        self._gate: Gate | None = None
        self._opened = threading.Event()
        self._offer: Callable[[Rows], bool] | None = None
        self._begun = threading.Event()
        self._stop_ns: int | None = None
        self._carry = Rows()
        self._lost_ns: tuple[int, int] | None = None
        self.layout = ""
        self.events = self.dropped = 0
        self.last_key_ns = self.last_pointer_ns = self.last_gamepad_ns = 0
        self._mute: bool | None = None
        self._fed_ns = 0

    @property
    def focused(self) -> bool:
        return self._gate is not None and self._gate.focused

    @property
    def unfocused_since_ns(self) -> int | None:
        return self._gate.unfocused_since_ns if self._gate is not None else None

    @property
    def held(self) -> tuple[int, ...]:
        return self._gate.held if self._gate is not None else ()

    @property
    def active_ns(self) -> int:
        """When something was last done in the window, 0 where nothing was yet."""
        return self._gate.active_ns if self._gate is not None else 0

    @property
    def muted(self) -> bool:
        if self._mute is not None:
            return self._mute
        return self._gate is not None and self._gate.muted

    def mute(self, on: bool) -> None:
        """Keeps inputs out, or lets them in again, within a few hundredths of a second; the hotkey acts at once."""
        self._mute = on

    @property
    def settings(self) -> dict[str, str]:
        return self._source.settings

    @property
    def devices(self) -> tuple[str, ...]:
        return self._source.devices

    @property
    def clock_fit(self) -> dict[str, int]:
        return self._source.clock_fit

    def wait_open(self) -> None:
        """Returns once inputs are being read. Raises what opening the source raised."""
        self._opened.wait()
        if self._gate is None:
            self.close()
            self.check()

    def begin(self, offer: Callable[[Rows], bool]) -> None:
        """Rows go to `offer` from now on; returns once they do. `offer` gives False where it cannot take them."""
        self._offer = offer
        while not self._begun.wait(0.05) and self.alive:
            pass
        self.check()

    def finish(self, t_stop_ns: int) -> None:
        """Reads and hands over everything that happened before `t_stop_ns`, then joins."""
        self._stop_ns = t_stop_ns
        self.close()

    def run(self) -> None:
        try:
            watch = self._source.open()
            self.layout = watch.layout
            self._gate = gate = Gate(watch, attribute=self._attribute, rules=self._rules)
            self._opened.set()
            try:
                self._follow(gate)
            except PlaytapeError as error:  # the source is gone; what it gave before is still handed over at the stop
                self.error = error
                self._stopping.wait()
            if self._stop_ns is not None:
                self._end(gate, self._stop_ns)
        finally:
            self._source.close()
            self._opened.set()

    def _follow(self, gate: Gate) -> None:
        while not self._stopping.is_set():
            if (wanted := self._mute) is not None:  # before the beginning, so that nothing slips through at it
                gate.mute(wanted, max(now_ns(), self._fed_ns))
                if self._mute is wanted:
                    self._mute = None
            if self._offer is not None and not self._begun.is_set():
                gate.begin(now_ns())
                self._begun.set()
            self._feed(gate, self._source.read(0.02))
            self._hand_over(gate.release(now_ns()), gate)
        if self._stop_ns is not None:
            self._feed(gate, self._source.drain())

    def _feed(self, gate: Gate, reports: list[Report]) -> None:
        for report in reports:
            self._fed_ns = report.t_ns
            event = gate.feed(report)
            if event is None:
                self._on_focus()
                continue
            self.events += 1
            is_key = event.kind is EventKind.KEY
            if is_key and not keys.is_button(event.code):
                self.last_key_ns = event.t_ns
            elif event.kind is EventKind.AXIS or (is_key and not keys.is_pointer_button(event.code)):
                self.last_gamepad_ns = event.t_ns
            else:
                self.last_pointer_ns = event.t_ns
            self._on_event(event)

    def _hand_over(self, rows: Rows, gate: Gate) -> None:
        """Offers rows; keeps them while there is no room, and drops them, counted and marked, when that lasts."""
        carry = self._carry
        carry.events += rows.events
        carry.gaps += rows.gaps
        if self._offer is None or not (carry.events or carry.gaps or self._lost_ns):
            return
        if self._lost_ns is None:
            if self._offer(carry):
                self._carry = Rows()
            elif len(carry.events) > _CARRY_EVENTS:
                self._drop()
            return
        self._drop()
        restated = gate.restate(self._lost_ns[0], self._lost_ns[1] + 1)
        if self._offer(Rows(restated.events, carry.gaps + restated.gaps)):
            self._carry, self._lost_ns = Rows(), None

    def _drop(self) -> None:
        """Gives up the events that are waiting; what they leave is a gap."""
        if not self._carry.events:
            return
        first_ns = self._lost_ns[0] if self._lost_ns is not None else self._carry.events[0].t_ns
        self._lost_ns = (first_ns, self._carry.events[-1].t_ns)
        self.dropped += len(self._carry.events)
        self._carry.events = []

    def _end(self, gate: Gate, t_stop_ns: int) -> None:
        rows = gate.finish(t_stop_ns)
        deadline_s = time.monotonic() + 10
        self._hand_over(rows, gate)
        while (self._carry.events or self._carry.gaps) and self._offer is not None and time.monotonic() < deadline_s:
            time.sleep(0.01)  # the file is behind; its thread makes room
            self._hand_over(Rows(), gate)
        self.dropped += len(self._carry.events)


def next_tick(tick: int, passed: float) -> int:
    """The tick to grab at after `tick`, when `passed` periods are over: one less than a period late is still taken."""
    return max(tick + 1, int(passed))


def _same(a: Bgra, b: Bgra) -> bool:
    """Whether two pictures of one size are equal, eight bytes at a time (the width is even); a few rows tell most apart."""
    rows, others = a.reshape(len(a), -1).view(np.uint64), b.reshape(len(b), -1).view(np.uint64)
    return np.array_equal(rows[::16], others[::16]) and np.array_equal(rows, others)
