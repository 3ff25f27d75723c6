"""What several measurements start: a display on which something moves, and the recorder as a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from games.xserver import XServer

REGION = "0,0,640,480"
SIZE_PX = (640, 480)
RATE_HZ = 30

_PAINTER = """
import random, sys, time
from Xlib import X
from Xlib.display import Display
from Xlib.ext import xtest
display = Display()
root = display.screen().root
pen = root.create_gc()
while True:
    pen.change(foreground=random.getrandbits(24))
    root.fill_rectangle(pen, random.randrange(600), random.randrange(440), 60, 60)
    xtest.fake_input(display, X.MotionNotify, detail=True, x=random.randrange(-9, 10), y=random.randrange(-9, 10))
    display.flush()
    time.sleep(0.02)
"""


@contextmanager
def moving_display() -> Iterator[XServer]:
    """A display of its own on which squares appear and the pointer moves, both fifty times a second."""
    with XServer() as server:
        painter = subprocess.Popen([sys.executable, "-c", _PAINTER], env=server.env())
        try:
            yield server
        finally:
            painter.terminate()
            painter.wait()


class Recorder:
    """`playtape-record --headless` of a part of the screen, as a process."""

    def __init__(
        self,
        server: XServer,
        library: Path,
        *options: str,
        around: Sequence[str] = (),
        errors: int | IO[bytes] | None = subprocess.DEVNULL,
    ) -> None:
        """around: a command that runs the recorder's, such as a tracer."""
        command = [*around, sys.executable, "-P", "-m", "recorder", "--headless", "--json", "--region", REGION]
        command += ["--game", "bench", "--player", "bench", "--fps", str(RATE_HZ), "--library", str(library)]
        command += ["--single", "--anyway", "--idle", "0", *options]
        self.process = subprocess.Popen(command, env=server.env(), stdout=subprocess.PIPE, stderr=errors)

    def read(self, event: str) -> dict[str, Any]:
        """The next line that tells of this event. Raises RuntimeError where the recorder ends first."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            facts: dict[str, Any] = json.loads(line)
            if facts.get("event") == event:
                return facts
            if "error" in facts:
                raise RuntimeError(facts["error"])
        raise RuntimeError(f"the recorder ended before it had {event}")

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
