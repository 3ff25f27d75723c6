"""A person at a desk: the recorder on a display, a hand that moves the real pointer and presses real keys, and eyes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from Xlib import XK, X
from Xlib.display import Display
from Xlib.ext import xtest

ROOT = Path(__file__).parents[2]
DRIVER = Path(__file__).with_name("told_recorder.py")


class Desk:
    """Starts the recorder's program with a window; `close` ends it."""

    def __init__(self, display: str, library: Path, home: Path, *options: str, **more_env: str) -> None:
        self._closed = False
        self.display = Display(display)
        env = {name: value for name, value in os.environ.items() if not name.startswith(("WAYLAND", "XDG_", "QT_"))}
        env |= {"DISPLAY": display, "HOME": str(home), "PYTHONPATH": str(ROOT), "PYTHONFAULTHANDLER": "1"}
        env |= more_env
        home.mkdir(parents=True, exist_ok=True)
        self.process = subprocess.Popen(
            [sys.executable, str(DRIVER), "--library", str(library), *options],
            cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def ask(self, **request: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps(request), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(self.process.communicate()[1])
        found: dict[str, Any] = json.loads(line)
        return found

    # Eyes

    def widgets(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask()["widgets"]
        return found

    def texts(self) -> list[str]:
        return [widget["text"] for widget in self.widgets()]

    def find(self, text: str, *, enabled: bool = True, kind: str = "") -> dict[str, Any] | None:
        """A visible widget with this text, or one that begins with it; of this class if one is named."""
        there = [w for w in self.widgets() if (w["enabled"] or not enabled) and kind in ("", w["kind"])]
        same = [widget for widget in there if widget["text"] == text]
        return (same or [widget for widget in there if widget["text"].startswith(text)] or [None])[0]

    def see(self, text: str, timeout_s: float = 20.0, *, enabled: bool = True) -> dict[str, Any]:
        """Waits for it."""
        found: dict[str, Any] = self.wait(lambda: self.find(text, enabled=enabled), f"{text!r}", timeout_s)
        return found

    def wait(self, condition: Callable[[], Any], what: str, timeout_s: float = 20.0) -> Any:
        deadline_s = time.monotonic() + timeout_s
        while not (value := condition()):
            assert time.monotonic() < deadline_s, f"waited {timeout_s} s for {what}; there is {self.texts()}"
            time.sleep(0.03)
        return value

    # Hand

    def click(self, text: str, timeout_s: float = 20.0, *, kind: str = "") -> dict[str, Any]:
        widget = self.wait(lambda: self._find_still(text, kind), f"{text!r} to stand still", timeout_s)
        left, top, width, height = widget["rect"]
        # A radio button or check box is as wide as its row; its text stands at the left.
        self.press_at(left + min(width // 2, 60), top + height // 2)
        return widget

    def _find_still(self, text: str, kind: str) -> dict[str, Any] | None:
        """The widget once it is where it was a moment ago: a window is mapped first and placed then."""
        before = self.find(text, kind=kind)
        time.sleep(0.08)
        after = self.find(text, kind=kind)
        return after if before is not None and after is not None and before["rect"] == after["rect"] else None

    def press_at(self, x: int, y: int, button: int = 1) -> None:
        self.point(x, y)
        xtest.fake_input(self.display, X.ButtonPress, button)
        xtest.fake_input(self.display, X.ButtonRelease, button)
        self.display.sync()

    def point(self, x: int, y: int) -> None:
        xtest.fake_input(self.display, X.MotionNotify, x=int(x), y=int(y))
        self.display.sync()

    def drag(self, start: tuple[int, int], stop: tuple[int, int]) -> None:
        self.point(*start)
        xtest.fake_input(self.display, X.ButtonPress, 1)
        for step in range(1, 6):
            self.point(*(a + (b - a) * step // 5 for a, b in zip(start, stop, strict=True)))
        xtest.fake_input(self.display, X.ButtonRelease, 1)
        self.display.sync()

    def key(self, combination: str) -> None:
        """`F9`, `Control_L+s`, by the names of key symbols."""
        codes = [self.display.keysym_to_keycode(XK.string_to_keysym(name)) for name in combination.split("+")]
        for code in codes:
            xtest.fake_input(self.display, X.KeyPress, code)
        for code in reversed(codes):
            xtest.fake_input(self.display, X.KeyRelease, code)
        self.display.sync()

    def type(self, text: str) -> None:
        for letter in text:
            self.key({" ": "space"}.get(letter, letter))

    def close(self) -> str:
        """Asks the program to end; gives what it said on standard error, the second time nothing."""
        if self._closed:
            return ""
        self._closed = True
        if self.process.poll() is None:
            self.process.terminate()
        try:
            _, err = self.process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)  # says where each of its threads stands
            _, err = self.process.communicate()
        self.display.close()
        return err
