"""Pictures of a play with its overlay, light and dark, for docs/playing.md: ``python -P -m demo.play_pictures DIR``.

The game is the real one, and so are the programs; who plays is the random player, since a picture needs no model.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import mss
import numpy as np
from PIL import Image

from db.recording.keys import CODES
from demo.programs import Program
from demo.recording import READY_S, Script
from demo.stage import with_few
from games.injector import Injector
from games.xserver import XServer

SIZE_PX = (760, 1010)
WORDS = ("shoot the monsters", "collect the medkits", "turn left", "turn right", "stand still")
_COLOURS = 128
_SETTLE_S = 2.0
_CHORD = (CODES["KEY_LEFTCTRL"], CODES["KEY_LEFTALT"])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m demo.play_pictures", description=__doc__)
    parser.add_argument("out", type=Path, metavar="DIR", help="where the pictures go")
    out: Path = parser.parse_args().out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    for scheme in ("light", "dark"):
        with tempfile.TemporaryDirectory(prefix="play-") as name, XServer(SIZE_PX, window_manager=True) as screen:
            take(screen, Path(name), out, scheme)
            print(scheme, flush=True)
    return 0


def take(screen: XServer, home: Path, out: Path, scheme: str) -> None:
    """One play: the model, an instruction being typed, a person."""
    settings = home / "Playtape" / "Playtape.conf"
    settings.parent.mkdir(parents=True)
    settings.write_text(f"[General]\nscheme={scheme}\n")
    env = screen.env() | {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")}
    log, errors = home / "log", home / "errors.log"
    log.mkdir()
    script = Script("arena", "none", seconds=600, seed=3)
    command = ["recorder.play", "--json", "--library", str(home / "library"), "--game", "arena", "--player", "ann"]
    command += ["--policy", "random", "--instruction", WORDS[1]]
    command += [part for number, word in enumerate(WORDS, 1) for part in ("--hotkey", f"{number}={word}")]
    with Program(script.arguments(screen.display, log), env, errors, cwd=log) as game:
        window = str(game.read("ready", READY_S)["window_id"])
        game.say("go")
        with Program([*command, "--window-id", window], env, errors) as play, Injector(screen.display) as hand:
            play.read("session", READY_S)
            _await_window(env, "Playtape play")
            _shoot(screen, out / f"playing-model-{scheme}.png")
            _tap(hand, *_CHORD, CODES["KEY_ENTER"])
            _await_window(env, "Playtape instruction")
            for letter in "GO TO THE DOOR":
                _tap(hand, CODES["KEY_SPACE" if letter == " " else f"KEY_{letter}"])
            _shoot(screen, out / f"playing-typing-{scheme}.png")
            _tap(hand, CODES["KEY_ENTER"])
            time.sleep(_SETTLE_S)
            hand.set_key(CODES["KEY_A"], True)
            _shoot(screen, out / f"playing-person-{scheme}.png")
            _tap(hand, CODES["KEY_F12"])
            play.read("ticks", READY_S)


def _await_window(env: dict[str, str], title: str) -> None:
    command = ["xdotool", "search", "--sync", "--onlyvisible", "--name", title]
    subprocess.run(command, env=env, check=True, timeout=READY_S, stdout=subprocess.DEVNULL)


def _tap(hand: Injector, *codes: int) -> None:
    for code in codes:
        hand.set_key(code, True)
        time.sleep(0.03)
    for code in reversed(codes):
        hand.set_key(code, False)
    time.sleep(0.03)


def _shoot(screen: XServer, path: Path) -> None:
    time.sleep(_SETTLE_S)
    with mss.MSS(display=screen.display) as eyes:
        seen = eyes.grab(eyes.monitors[0])
    picture = Image.frombytes("RGB", seen.size, seen.rgb)
    picture = picture.crop(picture.getbbox())  # the desktop around is black
    with_few(np.asarray(picture), _COLOURS).save(path, optimize=True)


if __name__ == "__main__":
    sys.exit(main())
