"""Several sources as one, in the order of their stamps: a display, which also tells of the focus, and gamepads.

The order decides to whom an event went. The display's stamps are whole milliseconds on their way through a socket, a
gamepad's are the kernel's; so while an event of a gamepad waits to be placed, the display is asked for everything that
happened before it. While none waits, the display's reports pass at once, and without any gamepad nothing is added.
"""

from __future__ import annotations

import heapq
import select
from collections.abc import Sequence
from dataclasses import replace

from db.clock import now_ns
from db.recording.events import InputEvent
from recorder.inputs.source import InputSource, Report, Watch

_RESOLUTION_NS = 2_000_000
"""A report of the display that comes later than this cannot have an earlier stamp: its millisecond, and as much again."""
_GATHER_NS = 4_000_000
"""How long an event of a gamepad waits, so that the display is asked at most 250 times a second."""
_POLL_S = 0.005


class MergedSource:
    """`main` decides focus, clock and layout; `others` only add events. One thread uses it."""

    def __init__(self, main: InputSource, others: Sequence[InputSource]) -> None:
        self._main, self._others = main, tuple(others)
        self._reports: list[Report] = []
        """Of `main`, in its order, which is that of its stamps."""
        self._events: list[Report] = []
        """Of the others, by stamp. While there are any, what `main` reports waits with them."""
        self._names: list[str] = []
        self._places: dict[tuple[int, int], int] = {}

    @property
    def devices(self) -> tuple[str, ...]:
        return tuple(self._names)

    @property
    def clock_fit(self) -> dict[str, int]:
        return self._main.clock_fit

    @property
    def settings(self) -> dict[str, str]:
        return {name: value for source in self._sources for name, value in source.settings.items()}

    @property
    def notices(self) -> tuple[str, ...]:
        return tuple(notice for source in self._sources for notice in source.notices)

    @property
    def descriptors(self) -> tuple[int, ...]:
        return tuple(descriptor for source in self._sources for descriptor in source.descriptors)

    def open(self) -> Watch:
        watch = self._main.open()
        more = [source.open() for source in self._others]
        held = set(watch.held).union(*(other.held for other in more))
        for place, source in enumerate(self._sources):
            for index in range(len(source.devices)):
                self._number(place, index)
        axes = [
            replace(axis, device=self._number(place, axis.device))
            for place, other in enumerate(more, start=1)
            for axis in other.axes
        ]
        return replace(watch, held=tuple(sorted(held)), devices=self.devices, axes=(*watch.axes, *axes))

    def read(self, timeout_s: float) -> list[Report]:
        watched = [descriptor for source in self._others for descriptor in source.descriptors]
        if not watched and not self._events:
            return self._place(self._own(0, self._main.read(timeout_s)))
        reports = self._own(0, self._main.read(0))
        if not reports:
            wait_s = timeout_s if self._main.descriptors and not self._events else min(timeout_s, _POLL_S)
            select.select([*self._main.descriptors, *watched], [], [], wait_s)
            reports = self._own(0, self._main.read(0))
        return self._place(reports)

    def drain(self) -> list[Report]:
        self._gather()
        self._reports += self._own(0, self._main.drain())
        return self._release(None)

    def close(self) -> None:
        for source in self._sources:
            source.close()

    @property
    def _sources(self) -> tuple[InputSource, ...]:
        return (self._main, *self._others)

    def _place(self, reports: list[Report]) -> list[Report]:
        """Takes what `main` reported, and then what the others have; gives out what has its place in the order."""
        self._reports += reports
        self._gather()
        if self._events and now_ns() - self._events[0].t_ns < _GATHER_NS:
            return []
        asked_ns = now_ns()
        if self._events:
            self._reports += self._own(0, self._main.drain())
            self._gather()  # what was done while the display answered may be older than what it told
        return self._release(asked_ns - _RESOLUTION_NS)

    def _gather(self) -> None:
        for place, source in enumerate(self._others, start=1):
            self._events += self._own(place, source.read(0))
        self._events.sort(key=_stamp)

    def _release(self, until_ns: int | None) -> list[Report]:
        """Everything up to a stamp. Of equal stamps `main`'s come first, so that a lost focus is never late."""
        ready = [event for event in self._events if until_ns is None or event.t_ns <= until_ns]
        self._events = self._events[len(ready) :]
        until_ns = until_ns if self._events else None
        before = [report for report in self._reports if until_ns is None or report.t_ns <= until_ns]
        self._reports = self._reports[len(before) :]
        return list(heapq.merge(before, ready, key=_stamp))

    def _own(self, place: int, reports: list[Report]) -> list[Report]:
        """The same reports with their devices numbered over all sources."""
        return [self._renumber(place, report) if isinstance(report, InputEvent) else report for report in reports]

    def _renumber(self, place: int, event: InputEvent) -> InputEvent:
        number = self._number(place, event.device)
        return event if number == event.device else replace(event, device=number)

    def _number(self, place: int, index: int) -> int:
        if (place, index) not in self._places:
            self._places[place, index] = len(self._names)
            self._names.append(self._sources[place].devices[index])
        return self._places[place, index]


def _stamp(report: Report) -> int:
    return report.t_ns
