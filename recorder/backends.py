"""Which back end reads the screen and the inputs on this machine, or why none does."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from db.errors import CaptureUnavailable
from recorder.inputs.source import InputSource
from recorder.screen.source import ScreenSource


@dataclass(frozen=True)
class Choice:
    """What the user asked to record: a window by title or id, a region, or a monitor.

    With a region or a monitor, a window only says whose focus counts; without one everything typed is recorded.
    """

    title: str | None = None
    window_id: int | None = None
    region_px: tuple[int, int, int, int] | None = None
    """(left, top, width, height)."""
    monitor: int | None = None

    @property
    def names_window(self) -> bool:
        return self.title is not None or self.window_id is not None


def require(environment: Mapping[str, str] | None = None, platform: str = sys.platform) -> None:
    """Raises CaptureUnavailable with the reason where neither screen nor inputs can be read."""
    names = os.environ if environment is None else environment
    if platform == "win32":
        raise CaptureUnavailable("Recording on Windows is not there yet; record on Linux with X11.")
    if platform == "darwin":
        raise CaptureUnavailable("Recording on macOS is not there yet; record on Linux with X11.")
    if names.get("WAYLAND_DISPLAY") or names.get("XDG_SESSION_TYPE") == "wayland":
        raise CaptureUnavailable(
            "This is a Wayland session, which shows a program neither other windows nor their keys; log in to an X11 session."
        )
    if not names.get("DISPLAY"):
        raise CaptureUnavailable("There is no display (DISPLAY is not set); start this inside an X11 desktop session.")


def open_sources(choice: Choice) -> tuple[ScreenSource, InputSource]:
    """The sources for this choice, not opened yet. Raises CaptureUnavailable, NotFound and BadArgument."""
    require()
    from recorder.inputs.gamepad import GamepadSource
    from recorder.inputs.merged import MergedSource
    from recorder.inputs.xinput import XInputSource
    from recorder.screen import windows
    from recorder.screen.x11 import X11Region, X11Window

    window_id = None
    if choice.names_window:
        connection = windows.connect()
        try:
            window_id = windows.find_window(connection, title=choice.title, window_id=choice.window_id).window_id
        finally:
            connection.close()
    inputs = MergedSource(XInputSource(window_id), [GamepadSource()])
    if choice.region_px is not None or choice.monitor is not None:
        return X11Region(choice.region_px, monitor=choice.monitor), inputs
    return X11Window(window_id=window_id), inputs
