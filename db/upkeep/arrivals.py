"""The files that have arrived in a folder: linked, or copied and read back from the disk. A list that survives a kill."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import ValidationError

from db.errors import BadFile
from db.files import make_folder, sync_folder
from db.specs import Spec
from db.upkeep.pointer import Origin, read_origin

_CHUNK_BYTES = 4 * 2**20
_PART = ".part"


class Arrival(Spec):
    """A file as it was when it was brought: its path within the library, its size, and when it was last written."""

    path: str
    bytes: int
    mtime_ns: int


class Arrivals:
    """The list, open for more; a line is written when its file is safe on the disk. Use as a context manager."""

    def __init__(self, path: Path, source: Path) -> None:
        """Goes on with a list of files from `source`; any other list is begun anew. Raises OSError."""
        self._known: dict[str, Arrival] = {}
        if read_origin(path) == source:
            self._read(path)
            self._file = path.open("a", encoding="utf-8")
            self._file.write("\n")  # ends a line that was cut off
        else:
            self._file = path.open("w", encoding="utf-8")
            self._file.write(Origin(come_from=str(source)).model_dump_json() + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        sync_folder(path.parent)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def knows(self, path: Path, source: Path) -> bool:
        """Whether a file of `source` was brought as it is now."""
        known = self._known.get(path.relative_to(source).as_posix())
        facts = path.stat()
        return known is not None and (known.bytes, known.mtime_ns) == (facts.st_size, facts.st_mtime_ns)

    def has(self, path: Path, source: Path, target: Path) -> bool:
        """Whether it was brought as it is now, and is still there, whole."""
        copy = target / path.relative_to(source)
        return self.knows(path, source) and copy.is_file() and copy.stat().st_size == path.stat().st_size

    def add(self, path: Path, source: Path, facts: os.stat_result) -> None:
        """Notes that a file is there as it was when `facts` were taken."""
        inner = path.relative_to(source).as_posix()
        arrival = Arrival(path=inner, bytes=facts.st_size, mtime_ns=facts.st_mtime_ns)
        self._known[inner] = arrival
        self._file.write(arrival.model_dump_json() + "\n")
        self._file.flush()

    def take_back_gone(self, source: Path, target: Path) -> None:
        """Removes from `target` what `source` has no longer, such as a session that was deleted, and what was cut off."""
        for inner in [inner for inner in self._known if not (source / inner).exists()]:
            del self._known[inner]
            (target / inner).unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                (target / inner).parent.rmdir()
        for part in list(target.rglob(f"*{_PART}")):
            part.unlink(missing_ok=True)

    def _read(self, path: Path) -> None:
        for line in path.read_bytes().splitlines()[1:]:
            try:
                arrival = Arrival.model_validate_json(line)
            except ValidationError:
                continue  # empty, or cut off: that file is brought again
            self._known[arrival.path] = arrival


def bring(
    path: Path, source: Path, target: Path, arrivals: Arrivals, cancelled: Callable[[], bool] = lambda: False
) -> bool:
    """Puts a file of `source` at its place in `target` and notes it; one that vanished meanwhile is left out.

    False where it was cancelled. Raises OSError, and BadFile where it does not read back as it was written.
    """
    copy = target / path.relative_to(source)
    make_folder(copy.parent)
    try:
        facts = path.stat()
        if not _link(path, copy) and not copy_file(path, copy, cancelled):
            return False
    except FileNotFoundError:
        if path.exists():
            raise
        return True
    arrivals.add(path, source, facts)
    return True


def _link(path: Path, copy: Path) -> bool:
    """A second name for the same file, where both are on one disk that can do that."""
    part = copy.with_name(copy.name + _PART)
    part.unlink(missing_ok=True)
    try:
        os.link(path, part)
    except OSError:
        return False
    part.replace(copy)
    sync_folder(copy.parent)
    return True


def copy_file(
    path: Path, copy: Path, cancelled: Callable[[], bool], copied: Callable[[int], None] = lambda count: None
) -> bool:
    """Copies a file, makes the copy durable, and reads it back from the disk before it gets its name.

    `copied` hears of every so many bytes more. False where it was cancelled. Raises OSError, and BadFile where it does not
    read back as it was written.
    """
    part = copy.with_name(copy.name + _PART)
    digest = hashlib.blake2b()
    with path.open("rb") as source, part.open("wb") as file:
        while chunk := source.read(_CHUNK_BYTES):
            if cancelled():
                return False
            digest.update(chunk)
            file.write(chunk)
            copied(len(chunk))
        file.flush()
        os.fsync(file.fileno())
    if _digest(part) != digest.digest():
        part.unlink()
        raise BadFile(f"{copy} does not read back as it was written; that disk is not to be trusted with a library.")
    shutil.copystat(path, part)
    part.replace(copy)
    sync_folder(copy.parent)
    return True


def _digest(path: Path) -> bytes:
    """Of what the disk gives back, not what is still in memory, where the platform can be asked for that."""
    digest = hashlib.blake2b()
    with path.open("rb") as file:
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.digest()
