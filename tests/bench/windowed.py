"""The recorder with its own window, started and stopped by its hotkey as a person would: what the window costs."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from db.clock import now_ns
from db.recording.consent import give_consent
from db.recording.profiles import GameProfile, save_profile
from db.recording.reader import Recording
from db.store import Store
from games.injector import Injector
from games.xserver import XServer

RECORD_KEY = 67
"""F9, the recorder's usual hotkey."""
PLAYER = "bench"
_READY_S = 60.0
_LOOK_S = 2.5
"""How long the recorder's window is given to find the game's."""
Value = TypeVar("Value")


def record(
    server: XServer, folder: Path, rate_hz: float, *, preview: bool, watch: Callable[[int], Value]
) -> tuple[Recording, Value]:
    """Records the one other window on the display while `watch(pid of the recorder)` runs; the session, and its result.

    The library and the settings lie in `folder`; a call leaves a session more in the library.
    """
    library, home = folder / "windowed", folder / "home"
    _prepare(library, home, rate_hz, preview)
    env = server.env() | {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")}
    known = set(_sessions(library))
    command = [sys.executable, "-P", "-m", "recorder", "--library", str(library), "--player", PLAYER]
    with (folder / "window.log").open("ab") as log:
        process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    injector = Injector(server.display)
    try:
        time.sleep(_LOOK_S)
        session_id = _await(lambda: _press_until(injector, library, known))
        value = watch(process.pid)
        _press(injector)
        _await(lambda: not (library / "sessions" / session_id / "recording.lock").exists())
    finally:
        injector.close()
        process.terminate()
        process.wait(_READY_S)
    with Store.open(library, create=False) as store:
        store.recover()
        recording = store.recording(session_id)
        _ = recording.clock, recording.events, recording.frames
    return recording, value


def _prepare(library: Path, home: Path, rate_hz: float, preview: bool) -> None:
    with Store.open(library) as store:
        give_consent(store.root, PLAYER, "private")
        save_profile(store.root, GameProfile(name="bench", title_pattern=".", rate_hz=rate_hz))
    settings = home / "Playtape" / "Playtape.conf"
    settings.parent.mkdir(parents=True, exist_ok=True)
    yes = str(preview).lower()
    settings.write_text(f"[recorder]\nplayer={PLAYER}\ncountdown_s=0\nsounds=false\npreview={yes}\n")


def _press_until(injector: Injector, library: Path, known: set[str]) -> str | None:
    """Presses the hotkey until a recording has begun, since the window needs some time to find the game."""
    _press(injector)
    deadline_s = time.monotonic() + 5
    while time.monotonic() < deadline_s:
        for session_id in set(_sessions(library)) - known:
            if any((library / "sessions" / session_id).glob("video-*.mkv")):
                return session_id
        time.sleep(0.02)
    return None


def _press(injector: Injector) -> None:
    injector.set_key(RECORD_KEY, True)
    injector.set_key(RECORD_KEY, False)


def _sessions(library: Path) -> list[str]:
    return [path.name for path in (library / "sessions").glob("*-*-*-*-*")]


def _await(condition: Callable[[], Value]) -> Value:
    deadline_ns = now_ns() + int(_READY_S * 1e9)
    while not (value := condition()):
        if now_ns() > deadline_ns:
            raise TimeoutError("the recorder's window did not record; see window.log")
        time.sleep(0.05)
    return value
