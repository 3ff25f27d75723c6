"""Key presses of the whole display, told one by one and kept nowhere: what hotkeys are heard by."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection

from db.recording.events import EventKind, InputEvent
from recorder.inputs.xinput import XInputSource
from recorder.workers import Worker


class KeyPresses(Worker):
    """Calls `on_press(code, held)` in its own thread for every press that is no repeat; `held` is what else is down."""

    def __init__(self, on_press: Callable[[int, Collection[int]], None]) -> None:
        super().__init__("hotkeys")
        self._on_press = on_press
        self._opened = threading.Event()
        self._listening = False

    def wait_open(self) -> None:
        """Returns once presses are heard. Raises CaptureUnavailable where they cannot be."""
        self._opened.wait()
        if not self._listening:
            self.close()
            self.check()

    def run(self) -> None:
        source = XInputSource(keys_only=True)
        try:
            down = set(source.open().held)
            self._listening = True
            self._opened.set()
            while not self._stopping.is_set():
                for report in source.read(0.1):
                    if not isinstance(report, InputEvent) or report.kind is not EventKind.KEY:
                        continue
                    if not report.value:
                        down.discard(report.code)
                    elif report.code not in down:
                        self._on_press(report.code, down)
                        down.add(report.code)
        finally:
            source.close()
            self._opened.set()
