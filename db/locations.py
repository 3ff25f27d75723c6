"""Where a library lies when nobody says."""

from __future__ import annotations

import getpass
import os
from pathlib import Path

from platformdirs import user_data_path

LIBRARY_VARIABLE = "PLAYTAPE_LIBRARY"
PERSON_VARIABLE = "PLAYTAPE_PERSON"


def default_library() -> Path:
    """`$PLAYTAPE_LIBRARY`, else the platform's data folder for Playtape."""
    named = os.environ.get(LIBRARY_VARIABLE)
    return Path(named).expanduser() if named else user_data_path("playtape", appauthor=False)


def default_person() -> str:
    """`$PLAYTAPE_PERSON`, else the name of the account; only a first suggestion for the id of who sits here."""
    named = os.environ.get(PERSON_VARIABLE)
    if named:
        return named
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "someone"
