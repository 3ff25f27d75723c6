"""Episodes that were played, a line each in `models/<id>/episodes.jsonl`: what was played once is not played again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from db.errors import from_os_error
from db.specs import Spec

NAME = "episodes.jsonl"

Telling = Literal["asked", "nothing", "another", "unseen"]
"""What the policy was told: what was asked for; nothing; what another task asks for; other words for what was asked for."""


class Setting(Spec):
    """What an episode's score depends on, but for who plays."""

    game: str
    settings: str
    """The game's own, as JSON."""
    task: str
    """Its instruction."""
    seed: int


class Player(Spec):
    """Who plays, and with what in their ear."""

    who: str
    """`trainer.scoring.rivals`: the model or one that it is measured beside."""
    telling: Telling = "asked"
    how: str = ""
    """How a model's actions are drawn, as JSON."""


class Episode(Spec):
    """One that was played to its end."""

    setting: Setting
    player: Player
    told: str = ""
    """The words, for a model."""
    score: float | None
    outcome: str = ""
    seconds: float
    """In the game's own time."""


class Episodes:
    """All that were played with one model. A line that is damaged, or of another format, counts as not played."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._found: dict[tuple[Setting, Player], Episode] = {}
        for line in self._lines():
            try:
                episode = Episode.model_validate_json(line)
            except ValidationError:
                continue
            self._found[episode.setting, episode.player] = episode

    def get(self, setting: Setting, player: Player) -> Episode | None:
        return self._found.get((setting, player))

    def add(self, episode: Episode) -> None:
        """On its way to the disk when the call returns. Raises DiskFull, StoreReadOnly."""
        try:
            with self._path.open("a", encoding="utf-8") as file:
                if self._is_cut_off():
                    file.write("\n")
                file.write(episode.model_dump_json() + "\n")
        except OSError as error:
            raise from_os_error(error, self._path) from None
        self._found[episode.setting, episode.player] = episode

    def all(self) -> Sequence[Episode]:
        return list(self._found.values())

    def _lines(self) -> list[str]:
        try:
            return self._path.read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise from_os_error(error, self._path) from None

    def _is_cut_off(self) -> bool:
        """Whether the last line lacks its end, since whoever wrote it was killed."""
        data = self._path.read_bytes()
        return bool(data) and not data.endswith(b"\n")
