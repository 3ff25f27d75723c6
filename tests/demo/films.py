"""Short stretches of the real game, played without a window: pictures, and the keys and motion that made them."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import vizdoom
from vizdoom import Button, DoomGame, GameVariable, Mode, ScreenFormat, ScreenResolution

from db.media.resize import Picture
from db.recording.events import EventKind, InputEvent
from db.recording.keys import BTN_LEFT, CODES

FRAME_NS = 57_142_857
"""Two tics of the game, 17.5 frames a second."""
START_NS = 1_000_000_000
SIZE_PX = (640, 480)
_TICS = 2
_KEYS = {
    CODES["KEY_W"]: Button.MOVE_FORWARD,
    CODES["KEY_S"]: Button.MOVE_BACKWARD,
    CODES["KEY_A"]: Button.MOVE_LEFT,
    CODES["KEY_D"]: Button.MOVE_RIGHT,
    CODES["KEY_E"]: Button.USE,
    BTN_LEFT: Button.ATTACK,
}
_LIKING = dict(zip(_KEYS, (0.75, 0.06, 0.25, 0.25, 0.08, 0.3), strict=True))
_COUNTS_PER_DEG = 12
_FORWARD, _STUCK_UNITS = CODES["KEY_W"], 12.0


@dataclass
class Film:
    """N pictures (H, W, 4) BGRA, FRAME_NS apart from START_NS on, and the input events between them."""

    pictures: list[Picture] = field(default_factory=list)
    events: list[InputEvent] = field(default_factory=list)

    @property
    def times_ns(self) -> list[int]:
        return [START_NS + i * FRAME_NS for i in range(len(self.pictures))]

    @property
    def now_ns(self) -> int:
        """When the next picture is taken."""
        return START_NS + len(self.pictures) * FRAME_NS

    def rest(self, count: int, *, pointing: bool = False) -> None:
        """The last picture goes on for `count` frames; with `pointing` a pointer moves over it and clicks."""
        for i in range(count):
            if pointing:
                self.events.append(
                    InputEvent(self.now_ns + 1, EventKind.MOTION, x=float(i % 9 - 3), y=float(4 - i % 7))
                )
                if i % 12 == 8:
                    self.events += [
                        InputEvent(self.now_ns + 2, EventKind.KEY, BTN_LEFT, 1),
                        InputEvent(self.now_ns + 30_000_000, EventKind.KEY, BTN_LEFT, 0),
                    ]
            self.pictures.append(self.pictures[-1])


def play(map_name: str, seed: int, count: int, folder: Path, *, menu: int = 0, idle: int = 0) -> Film:
    """`count` frames of wandering and shooting in one of ViZDoom's maps, after `menu` frames of clicking at a still
    picture and before `idle` frames in which nothing happens."""
    game = _start(map_name, seed, folder)
    rnd, film, held, turn = random.Random(seed), Film(), set[int](), 0.0
    place, blocked = (0.0, 0.0), 0
    try:
        film.pictures.append(_picture(game))
        film.rest(menu, pointing=True)
        for number in range(count):
            if game.is_episode_finished():
                game.new_episode()
            now = film.now_ns - FRAME_NS
            if number % 5 == 0:
                turn = rnd.choice((0.0, 0.0, rnd.uniform(-7, 7)))
                wanted = {code for code, share in _LIKING.items() if rnd.random() < share}
                before, place = place, _place(game)
                if _FORWARD in held and math.dist(before, place) < _STUCK_UNITS:  # before a wall: turn away from it
                    turn, blocked = rnd.uniform(9, 13), 2
                else:
                    blocked = max(blocked - 1, 0)
                if blocked:
                    wanted -= {_FORWARD, BTN_LEFT}
                for code in held ^ wanted:
                    at = now + rnd.randrange(1_000_000, FRAME_NS - 1_000_000)
                    film.events.append(InputEvent(at, EventKind.KEY, code, int(code in wanted)))
                held = wanted
            if turn:
                film.events += [
                    InputEvent(now + part * 9_000_000, EventKind.MOTION, x=round(turn * _COUNTS_PER_DEG / 5), y=0.0)
                    for part in range(1, 6)
                ]
            game.make_action([*(float(code in held) for code in _KEYS), turn], _TICS)
            if not game.is_episode_finished():
                film.pictures.append(_picture(game))
            else:
                film.pictures.append(film.pictures[-1])
        end = film.now_ns - FRAME_NS // 2
        film.events += [InputEvent(end, EventKind.KEY, code, 0) for code in held]
        film.rest(idle)
    finally:
        game.close()
    film.events.sort(key=lambda event: event.t_ns)
    return film


def _start(map_name: str, seed: int, folder: Path) -> DoomGame:
    game = DoomGame()
    game.set_doom_scenario_path(str(Path(vizdoom.scenarios_path) / f"{map_name}.wad"))
    game.set_doom_config_path(str(folder / "vizdoom.ini"))
    game.set_mode(Mode.PLAYER)
    game.set_window_visible(False)
    game.set_sound_enabled(False)
    game.set_screen_resolution(getattr(ScreenResolution, "RES_{}X{}".format(*SIZE_PX)))
    game.set_screen_format(ScreenFormat.BGRA32)
    game.set_render_hud(map_name != "my_way_home")
    game.set_render_crosshair(True)
    game.set_available_buttons([*_KEYS.values(), Button.TURN_LEFT_RIGHT_DELTA])
    game.set_episode_start_time(14)
    game.set_doom_skill(2)
    game.set_seed(seed)
    game.init()
    return game


def _place(game: DoomGame) -> tuple[float, float]:
    """In units of the map."""
    return game.get_game_variable(GameVariable.POSITION_X), game.get_game_variable(GameVariable.POSITION_Y)


def _picture(game: DoomGame) -> Picture:
    state = game.get_state()
    assert state is not None
    return np.ascontiguousarray(state.screen_buffer)
