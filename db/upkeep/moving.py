"""Moves a whole library into another folder. The old one is the library until the new one is whole; then, at one instant,
the new one is. Killed at any time it goes on where it was when it is asked for again.

1. Every file is linked (on the same disk) or copied and read back. ARRIVING in the new folder lists what is there.
2. Nobody can write to the old index any more; what changed meanwhile is brought too, then the index itself.
3. `moved-to.json` in the old folder: the library is the new folder now.
4. The old files are removed, but for that one, which leads whoever opens the old folder to the new one.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from db.errors import BadArgument, DiskFull, PlaytapeError, StoreLocked, from_os_error
from db.files import make_folder, replace_text, sync_folder
from db.library.index import NAME as INDEX
from db.library.index import back_up_index, check_index
from db.recording.session import is_recording
from db.store import Store
from db.upkeep.arrivals import Arrivals, bring
from db.upkeep.diskuse import free_bytes
from db.upkeep.fence import LEAVING, LOCK, lift_fence, put_fence
from db.upkeep.pointer import ARRIVED, ARRIVING, read_origin, read_pointer, write_pointer
from db.upkeep.pointer import NAME as POINTER

FOLDERS = ("sessions", "datasets", "runs", "models", "cache")
_LIVE_S = 30.0
"""A run whose heartbeat is younger than this goes on."""
_OWN = frozenset({POINTER, ARRIVING, ARRIVED, LEAVING, LOCK})

Progress = Callable[[int, int], None]
Cancelled = Callable[[], bool]


def move_library(
    store: Store,
    target: Path,
    progress: Progress = lambda done, total: None,
    cancelled: Cancelled = lambda: False,
) -> bool:
    """Moves the open library to `target`, a folder that is missing or empty or that the library left once.

    Goes on with a move there that was cut off. False where it was cancelled: then nothing is left of it. `progress` hears
    (bytes done, bytes in all). The store serves no longer afterwards: open the new one. What could not be removed of the
    old one is removed by `finish_move`. Raises BadArgument, DiskFull, StoreReadOnly, StoreLocked, BadFile.
    """
    source = store.root.resolve()
    target = target.expanduser().resolve()
    finish_move(source)
    with _alone(source):
        _check(source, target)
        try:
            make_folder(target)
            replace_text(source / LEAVING, f"{target}\n")
            with Arrivals(target / ARRIVING, source) as arrivals:
                if not _bring_all(source, target, arrivals, progress, cancelled):
                    give_up(source)
                    return False
                _switch(store, source, target, arrivals)
        except OSError as error:
            raise from_os_error(error, target) from None
    with contextlib.suppress(PlaytapeError):
        finish_move(target)
    return True


def unfinished_move(root: Path) -> Path | None:
    """Where a move of this library was on its way to when it was cut off."""
    try:
        place = (root / LEAVING).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return Path(place) if place and read_pointer(root) is None else None


def give_up(root: Path) -> None:
    """Removes what a move that was cut off brought to the new folder; the library stays where it is. Raises BadFile."""
    target = unfinished_move(root)
    try:
        if target is not None and read_origin(target / ARRIVING) == root.resolve():
            for name in FOLDERS:
                shutil.rmtree(target / name, ignore_errors=True)
            for path in [path for path in target.iterdir() if path.is_file() and path.name not in (POINTER, ARRIVING)]:
                path.unlink()
            (target / ARRIVING).unlink()
            if not any(target.iterdir()):
                target.rmdir()
        (root / LEAVING).unlink(missing_ok=True)
    except OSError as error:
        raise from_os_error(error, target or root) from None


def finish_move(root: Path) -> list[str]:
    """Removes what is left in the folder that this library came from; a recording that goes on there is waited for.

    What came into the old folder since is brought over first, such as a recording that was stopped late. Returns the names
    of what had to stay. Cheap where no move is to be finished. Raises BadFile, StoreReadOnly, DiskFull.
    """
    source = read_origin(root / ARRIVED) or read_origin(root / ARRIVING)
    if source is None or ((root / ARRIVING).exists() and not source.is_dir()):
        return []
    pointer = read_pointer(source) if source.is_dir() else None
    try:
        if source.is_dir() and (pointer is None or Path(pointer.to) != root.resolve()):
            return []
        (root / POINTER).unlink(missing_ok=True)
        if (root / ARRIVING).exists():
            (root / ARRIVING).replace(root / ARRIVED)
            sync_folder(root)
        stayed: list[str] = []
        if source.is_dir():
            with _alone(source):
                stayed = _remove_old(source, root)
            (source / LOCK).unlink(missing_ok=True)
        if not stayed:
            (root / ARRIVED).unlink(missing_ok=True)
    except OSError as error:
        raise from_os_error(error, source) from None
    return stayed


def _check(source: Path, target: Path) -> None:
    if read_pointer(source) is not None and not (target / ARRIVING).exists():
        raise BadArgument(f"The library in {source} was moved already; open it anew.")
    if target == source or target.is_relative_to(source) or source.is_relative_to(target):
        raise BadArgument("A library cannot be moved into itself; choose a folder elsewhere.")
    if target.exists() and not target.is_dir():
        raise BadArgument(f"{target} is a file; name a folder.")
    begun, here = unfinished_move(source), target.is_dir()
    if begun is not None and begun != target:
        raise BadArgument(f"A move to {begun} was cut off; go on with it or give it up first.")
    foreign = {path.name for path in target.iterdir()} - {POINTER} if here else set()
    if foreign and read_origin(target / ARRIVING) != source:
        raise BadArgument(f"{target} is not empty; choose a new folder.")
    _check_quiet(source)


def _check_quiet(source: Path) -> None:
    """Raises BadArgument while something is being recorded or trained."""
    for folder in (source / "sessions").iterdir():
        if folder.is_dir() and is_recording(folder):
            raise BadArgument("Something is being recorded into this library; stop the recording first.")
    for heart in (source / "runs").glob("*/heartbeat"):
        with contextlib.suppress(OSError):
            if time.time() - heart.stat().st_mtime < _LIVE_S:
                raise BadArgument(f"The training run {heart.parent.name} goes on; wait for it or stop it first.")


def _bring_all(source: Path, target: Path, arrivals: Arrivals, progress: Progress, cancelled: Cancelled) -> bool:
    files = _files(source)
    total = sum(size for _, size in files)
    missing = sum(size for path, size in files if not arrivals.has(path, source, target))
    index_bytes = (source / INDEX).stat().st_size
    room = free_bytes(target)
    needed = index_bytes + (0 if source.stat().st_dev == target.stat().st_dev else missing)
    if needed > room:
        raise DiskFull(
            f"The library needs {needed / 1e9:.1f} GB more, and {target} has room for {room / 1e9:.1f}; choose another place."
        )
    done = 0
    progress(0, total)
    for path, size in files:
        if not arrivals.has(path, source, target) and not bring(path, source, target, arrivals, cancelled):
            return False
        done += size
        progress(min(done, total), total)
    return not cancelled()


def _switch(store: Store, source: Path, target: Path, arrivals: Arrivals) -> None:
    """From fencing the old index off to the pointer; gives the old one free again where that fails."""
    with store.writing() as connection:
        put_fence(connection)
    try:
        _check_quiet(source)
        for path, _ in _files(source):
            if not arrivals.has(path, source, target):
                bring(path, source, target, arrivals)
        arrivals.take_back_gone(source, target)
        for name in FOLDERS:
            make_folder(target / name)
        _bring_index(store, target)
        write_pointer(source, target)
    except BaseException:
        with store.writing() as connection:
            lift_fence(connection)
        raise


def _bring_index(store: Store, target: Path) -> None:
    fresh = target / f"{INDEX}.part"
    fresh.unlink(missing_ok=True)
    with store.reading() as connection:
        back_up_index(connection, fresh)
    check_index(fresh)
    copy = sqlite3.connect(fresh)
    try:
        for name in [name for (name,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]:
            copy.execute(f'DROP TRIGGER "{name}"')
        copy.commit()
    finally:
        copy.close()
    with fresh.open("rb+") as file:
        os.fsync(file.fileno())
    fresh.replace(target / INDEX)
    sync_folder(target)


def _remove_old(source: Path, root: Path) -> list[str]:
    """Removes the old files, the index first, so that nothing is ever entered there again."""
    for path in [path for path in source.iterdir() if path.name.startswith(Path(INDEX).stem)]:
        path.unlink()
    (source / LEAVING).unlink(missing_ok=True)
    shutil.rmtree(source / "cache", ignore_errors=True)
    stayed = [f.name for f in (source / "sessions").glob("*") if f.is_dir() and is_recording(f)]
    with Arrivals(root / ARRIVED, source) as arrivals:
        for path, _ in _files(source):
            inner = path.relative_to(source)
            if inner.parts[0] == "sessions" and inner.parts[1] in stayed:
                continue
            if not arrivals.knows(path, source) and not (root / inner).exists():
                bring(path, source, root, arrivals)
            path.unlink()
    for lock in source.glob("*/**/*.lock"):
        if lock.parent.name not in stayed:
            lock.unlink()
    for here, _, _ in sorted(os.walk(source), reverse=True):  # the innermost first
        if Path(here) != source:
            with contextlib.suppress(OSError):
                Path(here).rmdir()
    return stayed


def _files(source: Path) -> list[tuple[Path, int]]:
    """What is to be brought, each with its size in bytes: all but the index, the cache and locks."""
    found: list[tuple[Path, int]] = []
    for top in sorted(source.iterdir()):
        if top.name in _OWN or top.name == "cache" or top.name.startswith(Path(INDEX).stem):
            continue
        paths = sorted(top.rglob("*")) if top.is_dir() else [top]
        files = [path for path in paths if path.is_file() and not path.is_symlink() and path.suffix != ".lock"]
        found += [(path, path.stat().st_size) for path in files]
    return found


@contextmanager
def _alone(source: Path) -> Iterator[None]:
    """Raises StoreLocked where another program moves this library just now."""
    lock = FileLock(source / LOCK, timeout=0)
    try:
        lock.acquire()
    except TimeoutError:
        raise StoreLocked(f"Another program is moving the library {source}; wait for it.") from None
    try:
        yield
    finally:
        lock.release()
