"""What a person agreed to before the first recording, kept with the library and with every session."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from db.errors import BadFile
from db.files import replace_text
from db.specs import Spec

VERSION = 1
STATEMENT = """\
While you record, Playtape keeps the pictures of the window (or the monitor, or the part of the screen) that you chose, \
and every key, button, wheel and mouse movement that goes to the game's window, with their times.

It never keeps what you type into another window, sound, or anything before you press Record and after you press Stop, \
nor, where you chose a window, what another window shows: while one covers the game, the picture is black.

Everything stays on this machine, in the library's folder, readable by your account only, until you send a session \
yourself. You can discard the last seconds, delete a session, and withdraw one that you have sent."""
"""Shown before it is agreed to; a new wording is a new VERSION."""

WARNING = """\
Games with an anti-cheat system may forbid programs that read the screen and the keys, and may ban the account. Do not \
record online games whose rules forbid it."""

LICENCES = {
    "private": "Private: for my own use; not to be passed on",
    "team": "Team: for the people whom I send it to, for training models; not to be published",
    "CC-BY-4.0": "CC BY 4.0: anybody may use and share it with credit",
    "CC0-1.0": "CC0: anybody may use it for anything",
}
"""Under which terms a person's recordings may be used; any other text is a licence by that name."""

_NAME = "consents.json"


class Consent(Spec):
    """One person's agreement to STATEMENT."""

    person: str
    licence: Annotated[str, Field(min_length=1, max_length=200)]
    version: int = VERSION
    text_sha256: str
    """SHA-256 of the text that was shown, in hexadecimal."""
    given_at: str
    """ISO 8601, UTC."""


def give_consent(root: Path, person: str, licence: str) -> Consent:
    """Stores that `person` agrees to STATEMENT as of now, replacing an earlier consent. Raises DiskFull, StoreReadOnly, BadFile."""
    digest = hashlib.sha256(f"{STATEMENT}\n{WARNING}".encode()).hexdigest()
    now = datetime.now(UTC).isoformat(timespec="seconds")
    given = Consent(person=person, licence=licence, text_sha256=digest, given_at=now)
    consents = _read(root) | {person: given}
    replace_text(root / _NAME, _FILE.dump_json(consents, indent=2).decode() + "\n")
    return given


def find_consent(root: Path, person: str) -> Consent | None:
    """The person's consent to the present wording, None where it was never given. Raises BadFile."""
    given = _read(root).get(person)
    return given if given is not None and given.version == VERSION else None


_FILE = TypeAdapter(dict[str, Consent])


def _read(root: Path) -> dict[str, Consent]:
    path = root / _NAME
    try:
        return _FILE.validate_json(path.read_bytes())
    except FileNotFoundError:
        return {}
    except ValidationError as error:
        raise BadFile(f"{path} is damaged ({error.errors()[0]['msg']}); move it away and agree again.") from None
    except OSError as error:
        raise BadFile(f"{path} cannot be read: {error.strerror}.") from None
