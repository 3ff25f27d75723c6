"""From an input to the picture that shows it: a window that changes its colour at each press, under the real recorder.

What the recorder can be blamed for is what is left after the display's own latency, which is measured in the same run: the
same window and the same injections, watched by reading one of its pixels again and again without any recorder.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from Xlib import X
from Xlib.display import Display

from db.clock import now_ns
from db.recording.events import EventKind, Origin
from db.recording.keys import BTN_LEFT, CODES
from db.recording.reader import Recording
from db.store import Store
from games.xserver import XServer
from recorder.inputs.injection import Injector

RATE_HZ = 60
RECT = (80, 60, 320, 240)
CELLS, CELL_PX = 12, 16
"""The number of presses so far, as black and white cells: bit 0 leftmost, all along the top."""
CODES_USED = (CODES["KEY_W"], CODES["KEY_A"], BTN_LEFT)
_STAMP_NS = 1_000_000
"""Input stamps are the display's whole milliseconds."""

_PROBE = f"""
import json, sys
from Xlib import X
from Xlib.display import Display
from db.clock import now_ns
display = Display()
screen = display.screen()
mask = X.KeyPressMask | X.ButtonPressMask | X.ExposureMask
window = screen.root.create_window(*{RECT}, 0, 24, background_pixel=0x404040, event_mask=mask)
window.set_wm_name("Sync probe")
window.map()
pens = [window.create_gc(foreground=colour) for colour in (0x000000, 0xFFFFFF)]
count = 0
def paint():
    for bit in range({CELLS}):
        window.fill_rectangle(pens[count >> bit & 1], bit * {CELL_PX}, 0, {CELL_PX}, {CELL_PX})
    display.sync()
display.sync()
print(json.dumps({{"window": window.id}}), flush=True)
display.change_keyboard_control(auto_repeat_mode=X.AutoRepeatModeOff)
while True:
    event = display.next_event()
    if event.type in (X.KeyPress, X.ButtonPress):
        count += 1
        paint()
        print(json.dumps([count, event.time, now_ns()]), flush=True)
    elif event.type == X.Expose:
        paint()
"""


@dataclass(frozen=True)
class Account:
    """Of each injected press: when it was sent, and when the probe had painted it and the server had done that."""

    sent_ns: NDArray[np.int64]
    painted_ns: NDArray[np.int64]


class Probe:
    """The window, in a process of its own, on a display without a window manager."""

    def __init__(self, server: XServer, log: Path) -> None:
        self._log = log
        with log.open("wb") as file:
            self._process = subprocess.Popen([sys.executable, "-c", _PROBE], env=server.env(), stdout=file)
        while not self._lines():
            time.sleep(0.01)
        self.window_id = int(json.loads(self._lines()[0])["window"])

    def painted_ns(self, wanted: int) -> NDArray[np.int64]:
        """When each of the first `wanted` presses was painted, once all are."""
        while len(self._lines()) <= wanted:
            time.sleep(0.01)
        return np.array([json.loads(line)[2] for line in self._lines()[1 : wanted + 1]])

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def _lines(self) -> list[str]:
        return [line for line in self._log.read_text().splitlines(keepends=True) if line.endswith("\n")]


def measure(events: int = 600) -> dict[str, Any]:
    """Keys and clicks at random intervals of 40 to 160 ms, 60 pictures a second."""
    with tempfile.TemporaryDirectory() as folder, XServer() as server:
        display_ms = _watch_display(server, Path(folder) / "display.log", events // 3)
        library = Path(folder) / "library"
        account, recording = _record(server, Path(folder) / "probe.log", library, events)
        frames = recording.frames
        seen_ns = _first_seen(recording, events)
        pressed_ns = _pressed_ns(recording)
        late_ms = (seen_ns - pressed_ns) / 1e6
        interval_ms = np.diff(frames["t_ns"]) / 1e6
        painted_ms = (account.painted_ns - account.sent_ns) / 1e6
        return {
            "presses injected, recorded": [events, len(pressed_ns)],
            "press to first picture with it, ms": _percentiles(late_ms),
            "painted to first picture with it, ms": _percentiles((seen_ns - account.painted_ns) / 1e6),
            "frame interval, ms": _percentiles(interval_ms),
            "display: injected to painted (probe's XSync), ms": _percentiles(painted_ms),
            "display: injected to seen (polling a pixel), ms": _percentiles(display_ms),
            "limit for p99: a frame and the display's p99, ms": {
                "as painted while recording": _limit_ms(painted_ms),
                "as seen without a recorder": _limit_ms(display_ms),
            },
            "press stamped before it was sent or after painted": int(
                ((pressed_ns < account.sent_ns - _STAMP_NS) | (pressed_ns > account.painted_ns)).sum()
            ),
            "pictures more than 1 ms before their press": int((late_ms < -_STAMP_NS / 1e6).sum()),
            "dropped frames": recording.meta.dropped_frames,
        }


def _inject(display: str, count: int, dice: random.Random, window_id: int) -> NDArray[np.int64]:
    """When each press was sent."""
    sent = []
    with Injector(display) as hand:
        window = hand._connection.create_resource_object("window", window_id)
        window.set_input_focus(X.RevertToParent, X.CurrentTime)
        window.warp_pointer(RECT[2] // 2, RECT[3] // 2)
        hand._connection.sync()
        time.sleep(0.2)
        for _ in range(count):
            time.sleep(dice.uniform(0.02, 0.08))
            code = dice.choice(CODES_USED)
            sent.append(now_ns())
            hand.set(code, True)
            time.sleep(dice.uniform(0.02, 0.08))
            hand.set(code, False)
    return np.array(sent)


def _record(server: XServer, log: Path, library: Path, events: int) -> tuple[Account, Recording]:
    probe = Probe(server, log)
    command = [sys.executable, "-P", "-m", "recorder", "--headless", "--json", "--library", str(library)]
    command += ["--window-id", str(probe.window_id), "--game", "bench", "--player", "bench", "--fps", str(RATE_HZ)]
    command += ["--single", "--anyway", "--idle", "0"]
    process = subprocess.Popen(command, env=server.env(), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        facts = json.loads(next(line for line in process.stdout if '"session"' in line))
        sent_ns = _inject(server.display, events, random.Random(4), probe.window_id)
        painted_ns = probe.painted_ns(events)
        time.sleep(0.2)
        process.terminate()
        process.communicate(timeout=120)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
        probe.close()
    with Store.open(library, create=False) as store:
        return Account(sent_ns, painted_ns), store.recording(facts["session"])


def _watch_display(server: XServer, log: Path, count: int) -> NDArray[np.float64]:
    """ms from each injection until a pixel of the window, read again and again, shows it. Nothing records."""
    probe, dice, late_ms = Probe(server, log), random.Random(9), []
    try:
        with closing(Display(server.display)) as watching, Injector(server.display) as hand:
            window = watching.create_resource_object("window", probe.window_id)
            window.set_input_focus(X.RevertToParent, X.CurrentTime)
            window.warp_pointer(RECT[2] // 2, RECT[3] // 2)
            watching.sync()
            for _ in range(count):
                time.sleep(dice.uniform(0.02, 0.08))
                before, code = _lowest_cell(window), dice.choice(CODES_USED)
                sent_ns = now_ns()
                hand.set(code, True)
                while _lowest_cell(window) == before:
                    pass
                late_ms.append((now_ns() - sent_ns) / 1e6)
                hand.set(code, False)
    finally:
        probe.close()
    return np.array(late_ms)


def _lowest_cell(window: Any) -> bytes:
    """The pixel in the middle of the cell that changes with every press."""
    data: bytes = window.get_image(CELL_PX // 2, CELL_PX // 2, 1, 1, X.ZPixmap, 0xFFFFFFFF).data
    return data


def _first_seen(recording: Recording, events: int) -> NDArray[np.int64]:
    """The stamp of the first frame whose cells count at least n, for each press n = 1 ... events."""
    times = recording.frames["t_ns"]
    counts = np.zeros(len(times), np.int64)
    with closing(recording.video()) as video:
        for index, picture in video.read(range(len(times))):
            row = picture[CELL_PX // 2, CELL_PX // 2 : CELLS * CELL_PX : CELL_PX].mean(axis=-1) > 128
            counts[index] = int((row << np.arange(CELLS)).sum())
    return np.array([times[int(np.argmax(counts >= n))] for n in range(1, events + 1)])


def _pressed_ns(recording: Recording) -> NDArray[np.int64]:
    rows = recording.events
    rows = rows[(rows["kind"] == EventKind.KEY) & (rows["value"] == 1) & (rows["origin"] == Origin.DEVICE)]
    return np.asarray(rows["t_ns"], np.int64)


def _limit_ms(latency_ms: NDArray[np.float64]) -> float:
    return round(1000 / RATE_HZ + float(np.percentile(latency_ms, 99)), 2)


def _percentiles(values: NDArray[Any]) -> str:
    return ", ".join(
        f"{name} {np.percentile(values, q):.2f}" for name, q in (("median", 50), ("p99", 99), ("most", 100))
    )
