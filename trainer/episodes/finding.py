"""Finds the game that `--play` names, and holds it to what `trainer.episodes.game` says. An adapter is a stranger's code:
whatever it does wrong is told in one sentence that names it.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import numpy as np

from db.errors import BadArgument, PlaytapeError
from db.media.resize import Picture
from db.specs import ClipSpec
from trainer.episodes.game import GROUP, Demonstrated, Factory, Filmed, Game, Step, Task
from trainer.weights import first_line

_WANTED = ("name", "tasks", "longest_s", "settings", "reset", "step", "close")


def find_game(named: str, clip: ClipSpec) -> CheckedGame:
    """Opens the game: MODULE:FACTORY, or the name of an entry point of the group `playtape.games`.

    clip: what the policy sees, and how often. Raises BadArgument in one sentence for whatever is not there or not a game.
    """
    factory = _load(named)
    with told(named, "does not open"):
        game = factory(clip)
    if missing := [name for name in _WANTED if not hasattr(game, name)]:
        raise BadArgument(f"--play {named} opens no game to play in: it lacks {', '.join(missing)}.")
    return CheckedGame(named, game, clip)


class CheckedGame:
    """A game whose every answer is looked at. Raises BadArgument for one that breaks the rules. Use it as a context manager."""

    def __init__(self, named: str, game: Game, clip: ClipSpec) -> None:
        self._named, self._game, self._clip = named, game, clip
        self._ticks = 0
        try:
            self._read_facts()
        except BaseException:
            self.close()
            raise

    @property
    def demonstrates(self) -> bool:
        return isinstance(self._game, Demonstrated)

    @property
    def can_be_filmed(self) -> bool:
        return isinstance(self._game, Filmed)

    def reset(self, seed: int, instruction: str) -> Picture:
        self._ticks = 0
        with told(self._named, "fails to begin an episode"):
            picture = self._game.reset(seed, instruction)
        return self._look(picture)

    def step(self, down: frozenset[int], dx: float, dy: float) -> Step:
        with told(self._named, "fails in the middle of an episode"):
            step = self._game.step(down, dx, dy)
        return self._check(step)

    def demonstrate(self) -> Step:
        assert isinstance(self._game, Demonstrated)
        with told(self._named, "fails while it demonstrates"):
            step = self._game.demonstrate()
        return self._check(step)

    def film(self, see: Callable[[Picture, int], None] | None) -> None:
        assert isinstance(self._game, Filmed)
        with told(self._named, "cannot be filmed"):
            self._game.film(see)

    def close(self) -> None:
        with told(self._named, "does not close"):
            self._game.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read_facts(self) -> None:
        with told(self._named, "does not say what it is"):
            self.name, self.tasks = str(self._game.name), tuple(self._game.tasks)
            self.longest_s = float(self._game.longest_s)
            self.settings: Mapping[str, Any] = dict(self._game.settings)
        if not self.name or not self.tasks or not all(isinstance(task, Task) for task in self.tasks):
            self._refuse("names no tasks, or not as trainer.episodes.game.Task")
        if len({task.instruction for task in self.tasks}) != len(self.tasks):
            self._refuse("names one instruction twice")
        if not 0 < self.longest_s < math.inf:
            self._refuse(f"says that an episode lasts {self.longest_s:g} s")
        self._most = math.ceil(self.longest_s * self._clip.rate_hz) + 1

    def _check(self, step: Step) -> Step:
        self._ticks += 1
        if not isinstance(step, Step):
            self._refuse(f"answers a tick with {type(step).__name__} instead of a Step")
        self._look(step.picture)
        if not step.done and self._ticks >= self._most:
            self._refuse(f"has not ended its episode after the {self.longest_s:g} s that it may last")
        if step.score is not None and not isinstance(step.score, int | float | np.floating | np.integer):
            self._refuse(f"gives {step.score!r} as a score")
        score = None if step.score is None or not math.isfinite(step.score) else float(step.score)
        return Step(step.picture, bool(step.done), score, str(step.outcome))

    def _look(self, picture: Picture) -> Picture:
        width, height = self._clip.size_px
        if not isinstance(picture, np.ndarray) or picture.shape != (height, width, 3) or picture.dtype != np.uint8:
            found = getattr(picture, "shape", type(picture).__name__), getattr(picture, "dtype", "")
            self._refuse(
                f"shows {found[0]} {found[1]}".rstrip() + f" where the model sees ({height}, {width}, 3) uint8"
            )
        return picture

    def _refuse(self, what: str) -> None:
        raise BadArgument(f"--play {self._named} {what}.")


@contextmanager
def told(named: str, what: str) -> Iterator[None]:
    """Whatever a stranger's code raises, as a sentence; the error itself stays its cause."""
    try:
        yield
    except PlaytapeError:
        raise
    except Exception as error:
        raise BadArgument(f"--play {named} {what}: {type(error).__name__}: {first_line(error)}.") from error


def _load(named: str) -> Factory:
    module, colon, name = named.partition(":")
    if not colon:
        offered = importlib.metadata.entry_points(group=GROUP)
        for point in offered:
            if point.name == named:
                with told(named, "does not load"):
                    found = point.load()
                return _callable(named, found)
        known = ", ".join(sorted(point.name for point in offered)) or "none"
        raise BadArgument(f"There is no game {named!r} to play (installed: {known}); name one, or give MODULE:FACTORY.")
    if not all(part.isidentifier() for part in [*module.split("."), name]):
        raise BadArgument(f"{named!r} names no game; give MODULE:FACTORY, as in my_games.maze:make.")
    try:
        with told(named, "does not load"):
            found = importlib.import_module(module)
    except BadArgument as error:
        if isinstance(error.__cause__, ModuleNotFoundError) and _is_part(error.__cause__.name, module):
            raise BadArgument(f"There is no module {module} for --play; put its folder on PYTHONPATH.") from None
        raise
    if not hasattr(found, name):
        raise BadArgument(f"Module {module} has no {name} for --play.")
    return _callable(named, getattr(found, name))


def _is_part(missing: str | None, module: str) -> bool:
    """Whether what was not found is the module itself or a package around it, and not something that it needs."""
    return missing is not None and f"{module}.".startswith(f"{missing}.")


def _callable(named: str, found: Any) -> Factory:
    if not callable(found):
        raise BadArgument(f"--play {named} is no factory: it cannot be called.")
    factory: Factory = found
    return factory
