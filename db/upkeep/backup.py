"""A copy of a whole library into another folder, made while it is in use."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from db.errors import BadArgument, DiskFull, from_os_error
from db.files import make_folder, sync_folder
from db.library.index import NAME, back_up_index, check_index
from db.recording.session import is_recording
from db.store import Store
from db.upkeep.arrivals import copy_file
from db.upkeep.diskuse import free_bytes
from db.upkeep.fence import LEAVING, LOCK
from db.upkeep.pointer import ARRIVED
from db.upkeep.pointer import NAME as POINTER

_LEFT_OUT = frozenset({"cache", "unfinished", LEAVING, LOCK, ARRIVED, POINTER})
"""What is made again, or is about this folder alone."""


def back_up(
    store: Store,
    target: Path,
    progress: Callable[[int, int], None] = lambda done, total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> bool:
    """Copies a library to `target`, a folder that does not exist yet; False where it was cancelled, then nothing is left.

    Every file is read back from the disk and compared, the index is checked. The cache stays behind, and so do sessions that
    are being recorded. `progress` hears (bytes done, bytes in all). The
    copy has its name only when it is whole; it opens like any library. Raises BadArgument, DiskFull, StoreReadOnly,
    BadFile.
    """
    root = store.root.resolve()
    if target.exists():
        raise BadArgument(f"{target} exists already; name a new folder for the copy.")
    if target.resolve().is_relative_to(root):
        raise BadArgument("A library cannot be copied into itself; choose a folder elsewhere.")
    fresh = target.with_name(f"{target.name}.unfinished")
    try:
        make_folder(target.parent)
        shutil.rmtree(fresh, ignore_errors=True)
        make_folder(fresh)
        with store.reading() as connection:  # first, since `recover` enters sessions that it does not know
            back_up_index(connection, fresh / NAME)
        check_index(fresh / NAME)
        if not _copy_files(root, fresh, progress, cancelled):
            shutil.rmtree(fresh, ignore_errors=True)
            return False
        fresh.replace(target)
        sync_folder(target.parent)
    except OSError as error:
        shutil.rmtree(fresh, ignore_errors=True)
        raise from_os_error(error, target) from None
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    return True


def _copy_files(root: Path, fresh: Path, progress: Callable[[int, int], None], cancelled: Callable[[], bool]) -> bool:
    files = _wanted(root)
    total, done = sum(size for _, size in files), 0
    if total > free_bytes(fresh):
        raise DiskFull(f"The copy needs {total / 1e9:.1f} GB, and {fresh.parent} has less room; choose another place.")
    for name in ("sessions", "datasets", "runs", "models", "cache"):
        make_folder(fresh / name)
    progress(0, total)
    for path, _ in files:

        def tell(count: int) -> None:
            nonlocal done
            done += count
            progress(min(done, total), total)

        copy = fresh / path.relative_to(root)
        make_folder(copy.parent)
        try:
            if not copy_file(path, copy, cancelled, tell):
                return False
        except FileNotFoundError:
            if path.exists():
                raise
    progress(total, total)
    return not cancelled()


def _wanted(root: Path) -> list[tuple[Path, int]]:
    """The files to copy, each with its size in bytes."""
    found: list[tuple[Path, int]] = []
    for top in sorted(root.iterdir()):
        if top.name in _LEFT_OUT or top.name.startswith(Path(NAME).stem):
            continue
        for part in sorted(top.iterdir()) if top.is_dir() else [top]:
            if top.name == "sessions" and (not part.is_dir() or is_recording(part)):
                continue
            paths = part.rglob("*") if part.is_dir() else [part]
            files = (path for path in paths if path.is_file() and not path.is_symlink() and path.suffix != ".lock")
            found += [(path, path.stat().st_size) for path in files]
    return found
