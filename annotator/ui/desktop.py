"""Starting a graphical program: the display, the application object, its style."""

from __future__ import annotations

import gc
import os
import signal
import sys
from pathlib import Path

from PyQt6.QtCore import QSize, QTimer
from PyQt6.QtWidgets import QApplication, QWidget
from Xlib.display import Display
from Xlib.error import ConnectionClosedError, DisplayError

from annotator.ui.theme import dress
from db.errors import PlaytapeError

_TURN_S = 0.001
"""How long a thread of Python's keeps the others waiting; 5 ms by default, and several waits make a stall."""
FRAME_PX = (4, 28)
"""What a window manager usually adds to a window's width and height."""


def start_app(name: str) -> QApplication:
    """The application of this process, dressed. Raises PlaytapeError where there is no display to open windows on."""
    _require_display()
    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication([name])
    app.setApplicationName("playtape")
    dress(app)
    QTimer.singleShot(0, settle)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # every edit is committed, so Ctrl+C in the terminal may simply end it
    return app


def settle() -> None:
    """Keeps windows from waiting: for passes of the garbage collector over what is there to stay, and for their turn
    beside the threads that read and decode.

    What is there is freed all the same when nobody refers to it any more.
    """
    gc.freeze()
    sys.setswitchinterval(_TURN_S)


def _require_display() -> None:
    """Qt ends the whole process where it cannot reach an X display, so that is tried here first."""
    if sys.platform != "linux" or os.environ.get("QT_QPA_PLATFORM", "xcb") not in ("xcb", "wayland"):
        return
    if os.environ.get("WAYLAND_DISPLAY"):
        return
    if not os.environ.get("DISPLAY"):
        raise PlaytapeError("There is no display to open a window on; log in to a desktop, or set DISPLAY.")
    try:
        Display().close()
    except (DisplayError, ConnectionClosedError, OSError) as error:
        raise PlaytapeError(f"The display {os.environ['DISPLAY']} does not answer ({error}); check DISPLAY.") from None


def fit_to_screen(window: QWidget, width: int, height: int) -> None:
    """Gives a window this size, or as much of it as the screen has room for beside its frame."""
    screen = window.screen()
    room = screen.availableSize() if screen else QSize(width, height)
    window.resize(min(width, room.width() - FRAME_PX[0]), min(height, room.height() - FRAME_PX[1]))


def shown_path(path: Path) -> str:
    """A path as people write it, with ~ for their home."""
    try:
        return str(Path("~") / path.resolve().relative_to(Path.home()))
    except (ValueError, RuntimeError, OSError):
        return str(path)
