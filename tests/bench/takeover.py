"""Take-overs: how soon the model's last event follows the person's first, and whether anything is left down anywhere.

The person is a second XTEST client, whose events are in nobody's ledger: for the player they are a person's, as a
device's would be. Times are the X server's own stamps of raw events, read by a third connection; what is down is asked of
the server, and what other windows were sent is counted by such a window itself.
"""

from __future__ import annotations

import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from Xlib.display import Display

from bench.intruder import GAME_COLOUR, GAME_RECT, OTHER_RECT, PRIVATE_COLOUR, Window
from bench.restless import CODES_USED, STEP, Restless
from db.errors import CaptureUnavailable
from db.recording.events import EventKind, InputEvent
from db.recording.keys import BTN_RIGHT, CODES, is_button
from games.xserver import XServer
from recorder.inputs.injection import Injector
from recorder.inputs.xinput import XInputSource
from recorder.screen.windows import take_focus

GIVE_BACK, F = CODES["KEY_F11"], CODES["KEY_F"]
PERSON_STEP = (11, 5)
_WAIT_S, _TRIES = 30.0, 10
PATIENCE_S = 3.0
_QUIET_S = 0.3
"""After a take-over nothing may come for so long: six ticks of the model."""


class Eyes(threading.Thread):
    """Reads every raw event of the display, in the server's order."""

    def __init__(self, display: str) -> None:
        super().__init__(name="eyes", daemon=True)
        self._source, self._over = XInputSource(None, display=display), threading.Event()
        self._source.open()
        self.seen: list[InputEvent] = []
        self.start()

    def run(self) -> None:
        while not self._over.is_set():
            try:
                self.seen += [report for report in self._source.read(0.01) if isinstance(report, InputEvent)]
            except CaptureUnavailable:
                return

    def close(self) -> None:
        self._over.set()
        self.join()
        self._source.close()


@dataclass
class Tally:
    last_ms: list[int] = field(default_factory=list)
    """From the person's first event to the model's last, one for each take-over."""
    stuck: Counter[str] = field(default_factory=Counter)
    """Keys and buttons that were down for longer than PATIENCE_S after the model should have let go, by the occasion."""
    after_ms: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """From what happened until nothing was down, by the occasion."""
    failed_plays: int = 0
    came_back: int = 0
    """Focus losses after which the window manager gave the game the focus again at once."""
    pressed_elsewhere: int = 0
    released_elsewhere: int = 0


class Desk:
    """A display with a game's window and another one, and somebody who takes over."""

    def __init__(self, display: str, folder: Path) -> None:
        self._folder = folder
        self.hand, self.eyes = Injector(display), Eyes(display)
        self._asked = Display(display)
        self.game = Window.open(display, "Witnessed game", GAME_RECT, GAME_COLOUR)
        self.other = Window.open(display, "Somebody's letter", OTHER_RECT, PRIVATE_COLOUR)
        for window in (self.other, self.game):
            window.map()
        self._env = os.environ | {"DISPLAY": display, "XDG_CACHE_HOME": str(folder / "cache")}

    def focus(self, window: Window) -> None:
        for _ in range(_TRIES):  # a window manager that is busy with a held button lets a request fall
            take_focus(self._asked, window.handle.id)
            if window.wait_focus():
                return
        raise TimeoutError("a window did not get the focus")

    def play(self, server: Restless) -> subprocess.Popen[str]:
        """A play that has begun to press."""
        self.focus(self.game)
        self.game.handle.warp_pointer(GAME_RECT[2] // 2, GAME_RECT[3] // 2)
        self.game.connection.sync()
        command = [sys.executable, "-P", "-m", "recorder.play", "--headless", "--json", "--game", "bench"]
        command += ["--player", "bench", "--library", str(self._folder / "library"), *server.options]
        command += ["--window-id", str(self.game.handle.id)]
        play = subprocess.Popen(
            command, env=self._env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )  # fmt: skip
        assert play.stdout is not None
        play.stdout.readline()
        self.await_model()
        return play

    def await_model(self) -> None:
        """Returns once the model has pressed something anew."""
        mark = len(self.eyes.seen)
        wait_until(lambda: any(e.value and is_models(e) for e in list(self.eyes.seen[mark:])))

    def down(self) -> set[int]:
        """Of the model's keys and buttons, those that the server holds to be down."""
        keymap = self._asked.query_keymap()
        found = {c for c in CODES_USED if not is_button(c) and keymap[(c + 8) // 8] & (1 << (c + 8) % 8)}
        mask = self._asked.screen().root.query_pointer().mask
        return found | {c for c in CODES_USED if is_button(c) and mask & 0x100}

    def await_release(self, tally: Tally, occasion: str) -> float:
        """When nothing of the model's was down any more (monotonic); what is down for too long is counted."""
        began_s = time.monotonic()
        while (down := self.down()) and time.monotonic() - began_s < PATIENCE_S:
            time.sleep(0.0005)
        if down and occasion == "focus lost" and self._asked.get_input_focus().focus != self.other.handle:
            tally.came_back += 1  # a click that was under way brought the game to the front again
        elif down:
            tally.stuck[occasion] += len(down)
        return time.monotonic()

    def close(self) -> None:
        self.hand.close()
        self.eyes.close()
        self._asked.close()
        for window in (self.game, self.other):
            window.close()


def measure(take_overs: int = 200, kills: int = 15, focus_losses: int = 100, seed: int = 9) -> dict[str, Any]:
    """Take-overs by key, button and motion within one play; plays and servers killed while they hold keys; and focus that is taken away at any instant."""
    dice, tally = random.Random(seed), Tally()
    with tempfile.TemporaryDirectory() as name, XServer(window_manager=True) as server:
        desk = Desk(server.display, Path(name))
        try:
            told = _take_over(desk, tally, dice, take_overs)
            for number in range(kills):
                _kill(desk, tally, dice, kills_server=False)
                _kill(desk, tally, dice, kills_server=True)
                print(f"\r   kills: {number + 1} of {kills}", end="", file=sys.stderr, flush=True)
            _lose_focus(desk, tally, dice, focus_losses)
        finally:
            desk.close()
    return {
        "take-overs (keys, buttons, motion; by XTEST)": len(tally.last_ms),
        "take-overs that the play counted": told["take_overs"],
        "person's first event to the model's last, ms, p50 / p99 / most": _spread(tally.last_ms),
        "players killed / servers killed / focus losses": [kills, kills, focus_losses],
        "plays that did not say why they ended": tally.failed_plays,
        **{f"{name} to everything released, ms, p50 / p99 / most": _spread(ms) for name, ms in tally.after_ms.items()},
        "focus losses that the window manager undid": tally.came_back,
        "keys and buttons left down": sum(tally.stuck.values()),
        "of that": dict(tally.stuck) or "-",
        "presses in another window": tally.pressed_elsewhere,
        "releases in another window": tally.released_elsewhere,
        "presses withheld, since the game had lost the focus": told["withheld"],
    }


def _take_over(desk: Desk, tally: Tally, dice: random.Random, count: int) -> dict[str, Any]:
    """Returns what the play told at its end."""
    server = Restless()
    try:
        play = desk.play(server)
        for number in range(count):
            time.sleep(dice.uniform(0.05, 0.4))
            mark, (act, undo) = len(desk.eyes.seen), _deed(desk.hand, number)
            act()
            time.sleep(_QUIET_S)
            wait_until(lambda: any(not is_models(event) for event in list(desk.eyes.seen[mark:])))  # noqa: B023
            undo()
            desk.await_release(tally, "take-over")
            seen = list(desk.eyes.seen[mark:])
            first = next(place for place, event in enumerate(seen) if not is_models(event))
            own = [event.server_ms for event in seen[first:] if is_models(event)]
            tally.last_ms.append(max([ms - seen[first].server_ms for ms in own], default=0))
            _press(desk.hand, GIVE_BACK)
            desk.await_model()
            print(f"\r   take-overs: {number + 1} of {count}", end="", file=sys.stderr, flush=True)
        return _end(play)
    finally:
        server.close()


def _deed(hand: Injector, number: int) -> tuple[Callable[[], None], Callable[[], None]]:
    """What the person does, and how it is undone."""
    if number % 3 == 2:
        dx, dy = PERSON_STEP
        return lambda: hand.move(dx, dy), lambda: hand.move(-dx, -dy)
    code = (F, BTN_RIGHT)[number % 3]
    return lambda: hand.set(code, True), lambda: hand.set(code, False)


def _kill(desk: Desk, tally: Tally, dice: random.Random, *, kills_server: bool) -> None:
    server = Restless()
    play = desk.play(server)
    try:
        time.sleep(dice.uniform(0.1, 0.6))
        killed_s = time.monotonic()
        if kills_server:
            server.kill()
        else:
            play.send_signal(signal.SIGKILL)
        occasion = "server killed" if kills_server else "player killed"
        tally.after_ms[occasion].append((desk.await_release(tally, occasion) - killed_s) * 1000)
        out, _ = play.communicate(timeout=_WAIT_S)
        if kills_server:
            said = [json.loads(line) for line in out.splitlines()]
            tally.failed_plays += not (play.returncode == 1 and any("error" in facts for facts in said))
        time.sleep(_QUIET_S)
        desk.await_release(tally, occasion)
    finally:
        play.kill()
        play.communicate()
        server.kill()


def _lose_focus(desk: Desk, tally: Tally, dice: random.Random, count: int) -> None:
    server = Restless()
    try:
        play = desk.play(server)
        desk.other.pump()
        desk.other.got.clear()
        for _ in range(count):
            time.sleep(dice.uniform(0.05, 0.5))
            desk.focus(desk.other)
            lost_s = time.monotonic()
            tally.after_ms["focus lost"].append((desk.await_release(tally, "focus lost") - lost_s) * 1000)
            time.sleep(_QUIET_S)
            desk.await_release(tally, "focus lost")
            desk.focus(desk.game)
            desk.await_model()
        desk.other.pump()
        changes = [value for code, value, _ in desk.other.got if code in CODES_USED]
        tally.pressed_elsewhere, tally.released_elsewhere = sum(changes), len(changes) - sum(changes)
        _end(play)
        desk.await_release(tally, "end")
    finally:
        server.close()


def _end(play: subprocess.Popen[str]) -> dict[str, Any]:
    play.send_signal(signal.SIGTERM)
    out, _ = play.communicate(timeout=_WAIT_S)
    told: dict[str, Any] = json.loads(out.splitlines()[-1])
    return told


def _press(hand: Injector, code: int) -> None:
    hand.set(code, True)
    hand.set(code, False)


def is_models(event: InputEvent) -> bool:
    """Whether it is one of the model's; the person uses other keys and another step."""
    if event.kind is EventKind.MOTION:
        return abs(event.x) <= abs(STEP[0]) and abs(event.y) <= abs(STEP[1])
    return event.code in CODES_USED


def wait_until(condition: Callable[[], object]) -> None:
    stop_s = time.monotonic() + _WAIT_S
    while not condition():
        if time.monotonic() > stop_s:
            raise TimeoutError("the model does not play")
        time.sleep(0.002)


def _spread(values: Sequence[float]) -> list[float]:
    if not values:
        return []
    return [round(float(v), 1) for v in (statistics.median(values), np.percentile(values, 99), max(values))]
