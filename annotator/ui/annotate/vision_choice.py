"""The vision model that a person has chosen on this machine, and where pictures of which library may go."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError
from PyQt6.QtCore import QSettings

from annotator.vision.setup import VisionSetup

_SETUP, _ALLOWED = "vision/setup", "vision/allowed"


def read_setup() -> VisionSetup:
    """What was chosen; off where nothing was, or where what is stored makes no sense any more."""
    stored = _settings().value(_SETUP, "")
    try:
        return VisionSetup.model_validate_json(stored if isinstance(stored, str) else "")
    except ValidationError:
        return VisionSetup()


def write_setup(setup: VisionSetup) -> None:
    settings = _settings()
    settings.setValue(_SETUP, setup.model_dump_json())
    settings.sync()


def is_allowed(setup: VisionSetup, root: Path) -> bool:
    """Whether a person said that pictures of this library may go to this place without being asked again."""
    return [setup.place, str(root.resolve())] in _allowed()


def allow(setup: VisionSetup, root: Path) -> None:
    """Remembers that they may."""
    pair = [setup.place, str(root.resolve())]
    _write_allowed([*(known for known in _allowed() if known != pair), pair])


def forget_allowed() -> int:
    """From now on it is asked again everywhere; returns how many places were remembered."""
    count = len(_allowed())
    _write_allowed([])
    return count


def _allowed() -> list[list[str]]:
    stored = _settings().value(_ALLOWED, "[]")
    try:
        pairs = json.loads(stored)
    except (TypeError, ValueError):
        return []
    return [pair for pair in pairs if isinstance(pair, list)] if isinstance(pairs, list) else []


def _write_allowed(pairs: list[list[str]]) -> None:
    settings = _settings()
    settings.setValue(_ALLOWED, json.dumps(pairs))
    settings.sync()


def _settings() -> QSettings:
    return QSettings("Playtape", "Playtape")
