"""A private X display, a window that paints its own frame number, and recordings made of it by the real command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from Xlib import X
from Xlib.display import Display

from games.xserver import XServer
from recorder.inputs.injection import Injector
from recorder.screen import windows

ROOT = Path(__file__).parents[2]
CELLS, CELL_PX = 16, 16


def wait_until(condition: Callable[[], Any], what: str, timeout_s: float = 20.0) -> Any:
    """The first true value of `condition`, asked again and again."""
    deadline_s = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < deadline_s, f"waited {timeout_s} s for {what}"
        time.sleep(0.005)
    return value


class GameWindow:
    """A plain window with a title; while `playing` it shows a counter as a row of black and white cells, 60 a second."""

    def __init__(self, display: str, title: str, rect: tuple[int, int, int, int] = (40, 40, 320, 240)) -> None:
        self.connection = Display(display)
        root = self.connection.screen().root
        self.handle = root.create_window(*rect, 0, 24, background_pixel=0x606060, event_mask=X.ExposureMask)
        self.handle.set_wm_name(title)
        self.handle.map()
        self.title, self.id = title, self.handle.id
        self._gc = self.handle.create_gc()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.connection.sync()
        wait_until(lambda: self.describe().viewable, f"the window {title}")

    def describe(self) -> windows.Window:
        found = windows.describe(self.connection, self.id)
        assert found is not None
        return found

    def focus(self) -> None:
        """Takes the keyboard, and has the pointer in its middle."""
        self.handle.set_input_focus(X.RevertToParent, X.CurrentTime)
        size = self.describe().size_px
        self.handle.warp_pointer(size[0] // 2, size[1] // 2)
        self.connection.sync()

    def grab(self) -> None:
        """Takes the pointer as a game with mouse-look does, until the window is closed."""
        asynchronous = X.GrabModeAsync
        self.handle.grab_pointer(
            True, X.PointerMotionMask, asynchronous, asynchronous, self.handle, X.NONE, X.CurrentTime
        )
        self.connection.sync()

    def paint(self, index: int) -> None:
        for bit in range(CELLS):
            self._gc.change(foreground=0xEBEBEB if (index >> bit) & 1 else 0x101010)
            self.handle.fill_rectangle(self._gc, bit * CELL_PX, 0, CELL_PX, CELL_PX)
        self.connection.flush()

    def play(self) -> None:
        self._thread = threading.Thread(target=self._play)
        self._thread.start()

    def _play(self) -> None:
        index = 1
        while not self._stop.wait(1 / 60):
            self.paint(index)
            index += 1

    def close(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        windows.disconnect(self.connection)


class RecordCommand:
    """`playtape-record --headless --json` as a process of its own."""

    def __init__(self, display: str, library: Path, *options: str) -> None:
        env = {name: value for name, value in os.environ.items() if not name.startswith(("WAYLAND", "XDG_SESSION"))}
        command = [sys.executable, "-m", "recorder", "--headless", "--json", "--library", str(library), *options]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=env | {"DISPLAY": display}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def started(self) -> dict[str, Any]:
        """The line that says that frames are being stored."""
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read()
        facts: dict[str, Any] = json.loads(line)
        return facts

    def finished(self) -> dict[str, Any]:
        """The last line, once the process has ended."""
        out, err = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, out + err
        facts: dict[str, Any] = json.loads(out.splitlines()[-1])
        return facts

    def failed(self) -> tuple[dict[str, Any], str]:
        """The last line and what went to stderr, once the process has ended with the status of an error."""
        out, err = self.process.communicate(timeout=60)
        assert self.process.returncode == 1, out + err
        assert "Traceback" not in err
        facts: dict[str, Any] = json.loads(out.splitlines()[-1])
        return facts, err

    def stop(self) -> dict[str, Any]:
        self.process.terminate()
        return self.finished()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    """The name of a display without a window manager."""
    with XServer() as server:
        yield server.display


@pytest.fixture(scope="session")
def managed_display() -> Iterator[str]:
    """The name of a display with openbox."""
    with XServer(window_manager=True) as server:
        connection = Display(server.display)
        ready, root = connection.get_atom("_NET_CLIENT_LIST"), connection.screen().root
        # openbox announces itself before it heeds windows; this is among the last properties that it sets.
        wait_until(lambda: root.get_full_property(ready, X.AnyPropertyType) is not None, "openbox")
        connection.close()
        yield server.display


@pytest.fixture
def make_window() -> Iterator[Callable[..., GameWindow]]:
    made: list[GameWindow] = []

    def make(*args: Any, **more: Any) -> GameWindow:
        made.append(GameWindow(*args, **more))
        return made[-1]

    yield make
    for window in made:
        window.close()


@pytest.fixture
def game(display: str, make_window: Callable[..., GameWindow]) -> GameWindow:
    """A focused window titled "Barcode game" on the display without a window manager."""
    window = make_window(display, "Barcode game")
    window.focus()
    return window


@pytest.fixture
def injector(display: str) -> Iterator[Injector]:
    with Injector(display) as made:
        yield made


@pytest.fixture
def record(display: str, tmp_path: Path) -> Iterator[Callable[..., RecordCommand]]:
    """Starts the command on the display without a window manager, into `tmp_path / "library"`."""
    made: list[RecordCommand] = []

    def start(*options: str, on: str = display, library: Path = tmp_path / "library") -> RecordCommand:
        made.append(RecordCommand(on, library, *options))
        return made[-1]

    yield start
    for command in made:
        command.close()


@pytest.fixture
def own_settings(tmp_path: Path) -> Iterator[None]:
    """Windows keep their settings in the test's own folder: nobody's real ones are read or written."""
    settings = pytest.importorskip("PyQt6.QtCore").QSettings
    settings.setPath(settings.Format.NativeFormat, settings.Scope.UserScope, str(tmp_path / "settings"))
    yield
    settings("Playtape", "Playtape").sync()
