"""Which game profile a recording uses, at a glance: found by the window's title, or chosen by hand."""

from __future__ import annotations

import re
from pathlib import Path

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QPushButton, QVBoxLayout

from db.errors import PlaytapeError
from db.recording import keys
from db.recording.profiles import GameProfile, list_profiles, profile_for, save_profile
from recorder.ui.settings.preferences import Preferences
from recorder.ui.theme import dim, heading

_SHOWN_KEYS = 10
_MAX_NAME = 60


class ProfileCard(QFrame):
    """`profile` is what to record with; one that is not saved yet is a draft made from the title."""

    edit = pyqtSignal(object)
    """The GameProfile that the person wants to change."""
    failed = pyqtSignal(str)

    def __init__(self, library: Path, preferences: Preferences) -> None:
        super().__init__()
        self._library, self._preferences = library, preferences
        self._title = ""
        self.profile: GameProfile | None = None
        self._saved = False
        self.setProperty("card", True)
        self.box = QComboBox()
        self.box.setAccessibleName("Game profile")
        self.box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.box.setMinimumContentsLength(12)
        self.box.activated.connect(self._choose)
        self._facts = dim()
        self.button = QPushButton("&Edit …")
        self.button.setToolTip("Name, keys, idle limit, frames a second and the verdict's limits of this game")
        self.button.clicked.connect(self._edit)
        self.save = QPushButton("&Keep profile")
        self.save.setToolTip("Stores this game's profile in the library, so that its window is known next time")
        self.save.clicked.connect(self._save)
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.button)
        row.addWidget(self.save)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 12, 12)
        column.setSpacing(6)
        column.addWidget(heading("Game profile"))
        column.addWidget(self.box)
        column.addWidget(self._facts)
        column.addLayout(row)
        self.set_title("")

    def set_title(self, title: str) -> None:
        """Another window was picked: its profile, or a draft of one, becomes the present one."""
        if title == self._title and self.profile is not None:
            return
        self._title = title
        self.load()

    def load(self) -> None:
        """Reads the library's profiles again."""
        known = list_profiles(self._library)
        named = self._preferences.profile_name(self._title) if self._title else None
        found = next((profile for profile in known if profile.name == named), None)
        found = found or (profile_for(self._library, self._title) if self._title else None)
        self._saved = found is not None
        self.profile = found or (draft_of(self._title) if self._title else None)
        self.box.clear()
        if self.profile is not None and not self._saved:
            self.box.addItem(f"{self.profile.name} (new)", self.profile)
        for profile in known:
            self.box.addItem(profile.name, profile)
        if found is not None:
            self.box.setCurrentIndex(self.box.findText(found.name))
            self.box.insertSeparator(self.box.count())
            self.box.addItem("New profile from this window", draft_of(self._title))
        self._show()

    def _show(self) -> None:
        profile = self.profile
        for widget in (self.box, self.button):
            widget.setEnabled(profile is not None)
        self.save.setVisible(profile is not None and not self._saved)
        self._facts.setText(describe(profile) if profile is not None else "Pick something to record first.")

    def _choose(self, row: int) -> None:
        profile = self.box.itemData(row)
        if profile is None:
            return
        self.profile = profile
        self._saved = any(profile.name == known.name for known in list_profiles(self._library))
        if self._saved:
            self._preferences.remember_profile(self._title, profile.name)
        self._show()

    def _edit(self) -> None:
        if self.profile is not None:
            self.edit.emit(self.profile)

    def _save(self) -> None:
        assert self.profile is not None
        try:
            save_profile(self._library, self.profile)
        except PlaytapeError as error:
            self.failed.emit(str(error))
            return
        self.keep(self.profile)

    def keep(self, profile: GameProfile | None) -> None:
        """A profile was saved (None: deleted): use it for this window from now on."""
        if profile is not None and self._title:
            self._preferences.remember_profile(self._title, profile.name)
        self.load()


def draft_of(title: str) -> GameProfile:
    """Sensible settings for a game that nothing is known of but its window's title."""
    name = " ".join(title.split())[:_MAX_NAME].strip() or "Game"
    # Versions and numbers in a title change; the pattern keeps to what comes before them.
    stem = re.split(r"\s+[-–—(\[v]?\s*\d", name)[0].strip()
    return GameProfile(name=name, title_pattern="^" + re.escape(stem if len(stem) >= 3 else name))


def describe(profile: GameProfile) -> str:
    """What the profile says, in two short lines."""
    idle = f"pauses after {profile.idle_s:g} s idle" if profile.idle_s else "never pauses when idle"
    lines = [f"{profile.rate_hz:g} frames a second, {idle}"]
    if profile.keys:
        names = " ".join(keys.label(code) for code in profile.keys[:_SHOWN_KEYS])
        more = " …" if len(profile.keys) > _SHOWN_KEYS else ""
        lines.append(f"{'Only the keys' if profile.only_these else 'Keys'} {names}{more}")
    return "\n".join(lines)
