"""Where the game is played: a private display, or the desktop of whoever sits here."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Protocol


class Screen(Protocol):
    """An X display and the environment for programs that open their windows on it. `XServer` is one."""

    display: str

    def env(self) -> dict[str, str]: ...


@dataclass(frozen=True)
class Desktop:
    """A display that is there already and stays."""

    display: str

    def env(self) -> dict[str, str]:
        return dict(os.environ) | {"DISPLAY": self.display, "SDL_AUDIODRIVER": "dummy"}
