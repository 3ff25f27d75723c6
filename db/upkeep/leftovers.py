"""Folders that exist only while something is being done, what is left of them when that was killed, and what caches keep.

sessions/importing-<id>        an import unpacks into it; importing-<id>.lock is held meanwhile
sessions/deleting-<session>    a session that is being deleted has lost its name first
unfinished/<session>           something was begun with a session that must be brought to its end (a cut, a redaction)
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from db.errors import BadArgument, from_os_error
from db.files import make_folder, sync_folder
from db.labelling.drafts import forget_drafts
from db.labelling.labels import new_id

_IMPORTING, _DELETING, _LOCK, _UNFINISHED = "importing-", "deleting-", ".lock", "unfinished"


@contextmanager
def staging_folder(sessions_dir: Path) -> Iterator[Path]:
    """A new folder to prepare something in; what is left in it at the end is removed. Raises OSError."""
    folder = sessions_dir / f"{_IMPORTING}{new_id()}"
    with _held(folder):
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def doomed_folder(folder: Path) -> Path:
    """The name that a session's folder gets when its deletion begins."""
    return folder.with_name(f"{_DELETING}{folder.name}")


def clear_leftovers(sessions_dir: Path) -> list[str]:
    """Removes what killed imports and deletions left, and leaves alone what is still being done.

    Returns the ids of the sessions whose deletion was cut off, for the index to forget.
    """
    deleted = []
    for path in sorted(sessions_dir.glob(f"{_IMPORTING}*")):
        with contextlib.suppress(TimeoutError, OSError), _held(path.with_name(path.name.removesuffix(_LOCK))):
            if path.is_dir():
                shutil.rmtree(path)
    for path in sorted(sessions_dir.glob(f"{_DELETING}*")):
        deleted.append(path.name.removeprefix(_DELETING))
        shutil.rmtree(path, ignore_errors=True)
    return deleted


@contextmanager
def until_entered(root: Path, folder: Path) -> Iterator[Path]:
    """Notes that something is begun with a session's folder, until it is done or was refused (BadArgument).

    Raises DiskFull, StoreReadOnly.
    """
    marker = root / _UNFINISHED / folder.name
    try:
        make_folder(marker.parent)
        marker.touch(mode=0o600)
        sync_folder(marker.parent)
    except OSError as error:
        raise from_os_error(error, marker) from None
    try:
        yield folder
    except BadArgument:
        marker.unlink(missing_ok=True)
        raise
    marker.unlink(missing_ok=True)


def unfinished(root: Path, sessions_dir: Path) -> list[str]:
    """The ids of sessions with which something was begun and not ended; one that is gone leaves nothing to end."""
    found = []
    for marker in sorted((root / _UNFINISHED).glob("*")):
        if (sessions_dir / marker.name).is_dir():
            found.append(marker.name)
        else:
            marker.unlink(missing_ok=True)
    return found


def clear_traces(root: Path, session_id: str) -> None:
    """Removes what is kept of a session outside its folder and the index, as it is deleted. Raises OSError."""
    clear_cached(root, session_id)
    forget_drafts(root, session_id)


def clear_cached(root: Path, session_id: str) -> None:
    """Removes everything that was made of a session and kept for later: its name begins with the session's id.

    In the cache, and beside the datasets that hold actions imputed to it; such a dataset refuses to train from then on.

    A folder loses its name first, so that whoever is still adding to it has nowhere left to add to. Raises OSError.
    """
    made = [*(root / "cache").rglob(f"{session_id}*"), *(root / "datasets").glob(f"*/*/{session_id}*")]
    for path in made:
        if path.is_dir() and not path.is_symlink():
            doomed = path.with_name(f"{session_id}.cleared-{new_id()}")
            path.rename(doomed)
            shutil.rmtree(doomed)
        else:
            path.unlink(missing_ok=True)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Holds a folder's lock, and takes its file away at the end. Raises TimeoutError where another program holds it."""
    path = folder.with_name(folder.name + _LOCK)
    lock = FileLock(path, timeout=0)
    lock.acquire()
    try:
        yield
    finally:
        lock.release()
        with contextlib.suppress(OSError):
            path.unlink()
