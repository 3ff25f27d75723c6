"""The game without a window: the same scenarios, rules and pictures, one tic when it is asked for one, the same for a seed."""

from __future__ import annotations

import random
from collections.abc import Collection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from vizdoom import Mode, ScreenFormat

from games.engine import BINDINGS, LOOK_DEG_PER_PX, SIZE_PX, TIC_NS, TURN_DEG_PER_PX, Engine, GameError, Tic, configure
from games.scenarios import Scenario


class HeadlessDoom(Engine):
    """The game in one scenario, waiting: time passes only within ``step``. Begin with ``begin``.

    ``size_px`` as in ``Doom``; its pictures are, bit for bit, what the window of that size would show. Its files go to
    ``folder``. Raises GameError if the game does not start.
    """

    def __init__(self, scenario: Scenario, folder: Path, *, size_px: tuple[int, int] = SIZE_PX) -> None:
        super().__init__(scenario, configure(scenario, folder, 0, size_px), 0)
        self._game.set_mode(Mode.PLAYER)
        self._game.set_window_visible(False)
        self._game.set_screen_format(ScreenFormat.BGRA32)
        try:
            self._game.init()
        except Exception as error:  # the module's own exceptions have no common base
            raise GameError(f"ViZDoom does not start: {error}") from error

    def begin(self, seed: int) -> None:
        """A new episode, its chance decided by the seed alone."""
        self._random = random.Random(seed)
        self._game.set_seed(seed)
        self._game.new_episode()
        self._number = self._episode = self._kills = self._pickups = self._hits = 0
        self._begin_episode()

    def step(self, held: Collection[int] = (), dx_px: float = 0.0, dy_px: float = 0.0) -> Tic:
        """Let one tic pass with these evdev codes held and so much motion, in pixels of the mouse, and tell what it led to."""
        deltas = [dx_px * TURN_DEG_PER_PX, -dy_px * LOOK_DEG_PER_PX][: 1 + self.scenario.look]
        self._game.set_action([float(code in held) for code in BINDINGS] + deltas)
        self._game.advance_action(1)
        return self._after_tic()

    def _now_ns(self) -> int:
        """The game's own time, which is nobody's: the machine's says nothing of it."""
        return self._number * TIC_NS

    def picture(self) -> NDArray[np.uint8]:
        """(H, W, 4) uint8 BGRA: what the window would show after the last tic."""
        return np.asarray(self._game.get_state().screen_buffer, np.uint8)
