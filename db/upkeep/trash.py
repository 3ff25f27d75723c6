"""The mark of a session in the trash, in its own folder, so that an index made anew knows of it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from db.errors import from_os_error
from db.files import sync_folder

_NAME = "trashed"


def put_mark(folder: Path, why: str = "") -> None:
    """Marks a session's folder. why: what it was part of, for who takes it back. Raises DiskFull, StoreReadOnly."""
    try:
        (folder / _NAME).write_text(why, encoding="utf-8")
        sync_folder(folder)
    except OSError as error:
        raise from_os_error(error, folder) from None


def take_mark(folder: Path) -> None:
    """Takes the mark away; does nothing where there is none. Raises StoreReadOnly."""
    try:
        (folder / _NAME).unlink(missing_ok=True)
        sync_folder(folder)
    except OSError as error:
        raise from_os_error(error, folder) from None


def trashed_at(folder: Path) -> datetime | None:
    """When a session was put into the trash, None where it was not."""
    try:
        return datetime.fromtimestamp((folder / _NAME).stat().st_mtime, UTC)
    except OSError:
        return None


def trashed_why(folder: Path) -> str:
    """What `put_mark` was told, "" where that was nothing."""
    try:
        return (folder / _NAME).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
