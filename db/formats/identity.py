"""Who is who: the id of a session that came from elsewhere follows from its source, and the state of one that goes out.

So the library itself remembers what was imported: the source is known when a session with its id is there. That needs no list that
could be lost, disagree or be forgotten in a merge; the same source brought into two libraries is one session when those meet;
and a session that was deleted can be imported again.

The id is a UUID (version 5) of the format's name, the part, the whole bytes of the files that say what was done, and of each video its
size and its first and last 64 KiB: a folder of a thousand videos is looked through in seconds when an import is taken up again.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Sequence
from pathlib import Path

from db.errors import BadFile, from_os_error
from db.files import check_plain
from db.store import Store

_NAMESPACE = uuid.UUID("6f0a3c1e-55c3-5b0e-9d5c-5d2f6f1f7a10")
_SAMPLE = 1 << 16
_GROUP = re.compile(r"[\w.:-]{1,100}")


def source_id(format_name: str, files: Sequence[Path], videos: Sequence[Path] = (), part: str = "") -> str:
    """The id of the session that these files become. Raises BadFile."""
    parts = [format_name, part, *map(digest, files), *map(_sample, videos)]
    return str(uuid.uuid5(_NAMESPACE, "\n".join(parts)))


def file_id(*paths: Path) -> str:
    """The id of the session that these files become: it follows from all their bytes. Raises BadFile."""
    return str(uuid.uuid5(_NAMESPACE, " ".join(map(digest, paths))))


def label_id(said: str) -> str:
    """The id of a label, or of one version of it, that came in: a UUID as `new_id` makes them, of the year 1970, so before all others."""
    digits = hashlib.sha256(said.encode()).hexdigest()
    return str(uuid.UUID(f"{'0' * 12}7{digits[:3]}8{digits[3:18]}"))


def state_of(store: Store, session_id: str) -> str:
    """What an export of the session would hold: other labels or another revision make another state (16 digits)."""
    said = [session_id, str(store.recording(session_id).meta.revision)]
    said += [f"{edit.id}" for edit in store.edits(session_id)]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:16]


def group_of(said: object) -> str:
    """The id of a group as a file tells it, or "" where it can be none."""
    return said if isinstance(said, str) and _GROUP.fullmatch(said) else ""


def digest(path: Path) -> str:
    """The SHA-256 of a file. Raises BadFile."""
    check_plain(path)
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise from_os_error(error, path) from None


def check_size(path: Path, most_bytes: int) -> None:
    """Raises BadFile where a file is larger than one of its kind can be."""
    check_plain(path)
    try:
        size = path.stat().st_size
    except OSError as error:
        raise from_os_error(error, path) from None
    if size > most_bytes:
        raise BadFile(f"{path} has {size / 1e9:.1f} GB; one of its kind has at most {most_bytes / 1e9:.1f}.")


def _sample(path: Path) -> str:
    check_plain(path)
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            first = file.read(_SAMPLE)
            file.seek(max(size - _SAMPLE, 0))
            last = file.read(_SAMPLE)
    except OSError as error:
        raise from_os_error(error, path) from None
    return hashlib.sha256(b"%d\n" % size + first + last).hexdigest()
