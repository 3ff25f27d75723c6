"""The private display: it starts, is reachable, and is gone when closed."""

from __future__ import annotations

import socket
import subprocess

import pytest
from Xlib import X
from Xlib.display import Display

from games.xserver import XServer, XServerError


def test_display_has_the_size_asked_for_and_is_gone_after_close() -> None:
    with XServer((800, 600)) as server:
        connection = Display(server.display)
        screen = connection.screen()
        assert (screen.width_in_pixels, screen.height_in_pixels, screen.root_depth) == (800, 600, 24)
        connection.close()
    # Asked by hand: python-xlib leaves its sockets open when it cannot connect.
    with socket.socket(socket.AF_UNIX) as door, pytest.raises(OSError):
        door.connect(f"/tmp/.X11-unix/X{server.display.removeprefix(':')}")


def test_two_displays_at_once_have_their_own_numbers() -> None:
    with XServer() as one, XServer() as other:
        assert one.display != other.display
        assert one.env()["DISPLAY"] == one.display


def test_window_manager_is_ready_on_return() -> None:
    with XServer(window_manager=True) as server:
        connection = Display(server.display)
        check = connection.intern_atom("_NET_SUPPORTING_WM_CHECK")
        assert connection.screen().root.get_full_property(check, X.AnyPropertyType) is not None
        connection.close()


def test_missing_program_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise FileNotFoundError

    monkeypatch.setattr(subprocess, "Popen", refuse)
    with pytest.raises(XServerError, match="Xvfb is not installed"):
        XServer()
