"""A small game for `evaluate --play`: a square that A and D push about; and adapters that do everything wrong."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from db.media.colour import through_codec_colour
from db.media.resize import Picture, resize
from db.recording.keys import CODES
from db.specs import ClipSpec
from trainer.episodes.game import Step, Task

A, D = CODES["KEY_A"], CODES["KEY_D"]
SIZE_PX = (64, 48)
begun: list[tuple[int, str]] = []
"""Every episode that was begun in this process, as (seed, instruction)."""


class Pushing:
    """To the left or to the right end; the score is the share of the way, in %."""

    name = "pushing"
    tasks = (
        Task("push left", "% of the way", ("shove it left", "push right")),
        Task("push right", "% of the way", ("shove it right",)),
    )
    longest_s = 1.0

    def __init__(self, clip: ClipSpec) -> None:
        self._clip = clip
        self.settings: dict[str, Any] = {"speed": 3}
        self._see: Callable[[Picture, int], None] | None = None

    def reset(self, seed: int, instruction: str) -> Picture:
        begun.append((seed, instruction))
        self._noise = np.random.default_rng(seed).integers(0, 120, (SIZE_PX[1], SIZE_PX[0], 4), np.uint8)
        self._ticks, self._place, self._way = 0, 0, -1 if "left" in instruction else 1
        return self._show()

    def step(self, down: frozenset[int], dx: float, dy: float) -> Step:
        self._place = max(-10, min(10, self._place + (D in down) - (A in down)))
        return self._end_tick()

    def demonstrate(self) -> Step:
        return self.step(frozenset({A if self._way < 0 else D}), 0.0, 0.0)

    def film(self, see: Callable[[Picture, int], None] | None) -> None:
        self._see = see
        self._show()

    def close(self) -> None:
        pass

    def _end_tick(self) -> Step:
        self._ticks += 1
        done = self._ticks >= self.longest_s * self._clip.rate_hz
        end = {-10: "push left", 10: "push right"}.get(self._place, "")
        return Step(self._show(), done, 10.0 * self._place * self._way if done else None, end if done else "")

    def _show(self) -> Picture:
        bgra = self._noise.copy()
        bgra[20:30, 32 + 2 * self._place - 4 : 32 + 2 * self._place + 4] = (40, 220, 220, 255)
        if self._see is not None:
            self._see(bgra, 10**9 + self._ticks * 66_666_667)
        return resize(through_codec_colour(bgra), self._clip.size_px)


def make(clip: ClipSpec) -> Pushing:
    return Pushing(clip)


def _broken(**changes: Any) -> Callable[[ClipSpec], Pushing]:
    def build(clip: ClipSpec) -> Pushing:
        game = Pushing(clip)
        for name, value in changes.items():
            setattr(game, name, value(game) if name in ("reset", "step") else value)
        return game

    return build


def _boom(*_: Any) -> Any:
    raise RuntimeError("the maze fell in\nand more")


nothing = 7
raises = _boom
no_game = lambda clip: SimpleNamespace(name="x", close=lambda: None)  # noqa: E731
no_tasks = _broken(tasks=())
same_tasks = _broken(tasks=(Pushing.tasks[0], Pushing.tasks[0]))
for_ever = _broken(longest_s=math.inf)
never_ends = _broken(step=lambda game: lambda *_: Step(game._show()))
small = _broken(reset=lambda game: lambda *_: np.zeros((4, 4, 3), np.uint8))
grey = _broken(step=lambda game: lambda *_: Step(np.zeros((48, 64), np.float32)))
falls_in = _broken(step=lambda game: _boom)
wrong_step = _broken(step=lambda game: lambda *_: (None, True))
odd_score = _broken(step=lambda game: lambda *_: Step(game._show(), True, "many"))  # type: ignore[arg-type]
odd_settings = _broken(settings={"speed": {1, 2}})
