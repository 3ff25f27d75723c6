"""Who has which session open just now: a small file for each window, touched every few seconds while it is open.

The files lie in the library's cache, so that they are in no backup and nothing is lost with them. Whether one is stale is
judged by the clock of the file system that holds it, which is everybody's, and not by this machine's. Of a process that ran
where this one runs it is known at once that it has ended.
"""

from __future__ import annotations

import json
import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from db.errors import from_os_error
from db.files import make_folder
from db.labelling.labels import new_id

BEAT_S = 10.0
"""A window that is open touches its file this often."""
STALE_S = 30.0
"""One that has not for so long was killed, or its machine is gone."""
_FOLDER, _PROC = "presence", Path("/proc")
_LONGEST = 200


@dataclass(frozen=True, order=True)
class Present:
    """Somebody who has a session open."""

    person: str
    machine: str


class Presence:
    """One window's own file. Without a session open there is none."""

    def __init__(self, cache_dir: Path, person: str) -> None:
        self._root, self._token = cache_dir / _FOLDER, new_id()
        said = {"person": person[:_LONGEST], "machine": _machine(), "process": os.getpid(), "among": _processes()}
        self._text = json.dumps(said)
        self._path: Path | None = None

    def enter(self, session_id: str) -> None:
        """Has this session open from now on, and no other. Raises StoreReadOnly, DiskFull."""
        self.leave()
        self._path = self._root / session_id / self._token
        self.beat()

    def beat(self) -> None:
        """Still there; to be called every BEAT_S seconds. Raises StoreReadOnly, DiskFull."""
        if self._path is None:
            return
        try:
            make_folder(self._path.parent)
            self._path.write_text(self._text, encoding="utf-8")
        except OSError as error:
            raise from_os_error(error, self._path) from None

    def leave(self) -> None:
        """Has no session open any more."""
        path, self._path = self._path, None
        if path is None:
            return
        _remove(path)
        try:
            path.parent.rmdir()
        except OSError:
            return  # somebody else is there

    def others(self) -> list[Present]:
        """Who else has the same session open, each once; who reads it twice on one machine is somebody else too."""
        if self._path is None:
            return []
        now_s = _touched_s(self._path)
        return _present(self._path.parent, self._path.name, now_s)


def open_sessions(cache_dir: Path) -> dict[str, list[Present]]:
    """Session id -> who has it open, for the sessions that somebody has."""
    root = cache_dir / _FOLDER
    try:
        folders = [folder for folder in root.iterdir() if folder.is_dir()]
    except OSError:
        return {}
    if not folders:
        return {}
    now_s = _now_s(root)
    found = {folder.name: _present(folder, "", now_s) for folder in folders}
    return {session_id: people for session_id, people in found.items() if people}


def open_elsewhere(cache_dir: Path, person: str) -> dict[str, str]:
    """Session id -> the names of the people other than this one who have it open."""
    found: dict[str, str] = {}
    for session_id, present in open_sessions(cache_dir).items():
        if names := sorted({other.person for other in present} - {person}):
            found[session_id] = ", ".join(names)
    return found


def _present(folder: Path, but: str, now_s: float) -> list[Present]:
    found = set()
    for path in _files(folder):
        if path.name == but:
            continue
        if now_s - _touched_s(path) > STALE_S:
            _remove(path)
            continue
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
            present = Present(str(said["person"])[:_LONGEST], str(said["machine"])[:_LONGEST])
        except (OSError, ValueError, KeyError, TypeError):
            continue  # just being written, or nothing of ours
        if _has_ended(said):
            _remove(path)
        else:
            found.add(present)
    return sorted(found)


def _has_ended(said: dict[str, Any]) -> bool:
    """Whether the process is known to be gone: nothing is known of those elsewhere."""
    here, process = _processes(), said.get("process")
    if not here or said.get("among") != here or not isinstance(process, int) or process <= 0:
        return False
    return not (_PROC / str(process)).exists()


def _processes() -> str:
    """Which numbering of processes this one's number belongs to: containers have their own. "" where that is not known."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {(_PROC / 'self/ns/pid').readlink()}"
    except OSError:
        return ""


def _now_s(root: Path) -> float:
    """What the clock of the file system says: a file is touched to learn it; else what this machine's says."""
    probe = root / ".clock"
    try:
        probe.touch()
        return probe.stat().st_mtime
    except OSError:
        return time.time()


def _files(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _touched_s(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return  # stale, and the next one to look tries again


def _machine() -> str:
    return platform.node()
