"""The one shape of every input back end: open, read, close."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from db.recording.events import InputEvent


@dataclass(frozen=True)
class FocusChange:
    """From `t_ns` on, keys go to the recorded window or not, and the pointer's events do or do not.

    Stamps are on the same scale and in the same stream as the events', so that order decides and no clock does.
    """

    t_ns: int
    keyboard: bool
    pointer: bool


@dataclass(frozen=True)
class Watch:
    """How things stood when watching began."""

    t_ns: int
    held: tuple[int, ...]
    """evdev codes of the keys and buttons that were down."""
    focus: FocusChange
    devices: tuple[str, ...]
    """Names; `InputEvent.device` is the position in this list (which may grow: see `InputSource.devices`)."""
    layout: str = ""
    """The keyboard layout, as the system names it."""
    axes: tuple[InputEvent, ...] = ()
    """Where the axes of gamepads stood, as AXIS events of Origin.SNAPSHOT."""


Report = InputEvent | FocusChange


class InputSource(Protocol):
    """Raw input facts of every device, in the order in which the system handed them out. One thread uses it.

    Events are per device and unfiltered: also those meant for other windows, so that what is held stays known, and one
    press for each device that presses the same key. `recorder.inputs.gate` makes a recording's rows of them.
    """

    @property
    def devices(self) -> tuple[str, ...]:
        """Names of all devices met so far."""
        ...

    @property
    def clock_fit(self) -> dict[str, int]:
        """How the system's stamps were mapped to `now_ns`, for `SessionMeta.server_clock`; empty where they were not."""
        ...

    @property
    def settings(self) -> dict[str, str]:
        """How the system turned raw into accelerated motion, per device, at `open`; for `SessionMeta.pointer`.

        Keys read "<device>: <setting>", values as the system has them.
        """
        ...

    @property
    def notices(self) -> tuple[str, ...]:
        """Sentences about devices that cannot be read, each said once; the rest is recorded without them."""
        ...

    @property
    def descriptors(self) -> tuple[int, ...]:
        """File descriptors that become readable when something arrives, to be waited for beside others' ones."""
        ...

    def open(self) -> Watch:
        """Begins to watch. Raises CaptureUnavailable with the reason."""
        ...

    def read(self, timeout_s: float) -> list[Report]:
        """What has arrived, waiting for at most `timeout_s` if nothing has. Raises CaptureUnavailable at the end."""
        ...

    def drain(self) -> list[Report]:
        """Everything that happened before this call, even if it is still on its way."""
        ...

    def close(self) -> None:
        """Stops watching. Does nothing the second time."""
        ...
