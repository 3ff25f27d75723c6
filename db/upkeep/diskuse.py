"""How much of the disk a library takes, by kind, and keeping its cache small."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from db.errors import from_os_error

KINDS = ("sessions", "cache", "datasets", "runs", "models")
_LOGS = "logs"


@dataclass(frozen=True)
class DiskUse:
    """Bytes and files of one kind; `other` is the index and the settings."""

    kind: str
    bytes: int
    files: int


def disk_use(root: Path) -> list[DiskUse]:
    """One line for each of KINDS, then `other`. Files that vanish meanwhile do not count."""
    lines = [_sum(kind, _files(root / kind)) for kind in KINDS]
    with contextlib.suppress(OSError):
        others = [path for path in root.iterdir() if path.name not in KINDS]
        lines.append(_sum("other", (file for path in others for file in _files(path))))
    return lines


def free_bytes(root: Path) -> int:
    """Room left where the library lies."""
    return shutil.disk_usage(root).free


def clear_cache(root: Path) -> int:
    """Removes everything that can be made again, but for the logs of started programs; returns the bytes freed.

    Raises StoreReadOnly.
    """
    return keep_quota(root, 0)


def keep_quota(root: Path, quota_bytes: int) -> int:
    """Removes what was used longest ago from the cache until it fits; returns the bytes freed. Raises StoreReadOnly."""
    cached = []
    for path in _files(root / "cache"):
        if path.is_relative_to(root / "cache" / _LOGS):
            continue
        with contextlib.suppress(FileNotFoundError):
            facts = path.stat()
            cached.append((max(facts.st_atime_ns, facts.st_mtime_ns), facts.st_size, path))
    held, freed = sum(size for _, size, _ in cached), 0
    for _, size, path in sorted(cached):
        if held - freed <= quota_bytes:
            break
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise from_os_error(error, path) from None
        freed += size
    return freed


def _sum(kind: str, files: Iterator[Path]) -> DiskUse:
    count = total = 0
    for path in files:
        with contextlib.suppress(OSError):
            total += path.lstat().st_size
            count += 1
    return DiskUse(kind, total, count)


def _files(folder: Path) -> Iterator[Path]:
    """The plain files at or under a path; links are not followed."""
    if folder.is_file():
        yield folder
        return
    for here, _, names in os.walk(folder):
        yield from (Path(here) / name for name in names)
