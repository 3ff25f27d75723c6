"""The scenarios as games in which `playtape-train evaluate --play` measures a policy: ``--play games.adapter:arena``.

The pictures are those of the window, bit for bit, through the colours of a recording and the one resize. A model's tick is as
many of the game's tics as its rate leaves (2 or 3 at 15 Hz); motion is shared out among them, as live play does. What is
decided acts ``DELAY_TICS`` later, since in a window a picture must first be captured, judged and answered.
"""

from __future__ import annotations

import random
import tempfile
from collections import deque
from collections.abc import Callable
from pathlib import Path

from db.media.colour import through_codec_colour
from db.media.resize import Picture, resize
from db.specs import ClipSpec
from games.demonstrator import Demonstrator
from games.engine import TICS_PER_S, TURN_DEG_PER_PX, Tic
from games.hand import REST, Grip
from games.headless import HeadlessDoom
from games.instructions import HELD_BACK, WORDINGS, Instruction
from games.scenarios import ARENA, BUTTONS, CENTER, CORRIDOR, COVER, Scenario
from games.scores import MEASURES, UNSCORED, Stretch
from trainer.episodes.game import Step, Task

DELAY_TICS = 1
EPISODE_S = 15.0
SETTLE_TICS, DRAW_TICS = 70, 25
"""Before an episode begins the weapon is drawn and monsters come, as they do while a window is being prepared; where there are
trials, no monsters do."""
READING_TICS = TICS_PER_S
"""The first second is not scored: whoever plays has to read."""


class DoomEpisodes:
    """One scenario as a `trainer.episodes.game.Game`."""

    def __init__(self, scenario: Scenario, clip: ClipSpec, *, delay_tics: int = DELAY_TICS) -> None:
        if clip.rate_hz > TICS_PER_S:
            raise ValueError(f"the game has {TICS_PER_S} tics a second, and the model sees {clip.rate_hz:g} pictures")
        self._scenario, self._clip, self._delay_tics = scenario, clip, delay_tics
        self._folder = tempfile.TemporaryDirectory(prefix="playtape-doom-")
        self._engine = HeadlessDoom(scenario, Path(self._folder.name))
        self._see: Callable[[Picture, int], None] | None = None
        self.name = f"vizdoom-{scenario.name}"
        self.longest_s = scenario.trial_s or EPISODE_S
        self._settle_tics = DRAW_TICS if scenario.targets else SETTLE_TICS
        self.settings = {
            "episode_s": self.longest_s,
            "delay_tics": delay_tics,
            "settle_tics": self._settle_tics,
            "reading_tics": 0 if scenario.targets else READING_TICS,
        }
        scored = [name for name in scenario.instructions if name in MEASURES and (scenario.name, name) not in UNSCORED]
        self.tasks = tuple(Task(WORDINGS[name][0], MEASURES[name], HELD_BACK[name]) for name in scored)

    def reset(self, seed: int, instruction: str) -> Picture:
        self._asked = Instruction.from_text(instruction)
        self._demonstrator, self._grip = Demonstrator(self._scenario, seed=seed), Grip()
        self._intent = REST
        self._ticks = self._scored = 0
        self._coming: deque[tuple[frozenset[int], float, float]] = deque([(frozenset(), 0.0, 0.0)] * self._delay_tics)
        self._rows: list[Tic] = []
        self._engine.begin(seed)
        turn_px = random.Random(seed).uniform(-180, 180) / TURN_DEG_PER_PX if self._scenario.targets else 0.0
        tic = self._engine.step(dx_px=turn_px)
        if self._scenario.targets:
            self._engine.begin_trial(tic)
        for _ in range(self._settle_tics):
            tic = self._engine.step()
        while self._engine.trial is not None and not self._engine.trial.is_set(tic.things):
            tic = self._engine.step()
        self._first, self._tic = tic, tic
        return self._look()

    def step(self, down: frozenset[int], dx: float, dy: float) -> Step:
        tics = self._next_tics()
        self._coming.extend([(down, dx / tics, dy / tics)] * tics)
        for _ in range(tics):
            if self._is_over():
                break
            self._pass(*self._coming.popleft())
        return self._tell()

    def demonstrate(self) -> Step:
        for _ in range(self._next_tics()):
            if self._is_over():
                break
            self._pass(frozenset(self._grip.held), self._intent.dx, self._intent.dy)
            self._intent = self._demonstrator.decide(self._tic, self._asked)
            self._grip.follow(self._intent, self._tic.number)
        return self._tell()

    def film(self, see: Callable[[Picture, int], None] | None) -> None:
        self._see = see
        if see is not None:
            see(self._engine.picture(), self._tic.t_ns)

    def close(self) -> None:
        self._engine.close()
        self._folder.cleanup()

    def _next_tics(self) -> int:
        """How many of the game's tics the next tick takes, so that they keep in step for ever."""
        before = self._ticks
        self._ticks += 1
        return int(self._ticks * TICS_PER_S / self._clip.rate_hz) - int(before * TICS_PER_S / self._clip.rate_hz)

    def _pass(self, down: frozenset[int], dx: float, dy: float) -> None:
        self._tic = self._engine.step(down, dx, dy)
        self._rows.append(self._tic)
        if self._see is not None and not self._engine.ended:
            self._see(self._engine.picture(), self._tic.t_ns)

    def _is_over(self) -> bool:
        reached = self._engine.trial is not None and self._engine.trial.reached(self._tic)
        late = self._tic.number - self._first.number >= self.longest_s * TICS_PER_S
        return bool(reached) or late or self._engine.ended

    def _tell(self) -> Step:
        done = self._is_over()
        picture = self._last if self._engine.ended else self._look()
        if not done:
            return Step(picture)
        trial = self._engine.trial
        if trial is not None:
            reached = trial.reached(self._tic)
            score = Stretch((), [{"reached": reached}]).score(self._asked.canonical)
            return Step(picture, True, score, WORDINGS[reached][0] if reached else "")
        rows = [tic.to_row() for tic in self._rows[READING_TICS:]]
        return Step(picture, True, Stretch(rows).score(self._asked.canonical))

    def _look(self) -> Picture:
        self._last = resize(through_codec_colour(self._engine.picture()), self._clip.size_px)
        return self._last


def arena(clip: ClipSpec) -> DoomEpisodes:
    return DoomEpisodes(ARENA, clip)


def center(clip: ClipSpec) -> DoomEpisodes:
    return DoomEpisodes(CENTER, clip)


def corridor(clip: ClipSpec) -> DoomEpisodes:
    return DoomEpisodes(CORRIDOR, clip)


def cover(clip: ClipSpec) -> DoomEpisodes:
    return DoomEpisodes(COVER, clip)


def buttons(clip: ClipSpec) -> DoomEpisodes:
    return DoomEpisodes(BUTTONS, clip)
