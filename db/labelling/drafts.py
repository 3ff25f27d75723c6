"""What somebody has not finished: text being typed, and changes that were refused and left for later.

It is kept outside the log of edits until it is committed or given up.

drafts/<person>/<session>/<id>.json   what one window has unfinished in one session
drafts/<person>/<session>/<id>.lock   held by that window's process: a draft whose lock is free was left by a crash
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote

from filelock import FileLock, Timeout
from pydantic import Field, TypeAdapter, ValidationError

from db.errors import from_os_error
from db.files import make_folder, replace_text
from db.labelling.labels import new_id
from db.specs import Spec

_FOLDER = "drafts"


class Draft(Spec):
    """One field's unfinished text, or a change of several labels that somebody else was quicker than."""

    field: Literal["span", "comment", "note", "change"]
    target_id: str = ""
    """The span that is being written, or what the note is about; nothing for a comment that is not there yet, or a change."""
    start: Annotated[int, Field(ge=0)] | None = None
    """Of a comment: the frames [start, stop) that it is about."""
    stop: Annotated[int, Field(ge=1)] | None = None
    text: Annotated[str, Field(max_length=10_000_000)]
    """What is typed; of a change, all that it wanted, as JSON."""
    at: datetime = Field(default_factory=lambda: datetime.now(UTC))

    @property
    def place(self) -> tuple[object, ...]:
        """Where it stands: of two drafts in one place the newer is meant."""
        return self.field, self.target_id, self.start, self.stop, self.text if self.field == "change" else ""


_LIST = TypeAdapter(list[Draft])


class DraftFile:
    """What one window has unfinished in one session. For use by one thread; `close` lets go of it."""

    def __init__(self, root: Path, person: str, session_id: str) -> None:
        self.session_id = session_id
        self._folder = draft_folder(root, person, session_id)
        self._path = self._folder / f"{new_id()}.json"
        self._lock = FileLock(self._path.with_suffix(".lock"), timeout=0)

    def take_over(self) -> list[Draft]:
        """The drafts that windows left which are gone, oldest first; they are this file's from then on.

        A file that cannot be read is left where it is. Raises DiskFull, StoreReadOnly, BadFile.
        """
        found: dict[tuple[object, ...], Draft] = {}
        with suppress(OSError):
            for path in sorted(self._folder.glob("*.json")):
                lock = FileLock(path.with_suffix(".lock"), timeout=0)
                with suppress(Timeout, OSError), lock:
                    left = _read(path)
                    for draft in left:
                        if draft.place not in found or draft.at > found[draft.place].at:
                            found[draft.place] = draft
                    if left:
                        self.write(found.values())
                        path.unlink()
                        lock.release()
                        path.with_suffix(".lock").unlink(missing_ok=True)
            for part in self._folder.glob("*.json.new"):  # of a window that was killed while it wrote
                lock_path = part.with_suffix("").with_suffix(".lock")
                with suppress(Timeout, OSError), FileLock(lock_path, timeout=0):
                    part.unlink()
                    lock_path.unlink(missing_ok=True)
        return sorted(found.values(), key=lambda draft: draft.at)

    def write(self, drafts: Iterable[Draft]) -> None:
        """Replaces what is kept, durably; nothing is kept where there is none. Raises DiskFull, StoreReadOnly, BadFile."""
        listed = list(drafts)
        try:
            if not listed:
                self._path.unlink(missing_ok=True)
                return
            if not self._lock.is_locked:
                make_folder(self._folder)
                self._lock.acquire()
        except OSError as error:
            raise from_os_error(error, self._path) from None
        replace_text(self._path, _LIST.dump_json(listed).decode())

    def close(self, *, keep: bool = False) -> None:
        """Lets go of the file; keep: what is in it stays for the next window that opens the session."""
        with suppress(OSError):
            if not keep:
                self._path.unlink(missing_ok=True)
            if self._lock.is_locked:
                self._lock.release()
                self._path.with_suffix(".lock").unlink(missing_ok=True)
            self._folder.rmdir()  # refused while another window's are in it


def draft_folder(root: Path, person: str, session_id: str) -> Path:
    """Where this person's drafts on a session lie; a person may be called anything."""
    return root / _FOLDER / f"p-{quote(person, safe='')}" / session_id


def forget_drafts(root: Path, session_id: str) -> None:
    """Removes everybody's drafts on a session that is being deleted."""
    for folder in (root / _FOLDER).glob(f"*/{session_id}"):
        shutil.rmtree(folder, ignore_errors=True)


def forget_changes(root: Path, session_id: str) -> None:
    """Removes the changes that people left for later in a session: they may hold what is being destroyed. Text stays.

    Raises DiskFull, StoreReadOnly.
    """
    for path in (root / _FOLDER).glob(f"*/{session_id}/*.json"):
        drafts = _read(path)
        left = [draft for draft in drafts if draft.field != "change"]
        if len(left) < len(drafts):
            replace_text(path, _LIST.dump_json(left).decode())


def _read(path: Path) -> Sequence[Draft]:
    try:
        return _LIST.validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return []
