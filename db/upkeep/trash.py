"""The marks of a session in the trash, or taken out of it, in its own folder, so that an index made anew knows of them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from db.errors import from_os_error
from db.files import sync_folder

_NAME, _RESTORED = "trashed", "restored"
_IDS = "[0-9a-f]" * 8 + "-*"


def put_mark(folder: Path, why: str = "") -> None:
    """Marks a session's folder. why: what it was part of, for who takes it back. Raises DiskFull, StoreReadOnly."""
    try:
        (folder / _NAME).write_text(why, encoding="utf-8")
        (folder / _RESTORED).unlink(missing_ok=True)
        sync_folder(folder)
    except OSError as error:
        raise from_os_error(error, folder) from None


def take_mark(folder: Path, why: str = "") -> None:
    """Takes the mark away; does nothing where there is none. why: as for `put_mark`. Raises DiskFull, StoreReadOnly."""
    try:
        (folder / _NAME).unlink(missing_ok=True)
        if why:
            (folder / _RESTORED).write_text(why, encoding="utf-8")
        else:
            (folder / _RESTORED).unlink(missing_ok=True)
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
    return _read(folder / _NAME)


def restored_why(folder: Path) -> str:
    """What `take_mark` was told, "" where that was nothing or the session is in the trash again."""
    return _read(folder / _RESTORED)


def all_restored(sessions_dir: Path) -> list[str]:
    """The ids of the sessions that were taken out of the trash with a reason; what is being deleted has no such name."""
    return [mark.parent.name for mark in sessions_dir.glob(f"{_IDS}/{_RESTORED}")]


def _read(mark: Path) -> str:
    try:
        return mark.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
