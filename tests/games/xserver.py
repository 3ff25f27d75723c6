"""A private X display for one test or one demo: Xvfb on a free display number and, on request, a window manager.

Nothing here is shared with the desktop of whoever runs it: the display is new, listens on its local socket only, and
``close()`` ends exactly the processes that were started here.
"""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from Xlib import X
from Xlib.display import Display

START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 5.0


class XServerError(RuntimeError):
    """The private display could not be started; the message says which program and why."""


class XServer:
    """Xvfb with one screen of ``size_px`` (width, height) at 24 bits, ready when the constructor returns.

    ``display`` is the name for ``DISPLAY`` (``":7"``). Xvfb itself picks a free number, so any number of these may run
    at once. With ``window_manager`` openbox runs on it, so that windows have focus as on a desktop.

    Raises XServerError if Xvfb (or openbox) is not installed or does not come up in 20 s.
    """

    def __init__(self, size_px: tuple[int, int] = (1024, 768), *, window_manager: bool = False) -> None:
        self.size_px = size_px
        self.display = ""
        self._folder = Path(tempfile.mkdtemp(prefix="xserver-"))
        self._processes: list[subprocess.Popen[bytes]] = []
        try:
            self.display = f":{self._start_server()}"
            if window_manager:
                self._start_window_manager()
        except BaseException:
            self.close()
            raise

    def env(self) -> dict[str, str]:
        """The environment for a program that is to open its windows here (a copy; software rendering, no sound)."""
        env = dict(os.environ)
        env["DISPLAY"] = self.display
        env["SDL_AUDIODRIVER"] = "dummy"
        env["LIBGL_ALWAYS_SOFTWARE"] = "1"
        for name in ("WAYLAND_DISPLAY", "XAUTHORITY", "SDL_VIDEODRIVER", "XDG_SESSION_TYPE"):
            env.pop(name, None)
        return env

    def close(self) -> None:
        """End what was started here, the window manager first. Does nothing the second time."""
        while self._processes:
            process = self._processes.pop()
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start_server(self) -> int:
        """Start Xvfb and return the display number that it chose, once it takes connections."""
        read_fd, write_fd = os.pipe()
        width, height = self.size_px
        # Without -noreset the server starts over, and forgets its windows, whenever its last client leaves.
        options = ["-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp", "-ac", "-noreset"]
        try:
            process = self._start("Xvfb", ["-displayfd", str(write_fd), *options], os.environ, (write_fd,))
            os.close(write_fd)
            write_fd = -1
            return int(self._read_line(read_fd, process))
        finally:
            os.close(read_fd)
            if write_fd >= 0:
                os.close(write_fd)

    def _start_window_manager(self) -> None:
        """Start openbox and wait until it manages windows: it names itself on the root window (EWMH), and lists windows."""
        process = self._start("openbox", ["--sm-disable"], self.env(), ())
        connection = Display(self.display)
        try:
            root = connection.screen().root
            wanted = [connection.intern_atom(name) for name in ("_NET_SUPPORTING_WM_CHECK", "_NET_CLIENT_LIST")]
            deadline_s = time.monotonic() + START_TIMEOUT_S
            while any(root.get_full_property(atom, X.AnyPropertyType) is None for atom in wanted):
                if process.poll() is not None or time.monotonic() > deadline_s:
                    raise XServerError(f"openbox did not start on {self.display}: {self._last_words('openbox')}")
                time.sleep(0.01)
        finally:
            connection.close()

    def _start(
        self, program: str, options: list[str], env: os._Environ[str] | dict[str, str], fds: tuple[int, ...]
    ) -> subprocess.Popen[bytes]:
        with (self._folder / program).open("wb") as log:
            try:
                process = subprocess.Popen(
                    [program, *options], env=env, pass_fds=fds, stdin=subprocess.DEVNULL, stdout=log, stderr=log
                )
            except FileNotFoundError as error:
                raise XServerError(f"{program} is not installed; install it with the system's packages.") from error
        self._processes.append(process)
        return process

    def _read_line(self, fd: int, process: subprocess.Popen[bytes]) -> bytes:
        """The line that Xvfb writes to ``-displayfd`` when it is ready."""
        line = b""
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([fd], [], [], max(0.0, deadline_s - time.monotonic()))
            part = os.read(fd, 64) if ready else b""
            if not part:
                process.poll()
                raise XServerError(f"Xvfb did not start (exit status {process.returncode}): {self._last_words('Xvfb')}")
            line += part
        return line

    def _last_words(self, program: str) -> str:
        return (self._folder / program).read_text(errors="replace").strip()[-400:] or "it said nothing"
