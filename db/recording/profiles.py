"""What is known of a game before it is played: how it is recorded, which keys it uses, and what a good session of it is.

A profile is one file, `profiles/<slug>.json` in the library, and is stored in every session that was recorded with it.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field, ValidationError, field_validator

from db.errors import BadArgument, BadFile, NotFound, from_os_error
from db.files import replace_text
from db.specs import Spec

_FOLDER = "profiles"
Share = Annotated[float, Field(ge=0, le=100)]
"""Per cent."""


class QaLimits(Spec):
    """The limits of `db.recording.qa`'s rules. Per game, since a card game has fewer presses a minute than a shooter.

    `min_` is the least that a rule accepts, `max_` the most; 0 switches off a `min_` rule.
    """

    model_config = ConfigDict(allow_inf_nan=False)  # JSON has no word for them

    min_length_s: Annotated[float, Field(ge=0)] = 5.0
    min_rate_pct: Share = 90.0
    max_dropped_pct: Share = 5.0
    max_dropped_events: Annotated[int, Field(ge=0)] = 0
    max_frame_gap_s: Annotated[float, Field(gt=0)] = 1.0
    max_same_picture_pct: Share = 80.0
    max_black_pct: Share = 50.0
    max_unknown_pct: Share = 30.0
    min_actions_per_minute: Annotated[float, Field(ge=0)] = 5.0
    """Of the keyboard, the mouse or a gamepad: one of them is enough."""
    max_keys_at_once: Annotated[int, Field(ge=1)] = 6
    max_crowded_pct: Share = 1.0
    """Of the frames, those with more than `max_keys_at_once` keys down."""
    max_key_share_pct: Share = 60.0
    max_interval_ratio: Annotated[float, Field(ge=1)] = 3.0
    """The 99th percentile of the frame intervals, in wanted intervals."""
    max_frozen_s: Annotated[float, Field(gt=0)] = 30.0
    """The longest stretch of one picture."""
    min_bits_pct: Annotated[float, Field(ge=0)] = 25.0
    """Of the bits that plain pictures of this size and number would take; see `db.recording.qa`."""
    min_mouse_counts: Annotated[float, Field(ge=0)] = 0.05
    """Mean motion a frame below which a mouse is taken to lie still."""
    max_mouse_counts: Annotated[float, Field(gt=0)] = 10_000.0
    """Mean motion a frame, while moving, that no hand makes."""
    max_unmatched_pct: Share = 5.0
    """Of the presses, those of a key that was down already: its release was missed."""
    max_input_lag_ms: Annotated[float, Field(gt=0)] = 250.0
    """From an input to the next frame, 99th percentile."""
    min_expected_keys_pct: Share = 25.0
    """Of the profile's keys, those that were used."""


class GameProfile(Spec):
    """How one game is recorded and judged."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    title_pattern: str = ""
    """A regular expression found in the titles of the game's windows (in any case); empty matches none."""
    keys: tuple[Annotated[int, Field(ge=1, le=0x2FF)], ...] = ()
    """evdev codes that the game uses; empty: not said."""
    only_these: bool = False
    """Write no key but `keys`; buttons and motion are not touched."""
    idle_s: Annotated[float, Field(ge=0, le=86400)] = 90.0
    """Without any input for so long the recording pauses; 0: never."""
    blank_when_muted: bool = True
    """While the keyboard is muted the picture is kept black as well, since what is typed is seen in it."""
    rate_hz: Annotated[float, Field(ge=1, le=240)] = 30.0
    limits: QaLimits = Field(default_factory=QaLimits)

    @field_validator("title_pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"is not a regular expression: {error}") from None
        return pattern

    def matches(self, title: str) -> bool:
        """Whether a window with this title is this game's."""
        return bool(self.title_pattern) and re.search(self.title_pattern, title, re.IGNORECASE) is not None


def list_profiles(root: Path) -> list[GameProfile]:
    """The library's profiles by name. A damaged file is left out here; `load_profile` says what is wrong with it."""
    found = []
    for path in sorted((root / _FOLDER).glob("*.json")):
        try:
            found.append(_read(path))
        except BadFile:
            continue
    return sorted(found, key=lambda profile: profile.name.casefold())


def load_profile(root: Path, name: str) -> GameProfile:
    """Raises NotFound, or BadFile with the place of the damage."""
    path = profile_path(root, name)
    if not path.exists():
        raise NotFound(f"There is no profile for {name!r}; make one in the recorder or give its settings.")
    return _read(path)


def save_profile(root: Path, profile: GameProfile) -> None:
    """Replaces the profile of this name. Raises DiskFull and StoreReadOnly."""
    path = profile_path(root, profile.name)
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise from_os_error(error, path.parent) from None
    replace_text(path, profile.model_dump_json(indent=2) + "\n")


def delete_profile(root: Path, name: str) -> None:
    """Forgets a profile; sessions keep their copy. Raises NotFound and StoreReadOnly."""
    path = profile_path(root, name)
    try:
        path.unlink()
    except FileNotFoundError:
        raise NotFound(f"There is no profile for {name!r}.") from None
    except OSError as error:
        raise from_os_error(error, path) from None


def profile_for(root: Path, title: str) -> GameProfile | None:
    """The first profile that matches a window's title."""
    return next((profile for profile in list_profiles(root) if profile.matches(title)), None)


def profile_path(root: Path, name: str) -> Path:
    """Where the profile of this name lies; names that differ only in case or blanks share one file."""
    key = " ".join(name.split()).casefold()
    if not key:
        raise BadArgument("A game profile needs a name.")
    slug = re.sub(r"[^a-z0-9]+", "-", key).strip("-")[:60]
    return root / _FOLDER / f"{slug or 'game'}-{hashlib.sha256(key.encode()).hexdigest()[:6]}.json"


def _read(path: Path) -> GameProfile:
    try:
        return GameProfile.model_validate_json(path.read_text(encoding="utf-8"))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise BadFile(f"The profile {path} is damaged at {place}: {first['msg']}.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadFile(f"The profile {path} cannot be read: {error}.") from None
