"""What a person chose once for this machine, by name and type. Defaults are written here and nowhere else."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from PyQt6.QtCore import QSettings, QSysInfo

from db.errors import BadArgument
from recorder.hotkeys import DEFAULTS, Hotkey, HotkeyAction

SCHEMES = ("system", "dark", "light")
DISCARDS_S = (10, 30, 60, 300)
"""How much the discard button offers to throw away."""
MAX_COUNTDOWN_S = 10


class Preferences:
    """Reads and writes the settings file of the account; a value that makes no sense counts as its default."""

    def __init__(self) -> None:
        self._settings = QSettings("Playtape", "Playtape")

    @property
    def player(self) -> str:
        return self._text("recorder/player")

    @player.setter
    def player(self, name: str) -> None:
        self._settings.setValue("recorder/player", name)

    @property
    def countdown_s(self) -> int:
        """Seconds between the press of Record and the recording, 0 to MAX_COUNTDOWN_S."""
        return min(self._number("recorder/countdown_s", 3), MAX_COUNTDOWN_S)

    @countdown_s.setter
    def countdown_s(self, seconds: int) -> None:
        self._settings.setValue("recorder/countdown_s", int(seconds))

    @property
    def discard_s(self) -> int:
        """How much the discard key throws away."""
        seconds = self._number("recorder/discard_s", 30)
        return seconds if seconds in DISCARDS_S else 30

    @discard_s.setter
    def discard_s(self, seconds: int) -> None:
        self._settings.setValue("recorder/discard_s", int(seconds))

    @property
    def sounds(self) -> bool:
        return self._flag("recorder/sounds", True)

    @sounds.setter
    def sounds(self, on: bool) -> None:
        self._settings.setValue("recorder/sounds", on)

    @property
    def preview(self) -> bool:
        """Whether the live picture is shown while recording."""
        return self._flag("recorder/preview", True)

    @preview.setter
    def preview(self, on: bool) -> None:
        self._settings.setValue("recorder/preview", on)

    @property
    def pill(self) -> bool:
        """Whether a small sign beside the game tells the state while this window is not in front."""
        return self._flag("recorder/pill", True)

    @pill.setter
    def pill(self, on: bool) -> None:
        self._settings.setValue("recorder/pill", on)

    @property
    def scheme(self) -> str:
        """One of SCHEMES; shared with the library's window."""
        name = self._text("scheme")
        return name if name in SCHEMES else "system"

    @scheme.setter
    def scheme(self, name: str) -> None:
        self._settings.setValue("scheme", name)

    @property
    def bindings(self) -> dict[HotkeyAction, Hotkey]:
        """The hotkey of every action."""
        found = {}
        for action, usual in DEFAULTS.items():
            try:
                found[action] = Hotkey.parse(self._text(f"recorder/hotkeys/{action.value}"))
            except BadArgument:
                found[action] = usual
        return found

    @bindings.setter
    def bindings(self, bindings: Mapping[HotkeyAction, Hotkey]) -> None:
        for action, hotkey in bindings.items():
            self._settings.setValue(f"recorder/hotkeys/{action.value}", str(hotkey))

    @property
    def keyboard_seen(self) -> bool:
        """Whether a key was ever heard on this machine (a home folder may be shared by several)."""
        return self._flag(f"recorder/keyboard_seen/{_machine()}", False)

    @keyboard_seen.setter
    def keyboard_seen(self, seen: bool) -> None:
        self._settings.setValue(f"recorder/keyboard_seen/{_machine()}", seen)

    def profile_name(self, title: str) -> str | None:
        """The profile chosen by hand for windows with this title; "" for none on purpose, None if never chosen."""
        value = self._settings.value(f"recorder/profiles/{_short(title)}")
        return None if value is None else str(value)

    def remember_profile(self, title: str, name: str) -> None:
        self._settings.setValue(f"recorder/profiles/{_short(title)}", name)

    def _text(self, key: str) -> str:
        return str(self._settings.value(key, ""))

    def _number(self, key: str, usual: int) -> int:
        try:
            return max(int(float(str(self._settings.value(key, usual)))), 0)
        except (ValueError, OverflowError):
            return usual

    def _flag(self, key: str, usual: bool) -> bool:
        return str(self._settings.value(key, usual)).lower() == "true"


def _machine() -> str:
    return _short(bytes(QSysInfo.machineUniqueId()).decode("ascii", "replace"))


def _short(text: str) -> str:
    """A settings key for any text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
