"""The game itself: ViZDoom (Freedoom) in its own window, played by real X input, one tic at a time.

ViZDoom's ASYNC_SPECTATOR mode is used: the game runs at its own 35 tics/s, as it would for a person at the keyboard, and
``step()`` waits for its next tic. Keys, buttons and motion then show in the first tic after they happen. (SPECTATOR, in
which the game waits for its reader, is no more exact, skips tics all the same when its reader is late, and shows keys and
buttons one tic later than motion.) A tic that was not read shows as a jump of ``Tic.episode_tic``.

Motion that the game happens to read in parts within one tic is reported by ``get_last_action`` with its last part only,
though the view turns by all of it: ``Tic.angle_deg`` and ``Tic.pitch_deg`` are the exact account.
"""

from __future__ import annotations

import math
import os
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import vizdoom
from vizdoom import Button, DoomGame, GameVariable, Mode, ScreenFormat, ScreenResolution
from Xlib.display import Display

from games.injector import BTN_LEFT, Injector
from games.scenarios import Scenario
from games.trials import Trial
from games.window import GameWindow, focus, list_windows

TICS_PER_S = 35
TIC_NS = 1_000_000_000 // TICS_PER_S
SIZE_PX = (640, 480)
WINDOW_CLASS = "vizdoom"

KEY_W, KEY_A, KEY_S, KEY_D, KEY_E = 17, 30, 31, 32, 18
# evdev code -> (name of the key for the game's "bind", its command, the button of the API that witnesses it)
BINDINGS = {
    KEY_W: ("w", "+forward", Button.MOVE_FORWARD),
    KEY_S: ("s", "+back", Button.MOVE_BACKWARD),
    KEY_A: ("a", "+moveleft", Button.MOVE_LEFT),
    KEY_D: ("d", "+moveright", Button.MOVE_RIGHT),
    KEY_E: ("e", "+use", Button.USE),
    BTN_LEFT: ("mouse1", "+attack", Button.ATTACK),
}
TURN, LOOK = Button.TURN_LEFT_RIGHT_DELTA, Button.LOOK_UP_DOWN_DELTA

# Raw counts: no prescale (which would be x3 and x2), filter, smoothing or acceleration. One pixel of motion then turns
# by 8 * sensitivity and looks up or down by 16 * sensitivity of 65,536ths of a turn: whole numbers, nothing is rounded.
MOUSE_SENSITIVITY = 2
TURN_DEG_PER_PX = 8 * MOUSE_SENSITIVITY * 360 / 65536
LOOK_DEG_PER_PX = 16 * MOUSE_SENSITIVITY * 360 / 65536
GAME_ARGS = (
    f"+mouse_sensitivity {MOUSE_SENSITIVITY} +m_noprescale 1 +m_filter 0 +smooth_mouse 0 +m_yaw 1 +m_pitch 1 "
    "+freelook 1 +sv_allowfreelook 1 +lookstrafe 0 +lookspring 0 +invertmouse 0 +mouse_capturemode 2 +use_joystick 0 "
    "+cl_run 0 +sv_infiniteammo 1 +sv_cheats 1 +autoaim 35"
)

MONSTER_GAP_UNITS, PLAYER_GAP_UNITS = 90.0, 300.0


class GameError(RuntimeError):
    """The game does not run as it must; the message says how."""


@dataclass(frozen=True, slots=True)
class Thing:
    """Something in the room: its class name and its place in map units."""

    id: int
    name: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Tic:
    """The game after one tic, as its API tells it.

    ``action`` maps each available button to its value in this tic: 0 or 1, or degrees for the two mouse deltas (+
    turns right, + looks down). ``angle_deg`` is counter-clockwise from east, in [0, 360). ``kills``, ``pickups`` and ``hits`` (that
    the player took) count since the game began, over all episodes. ``things`` are those in the room by the scenario's nouns.
    """

    number: int
    t_ns: int
    episode: int
    episode_tic: int
    action: dict[str, float]
    x: float
    y: float
    angle_deg: float
    pitch_deg: float
    health: float
    kills: int
    pickups: int
    reward: float
    things: Mapping[str, tuple[Thing, ...]]
    hits: int = 0

    def to_row(self) -> dict[str, Any]:
        """As a row for a JSON log, without the things in the room."""
        names = ("number", "t_ns", "episode", "episode_tic", "action", "x", "y", "angle_deg", "pitch_deg", "health")
        row = {name: getattr(self, name) for name in (*names, "kills", "pickups", "hits", "reward")}
        return {"kind": "tic", **row}


class Engine:
    """The game in one scenario, however it is run: what happens at a tic, at an episode's begin and, by the scenario's rules,
    with monsters and trials. A subclass starts the engine and lets a tic pass.
    """

    def __init__(self, scenario: Scenario, game: DoomGame, seed: int) -> None:
        """game: configured, and running once ``restart`` or ``_begin_episode`` is called."""
        self.scenario = scenario
        self._game = game
        self._random = random.Random(seed)
        self._number = self._episode = self._kills = self._pickups = self._hits = 0
        self._episode_kills = self._episode_hits = 0
        self._health = math.inf
        self._next_spawn_tic = 0
        self.trial: Trial | None = None

    @property
    def ended(self) -> bool:
        """Whether the episode has ended (time is up, or the player is dead); ``restart()`` begins the next."""
        return bool(self._game.is_episode_finished())

    @property
    def remaining_tics(self) -> int:
        """Tics until the episode's time is up; a very large number if it lasts for ever."""
        timeout = self._game.get_episode_timeout()
        return timeout - self._game.get_episode_time() if timeout else 1 << 30

    def restart(self) -> None:
        """Begin the next episode. The game runs a few tics that nobody reads."""
        self._game.new_episode()
        self._episode += 1
        self._begin_episode()

    def begin_trial(self, tic: Tic) -> None:
        """Put the scenario's targets before the player, in a new order, within the next tics."""
        self.trial = Trial(self.scenario, self._random, tic.angle_deg)

    def close(self) -> None:
        """End the game."""
        self._game.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _begin_episode(self) -> None:
        for command in self.scenario.start_commands:
            self._game.send_game_command(command)
        self._health, self._episode_kills, self._episode_hits, self._next_spawn_tic = math.inf, 0, 0, 0
        self.trial = None

    def _after_tic(self) -> Tic:
        """Read the tic that has passed, and do what the scenario's rules ask for."""
        self._number += 1
        tic = self._read(self._now_ns())
        self._respawn(tic)
        if self.trial is not None and (command := self.trial.next_command(tic.things)):
            self._game.send_game_command(command)
        return tic

    def _now_ns(self) -> int:
        return time.perf_counter_ns()

    def _read(self, t_ns: int) -> Tic:
        game, state = self._game, self._game.get_state()
        health, kills = game.get_game_variable(GameVariable.HEALTH), int(game.get_game_variable(GameVariable.KILLCOUNT))
        hits = int(game.get_game_variable(GameVariable.HITS_TAKEN))
        # Only a medkit raises health, and a killed monster raises the map's count.
        self._pickups += health > self._health
        self._kills += max(0, kills - self._episode_kills)
        self._hits += max(0, hits - self._episode_hits)
        self._health, self._episode_kills, self._episode_hits = health, kills, hits
        things = [] if state is None else [_thing(found) for found in state.objects]
        buttons = [str(button.name) for button in game.get_available_buttons()]
        return Tic(
            number=self._number,
            t_ns=t_ns,
            episode=self._episode,
            episode_tic=int(game.get_episode_time()),
            action=dict(zip(buttons, game.get_last_action(), strict=True)),
            x=game.get_game_variable(GameVariable.POSITION_X),
            y=game.get_game_variable(GameVariable.POSITION_Y),
            angle_deg=game.get_game_variable(GameVariable.ANGLE),
            pitch_deg=game.get_game_variable(GameVariable.PITCH),
            health=health,
            kills=self._kills,
            pickups=self._pickups,
            reward=game.get_last_reward(),
            things={
                noun: tuple(thing for thing in things if thing.name in names)
                for noun, names in self.scenario.nouns.items()
            },
            hits=self._hits,
        )

    def _respawn(self, tic: Tic) -> None:
        """Put one monster where one is missing, out of the player's way.

        The console can only summon in front of the player, so the player is there and back within one tic, which no
        picture shows. Whole units are all that "warp" takes; a monster at the player's side would be in the way.
        """
        monsters = tic.things.get("monsters", ())
        missing = self.scenario.monsters - len(monsters)
        crowded = any(math.dist((tic.x, tic.y), (m.x, m.y)) < MONSTER_GAP_UNITS for m in monsters)
        if missing <= 0 or tic.number < self._next_spawn_tic or crowded or self.ended:
            return
        west, south, east, north = self.scenario.nest
        for _ in range(20):
            x, y = self._random.randint(west, east), self._random.randint(south, north)
            alone = all(math.dist((x, y), (m.x, m.y)) > MONSTER_GAP_UNITS for m in monsters)
            if alone and math.dist((x, y), (tic.x, tic.y)) > PLAYER_GAP_UNITS:
                back = f"warp {round(tic.x)} {round(tic.y)}"
                self._game.send_game_command(f"warp {x} {y}; summon {self.scenario.monster}; {back}")
                self._next_spawn_tic = tic.number + 3
                return


class Doom(Engine):
    """The game in one scenario, running and visible on ``display`` when the constructor returns; then ``step()``.

    ``size_px`` is one of the engine's own (``ScreenResolution``). The constructor gives the window the focus and proves that mouse motion reaches the game (the first motion after a
    game takes the pointer is lost in SDL, so it is spent here). ``window`` says where it is. Its files go to ``folder``.

    Raises GameError if the window does not come up or hears no mouse.
    """

    def __init__(
        self, scenario: Scenario, display: str, folder: Path, *, seed: int = 0, size_px: tuple[int, int] = SIZE_PX
    ) -> None:
        super().__init__(scenario, configure(scenario, folder, seed, size_px), seed)
        self._connection = Display(display)
        known = {window.id for window in list_windows(self._connection)}
        self._game.set_mode(Mode.ASYNC_SPECTATOR)
        self._game.set_window_visible(True)
        try:
            _init(self._game, display)
            self.window = self._find_window(known)
            self._bind()
            self._begin_episode()
            focus(self._connection, self.window.id)
            self._prime(display)
        except BaseException:
            self.close()
            raise

    def step(self) -> Tic:
        """Wait for the game's next tic and return what the game says after it."""
        self._game.advance_action(1)
        return self._after_tic()

    def close(self) -> None:
        """End the game and its window."""
        super().close()
        self._connection.close()

    def _find_window(self, known: set[int]) -> GameWindow:
        deadline_s = time.monotonic() + 10
        while time.monotonic() < deadline_s:
            for window in list_windows(self._connection):
                if window.id not in known and window.wm_class.lower() == WINDOW_CLASS:
                    return window
            time.sleep(0.02)
        raise GameError("ViZDoom's window did not appear within 10 s.")

    def _bind(self) -> None:
        # unbindall first: no key opens the menu or the console, whatever a policy presses.
        self._game.send_game_command("unbindall")
        for key, command, _ in BINDINGS.values():
            self._game.send_game_command(f"bind {key} {command}")

    def _prime(self, display: str) -> None:
        """Move the mouse there and back until the view has followed."""
        with Injector(display) as injector:
            start_deg = self.step().angle_deg
            for attempt in range(3 * TICS_PER_S):
                injector.move(1 if attempt % 2 else -1)
                moved_deg = turned_deg(start_deg, self.step().angle_deg)
                if moved_deg:
                    injector.move(-round(moved_deg / TURN_DEG_PER_PX))
                    break
            else:
                raise GameError("ViZDoom's window does not receive mouse motion; it may not have the focus.")
            for _ in range(TICS_PER_S):
                if turned_deg(start_deg, self.step().angle_deg) == 0:
                    return
        raise GameError("ViZDoom's view does not follow the mouse exactly; another program may be moving the pointer.")


def turned_deg(before_deg: float, after_deg: float) -> float:
    """How far the view turned to the right from one angle to another: degrees in [-180, 180), exact to 1e-6."""
    return round((before_deg - after_deg + 180.0) % 360.0 - 180.0, 6)


def configure(scenario: Scenario, folder: Path, seed: int, size_px: tuple[int, int]) -> DoomGame:
    """The game with the scenario's rules and pictures, not yet begun; how it runs is for the caller to say."""
    game = DoomGame()
    game.set_doom_scenario_path(str(Path(vizdoom.scenarios_path) / scenario.map_file))
    game.set_doom_config_path(str(folder / "vizdoom.ini"))
    game.set_doom_skill(scenario.skill)
    game.set_screen_resolution(getattr(ScreenResolution, "RES_{}X{}".format(*size_px)))
    game.set_screen_format(ScreenFormat.GRAY8)  # of the API's own copy of the picture, which nobody reads
    game.set_objects_info_enabled(True)
    game.set_sound_enabled(False)
    game.set_render_hud(False)
    game.set_render_crosshair(False)
    game.set_render_weapon(True)
    game.set_render_corpses(False)
    game.set_render_messages(False)
    game.set_render_screen_flashes(False)
    game.set_episode_start_time(1)
    game.set_episode_timeout(round(scenario.episode_s * TICS_PER_S))
    buttons = [button for _, _, button in BINDINGS.values()]
    # A delta that is not available is a motion that the game drops.
    game.set_available_buttons([*buttons, TURN, LOOK] if scenario.look else [*buttons, TURN])
    game.add_game_args(GAME_ARGS)
    game.set_seed(seed)
    return game


def _init(game: DoomGame, display: str) -> None:
    """Start the engine with its window on ``display``: the engine's process inherits this process's environment."""
    wanted = {"DISPLAY": display, "SDL_AUDIODRIVER": "dummy"}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        game.init()
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _thing(found: Any) -> Thing:
    return Thing(int(found.id), str(found.name), float(found.position_x), float(found.position_y))
