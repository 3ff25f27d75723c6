"""What a game must offer so that a policy can be measured by playing it. Imports no torch: adapters import this.

An adapter is a factory, called with the ClipSpec of the model that is to play, which returns a `Game`. It is named as
MODULE:FACTORY, or by an entry point of the group `playtape.games`, and lives outside Playtape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from db.media.resize import Picture
from db.specs import ClipSpec

GROUP = "playtape.games"
"""The group of entry points in which packages offer games."""


@dataclass(frozen=True)
class Task:
    """Something that can be asked for in a game, and how well it is done is counted."""

    instruction: str
    """As people were told in what the policy was trained on."""
    measure: str
    """What the score counts, as in "kills a minute"; more is better."""
    unseen: tuple[str, ...] = ()
    """Other words for the same that no recording holds."""


@dataclass(frozen=True, eq=False)
class Step:
    """What the game shows at the end of one tick of the model."""

    picture: Picture
    """(H, W, 3) uint8 RGB of the clip's size, as a recording of the game would give it to training."""
    done: bool = False
    score: float | None = None
    """Of the whole episode; asked for once it is done. None where nothing could be counted."""
    outcome: str = ""
    """The instruction of the task that was done in the end, whatever was asked for; empty where none was, or it is not told."""


class Game(Protocol):
    """A game that stands still between ticks. The same seed, instruction and actions give the same episode."""

    @property
    def name(self) -> str: ...

    @property
    def tasks(self) -> Sequence[Task]: ...

    @property
    def longest_s(self) -> float:
        """No episode lasts longer, in the game's own time."""
        ...

    @property
    def settings(self) -> Mapping[str, Any]:
        """Whatever else scores depend on (JSON): episodes that were played with other settings are played again."""
        ...

    def reset(self, seed: int, instruction: str) -> Picture:
        """Begins an episode of this task, and returns its first picture."""
        ...

    def step(self, down: frozenset[int], dx: float, dy: float) -> Step:
        """One tick (1 / `rate_hz` of the clip) with these evdev codes held, and so much relative motion in device counts."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class Demonstrated(Protocol):
    """A game that has a player of its own to show how each task is done."""

    def demonstrate(self) -> Step:
        """One tick of the running episode in which that player acts."""
        ...


@runtime_checkable
class Filmed(Protocol):
    """A game whose captured pictures can be had, at their own size and rate, as a recorder would have seen them."""

    def film(self, see: Callable[[Picture, int], None] | None) -> None:
        """From now on `see` is given every picture, (H, W, 4) uint8 BGRA with even sides, and its time in ns; None ends it.

        The last picture of a tick is the one that `Step.picture` was made from.
        """
        ...


Factory = Callable[[ClipSpec], Game]
