"""What a person has switched on and off in the window stays so: on this machine, from one run to the next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from PyQt6.QtCore import QSettings
from PyQt6.QtGui import QAction

from annotator.ui.keys.table import ActionSpec


def remember_switches(actions: Mapping[str, QAction], table: Iterable[ActionSpec]) -> None:
    """Sets every action that can be switched as it was left, and notes from now on how it is left."""
    for spec in table:
        if spec.checked is None:
            continue
        action, place = actions[spec.name], f"switches/{spec.name}"
        action.setChecked(_settings().value(place, spec.checked, type=bool))
        action.toggled.connect(lambda is_on, place=place: _settings().setValue(place, is_on))


def _settings() -> QSettings:
    return QSettings("Playtape", "Playtape")
