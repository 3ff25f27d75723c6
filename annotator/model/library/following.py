"""What other programs write, followed cheaply: a file of JSON lines from where it was read to, and a folder of folders."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def folder_stamp(folder: Path) -> tuple[tuple[str, int], ...]:
    """Differs when a folder in it came, went, or had a file written, replaced or removed."""
    try:
        with os.scandir(folder) as entries:
            return tuple(sorted((entry.name, entry.stat().st_mtime_ns) for entry in entries if entry.is_dir()))
    except OSError:
        return ()


class Tail:
    """Half a line is read when the rest of it is there; a line that is no object is left out."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file_id, self._offset = (0, 0), 0
        self.is_there = False

    def read(self) -> tuple[list[Row], bool]:
        """(new rows, whether the file is another one than before, so that what was read is void)."""
        try:
            with self._path.open("rb") as file:
                stat = os.fstat(file.fileno())
                file_id = (stat.st_dev, stat.st_ino)
                is_anew = file_id != self._file_id or stat.st_size < self._offset
                if is_anew:
                    self._file_id, self._offset = file_id, 0
                self.is_there = True
                file.seek(self._offset)
                fresh = file.read()
        except OSError:
            self.is_there = False
            return [], False
        whole = fresh[: fresh.rfind(b"\n") + 1]
        self._offset += len(whole)
        return [row for line in whole.splitlines() if (row := _row(line)) is not None], is_anew


def _row(line: bytes) -> Row | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None
