"""Rules of one library, the same for everybody who opens it: `settings.json` in its folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from filelock import FileLock, Timeout
from pydantic import Field, ValidationError

from db.errors import BadArgument, BadFile, StoreLocked, from_os_error
from db.files import replace_text
from db.specs import Spec

_NAME = "settings.json"
_LOCK = "settings.lock"
_BUSY_S = 5.0


class VocabularyEntry(Spec):
    """An instruction that is used often, and the key that makes it."""

    text: Annotated[str, Field(min_length=1, max_length=2000)]
    key: Annotated[str, Field(max_length=40)] = ""
    """In Qt's portable text, such as `1` or `Ctrl+1`; empty: none."""


class FlagEntry(Spec):
    """A flag beside the usual ones, and the key that sets it."""

    word: Annotated[str, Field(min_length=1, max_length=100)]
    key: Annotated[str, Field(max_length=40)] = ""
    """As `VocabularyEntry.key`."""


class LibrarySettings(Spec):
    """How a team works in this library."""

    no_self_accept: bool = False
    """Whoever labelled a session may not accept it."""
    double_label_share: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Of the sessions, drawn by their id, that two people are to label."""
    vocabulary: Annotated[tuple[VocabularyEntry, ...], Field(max_length=500)] = ()
    flags: Annotated[tuple[FlagEntry, ...], Field(max_length=100)] = ()
    """Flags beside the usual ones."""
    cache_quota_bytes: Annotated[int, Field(ge=0)] = 20 * 2**30
    trusted_h: Annotated[float, Field(gt=0, le=1000)] = 2.0
    """Accepted hours in a game after which half of a contributor's sessions are drawn for review."""
    least_share: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Of a contributor's sessions, drawn for review however many hours of theirs were accepted."""
    stewards: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=100)], ...], Field(max_length=100)] = ()
    """Who may change these rules (the vocabulary and the words for flags are everybody's); none: everybody."""

    def may_change(self, person: str) -> bool:
        """Whether this person may change the rules. An agreement among people: whoever has the folder has the file."""
        return not self.stewards or person in self.stewards


RULES = frozenset({"no_self_accept", "double_label_share", "cache_quota_bytes", "trusted_h", "least_share", "stewards"})
"""The settings that stewards alone may change, where there are any."""


def read_settings(root: Path) -> LibrarySettings:
    """The usual ones where none were stored. Raises BadFile with the place of the damage."""
    path = root / _NAME
    try:
        return LibrarySettings.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return LibrarySettings()
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise BadFile(f"{path} is damaged at {place}: {first['msg']}; mend it or move it away.") from None
    except OSError as error:
        raise BadFile(f"{path} cannot be read: {error.strerror}.") from None


def write_settings(root: Path, settings: LibrarySettings) -> None:
    """Replaces the library's settings. Raises DiskFull, StoreReadOnly."""
    replace_text(root / _NAME, settings.model_dump_json(indent=2) + "\n")


def change_settings(root: Path, person: str, change: Callable[[LibrarySettings], LibrarySettings]) -> LibrarySettings:
    """Replaces the settings by what `change` makes of those that are stored now; what others change meanwhile stays.

    Returns the new ones. Raises BadArgument where they are invalid or this person may not change RULES, StoreLocked,
    BadFile, DiskFull, StoreReadOnly; nothing is changed then.
    """
    with _locked(root):
        before = read_settings(root)
        try:
            after = LibrarySettings.model_validate(change(before).model_dump())
        except ValidationError as error:
            first = error.errors()[0]
            raise BadArgument(f"{'.'.join(map(str, first['loc']))}: {first['msg']}.") from None
        changed = {name for name in LibrarySettings.model_fields if getattr(before, name) != getattr(after, name)}
        if changed & RULES and not before.may_change(person):
            raise BadArgument(
                f"The rules of this library are changed by {', '.join(before.stewards)}; ask one of them."
            )
        if RULES & changed and not after.may_change(person):
            raise BadArgument("Name yourself among those who may change the rules, or nobody.")
        if changed:
            write_settings(root, after)
        return after


def settings_stamp(root: Path) -> tuple[int, int]:
    """Another one after every change; (0, 0) where none were stored."""
    try:
        said = (root / _NAME).stat()
    except OSError:
        return 0, 0
    return said.st_mtime_ns, said.st_ino


@contextmanager
def _locked(root: Path) -> Iterator[None]:
    lock = FileLock(root / _LOCK, timeout=_BUSY_S)
    try:
        lock.acquire()
    except Timeout:
        raise StoreLocked("Somebody else is changing the library's settings; try again in a moment.") from None
    except OSError as error:
        raise from_os_error(error, root / _LOCK) from None
    try:
        yield
    finally:
        lock.release()
